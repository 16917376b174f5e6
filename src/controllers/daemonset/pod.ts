import type { DeepReadonly, core } from '#api'
import type { NewObject } from '../workload/pods.ts'
import { podFromTemplate } from '../workload/pods.ts'
import type { DaemonSet } from './plan.ts'
import { generationAnnotation, generationLabel, hashLabel } from './plan.ts'

type Toleration = DeepReadonly<core.Toleration>

const exists = (key: string, effect: core.TaintEffect): Toleration => ({ key: `node.kubernetes.io/${key}`, operator: 'Exists', effect })

/** What a daemon puts up with on every node (https://kubernetes.io/docs/concepts/workloads/controllers/daemonset/#taints-and-tolerations). */
const daemonTolerations: readonly Toleration[] = [
  exists('not-ready', 'NoExecute'),
  exists('unreachable', 'NoExecute'),
  exists('disk-pressure', 'NoSchedule'),
  exists('memory-pressure', 'NoSchedule'),
  exists('pid-pressure', 'NoSchedule'),
  exists('unschedulable', 'NoSchedule'),
]

const known = new WeakMap<object, readonly Toleration[]>()

/** The template's tolerations and those of every daemon; worked out once per template, as every node is asked. */
export function tolerationsOf(template: DeepReadonly<core.PodTemplateSpec>): readonly Toleration[] {
  let tolerations = known.get(template)
  if (!tolerations) known.set(template, (tolerations = allTolerations(template)))
  return tolerations
}

function allTolerations(template: DeepReadonly<core.PodTemplateSpec>): readonly Toleration[] {
  const own = template.spec?.tolerations ?? []
  const ours = template.spec?.hostNetwork ? [...daemonTolerations, exists('network-unavailable', 'NoSchedule')] : daemonTolerations
  const same = (a: Toleration, b: Toleration) => a.key === b.key && a.effect === b.effect && (a.operator ?? 'Equal') === b.operator && !a.value
  return [...own.filter((t) => !ours.some((o) => same(t, o))), ...ours]
}

/** The set's pod for a node. The scheduler places it: the affinity leaves it no choice. */
export function daemonPod(set: DaemonSet, node: string, hash: string): NewObject<core.Pod> {
  const pod = podFromTemplate(set.spec.template, set)
  const generation = set.metadata.annotations?.[generationAnnotation]
  pod.metadata.labels = { ...pod.metadata.labels, [hashLabel]: hash, ...(generation === undefined ? {} : { [generationLabel]: generation }) }
  const onNode = { nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In' as const, values: [node] }] }] }
  const { affinity } = pod.spec
  pod.spec.affinity = { ...affinity, nodeAffinity: { ...affinity?.nodeAffinity, requiredDuringSchedulingIgnoredDuringExecution: onNode } }
  pod.spec.tolerations = [...tolerationsOf(set.spec.template)] as core.Toleration[]
  return pod
}
