import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, core } from '#api'
import { errors } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { podSecurityViolations } from './pod-security-checks.ts'
import type { PodSecurityPolicy } from './pod-security-policy.ts'
import { isStricter, noPolicy, policyOf, prefix, standardText } from './pod-security-policy.ts'
import { namespaceOf, rejected, targets } from './rejection.ts'

/** Whom the standards do not bind (upstream's PodSecurityConfiguration). */
export interface PodSecurityExemptions {
  usernames?: readonly string[]
  namespaces?: readonly string[]
  runtimeClasses?: readonly string[]
}

export interface PodSecurityOptions {
  /** For namespaces whose labels say nothing. */
  defaults?: PodSecurityPolicy
  exemptions?: PodSecurityExemptions
}

/** A pod as it is, or as a workload's template makes it. */
type PodLike = DeepReadonly<Pick<core.Pod, 'spec'>>

/** Workloads whose templates become pods: they are warned of and audited, never refused. */
const workloads = new Set([
  '/podtemplates',
  '/replicationcontrollers',
  'apps/daemonsets',
  'apps/deployments',
  'apps/replicasets',
  'apps/statefulsets',
  'batch/cronjobs',
  'batch/jobs',
])

/**
 * Holds pods to the Pod Security Standards that their namespace enforces, warns of and audits, and namespaces to labels that say so; without
 * a label, everything is allowed.
 */
export function podSecurity(reader: ObjectReader, { defaults = noPolicy, exemptions: exempt = {} }: PodSecurityOptions = {}): AdmissionPlugin {
  // a namespace's objects never change: what their labels say is read once
  const policies = new WeakMap<object, ReturnType<typeof policyOf>>()
  const policyIn = (namespace: DeepReadonly<KubeObject> | undefined) => {
    if (!namespace) return policyOf(undefined, defaults)
    let policy = policies.get(namespace)
    if (!policy) policies.set(namespace, (policy = policyOf(namespace.metadata.labels, defaults)))
    return policy
  }
  return {
    name: 'PodSecurity',
    resources: ['/pods', '/namespaces', ...workloads],
    handles(request) {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return false
      const about = request.context.request.resource
      if (!about) return false
      if (about.resource === 'pods') return targets(request, '', 'pods') || targets(request, '', 'pods', 'ephemeralcontainers')
      if (about.subresource) return false
      return workloads.has(`${about.group}/${about.resource}`) || targets(request, '', 'namespaces')
    },
    validate(request) {
      if (targets(request, '', 'namespaces')) return checkNamespace(reader, defaults, exempt, request)
      const isPod = request.context.request.resource!.resource === 'pods'
      const pod = isPod ? (request.object as unknown as PodLike) : templateOf(request.object as unknown as Templated)
      if (!pod?.spec) return
      const exemption = exemptionOf(exempt, request, pod)
      if (exemption) return note(request, 'exempt', exemption)
      // what a pod was admitted with stays: a label that was put on the namespace later must not keep it from being updated
      if (isPod && request.operation === 'UPDATE' && request.old && sameRisk(pod, request.old as unknown as PodLike)) return
      const { policy, causes } = policyIn(reader.get('', 'namespaces', '', namespaceOf(request)))
      if (causes.length > 0) note(request, 'error', `Failed to parse policy: ${causes.map((c) => `${c.field}: ${c.message}`).join(', ')}`)
      evaluate(request, pod, policy, isPod)
    },
  }
}

function evaluate(request: AdmissionRequest, pod: PodLike, policy: PodSecurityPolicy, enforced: boolean): void {
  const { enforce, audit, warn } = policy
  const violationsOf = ({ level, version }: typeof enforce) => podSecurityViolations(pod as DeepReadonly<core.Pod>, level, version).join(', ')
  if (enforced) note(request, 'enforce-policy', standardText(enforce))
  const forbidden = enforced ? violationsOf(enforce) : ''
  const audited = violationsOf(audit)
  if (audited) note(request, 'audit-violations', `would violate PodSecurity ${JSON.stringify(standardText(audit))}: ${audited}`)
  if (forbidden) throw rejected(request, `violates PodSecurity ${JSON.stringify(standardText(enforce))}: ${forbidden}`)
  const warned = violationsOf(warn)
  if (warned) request.context.warnings?.push(`would violate PodSecurity ${JSON.stringify(standardText(warn))}: ${warned}`)
}

