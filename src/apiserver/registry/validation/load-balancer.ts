import { isIP } from 'node:net'
import type { DeepReadonly } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, invalid, invalidEach } from './causes.ts'

/** Checks where a service or an ingress is said to be reached: addresses, or names that are no addresses. */
export function validateLoadBalancer(causes: Causes, points: DeepReadonly<{ ip?: string; hostname?: string }[]> | undefined): void {
  points?.forEach(({ ip, hostname }, i) => {
    const at = `status.loadBalancer.ingress[${i}]`
    if (ip && isIP(ip) === 0) causes.push(invalid(`${at}.ip`, ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
    if (!hostname) return
    invalidEach(causes, `${at}.hostname`, hostname, dns1123Subdomain(hostname))
    if (isIP(hostname) !== 0) causes.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
  })
}
