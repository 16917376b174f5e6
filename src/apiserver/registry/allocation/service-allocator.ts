import { isIP } from 'node:net'
import type { Clock, Logger, Random } from '#base'
import { realClock } from '#base'
import type { DeepReadonly, StatusCause, core } from '#api'
import { errors } from '#api'
import type { Store } from '#store'
import type { Claim, ResourceStrategy, WriteContext } from '../strategy.ts'
import { settleFamilies } from '../strategies/core/service-families.ts'
import { needsClusterIP, needsNodePorts } from '../strategies/core/service-types.ts'
import { invalid } from '../validation/causes.ts'
import { needsHealthCheckPort } from '../validation/service.ts'
import type { Owner } from './pool.ts'
import { Pool } from './pool.ts'
import { addressNumber, addressRange, addressText, portRange } from './ranges.ts'

type Service = DeepReadonly<core.Service>

export interface ServiceAllocatorOptions {
  store: Store
  /** CIDR of the services' addresses. */
  clusterIPs: string
  /** 30000 to 32767 when absent. */
  nodePorts?: { first: number; last: number }
  random?: Random
  clock?: Clock
  log: Logger
}

/** Gives services their addresses and ports, each to one service alone, also when several API servers share the store. */
export interface ServiceAllocator {
  /**
   * Fills in what the service needs and does not name, and claims what it names. Throws Invalid where another service has it, InternalError where a range
   * is used up. When the claim is settled as not written, what was newly taken is given back; as written, what `old` had and the service no longer has.
   */
  claim(service: core.Service, old: Service | undefined, context: WriteContext): Promise<Claim>
  /** Gives back what a deleted service had. */
  release(service: Service): Promise<void>
  /** Claims what `services` have, and forgets what nobody has any more: at start, and now and then. */
  repair(services: Iterable<Service>): Promise<void>
}

const prefix = '/allocations/'

/** A claim without a service is forgotten after this time: until then its write may still be under way. */
const graceMs = 60_000

const alreadyAllocated = (what: string) => `provided ${what} is already allocated`

interface Taken {
  pool: Pool
  text: string
}

