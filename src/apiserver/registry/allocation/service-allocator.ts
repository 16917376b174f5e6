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
import type { ObjectReader } from '../../object-reader.ts'
import { addressLedger, clusterAddresses } from './ip-addresses.ts'
import type { Owner } from './ledger.ts'
import { keyLedger } from './ledger.ts'
import { Pool } from './pool.ts'
import { addressNumber, addressRange, addressText, portRange } from './ranges.ts'
import { serviceRanges } from './service-ranges.ts'

type Service = DeepReadonly<core.Service>

export interface ServiceAllocatorOptions {
  store: Store
  /** What is stored, from when the server has started. */
  reader(): ObjectReader
  /** CIDR of the services' addresses; ServiceCIDRs add to it. */
  clusterIPs: string
  /** 30000 to 32767 when absent. */
  nodePorts?: { first: number; last: number }
  random?: Random
  clock?: Clock
  log: Logger
}

/**
 * Gives services their addresses and ports, each to one service alone, also when several API servers share the store. Who has an address says an IPAddress object, which is there
 * before its service is.
 */
export interface ServiceAllocator {
  /**
   * Fills in what the service needs and does not name, and claims what it names. Throws Invalid where another service has it, InternalError where a range
   * is used up. When the claim is settled as not written, what was newly taken is given back; as written, what `old` had and the service no longer has.
   */
  claim(service: core.Service, old: Service | undefined, context: WriteContext): Promise<Claim>
  /** Gives back what a deleted service had. */
  release(service: Service): Promise<void>
  /** Claims what `services` have, and forgets what nobody has any more: at start, when claims wait for it, and now and then. */
  repair(services: () => readonly Service[]): Promise<void>
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
  const { store, log, reader, clock = realClock, random = Math.random } = options
  const { family } = addressRange(options.clusterIPs)
  const { first, last } = options.nodePorts ?? { first: 30000, last: 32767 }
  const holders = addressLedger({ store, reader, clock })
  const entries = keyLedger(store, `${prefix}nodeport/`)
  const ranges = serviceRanges({ reader, configured: options.clusterIPs })
  const addresses = new Pool({ ledger: holders, ranges, text: (n) => addressText(n, family), random })
  const portsRange = portRange(first, last)
  const ports = new Pool({ ledger: entries, ranges: () => [portsRange], text: String, random })
  /** Until what was there before is known to be taken, nothing is given away. */
  let begun: Promise<void> | undefined

  /** What a service has, as allocations. */
  function holdings({ spec }: Service): Taken[] {
    const held: Taken[] = []
    for (const address of clusterAddresses({ spec } as Service)) {
      const text = canonical(address)
      if (text) held.push({ pool: addresses, text })
    }
    const numbers = new Set<number>()
    for (const port of spec.ports ?? []) if (port.nodePort) numbers.add(port.nodePort)
    if (needsHealthCheckPort(spec) && spec.healthCheckNodePort) numbers.add(spec.healthCheckNodePort)
    for (const number of numbers) if (ports.contains(BigInt(number))) held.push({ pool: ports, text: String(number) })
    return held
  }

  /** The address as its key, when it is one of the services' family. */
  function canonical(address: string): string | undefined {
    return isIP(address) === family ? addressText(addressNumber(address), family) : undefined
  }

  async function claim(service: core.Service, old: Service | undefined, context: WriteContext): Promise<Claim> {
    await begun
    const { uid = '', namespace = '', name } = service.metadata
    const owner: Owner = { uid, namespace, name, at: clock.now() }
    const before = old ? holdings(old) : []
    const taken: Taken[] = []
    const holds = (pool: Pool, text: string) => [...before, ...taken].some((one) => one.pool === pool && one.text === text)
    const undo = async () => {
      for (const one of taken) await one.pool.ledger.release(one.text, owner)
    }

    async function take(pool: Pool, text: string, refuse: () => Error): Promise<void> {
      if (holds(pool, text)) return
      if (context.dryRun) {
        if (await pool.ledger.has(text)) throw refuse()
        return
      }
      if (!(await pool.ledger.create(text, owner))) throw refuse()
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
      if (text === undefined || !addresses.contains(addressNumber(text))) throw refuse('the provided network does not match the current range')
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

    const unsettled = settleFamilies(service.spec, old?.spec, [family === 6 ? 'IPv6' : 'IPv4'])
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
          if (!now.some((one) => one.pool === had.pool && one.text === had.text)) await had.pool.ledger.release(had.text, ownerOf(old!))
      },
    }
  }

  async function repairAddresses(services: readonly Service[]): Promise<void> {
    const wanted = services.map((service) => ({
      ...ownerOf(service),
      addresses: clusterAddresses(service).flatMap((address) => {
        const text = canonical(address)
        if (text !== undefined && addresses.contains(addressNumber(text))) return [text]
        if (text !== undefined) log.warn('the address of a service is in no range of services', { address, ...named(service) })
        return []
      }),
    }))
    for (const { address, action, service } of await holders.repair(wanted)) {
      if (action === 'twice') log.warn('two services have the same address', { address, service })
      else log.info(action === 'claimed' ? 'the address of a service is written down' : 'an address is free again', { address, service })
    }
    // what was written down in another form by earlier releases
    for (const { key, modRevision } of (await store.list(`${prefix}clusterip/`)).items) await store.delete(key, modRevision)
  }

  async function repairPorts(services: readonly Service[], known: Map<string, Owner | undefined>): Promise<void> {
    const used = new Set<string>()
    const now = clock.now()
    for (const service of services)
      for (const { pool, text } of holdings(service)) {
        if (pool !== ports) continue
        if (used.has(text)) log.warn('two services have the same port', { port: text, ...named(service) })
        used.add(text)
        const owner = known.get(text)
        if (owner?.uid === service.metadata.uid) continue
        if (owner && now - owner.at < graceMs) continue
        if (known.has(text)) await entries.release(text, owner ?? nobody)
        if (!(await entries.create(text, { ...ownerOf(service), at: now })))
          log.warn('a port of a service belongs to another', { port: text, ...named(service) })
      }
    for (const [text, owner] of known) if (!used.has(text) && (!owner || now - owner.at >= graceMs)) await entries.release(text, owner ?? nobody)
  }

  return {
    claim,
    async release(service) {
      for (const held of holdings(service)) await held.pool.ledger.release(held.text, ownerOf(service))
    },
    repair(services) {
      const repairing = (async () => {
        // first what is allocated, then who has it: an allocation made in between is not mistaken for a leftover
        const known = await entries.entries()
        const all = services()
        await repairAddresses(all)
        await repairPorts(all, known)
      })()
      begun ??= repairing.catch(() => {})
      return repairing
    },
  }
}

const nobody = { uid: '', namespace: '', name: '' }

const ownerOf = ({ metadata }: Service) => ({ uid: metadata.uid ?? '', namespace: metadata.namespace ?? '', name: metadata.name })

const named = ({ metadata }: Service) => ({ service: `${metadata.namespace ?? ''}/${metadata.name}` })

/** The strategies with services that get their addresses and ports from `allocator`. */
export function withServiceAllocation(strategies: Record<string, ResourceStrategy>, allocator: ServiceAllocator): Record<string, ResourceStrategy> {
  const services: ResourceStrategy<core.Service> = {
    ...strategies['/services'],
    claim: allocator.claim,
    release: allocator.release,
  }
  return { ...strategies, '/services': services }
}
