/** The addresses that a cluster gives to Ingresses and Services of type LoadBalancer: an IPv4 /16. */
export interface AddressPool {
  readonly cidr: string
  /** Whether an address may be assigned: one of the range that ends in neither 0 nor 255. */
  contains(ip: string): boolean
  /** The first address that is not taken; reserved ones come from the upper half, so that they stay apart from those that come and go. */
  free(taken: { has(ip: string): boolean }, half: 'lower' | 'upper'): string | undefined
}

/** `cidr` is a /16, such as `10.67.0.0/16`. */
export function addressPool(cidr: string): AddressPool {
  const match = /^(\d+\.\d+)\.0\.0\/16$/.exec(cidr)
  if (!match) throw new RangeError(`an address pool is an IPv4 range of 16 bits, not ${cidr}`)
  const prefix = `${match[1]}.`
  return {
    cidr,
    contains(ip) {
      if (!ip.startsWith(prefix) || !/^\d+\.\d+\.\d{1,3}\.\d{1,3}$/.test(ip)) return false
      const [third, fourth] = ip.slice(prefix.length).split('.').map(Number) as [number, number]
      // one spelling for each address: no leading zeros
      return `${third}.${fourth}` === ip.slice(prefix.length) && third <= 255 && fourth >= 1 && fourth <= 254
    },
    free(taken, half) {
      const [first, last] = half === 'lower' ? [0, 127] : [128, 255]
      for (let third = first; third <= last; third++)
        for (let fourth = 1; fourth <= 254; fourth++) {
          const ip = `${prefix}${third}.${fourth}`
          if (!taken.has(ip)) return ip
        }
      return undefined
    },
  }
}
