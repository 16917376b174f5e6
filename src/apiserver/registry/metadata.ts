import { randomUUID } from 'node:crypto'
import type { DeepReadonly, Kind, KubeObject } from '#api'
import { errors } from '#api'
import { nameSuffix } from '#base'
import type { Write } from './registry.ts'

/** Generated names are cut so that the suffix fits into a DNS label (upstream's maxGeneratedNameLength). */
const maxGeneratedBase = 58

export function generateName(base: string): string {
  return base.slice(0, maxGeneratedBase) + nameSuffix()
}

/** Makes the object's namespace the request's; rejects another one. */
export function fitNamespace(object: KubeObject, namespace: string): void {
  const { metadata } = object
  if (!namespace) {
    if (metadata.namespace !== undefined) metadata.namespace = undefined
  } else if (!metadata.namespace) metadata.namespace = namespace
  else if (metadata.namespace !== namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** What the server owns in a new object's metadata. */
export function fillNewMetadata(object: KubeObject, write: Write): void {
  const old = object.metadata
  const hasGeneration = hasGenerations(write.served.storage)
  // a fresh object in upstream's field order: one shape for all, and what clients may not set is left out
  object.metadata = {
    name: old.name || (old.generateName ? generateName(old.generateName) : ''),
    ...(old.generateName ? { generateName: old.generateName } : {}),
    ...(old.namespace ? { namespace: old.namespace } : {}),
    uid: randomUUID(),
    ...(hasGeneration ? { generation: 1 } : {}),
    creationTimestamp: write.context.now,
    ...(old.labels ? { labels: old.labels } : {}),
    ...(old.annotations ? { annotations: old.annotations } : {}),
    ...(old.ownerReferences ? { ownerReferences: old.ownerReferences } : {}),
    ...(old.finalizers ? { finalizers: old.finalizers } : {}),
    ...(old.managedFields ? { managedFields: old.managedFields } : {}),
  }
}

/** Restores what an update may leave out of metadata; validation then rejects what it tried to change. */
export function fitUpdatedMetadata(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const next = object.metadata
  const before = old.metadata
  next.uid ||= before.uid
  // changes of it are ignored, as upstream does
  next.creationTimestamp = before.creationTimestamp
  if (before.generateName !== undefined) next.generateName ??= before.generateName
  if (before.generation === undefined) delete next.generation
  else next.generation = before.generation
  if (before.deletionTimestamp) {
    next.deletionTimestamp = before.deletionTimestamp
    next.deletionGracePeriodSeconds ??= before.deletionGracePeriodSeconds
  }
  if (next.selfLink !== undefined) delete next.selfLink
}

const generations = new WeakMap<Kind, boolean>()

/** On the path of every create: the answer for a kind is kept. */
function hasGenerations(kind: Kind): boolean {
  let has = generations.get(kind)
  if (has === undefined) generations.set(kind, (has = generationKinds.has(`${kind.group}/${kind.resource}`)))
  return has
}

/** The kinds whose metadata carries a generation. */
const generationKinds = new Set([
  '/pods',
  '/replicationcontrollers',
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'batch/cronjobs',
  'batch/jobs',
  'discovery.k8s.io/endpointslices',
  'networking.k8s.io/ingresses',
  'networking.k8s.io/ingressclasses',
  'networking.k8s.io/networkpolicies',
  'policy/poddisruptionbudgets',
  'scheduling.k8s.io/priorityclasses',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
  'admissionregistration.k8s.io/mutatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingwebhookconfigurations',
  'admissionregistration.k8s.io/validatingadmissionpolicies',
  'admissionregistration.k8s.io/validatingadmissionpolicybindings',
  'admissionregistration.k8s.io/mutatingadmissionpolicies',
  'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
  'apiextensions.k8s.io/customresourcedefinitions',
  'resource.k8s.io/deviceclasses',
  'resource.k8s.io/resourceslices',
])

/** Whether anything beside metadata and status differs. */
export function specChanged(object: DeepReadonly<KubeObject>, old: DeepReadonly<KubeObject>): boolean {
  const a = object as unknown as Record<string, unknown>
  const b = old as unknown as Record<string, unknown>
  for (const key in a) if (key !== 'metadata' && key !== 'status' && !deepEqual(a[key], b[key])) return true
  for (const key in b) if (key !== 'metadata' && key !== 'status' && b[key] !== undefined && a[key] === undefined) return true
  return false
}

export function deepEqual(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a)) {
    if (!Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!deepEqual(a[i], b[i])) return false
    return true
  }
  if (Array.isArray(b)) return false
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  for (const key in x) if (!deepEqual(x[key], y[key])) return false
  for (const key in y) if (y[key] !== undefined && x[key] === undefined) return false
  return true
}

/** Leaves an owner that stands twice in it once, as upstream does, and says so. */
export function dedupeOwners({ metadata }: KubeObject, warnings: string[]): void {
  const owners = metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const seen = new Map<string, string>()
  const twice = new Set<string>()
  const kept = owners.filter((owner) => {
    const text = JSON.stringify(owner, Object.keys(owner).sort())
    if (seen.get(owner.uid) !== text) {
      if (!seen.has(owner.uid)) seen.set(owner.uid, text)
      return true
    }
    twice.add(owner.uid)
    return false
  })
  if (twice.size === 0) return
  metadata.ownerReferences = kept
  warnings.push(
    `.metadata.ownerReferences contains duplicate entries; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...twice].join(', ')}`,
  )
}
