import type { DeepReadonly, core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid } from '../../validation/causes.ts'
import { validatePodSpec } from '../../validation/pod/pod-spec.ts'
import { validateResourceRequirements } from '../../validation/resources.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultPod, mirrorServiceAccount } from './defaults.ts'
import { podQosClass } from './qos.ts'
import { validatePodStatusUpdate, validatePodUpdate } from './update.ts'

const gated = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
}

export const podStrategy: ResourceStrategy<core.Pod> = {
  default: defaultPod,
  prepareForCreate(pod) {
    mirrorServiceAccount(pod.spec)
    pod.status = { phase: 'Pending', qosClass: podQosClass(pod.spec) }
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [{ ...gated }]
  },
  prepareForUpdate(pod, old) {
    mirrorServiceAccount(pod.spec)
    keepStatus(pod, old)
  },
  prepareForStatusUpdate(pod, old) {
    keepAllButStatus(pod, old)
    pod.metadata.ownerReferences = old.metadata.ownerReferences as typeof pod.metadata.ownerReferences
    if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences
    const status = (pod.status ??= {})
    // The class of a pod never changes; a kubelet that does not report it must not erase it.
    if (!status.qosClass && old.status?.qosClass) status.qosClass = old.status.qosClass
    fillPodIPs(status)
  },
  validate(pod) {
    const causes: Causes = []
    validatePodSpec(causes, 'spec', pod.spec)
    return causes
  },
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  gracePeriodSeconds(pod, asked) {
    if (!pod.spec.nodeName || pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') return 0
    const seconds = asked ?? pod.spec.terminationGracePeriodSeconds ?? 0
    return seconds < 0 ? 1 : seconds
  },
  selectableFields: (pod) => ({
    'spec.nodeName': pod.spec.nodeName ?? '',
    'spec.restartPolicy': pod.spec.restartPolicy ?? '',
    'spec.schedulerName': pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(pod.spec.hostNetwork ?? false),
    'status.phase': pod.status?.phase ?? '',
    'status.podIP': pod.status?.podIP ?? '',
    'status.podIPs': pod.status?.podIPs?.map((one) => one.ip).join(',') ?? '',
    'status.nominatedNodeName': pod.status?.nominatedNodeName ?? '',
  }),
}

/** `podIP` is the first of `podIPs`; whichever a client writes, both are there. */
function fillPodIPs(status: core.PodStatus): void {
  const { podIP, podIPs } = status
  if (podIP && !podIPs?.length) status.podIPs = [{ ip: podIP }]
  else if (podIPs?.length && podIPs[0]!.ip !== podIP) status.podIP = podIPs[0]!.ip
  if (status.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }]
}

/** What the resize subresource may ask for: valid requests and limits that leave the pod in its class. */
export function validateResize(pod: DeepReadonly<core.Pod>, old: DeepReadonly<core.Pod>): Causes {
  const causes: Causes = []
  pod.spec.containers.forEach((container, i) => validateResourceRequirements(causes, `spec.containers[${i}].resources`, container.resources))
  pod.spec.initContainers?.forEach((container, i) => validateResourceRequirements(causes, `spec.initContainers[${i}].resources`, container.resources))
  const before = old.status?.qosClass ?? podQosClass(old.spec)
  if (causes.length === 0 && podQosClass(pod.spec) !== before)
    causes.push(invalid('spec', podQosClass(pod.spec), 'Pod QOS Class may not change as a result of resizing'))
  return causes
}
