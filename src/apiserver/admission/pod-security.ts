import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, core } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import type { PodSecurityLevel } from './pod-security-checks.ts'
import { podSecurityViolations } from './pod-security-checks.ts'
import { namespaceOf, rejected, targets } from './rejection.ts'

const label = 'pod-security.kubernetes.io/enforce'

/** Holds pods to the Pod Security Standard that their namespace enforces; without a label, everything is allowed. */
export function podSecurity(reader: ObjectReader): AdmissionPlugin {
  const policyOf = (namespace: string): { level: PodSecurityLevel; version: string } => {
    const labels = reader.get('', 'namespaces', '', namespace)?.metadata.labels ?? {}
    const level = labels[label]
    const known = level === undefined || level === 'privileged' || level === 'baseline' || level === 'restricted'
    // a level that is misspelt is the strictest one: it was meant to restrict
    return { level: known ? (level ?? 'privileged') : 'restricted', version: labels[`${label}-version`] ?? 'latest' }
  }
  return {
    name: 'PodSecurity',
    handles: (request) =>
      ((request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'pods')) ||
      (request.operation === 'UPDATE' && targets(request, '', 'pods', 'ephemeralcontainers')),
    validate(request) {
      const { level, version } = policyOf(namespaceOf(request))
      if (level === 'privileged') return
      const pod = request.object as DeepReadonly<core.Pod>
      // what a pod was admitted with stays: a label that was put on the namespace later must not keep it from being updated
      if (request.operation === 'UPDATE' && request.old && sameRisk(pod, request.old as DeepReadonly<core.Pod>)) return
      const violations = podSecurityViolations(pod, level)
      if (violations.length > 0) throw rejected(request, `violates PodSecurity "${level}:${version}": ${violations.join(', ')}`)
    },
  }
}

function sameRisk(pod: DeepReadonly<core.Pod>, old: DeepReadonly<core.Pod>): boolean {
  const relevant = ({ spec }: DeepReadonly<core.Pod>) => ({
    securityContext: spec?.securityContext,
    // another image is no other risk
    containers: [spec?.containers, spec?.initContainers, spec?.ephemeralContainers].map((list) =>
      (list ?? []).map((container: { readonly name: string }) => ({ ...container, image: '' })),
    ),
  })
  return isDeepStrictEqual(relevant(pod), relevant(old))
}
