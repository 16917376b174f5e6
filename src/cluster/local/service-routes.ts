import { BlockList, isIPv4 } from 'node:net'
import type { DeepReadonly, networking } from '#api'
import type { Logger } from '#base'
import { Backoff, describeError, realClock, run } from '#base'
import type { Cache } from '#runtime'

/** Marks the routes that are kept here, so that they are found again by whoever comes after us. */
const protocol = '107'

export interface ServiceRoutes {
  serviceCidrs: Cache<networking.ServiceCIDR>
  /** The cluster's own range, whose route is made with the network. */
  own: string
  /** The interface that leads to services, and the node behind it; packets of a node are rewritten before they reach any. */
  dev: string
  via?: string
  log: Logger
}

/**
 * Keeps a route for each range of service addresses that was added to the cluster, as there is one for its own: a packet to a service must never take the
 * machine's way out. Runs until the signal aborts; the routes stay, and go with the bridge or the namespace.
 */
export async function keepServiceRoutes(options: ServiceRoutes, signal: AbortSignal): Promise<void> {
  const { serviceCidrs, log } = options
  const backoff = new Backoff({ initial: 200, max: 10_000 })
  let wake = () => {}
  let dirty = true
  const stop = serviceCidrs.subscribe(() => {
    dirty = true
    wake()
  })
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    await serviceCidrs.ready(signal)
    while (!signal.aborted) {
      if (!dirty) await new Promise<void>((resolve) => (wake = resolve))
      if (signal.aborted) break
      dirty = false
      try {
        await setRoutes(options)
        backoff.reset()
      } catch (error) {
        log.warn('cannot route the ranges of services', { error: describeError(error) })
        dirty = true
        await realClock.sleep(backoff.next(), signal).catch(() => {})
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    stop()
  }
}

async function setRoutes({ serviceCidrs, own, dev, via, log }: ServiceRoutes): Promise<void> {
  const routes = JSON.parse(await run('ip', ['-j', '-4', 'route', 'show'])) as Route[]
  const plan = planRoutes(furtherRanges(serviceCidrs.list(), own), routes, dev)
  for (const { range, route } of plan.refused)
    log.warn('a range of services is not routed, since the machine has a route of its own there', { range, route: `${route.dst} dev ${route.dev}` })
  for (const range of plan.add) await run('ip', ['route', 'replace', range, ...(via ? ['via', via] : []), 'dev', dev, 'protocol', protocol])
  for (const range of plan.remove) await run('ip', ['route', 'delete', range, 'dev', dev, 'protocol', protocol])
}

/** The IPv4 ranges that were added to a cluster's own, those inside of others left out. */
export function furtherRanges(all: readonly DeepReadonly<networking.ServiceCIDR>[], own: string): string[] {
  const ranges = new Set(all.flatMap(({ spec }) => [...(spec?.cidrs ?? [])]).filter((cidr) => isIPv4(cidr.split('/')[0]!) && !contains(own, cidr)))
  return [...ranges].filter((cidr) => ![...ranges].some((other) => other !== cidr && contains(other, cidr))).sort()
}

export interface Route {
  dst: string
  dev?: string
  protocol?: string
}

/** What has to change. A range that meets another route of the machine is left alone: that network was there first. Pure. */
export function planRoutes(ranges: readonly string[], routes: readonly Route[], dev: string) {
  const prefix = (dst: string) => (dst.includes('/') ? dst : `${dst}/32`)
  const isOurs = (route: Route) => route.protocol === protocol && route.dev === dev
  const others = routes.filter((route) => route.dst !== 'default' && !isOurs(route))
  const there = new Set(routes.filter(isOurs).map((route) => prefix(route.dst)))
  const refused: { range: string; route: Route }[] = []
  const wanted = ranges.filter((range) => {
    const route = others.find(({ dst }) => contains(prefix(dst), range) || contains(range, prefix(dst)))
    if (route) refused.push({ range, route })
    return !route
  })
  return { add: wanted.filter((range) => !there.has(range)), remove: [...there].filter((range) => !wanted.includes(range)), refused }
}

/** Whether a range has all of another. */
function contains(outer: string, inner: string): boolean {
  const [address, bits] = split(outer)
  const [first, more] = split(inner)
  if (more < bits) return false
  const list = new BlockList()
  list.addSubnet(address, bits)
  return list.check(first)
}

function split(cidr: string): [string, number] {
  const [address = '', bits = '32'] = cidr.split('/')
  return [address, Number(bits)]
}
