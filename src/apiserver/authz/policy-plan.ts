import type { DeepReadonly, meta, rbac } from '#api'
import { autoupdateAnnotation } from './bootstrap-policy.ts'
import { missingRights } from './escalation.ts'

/** A role or a binding, of a namespace or of the cluster. */
export interface PolicyObject {
  apiVersion: string
  kind: string
  metadata: Partial<meta.ObjectMeta> & { name: string }
  rules?: rbac.PolicyRule[]
  aggregationRule?: rbac.AggregationRule
  subjects?: rbac.Subject[]
  roleRef?: rbac.RoleRef
}

/** What to do about one object of the bootstrap policy; `replace` deletes it first, because a binding's role cannot be changed. */
export interface PolicyStep {
  action: 'create' | 'update' | 'replace'
  object: DeepReadonly<PolicyObject>
}

type Known = DeepReadonly<PolicyObject>

/**
 * The steps that bring roles or bindings up to the bootstrap policy. What an administrator added stays; what the policy has and the cluster lacks is added, unless
 * the object's autoupdate annotation says `false`.
 */
export function planPolicy(wanted: readonly Known[], existing: readonly Known[]): PolicyStep[] {
  const key = ({ metadata }: Known) => `${metadata.namespace ?? ''}/${metadata.name}`
  const known = new Map(existing.map((object) => [key(object), object]))
  return wanted.flatMap((object): PolicyStep[] => {
    const found = known.get(key(object))
    if (!found) return [{ action: 'create', object }]
    if (found.metadata.annotations?.[autoupdateAnnotation] === 'false') return []
    if (object.roleRef?.name !== found.roleRef?.name || object.roleRef?.kind !== found.roleRef?.kind) return [{ action: 'replace', object }]
    const change: Partial<Known> = {
      ...missingMetadata(object, found),
      ...(object.roleRef ? missingSubjects(object, found) : object.aggregationRule ? missingSelectors(object, found) : missingRules(object, found)),
    }
    if (Object.keys(change).length === 0) return []
    return [{ action: 'update', object: { ...found, apiVersion: object.apiVersion, kind: object.kind, ...change } }]
  })
}

function missingMetadata(wanted: Known, found: Known): Partial<Known> {
  const lacks = (which: 'labels' | 'annotations') =>
    Object.keys(wanted.metadata[which] ?? {}).some((key) => found.metadata[which]?.[key] === undefined)
  if (!lacks('labels') && !lacks('annotations')) return {}
  const { labels, annotations } = wanted.metadata
  return {
    metadata: { ...found.metadata, labels: { ...labels, ...found.metadata.labels }, annotations: { ...annotations, ...found.metadata.annotations } },
  }
}

function missingRules(wanted: Known, found: Known): Partial<Known> {
  const missing = missingRights(found.rules ?? [], wanted.rules ?? [])
  return missing.length > 0 ? { rules: [...(found.rules ?? []), ...missing] } : {}
}

/** The rules of an aggregated role are the aggregation controller's: what it gathers is the policy's. */
function missingSelectors(wanted: Known, found: Known): Partial<Known> {
  const have = found.aggregationRule?.clusterRoleSelectors ?? []
  const texts = have.map((selector) => JSON.stringify(selector))
  const missing = (wanted.aggregationRule?.clusterRoleSelectors ?? []).filter((selector) => !texts.includes(JSON.stringify(selector)))
  return missing.length > 0 ? { aggregationRule: { clusterRoleSelectors: [...have, ...missing] } } : {}
}

function missingSubjects(wanted: Known, found: Known): Partial<Known> {
  const have = found.subjects ?? []
  const missing = (wanted.subjects ?? []).filter(
    (subject) => !have.some((s) => s.kind === subject.kind && s.name === subject.name && (s.namespace ?? '') === (subject.namespace ?? '')),
  )
  return missing.length > 0 ? { subjects: [...have, ...missing] } : {}
}
