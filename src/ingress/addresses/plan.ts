import type { DeepReadonly, core, networking } from '#api'
import type { IsOurs } from '../class.ts'
import type { AddressPool } from './pool.ts'

/** An Ingress or Service that has, or asks for, an address of the pool. */
export interface AddressClaim {
  kind: 'Ingress' | 'Service'
  /** `namespace/name`. */
  key: string
  uid: string
  created: string
  /** The address of the pool that its status shows. */
  held?: string
  /** A static address by name, a certain one, any, or (no longer) none. */
  wants: { name: string } | { ip: string } | 'any' | 'none'
}

export interface AddressDecision {
  claim: AddressClaim
  /** What its status must show; absent for no address. */
  ip?: string
  /** Why it gets none although it asks. */
  problem?: { reason: string; message: string }
}

/** GKE's names, and one of ours that serves both kinds. */
const ingressAnnotations = ['k8ts.dev/address', 'kubernetes.io/ingress.global-static-ip-name', 'kubernetes.io/ingress.regional-static-ip-name']
const serviceAnnotations = ['k8ts.dev/address', 'networking.gke.io/load-balancer-ip-addresses']

/**
 * Who asks for addresses: Ingresses of our class, and Services of type LoadBalancer without a class of another implementation. What shows an address
 * of the pool and no longer asks is a claim for none.
 */
export function claimsOf(
  ingresses: readonly DeepReadonly<networking.Ingress>[],
  services: readonly DeepReadonly<core.Service>[],
  isOurs: IsOurs,
  pool: AddressPool,
): AddressClaim[] {
  const claims: AddressClaim[] = []
  for (const ingress of ingresses) claims.push(claim('Ingress', ingress, isOurs(ingress) ? (named(ingress, ingressAnnotations) ?? 'any') : 'none'))
  for (const service of services) claims.push(claim('Service', service, wantsOf(service)))
  return claims.filter((c) => c.wants !== 'none' || c.held !== undefined)

  function claim(kind: AddressClaim['kind'], object: DeepReadonly<networking.Ingress | core.Service>, wants: AddressClaim['wants']): AddressClaim {
    const { namespace, name, uid, creationTimestamp } = object.metadata
    const held = object.status?.loadBalancer?.ingress?.find((point) => point.ip && pool.contains(point.ip))?.ip
    return { kind, key: `${namespace}/${name}`, uid: uid ?? '', created: creationTimestamp ?? '', wants, ...(held ? { held } : {}) }
  }
}

function wantsOf(service: DeepReadonly<core.Service>): AddressClaim['wants'] {
  const { spec } = service
  if (spec.type !== 'LoadBalancer' || spec.loadBalancerClass !== undefined) return 'none'
  return named(service, serviceAnnotations) ?? (spec.loadBalancerIP ? { ip: spec.loadBalancerIP } : 'any')
}

function named(object: DeepReadonly<networking.Ingress | core.Service>, annotations: readonly string[]): { name: string } | undefined {
  const name = annotations.map((key) => object.metadata.annotations?.[key]).find((value) => value)
  return name ? { name } : undefined
}

/**
 * Who gets which address. Nobody loses one that it may keep; of several who ask for one, the first to have it keeps it, then the oldest. One address has
 * one user, as on GKE: an Ingress and a Service would compete for ports, two Ingresses for hosts.
 */
export function planAddresses(claims: readonly AddressClaim[], statics: ReadonlyMap<string, string>, pool: AddressPool): AddressDecision[] {
  const reserved = new Set(statics.values())
  const taken = new Map<string, AddressClaim>()
  const decided = new Map<AddressClaim, AddressDecision>()
  const wanted = (c: AddressClaim) => (typeof c.wants === 'string' ? undefined : 'name' in c.wants ? statics.get(c.wants.name) : c.wants.ip)
  const take = (c: AddressClaim, ip: string) => {
    taken.set(ip, c)
    decided.set(c, { claim: c, ip })
  }
  const refuse = (c: AddressClaim, reason: string, message: string) => decided.set(c, { claim: c, problem: { reason, message } })
  const ordered = claims.toSorted((a, b) => compare(a.created, b.created) || compare(a.kind, b.kind) || compare(a.key, b.key))

  for (const c of ordered) {
    if (c.wants === 'none') decided.set(c, { claim: c })
    else if (c.held && !taken.has(c.held) && (c.wants === 'any' ? !reserved.has(c.held) : wanted(c) === c.held)) take(c, c.held)
  }
  for (const c of ordered) {
    if (decided.has(c) || typeof c.wants === 'string') continue
    const ip = wanted(c)
    if (ip === undefined)
      refuse(c, 'AddressNotFound', `there is no static address ${'name' in c.wants ? c.wants.name : ''}: make it with \`k8ts address create\``)
    else if (!pool.contains(ip)) refuse(c, 'AddressNotInPool', `${ip} is not in the cluster's address pool ${pool.cidr}`)
    else if (taken.has(ip)) refuse(c, 'AddressInUse', `${ip} is in use by ${taken.get(ip)!.kind} ${taken.get(ip)!.key}`)
    else take(c, ip)
  }
  for (const c of ordered) {
    if (decided.has(c)) continue
    const ip = pool.free({ has: (candidate) => taken.has(candidate) || reserved.has(candidate) }, 'lower')
    if (ip) take(c, ip)
    else refuse(c, 'NoAddress', `no address is free in ${pool.cidr}`)
  }
  return claims.map((c) => decided.get(c)!)
}

const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
