import { type DeepReadonly, type core, formatTime, isStatus, resources, withCondition } from '#api'
import { describeError } from '#base'
import type { Controller } from '#runtime'
import { lostTerminating, orphans, surplus, unscheduledTerminating } from './plan.ts'

export interface PodGcOptions {
  /** Finished pods that are kept; 12500 when absent. */
  terminatedPodThreshold?: number
  /** Time between looks, milliseconds; 20 s when absent. */
  period?: number
  /** How long a node must be gone before its pods go, milliseconds; 40 s when absent. */
  quarantine?: number
}

/** Deletes pods that nobody else can: of nodes that are gone, never scheduled and deleted, or finished in great numbers. */
export function podGarbageCollector({ terminatedPodThreshold = 12_500, period = 20_000, quarantine = 40_000 }: PodGcOptions = {}): Controller {
  return {
    name: 'podgc',
    setup({ client, clock, log, cache }) {
      const pods = cache(resources.pods)
      const nodes = cache(resources.nodes)
      const api = client.resource(resources.pods)
      const missingSince = new Map<string, number>()

      async function look(signal: AbortSignal): Promise<void> {
        const all = pods.list()
        for (const pod of surplus(all, terminatedPodThreshold)) await remove(pod, signal)
        for (const pod of lostTerminating(all, (name) => nodes.get(name))) await remove(pod, signal)
        for (const pod of unscheduledTerminating(all)) await remove(pod, signal)
        const byNode = orphans(all, (name) => nodes.get(name) !== undefined)
        for (const name of missingSince.keys()) if (!byNode.has(name)) missingSince.delete(name)
        for (const [name, list] of byNode) {
          const since = missingSince.get(name) ?? clock.monotonic()
          missingSince.set(name, since)
          if (clock.monotonic() - since < quarantine) continue
          // the cache of nodes may be behind
          if (
            await client
              .resource(resources.nodes)
              .get(name, undefined, { signal })
              .then(() => true, isThere)
          )
            continue
          for (const pod of list) await remove(pod, signal, 'PodGC: node no longer exists')
        }
      }

      async function remove(pod: DeepReadonly<core.Pod>, signal: AbortSignal, disruption?: string): Promise<void> {
        const { name, namespace, uid } = pod.metadata
        try {
          if (pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed') await fail(pod, signal, disruption)
          await api.delete(name, namespace, { gracePeriodSeconds: 0, preconditions: { uid }, signal })
        } catch (error) {
          signal.throwIfAborted()
          // the others still want to go
          if (!isStatus(error, 'NotFound')) log.warn('pod not collected', { namespace, name, error: describeError(error) })
        }
      }

      /** Whoever counts on the pod's end learns how it ended. */
      async function fail(pod: DeepReadonly<core.Pod>, signal: AbortSignal, disruption: string | undefined): Promise<void> {
        const condition: core.PodCondition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: disruption }
        const old = pod.status?.conditions as core.PodCondition[] | undefined
        const conditions = disruption ? withCondition<core.PodCondition>(old, condition, formatTime(clock.now())) : old
        await api.patch(
          pod.metadata.name,
          pod.metadata.namespace,
          'strategic',
          { status: { phase: 'Failed', conditions } },
          { subresource: 'status', signal },
        )
      }

      return {
        reconcile: async () => {},
        watches: [
          { ready: (signal) => pods.ready(signal), subscribe: () => () => {} },
          { ready: (signal) => nodes.ready(signal), subscribe: () => () => {} },
        ],
        async run(signal) {
          while (!signal.aborted) {
            await look(signal)
            await clock.sleep(period, signal).catch(() => {})
          }
        },
      }
    },
  }
}

function isThere(error: unknown): boolean {
  // whatever cannot be asked is not declared gone
  return !isStatus(error, 'NotFound')
}
