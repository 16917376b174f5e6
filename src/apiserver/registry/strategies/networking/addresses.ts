import { isIPv6 } from 'node:net'
import type { DeepReadonly, networking } from '#api'
import { dns1123Subdomain, pathSegmentName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { addressProblems, validateRange } from '../../validation/addresses.ts'
import { type Causes, invalid, invalidEach, required, same } from '../../validation/causes.ts'
import { keepAllButStatusWithLabels } from '../status.ts'

/** Says who has an address; its name is the address. */
export const ipAddressStrategy: ResourceStrategy<networking.IPAddress> = {
  default(object) {
    object.spec ??= {}
  },
  validateName: addressProblems,
  validate({ spec }) {
    const causes: Causes = []
    const { group, resource, namespace, name } = spec.parentRef ?? {}
    const at = 'spec.parentRef'
    if (!spec.parentRef) {
      causes.push(required(at))
      return causes
    }
    // the group of services is the empty one
    if (group) invalidEach(causes, `${at}.group`, group, dns1123Subdomain(group))
    for (const [field, value] of [
      ['resource', resource],
      ['name', name],
    ] as const) {
      if (!value) causes.push(required(`${at}.${field}`))
      else invalidEach(causes, `${at}.${field}`, value, pathSegmentName(value))
    }
    if (namespace) invalidEach(causes, `${at}.namespace`, namespace, pathSegmentName(namespace))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (!same(object.spec.parentRef, old.spec.parentRef))
      causes.push(invalid('spec.parentRef', internal(object.spec.parentRef), 'field is immutable'))
    return causes
  },
}

/** As upstream prints it. */
const internal = (ref: DeepReadonly<networking.ParentReference> | undefined) =>
  ref && { Group: ref.group ?? '', Resource: ref.resource ?? '', Namespace: ref.namespace ?? '', Name: ref.name ?? '' }

/** Ranges that services get addresses from: one for each family. */
export const serviceCidrStrategy: ResourceStrategy<networking.ServiceCIDR> = {
  default(object) {
    object.spec ??= {}
  },
  // upstream leaves the status to whoever writes the object
  prepareForUpdate() {},
  prepareForStatusUpdate: keepAllButStatusWithLabels,
  validateCreate({ spec }) {
    const causes: Causes = []
    validateRanges(causes, spec.cidrs ?? [])
    return causes
  },
  validateUpdate({ spec }, old) {
    const causes: Causes = []
    const message = 'field is immutable'
    const [ranges, before] = [spec.cidrs ?? [], old.spec.cidrs ?? []]
    if (ranges.length === before.length)
      ranges.forEach((range, i) => {
        if (range !== before[i]) causes.push(invalid(`spec.cidrs[${i}]`, range, message))
      })
    else if (before.length === 1 && ranges.length === 2) {
      // another family may come to what is there
      if (ranges[0] !== before[0]) causes.push(invalid('spec.cidrs[0]', ranges[0], message))
      validateRanges(causes, ranges)
    } else causes.push(invalid('spec.cidrs', spec.cidrs ?? null, message))
    return causes
  },
}

function validateRanges(causes: Causes, ranges: readonly string[]): void {
  const path = 'spec.cidrs'
  if (ranges.length === 0) {
    causes.push(required(path, 'at least one CIDR required'))
    return
  }
  if (ranges.length > 2) {
    causes.push(invalid(path, { CIDRs: ranges }, 'may only hold up to 2 values'))
    return
  }
  ranges.forEach((range, i) => validateRange(causes, `${path}[${i}]`, range))
  const families = ranges.map((range) => (range.includes('/') ? isIPv6(range.slice(0, range.indexOf('/'))) : undefined))
  if (ranges.length === 2 && families[0] === families[1] && families[0] !== undefined)
    causes.push(invalid(path, ranges, 'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64'))
}
