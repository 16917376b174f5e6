import type { DeepReadonly, core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid } from '../../validation/causes.ts'
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
  validateCreate({ metadata, spec }) {
    const causes: Causes = []
    if (spec.ephemeralContainers?.length) causes.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
    validateAppArmor(causes, metadata.annotations)
    const mirrored = metadata.annotations?.[mirrorAnnotation]
    if (mirrored !== undefined && !spec.nodeName)
      causes.push(invalid(`metadata.annotations[${mirrorAnnotation}]`, mirrored, 'must set spec.nodeName if mirror pod annotation is set'))
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
  else if (podIPs?.length && !podIP) status.podIP = podIPs[0]!.ip
  // an old kubelet knows the one address only
  else if (podIP && podIPs![0]!.ip !== podIP) status.podIPs = [{ ip: podIP }]
  if (status.hostIP && !status.hostIPs?.length) status.hostIPs = [{ ip: status.hostIP }]
}

/** Says of a pod that it stands for a static one of its node. */
const mirrorAnnotation = 'kubernetes.io/config.mirror'

const appArmor = 'container.apparmor.security.beta.kubernetes.io/'

/** Profiles by annotation are as good as those by field. */
function validateAppArmor(causes: Causes, annotations: DeepReadonly<Record<string, string>> | undefined): void {
  for (const key in annotations) {
    if (!key.startsWith(appArmor)) continue
    const profile = annotations[key]!
    if (profile !== '' && profile !== 'runtime/default' && profile !== 'unconfined' && !profile.startsWith('localhost/'))
      causes.push(invalid(`metadata.annotations[${key}]`, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`))
  }
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
