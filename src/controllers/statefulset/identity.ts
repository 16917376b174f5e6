import type { DeepReadonly, apps, core } from '#api'
import type { Revision } from '../workload/history.ts'
import { templateOf } from '../workload/history.ts'
import type { NewObject, Pod } from '../workload/pods.ts'
import { podFromTemplate } from '../workload/pods.ts'

export type StatefulSet = DeepReadonly<apps.StatefulSet>
export type Claim = DeepReadonly<core.PersistentVolumeClaim>

export const podNameLabel = 'statefulset.kubernetes.io/pod-name'
export const podIndexLabel = 'apps.kubernetes.io/pod-index'
export const revisionLabel = 'controller-revision-hash'

/** The ordinal of a pod of the set; undefined for a name that is none of its. */
export function ordinalOf(set: StatefulSet, pod: Pod): number | undefined {
  const match = /^(.*)-(\d+)$/.exec(pod.metadata.name)
  return match?.[1] === set.metadata.name ? Number(match[2]) : undefined
}

export const podName = (set: StatefulSet, ordinal: number): string => `${set.metadata.name}-${ordinal}`

export const claimName = (set: StatefulSet, template: Claim, ordinal: number): string => `${template.metadata.name}-${set.metadata.name}-${ordinal}`

const identityLabels = (set: StatefulSet, ordinal: number) => ({ [podNameLabel]: podName(set, ordinal), [podIndexLabel]: String(ordinal) })

/** The pod of an ordinal at a revision: its name, host name, labels and claims stay the same for ever. */
export function statefulPod(set: StatefulSet, ordinal: number, revision: Revision): NewObject<core.Pod> {
  const pod = podFromTemplate(templateOf(revision), set, podName(set, ordinal))
  pod.metadata.labels = { ...pod.metadata.labels, ...identityLabels(set, ordinal), [revisionLabel]: revision.metadata.name }
  pod.spec.hostname = podName(set, ordinal)
  if (set.spec.serviceName) pod.spec.subdomain = set.spec.serviceName
  const templates = set.spec.volumeClaimTemplates ?? []
  const names = new Set(templates.map((t) => t.metadata.name))
  const claims = templates.map((t) => ({ name: t.metadata.name, persistentVolumeClaim: { claimName: claimName(set, t, ordinal) } }))
  const volumes = [...claims, ...(pod.spec.volumes ?? []).filter((v) => !names.has(v.name))]
  if (volumes.length > 0) pod.spec.volumes = volumes
  return pod
}

/** The labels a pod of the set lacks; undefined when it has its identity. */
export function missingIdentity(set: StatefulSet, pod: Pod, ordinal: number): Record<string, string> | undefined {
  const missing = Object.entries(identityLabels(set, ordinal)).filter(([key, value]) => pod.metadata.labels?.[key] !== value)
  return missing.length > 0 ? Object.fromEntries(missing) : undefined
}

/** The claims of an ordinal. */
export function claimsOf(set: StatefulSet, ordinal: number): NewObject<core.PersistentVolumeClaim>[] {
  return (set.spec.volumeClaimTemplates ?? []).map(
    (template) =>
      structuredClone({
        apiVersion: 'v1',
        kind: 'PersistentVolumeClaim',
        metadata: {
          ...(template.metadata.annotations ? { annotations: template.metadata.annotations } : {}),
          name: claimName(set, template, ordinal),
          namespace: set.metadata.namespace!,
          labels: { ...template.metadata.labels, ...set.spec.selector.matchLabels },
        },
        spec: template.spec,
      }) as NewObject<core.PersistentVolumeClaim>,
  )
}