export function serviceAllocator(options: ServiceAllocatorOptions): ServiceAllocator {
  const { store, log, clock = realClock, random = Math.random } = options
  const range = addressRange(options.clusterIPs)
  const { first, last } = options.nodePorts ?? { first: 30000, last: 32767 }
  const addresses = new Pool({ store, prefix: `${prefix}clusterip/`, range, text: (n) => addressText(n, range.family), random })
  const ports = new Pool({ store, prefix: `${prefix}nodeport/`, range: portRange(first, last), text: String, random })

  /** What a service has, as allocations. */
  function holdings({ spec }: Service): Taken[] {
    const held: Taken[] = []
    if (needsClusterIP(spec))
      for (const address of spec.clusterIPs ?? []) {
        const text = canonical(address)
        if (text) held.push({ pool: addresses, text })
      }
    const numbers = new Set<number>()
    for (const port of spec.ports ?? []) if (port.nodePort) numbers.add(port.nodePort)
    if (needsHealthCheckPort(spec) && spec.healthCheckNodePort) numbers.add(spec.healthCheckNodePort)
    for (const number of numbers) if (ports.contains(BigInt(number))) held.push({ pool: ports, text: String(number) })
    return held
  }

  /** The address as its key, when it is one of this range. */
  function canonical(address: string): string | undefined {
    if (isIP(address) !== range.family) return undefined
    const number = addressNumber(address)
    return addresses.contains(number) ? addressText(number, range.family) : undefined
  }

  async function claim(service: core.Service, old: Service | undefined, context: WriteContext): Promise<Claim> {
    const { uid = '', namespace = '', name } = service.metadata
    const owner: Owner = { uid, namespace, name, at: clock.now() }
    const before = old ? holdings(old) : []
    const taken: Taken[] = []
    const holds = (pool: Pool, text: string) => [...before, ...taken].some((one) => one.pool === pool && one.text === text)
    const undo = async () => {
      for (const one of taken) await one.pool.release(one.text, uid)
    }

    async function take(pool: Pool, text: string, refuse: () => Error): Promise<void> {
      if (holds(pool, text)) return
      if (context.dryRun) {
        if (await pool.isTaken(text)) throw refuse()
        return
      }
      if (!(await pool.take(text, owner))) throw refuse()
      taken.push({ pool, text })
    }

    async function takeAny(pool: Pool, what: string): Promise<string> {
      const text = context.dryRun ? pool.peek() : await pool.takeAny(owner)
      if (text === undefined) throw errors.internal(`failed to allocate a ${what}: range is full`)
      if (!context.dryRun) taken.push({ pool, text })
      return text
    }

    const reject = (...causes: StatusCause[]) => errors.invalid({ group: '', kind: 'Service' }, name, causes)

    async function claimAddress(spec: core.ServiceSpec): Promise<void> {
      if (!needsClusterIP(spec) || spec.clusterIP === 'None') return
      if (old && needsClusterIP(old.spec) && old.spec.clusterIP) return
      if (!spec.clusterIP) {
        const address = await takeAny(addresses, 'serviceIP')
        spec.clusterIP = address
        spec.clusterIPs = [address]
        return
      }
      if (isIP(spec.clusterIP) === 0) return
      const text = canonical(spec.clusterIP)
      const refuse = (why: string) => reject(invalid('spec.clusterIPs', spec.clusterIPs, `failed to allocate IP ${spec.clusterIP}: ${why}`))
      if (text === undefined) throw refuse(`the provided IP (${spec.clusterIP}) is not in the valid range. The range of valid IPs is ${range.cidr}`)
      await take(addresses, text, () => refuse(alreadyAllocated('IP')))
    }

    async function claimPort(number: number, refuse: (why: string) => Error): Promise<void> {
      if (holds(ports, String(number))) return
      if (!ports.contains(BigInt(number))) throw refuse(`provided port is not in the valid range. The range of valid ports is ${first}-${last}`)
      await take(ports, String(number), () => refuse(alreadyAllocated('port')))
    }

    async function claimPorts(spec: core.ServiceSpec): Promise<void> {
      const wanted = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
      // First what is named, so that nothing chosen here takes it away.
      if (wanted)
        for (const [i, port] of (spec.ports ?? []).entries())
          if (port.nodePort) await claimPort(port.nodePort, (why) => reject(invalid(`spec.ports[${i}].nodePort`, port.nodePort, why)))
      if (needsNodePorts(spec)) {
        const byNumber = new Map<string, number>()
        for (const port of spec.ports ?? []) {
          if (port.nodePort) byNumber.set(`${port.port}`, port.nodePort)
        }
        for (const port of spec.ports ?? []) {
          if (port.nodePort) continue
          // One number serves the same port of several protocols (DNS over TCP and UDP).
          const shared = byNumber.get(`${port.port}`)
          const clash = shared !== undefined && spec.ports!.some((one) => one.nodePort === shared && one.protocol === port.protocol)
          port.nodePort = shared !== undefined && !clash ? shared : Number(await takeAny(ports, 'nodePort'))
          byNumber.set(`${port.port}`, port.nodePort)
        }
      }
      if (needsHealthCheckPort(spec)) {
        const asked = spec.healthCheckNodePort
        // that this is no field error is as upstream has it
        if (asked) await claimPort(asked, (why) => errors.internal(`failed to allocate requested HealthCheck NodePort ${asked}: ${why}`))
        else spec.healthCheckNodePort = Number(await takeAny(ports, 'healthCheckNodePort'))
      }
    }

    const unsettled = settleFamilies(service.spec, old?.spec, [range.family === 6 ? 'IPv6' : 'IPv4'])
    if (unsettled.length > 0) throw reject(...unsettled)
    try {
      await claimAddress(service.spec)
      await claimPorts(service.spec)
    } catch (error) {
      await undo()
      throw error
    }
    return {
      async settle(written) {
        if (context.dryRun) return
        if (!written) return undo()
        const now = holdings(service)
        for (const had of before)
          if (!now.some((one) => one.pool === had.pool && one.text === had.text)) await had.pool.release(had.text, old!.metadata.uid ?? '')
      },
    }
  }

  return {
    claim,
    async release(service) {
      for (const held of holdings(service)) await held.pool.release(held.text, service.metadata.uid ?? '')
    },
    async repair(services) {
      // First what is allocated, then who has it: an allocation made in between is not mistaken for a leftover.
      const known = new Map<Pool, Map<string, Owner | undefined>>()
      for (const pool of [addresses, ports]) known.set(pool, await pool.refresh())
      const used = new Map<Pool, Set<string>>([
        [addresses, new Set()],
        [ports, new Set()],
      ])
      const now = clock.now()
      for (const service of services) {
        const { uid = '', namespace = '', name } = service.metadata
        for (const { pool, text } of holdings(service)) {
          const seen = used.get(pool)!
          if (seen.has(text)) log.warn('two services have the same address or port', { text, service: `${namespace}/${name}` })
          seen.add(text)
          const owner = known.get(pool)!.get(text)
          if (owner?.uid === uid) continue
          if (owner && now - owner.at < graceMs) continue
          if (known.get(pool)!.has(text)) await pool.release(text, owner?.uid ?? '')
          if (!(await pool.take(text, { uid, namespace, name, at: now })))
            log.warn('an address or port of a service belongs to another', { text, service: `${namespace}/${name}` })
        }
      }
      for (const [pool, owners] of known)
        for (const [text, owner] of owners)
          if (!used.get(pool)!.has(text) && (!owner || now - owner.at >= graceMs)) await pool.release(text, owner?.uid ?? '')
    },
  }
}

/** The strategies with services that get their addresses and ports from `allocator`. */
export function withServiceAllocation(strategies: Record<string, ResourceStrategy>, allocator: ServiceAllocator): Record<string, ResourceStrategy> {
  const services: ResourceStrategy<core.Service> = {
    ...strategies['/services'],
    claim: allocator.claim,
    release: allocator.release,
  }
  return { ...strategies, '/services': services }
}