/** Labels must be readable; pods that a stricter level would refuse are told of. */
function checkNamespace(reader: ObjectReader, defaults: PodSecurityPolicy, exempt: PodSecurityExemptions, request: AdmissionRequest): void {
  const { name, labels } = request.object!.metadata
  const { policy, causes } = policyOf(labels, defaults)
  const before = request.old && policyOf(request.old.metadata.labels, defaults)
  if (causes.length > 0 && !before?.causes.length) throw errors.invalid({ group: '', kind: 'Namespace' }, name, causes)
  const { enforce } = policy
  if (enforce.level === 'privileged') return
  if (exempt.namespaces?.includes(name)) {
    if (isDeepStrictEqual(before?.policy, policy)) return
    const text = Object.entries(policy).map(([mode, standard]) => `${mode}=${JSON.stringify(standardText(standard))}`)
    request.context.warnings?.push(
      `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${text.join(', ')}) will be ignored`,
    )
    return
  }
  if (!before) return
  const old = before.policy.enforce
  if (isDeepStrictEqual(old, enforce) || (old.version === enforce.version && isStricter(old.level, enforce.level))) return
  request.context.warnings?.push(...existingViolations(reader, exempt, name, enforce))
}

function existingViolations(reader: ObjectReader, exempt: PodSecurityExemptions, namespace: string, enforce: PodSecurityPolicy['enforce']): string[] {
  const byReasons = new Map<string, string[]>()
  for (const pod of reader.list<core.Pod>('', 'pods', namespace)) {
    if (exempt.runtimeClasses?.includes(pod.spec.runtimeClassName ?? '')) continue
    const reasons = podSecurityViolations(pod, enforce.level, enforce.version).map((text) => text.slice(0, text.indexOf(' (')))
    if (reasons.length === 0) continue
    const key = reasons.join(', ')
    byReasons.set(key, [...(byReasons.get(key) ?? []), pod.metadata.name])
  }
  if (byReasons.size === 0) return []
  const lines = [...byReasons].map(([reasons, names]) => {
    const [first, ...others] = names.toSorted()
    const more = others.length === 0 ? '' : others.length === 1 ? ' (and 1 other pod)' : ` (and ${others.length} other pods)`
    return `${first}${more}: ${reasons}`
  })
  const what = `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(standardText(enforce))}`
  return [what, ...lines.toSorted()]
}

function exemptionOf(exempt: PodSecurityExemptions, request: AdmissionRequest, pod: PodLike): string | undefined {
  if (exempt.namespaces?.includes(namespaceOf(request))) return 'namespace'
  if (exempt.usernames?.includes(request.context.request.user.username)) return 'user'
  return exempt.runtimeClasses?.includes(pod.spec.runtimeClassName ?? '') ? 'runtimeClass' : undefined
}

type Template = DeepReadonly<core.PodTemplateSpec>
type Templated = KubeObject & { template?: Template; spec?: { template?: Template; jobTemplate?: { spec?: { template?: Template } } } }

function templateOf({ template, spec }: Templated): PodLike | undefined {
  return (template ?? spec?.template ?? spec?.jobTemplate?.spec?.template) as PodLike | undefined
}

/** For the audit log. */
function note(request: AdmissionRequest, key: string, text: string): void {
  request.context.annotate?.(prefix + key, text)
}

function sameRisk(pod: PodLike, old: PodLike): boolean {
  const relevant = ({ spec }: PodLike) => ({
    securityContext: spec?.securityContext,
    // another image is no other risk
    containers: [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].map((list) =>
      (list ?? []).map((container: { readonly name: string }) => ({ ...container, image: '' })),
    ),
  })
  return isDeepStrictEqual(relevant(pod), relevant(old))
}
