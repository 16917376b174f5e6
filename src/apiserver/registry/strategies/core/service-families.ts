import type { DeepReadonly, core } from '#api'
import { type Causes, invalid } from '../../validation/causes.ts'
import { familyOf, isHeadless, validateServiceAddresses } from '../../validation/service-addresses.ts'

type Family = 'IPv4' | 'IPv6'
type Spec = DeepReadonly<core.ServiceSpec>

const other = (family: string): Family => (family === 'IPv4' ? 'IPv6' : 'IPv4')
const policyPath = 'spec.ipFamilyPolicy'

const sameList = (a: readonly string[] = [], b: readonly string[] = []) => a.length === b.length && a.every((one, i) => one === b[i])

/**
 * Fills in the families and their policy, in place, from what the client said and what the cluster has (its own family first), and
 * answers what cannot be had here. Before any address is allocated.
 */
export function settleFamilies(spec: core.ServiceSpec, old: Spec | undefined, cluster: readonly Family[]): Causes {
  const causes: Causes = []
  if (spec.type === 'ExternalName' || (old && isUnchangedPreference(spec, old))) return causes
  const headlessWithoutSelector = spec.clusterIP === 'None' && Object.keys(spec.selector ?? {}).length === 0
  // no fixed default: an update without a policy never changes the number of stacks
  spec.ipFamilyPolicy ??= old?.ipFamilyPolicy ?? (headlessWithoutSelector ? 'RequireDualStack' : 'SingleStack')
  validateServiceAddresses(causes, spec, old)
  if (causes.length > 0) return causes
  if (old) releaseSecond(causes, spec, old)
  if (spec.ipFamilyPolicy === 'SingleStack') {
    const needed = "must be 'RequireDualStack' or 'PreferDualStack' when multiple"
    if (spec.clusterIPs?.length === 2) causes.push(invalid(policyPath, spec.ipFamilyPolicy, `${needed} cluster IPs are specified`))
    if (spec.ipFamilies?.length === 2) causes.push(invalid(policyPath, spec.ipFamilyPolicy, `${needed} IP families are specified`))
  }
  inferFromAddresses(causes, spec, cluster)
  if (causes.length > 0) return causes
  if (headlessWithoutSelector) {
    // its endpoints may be of any family, whatever the cluster has
    const families = spec.ipFamilies?.length ? spec.ipFamilies : [cluster[0]!]
    spec.ipFamilies = families.length < 2 && spec.ipFamilyPolicy !== 'SingleStack' ? [families[0]!, other(families[0]!)] : families
    return causes
  }
  if (spec.ipFamilyPolicy === 'RequireDualStack' && cluster.length < 2)
    causes.push(invalid(policyPath, spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services'))
  spec.ipFamilies?.forEach((family, i) => {
    if (!cluster.includes(family as Family)) causes.push(invalid(`spec.ipFamilies[${i}]`, family, 'not configured on this cluster'))
  })
  if (causes.length > 0) return causes
  if (!spec.ipFamilies?.length) spec.ipFamilies = [cluster[0]!]
  if (spec.ipFamilyPolicy !== 'SingleStack' && spec.ipFamilies.length === 1 && cluster.length === 2)
    spec.ipFamilies = [spec.ipFamilies[0]!, other(spec.ipFamilies[0]!)]
  return causes
}

/** One that prefers two stacks gets or loses the second only when it is asked for, not because the cluster changed. */
function isUnchangedPreference(spec: Spec, old: Spec): boolean {
  return (
    spec.type === old.type &&
    spec.ipFamilyPolicy === 'PreferDualStack' &&
    (old.ipFamilyPolicy ?? 'PreferDualStack') === 'PreferDualStack' &&
    sameList(spec.clusterIPs, old.clusterIPs) &&
    sameList(spec.ipFamilies, old.ipFamilies)
  )
}

/** Setting the policy to one stack is enough to give the second address and family back; leaving them out is not. */
function releaseSecond(causes: Causes, spec: core.ServiceSpec, old: Spec): void {
  if (spec.ipFamilyPolicy === 'SingleStack') {
    if (sameList(spec.clusterIPs, old.clusterIPs) && (spec.clusterIPs?.length ?? 0) > 1) spec.clusterIPs = [spec.clusterIPs![0]!]
    if (sameList(spec.ipFamilies, old.ipFamilies) && (spec.ipFamilies?.length ?? 0) > 1) spec.ipFamilies = [spec.ipFamilies![0]!]
    return
  }
  const reduced = (now: readonly string[] = [], before: readonly string[] = []) => now.length > 0 && now.length < before.length
  const must = "must be 'SingleStack' to release the secondary"
  if (reduced(spec.clusterIPs, old.clusterIPs)) causes.push(invalid(policyPath, spec.ipFamilyPolicy, `${must} cluster IP`))
  if (reduced(spec.ipFamilies, old.ipFamilies)) causes.push(invalid(policyPath, spec.ipFamilyPolicy, `${must} IP family`))
}

function inferFromAddresses(causes: Causes, spec: core.ServiceSpec, cluster: readonly Family[]): void {
  if (isHeadless(spec)) return
  const named = spec.ipFamilies?.length ?? 0
  spec.clusterIPs?.forEach((address, i) => {
    if (i < named) return
    const family = familyOf(address)!
    if (!cluster.includes(family)) causes.push(invalid(`spec.clusterIPs[${i}]`, spec.clusterIPs, `${family} is not configured on this cluster`))
    else spec.ipFamilies = [...(spec.ipFamilies ?? []), family]
  })
}
