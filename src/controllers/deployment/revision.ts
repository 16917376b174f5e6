import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, apps, core } from '#api'

export type Deployment = DeepReadonly<apps.Deployment>
export type ReplicaSet = DeepReadonly<apps.ReplicaSet>

export const annotation = {
  revision: 'deployment.kubernetes.io/revision',
  revisionHistory: 'deployment.kubernetes.io/revision-history',
  desired: 'deployment.kubernetes.io/desired-replicas',
  max: 'deployment.kubernetes.io/max-replicas',
  lastApplied: 'kubectl.kubernetes.io/last-applied-configuration',
  rollback: 'deprecated.deployment.rollback.to',
} as const

export const hashLabel = 'pod-template-hash'

/** Revisions are 64-bit numbers: more than a double counts exactly. 0 without one, or with one that is no number. */
export function revisionOf(object: { metadata: { annotations?: Readonly<Record<string, string>> } }): bigint {
  const text = object.metadata.annotations?.[annotation.revision] ?? ''
  return /^\d+$/.test(text) ? BigInt(text) : 0n
}

/** The revision of a template that is new, or newest again. */
export const nextRevision = (sets: readonly ReplicaSet[]): bigint => sets.map(revisionOf).reduce((most, r) => (r > most ? r : most), 0n) + 1n

/** The set whose template is the deployment's; of several (which old versions could make) the oldest. */
export function newestSet(deployment: Deployment, sets: readonly ReplicaSet[]): ReplicaSet | undefined {
  return sets.filter((set) => sameTemplate(set.spec.template!, deployment.spec.template)).sort(byCreation)[0]
}

export const byCreation = (a: ReplicaSet, b: ReplicaSet): number => {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return x === y ? (a.metadata.name < b.metadata.name ? -1 : 1) : x < y ? -1 : 1
}

/** The label that tells sets apart is not part of the template's meaning. */
export function sameTemplate(a: DeepReadonly<core.PodTemplateSpec>, b: DeepReadonly<core.PodTemplateSpec>): boolean {
  return isDeepStrictEqual(withoutHash(a), withoutHash(b))
}

function withoutHash(template: DeepReadonly<core.PodTemplateSpec>): object {
  const { [hashLabel]: _, ...labels } = template.metadata?.labels ?? {}
  const { creationTimestamp: __, labels: ___, ...metadata } = template.metadata ?? ({} as Record<string, never>)
  return { spec: template.spec, metadata: { ...metadata, labels } }
}

/** Annotations of the deployment that its sets carry too; the set's own bookkeeping stays. */
export function copiedAnnotations(deployment: Deployment): Record<string, string> {
  const own = new Set<string>(Object.values(annotation))
  return Object.fromEntries(Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !own.has(key)))
}

/** The longest history of revisions that is kept, characters. */
const historyLimit = 2000

/** The set's annotations at `revision`; one that comes back after a roll-back remembers the revisions it was. */
export function revisionAnnotations(set: ReplicaSet | undefined, revision: bigint): Record<string, string> {
  const before = set ? revisionOf(set) : 0n
  if (before >= revision) return {}
  const history = [...(set?.metadata.annotations?.[annotation.revisionHistory]?.split(',') ?? []), ...(before > 0 ? [String(before)] : [])]
  while (history.join().length > historyLimit) history.shift()
  return {
    [annotation.revision]: String(revision),
    ...(history.length > 0 ? { [annotation.revisionHistory]: history.join() } : {}),
  }
}
