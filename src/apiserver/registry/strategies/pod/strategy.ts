import type { core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden } from '../../validation/causes.ts'
import { ipWarnings } from '../../validation/ip.ts'
import { validateProfilesAgree } from '../../validation/pod/annotations.ts'
import { validatePod } from '../../validation/pod/pod-spec.ts'
import { podWarnings } from '../../warnings/pod.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { adoptAppArmorAnnotations } from './app-armor.ts'
import { defaultPod, mirrorServiceAccount } from './defaults.ts'
import { mergeLabelKeys } from './label-keys.ts'
import { dropDisabledFields } from './disabled-fields.ts'
import { keepObservedGenerations } from './observed-generation.ts'
import { podQosClass } from './qos.ts'
import { validatePodStatusUpdate } from './status-update.ts'
import { validatePodUpdate } from './update.ts'

const gated = {
  type: 'PodScheduled',
  status: 'False',
  reason: 'SchedulingGated',
  message: 'Scheduling is blocked due to non-empty scheduling gates',
}

export const podStrategy: ResourceStrategy<core.Pod> = {
  default: defaultPod,
  prepareForCreate(pod, context) {
    mirrorServiceAccount(pod.spec)
    pod.status = { phase: 'Pending', qosClass: podQosClass(pod.spec) }
    if (pod.spec.schedulingGates?.length) pod.status.conditions = [{ ...gated }]
    if (pod.spec.affinity || pod.spec.topologySpreadConstraints) mergeLabelKeys(pod)
    dropDisabledFields(pod.spec)
    const warnings = pod.metadata.annotations ? adoptAppArmorAnnotations(pod) : []
    context.warnings?.push(...warnings)
  },
  prepareForUpdate(pod, old) {
    mirrorServiceAccount(pod.spec)
    dropDisabledFields(pod.spec, old.spec)
    keepStatus(pod, old)
  },
  prepareForStatusUpdate(pod, old) {
    keepAllButStatus(pod, old)
    pod.metadata.ownerReferences = old.metadata.ownerReferences as typeof pod.metadata.ownerReferences
    if (pod.metadata.ownerReferences === undefined) delete pod.metadata.ownerReferences
    const status = (pod.status ??= {})
    // The class of a pod never changes; a kubelet that does not report it must not erase it.
    if (!status.qosClass && old.status?.qosClass) status.qosClass = old.status.qosClass
    keepObservedGenerations(status, old.status)
    fillPodIPs(status)
  },
  validate(pod, _apiVersion, old) {
    const causes: Causes = []
    validatePod(causes, pod, old)
    return causes
  },
  validateCreate({ metadata, spec }) {
    const causes: Causes = []
    // ephemeral containers are added by their subresource
    if (spec.ephemeralContainers?.length) causes.push(forbidden('spec.ephemeralContainers', 'cannot be set on create'))
    if (spec.nodeName && spec.schedulingGates?.length)
      causes.push(forbidden('spec.nodeName', 'cannot be set until all schedulingGates have been cleared'))
    validateProfilesAgree(causes, 'spec', metadata.annotations, spec, 'seccomp')
    validateProfilesAgree(causes, 'spec', metadata.annotations, spec, 'apparmor')
    return causes
  },
  validateUpdate: validatePodUpdate,
  validateStatusUpdate: validatePodStatusUpdate,
  // people seldom change pods, and programs do so often: only new ones are looked at
  warnings: (pod, old) => (old ? [] : podWarnings(pod)),
  statusWarnings: ({ status }) => [
    ...(status?.podIPs ?? []).flatMap(({ ip }, i) => ipWarnings(`status.podIPs[${i}].ip`, ip)),
    ...(status?.hostIPs ?? []).flatMap(({ ip }, i) => ipWarnings(`status.hostIPs[${i}].ip`, ip)),
  ],
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
  const { hostIP, hostIPs } = status
  if (hostIP && hostIPs?.[0]?.ip !== hostIP) status.hostIPs = [{ ip: hostIP }]
  else if (hostIPs?.length && !hostIP) status.hostIP = hostIPs[0]!.ip
}
