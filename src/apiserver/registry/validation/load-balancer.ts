import type { DeepReadonly } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notSupported, required } from './causes.ts'
import { parseIP, validateIP } from './ip.ts'

type Points = DeepReadonly<{ ip?: string; hostname?: string; ipMode?: string }[]> | undefined

const path = 'status.loadBalancer.ingress'
const ipModes = ['Proxy', 'VIP']

/** Checks where an ingress is said to be reached: addresses, or names that are no addresses. */
export function validateLoadBalancer(causes: Causes, points: Points, old: Points): void {
  points?.forEach((point, i) => validatePoint(causes, `${path}[${i}]`, point, addresses(old)))
}

/** Checks where a service is said to be reached; only those that are balanced can be. */
export function validateServiceLoadBalancer(causes: Causes, points: Points, old: Points, type: string | undefined): void {
  if (type !== 'LoadBalancer' && points?.length) {
    causes.push(forbidden(path, "may only be used when `spec.type` is 'LoadBalancer'"))
    return
  }
  points?.forEach((point, i) => {
    const at = `${path}[${i}]`
    const { ip, ipMode } = point
    validatePoint(causes, at, point, addresses(old), () => {
      if (ipMode === undefined) {
        if (ip) causes.push(required(`${at}.ipMode`, 'must be specified when `ip` is set'))
      } else if (!ip) causes.push(forbidden(`${at}.ipMode`, 'may not be specified when `ip` is not set'))
      else if (!ipModes.includes(ipMode)) causes.push(notSupported(`${at}.ipMode`, ipMode, ipModes))
    })
  })
}

const addresses = (points: Points) => points?.flatMap(({ ip }) => (ip ? [ip] : []))

function validatePoint(
  causes: Causes,
  at: string,
  { ip, hostname }: DeepReadonly<{ ip?: string; hostname?: string }>,
  old: string[] | undefined,
  validateMode?: () => void,
): void {
  if (ip) validateIP(causes, `${at}.ip`, ip, old)
  validateMode?.()
  if (!hostname) return
  invalidEach(causes, `${at}.hostname`, hostname, dns1123Subdomain(hostname))
  if (parseIP(hostname)) causes.push(invalid(`${at}.hostname`, hostname, 'must be a DNS name, not an IP address'))
}
