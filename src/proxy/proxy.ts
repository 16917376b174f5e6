import type { core, discovery } from '#api'
import type { Clock, Logger } from '#base'
import { Backoff, realClock } from '#base'
import type { Cache } from '#runtime'
import type { HealthCheckServers } from './health-checks.ts'
import { planRules } from './plan.ts'
import type { RuleBackend } from './rule-backend.ts'

export interface ProxyOptions {
  nodeName: string
  services: Cache<core.Service>
  endpointSlices: Cache<discovery.EndpointSlice>
  backend: RuleBackend
  health?: HealthCheckServers
  /** This node and no other, for its zone; without it no zone is preferred. */
  node?: Cache<core.Node>
  /** Ranges of service addresses beside the cluster's own. */
  ranges?: { list(): string[]; subscribe(changed: () => void): () => void }
  log: Logger
  clock?: Clock
  /** Changes within this time of one another are programmed together; milliseconds, 10 when absent. */
  coalesceMs?: number
}

/**
 * Keeps the node's rules at what services and endpoint slices ask for, until the signal aborts. The rules stay when it ends: services go on
 * working while a proxy is replaced.
 */
export async function runProxy(options: ProxyOptions, signal: AbortSignal): Promise<void> {
  const { services, endpointSlices, backend, node, ranges, log, clock = realClock } = options
  const backoff = new Backoff({ initial: 100, max: 30_000 })
  let wake = () => {}
  let dirty = true
  const changed = () => {
    dirty = true
    wake()
  }
  await Promise.all([services.ready(signal), endpointSlices.ready(signal)])
  const stop = [services.subscribe(changed), endpointSlices.subscribe(changed)]
  if (ranges) stop.push(ranges.subscribe(changed))
  const zone = () => node?.list()[0]?.metadata.labels?.['topology.kubernetes.io/zone']
  let planned = zone()
  // a node says something every few seconds, hardly ever that it moved
  if (node) stop.push(node.subscribe(() => zone() !== planned && changed()))
  signal.addEventListener('abort', () => wake(), { once: true })
  try {
    while (!signal.aborted) {
      if (!dirty) await new Promise<void>((resolve) => (wake = resolve))
      if (signal.aborted) break
      await clock.sleep(options.coalesceMs ?? 10, signal).catch(() => {})
      dirty = false
      try {
        planned = zone()
        const rules = planRules(services.list(), endpointSlices.list(), { nodeName: options.nodeName, zone: planned })
        options.health?.apply(rules.healthChecks)
        await backend.apply(ranges ? { ...rules, ranges: ranges.list() } : rules)
        backoff.reset()
      } catch (error) {
        log.error('cannot program services', { error })
        dirty = true
        await clock.sleep(backoff.next(), signal).catch(() => {})
      }
    }
  } finally {
    for (const unsubscribe of stop) unsubscribe()
  }
}
