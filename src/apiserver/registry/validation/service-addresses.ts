import type { DeepReadonly, core } from '#api'
import { type Causes, duplicate, invalid, notSupported, required } from './causes.ts'
import { parseIP, validateIP } from './ip.ts'

type Spec = DeepReadonly<core.ServiceSpec>

const families = ['IPv4', 'IPv6']
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack']

export const isHeadless = ({ clusterIPs }: Spec) => clusterIPs?.length === 1 && clusterIPs[0] === 'None'

/** The family of an address; undefined where it is none. */
export function familyOf(address: string): 'IPv4' | 'IPv6' | undefined {
  const ip = parseIP(address)
  return ip && (ip.family === 4 ? 'IPv4' : 'IPv6')
}

/** Checks addresses, families and policy against one another. Services that are names have none of them, which is checked elsewhere. */
export function validateServiceAddresses(causes: Causes, spec: Spec, old?: Spec): void {
  if (spec.type === 'ExternalName') return
  const { clusterIP, clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec
  if (clusterIP) {
    if (clusterIPs.length === 0) causes.push(required('spec.clusterIPs'))
    else if (clusterIPs[0] !== clusterIP) causes.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  } else if (clusterIPs.length > 0) causes.push(invalid('spec.clusterIPs', clusterIPs, 'must be empty when `clusterIP` is not specified'))
  ipFamilies.forEach((family, i) => {
    if (!families.includes(family)) causes.push(notSupported(`spec.ipFamilies[${i}]`, family, families))
    if (ipFamilies.indexOf(family) < i) causes.push(duplicate(`spec.ipFamilies[${i}]`, family))
  })
  if (ipFamilyPolicy !== undefined && !policies.includes(ipFamilyPolicy)) causes.push(notSupported('spec.ipFamilyPolicy', ipFamilyPolicy, policies))
  let sound = true
  clusterIPs.forEach((address, i) => {
    if (i === 0 && address === 'None') {
      if (clusterIPs.length === 1) return
      sound = false
      causes.push(invalid('spec.clusterIPs', clusterIPs, "'None' must be the first and only value"))
    } else if (!validateIP(causes, `spec.clusterIPs[${i}]`, address, old?.clusterIPs)) sound = false
  })
  if (clusterIPs.length > 2) causes.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  // what follows would only say again what is wrong with the addresses
  if (!sound) return
  if (clusterIPs.length > 1 && new Set(clusterIPs.map(familyOf)).size < 2)
    causes.push(invalid('spec.clusterIPs', clusterIPs, 'may specify no more than one IP for each IP family'))
  if (isHeadless(spec)) return
  clusterIPs.forEach((address, i) => {
    const family = ipFamilies[i]
    if (family && families.includes(family) && familyOf(address) !== family)
      causes.push(invalid(`spec.clusterIPs[${i}]`, address, `expected an ${family} value as indicated by \`ipFamilies[${i}]\``))
  })
}

/** What an update may do to the addresses: add a second one, or give it back by saying so. */
export function validateAddressUpdate(causes: Causes, spec: Spec, old: Spec): void {
  if (spec.type === 'ExternalName' || old.type === 'ExternalName') return
  const headless = isHeadless(spec)
  const wasHeadless = isHeadless(old)
  if (headless && wasHeadless) return
  validateClusterIPsUpdate(causes, spec, old)
  if (headless === wasHeadless) validateFamiliesUpdate(causes, spec, old)
}

const fixed = 'may not change once set'

function validateClusterIPsUpdate(causes: Causes, spec: Spec, old: Spec): void {
  const [now, before] = [spec.clusterIPs ?? [], old.clusterIPs ?? []]
  if (now.length === before.length) {
    before.forEach((address, i) => {
      if (address !== now[i]) causes.push(invalid(`spec.clusterIPs[${i}]`, now, fixed))
    })
    return
  }
  if (now.length === 0) causes.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? null, 'primary clusterIP can not be unset'))
  else if (before.length > 0 && now[0] !== before[0]) causes.push(invalid('spec.clusterIPs[0]', now, fixed))
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    causes.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary clusterIP"))
}

function validateFamiliesUpdate(causes: Causes, spec: Spec, old: Spec): void {
  const [now, before] = [spec.ipFamilies ?? [], old.ipFamilies ?? []]
  if (now.length === before.length) {
    // whichever changed, the first is named
    before.forEach((family, i) => {
      if (family !== now[i]) causes.push(invalid('spec.ipFamilies[0]', now, fixed))
    })
    return
  }
  if (before.length > now.length && !spec.clusterIPs?.length)
    causes.push(invalid('spec.ipFamilies[0]', spec.ipFamilies ?? null, 'primary ipFamily can not be unset'))
  if (now.length > 0 && before.length > 0 && now[0] !== before[0]) causes.push(invalid('spec.ipFamilies[0]', spec.clusterIPs ?? null, fixed))
  if (before.length > now.length && now.length === 1 && spec.ipFamilyPolicy !== 'SingleStack')
    causes.push(invalid('spec.ipFamilyPolicy', spec.ipFamilyPolicy ?? null, "must be set to 'SingleStack' when releasing the secondary ipFamily"))
}
