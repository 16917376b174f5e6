import { isDeepStrictEqual } from 'node:util'
import { type DeepReadonly, type KubeObject, type core, objectKey, resources } from '#api'
import { type ResourceRef, discover } from '#client'
import type { Cache, Controller, Watch } from '#runtime'

type Quota = DeepReadonly<core.ResourceQuota>

/** How usage is reckoned: the same way as admission does it, which is where these functions come from. */
export interface QuotaAccounting {
  /** What a quota's status should be, given all objects of its namespace. */
  quotaStatus(quota: Quota, objects: (group: string, resource: string) => readonly DeepReadonly<KubeObject>[], now: number): core.ResourceQuotaStatus
  /** The resources that have to be looked at for these names of a quota. */
  countedResources(names: readonly string[]): { group: string; resource: string }[]
}

/** Time between full recalculations, milliseconds, as upstream's --resource-quota-sync-period. */
const resync = 300_000
/** Changes of one namespace within this are reckoned together. */
const settle = 50

/** Recalculates what a namespace uses when something is deleted or changes; creations are booked by admission. */
export function resourceQuotaController({ quotaStatus, countedResources }: QuotaAccounting): Controller {
  return {
    name: 'resourcequota',
    setup({ client, clock, cache }) {
      const quotas = cache(resources.resourceQuotas)
      const api = client.resource(resources.resourceQuotas)
      const counted = new Map<string, Cache<KubeObject>>()
      let enqueue: (key: string, afterMs?: number) => void = () => {}
      const stopped = new AbortController()

      /** The cache of a counted resource; undefined when the server does not serve it. */
      async function cacheOf(group: string, resource: string, signal: AbortSignal): Promise<Cache<KubeObject> | undefined> {
        const id = `${group}/${resource}`
        let known = counted.get(id)
        if (!known) {
          const ref = await refOf(group, resource, signal)
          if (!ref) return undefined
          known = counted.get(id) ?? watch(id, ref)
        }
        await known.ready(signal)
        return known
      }

      async function refOf(group: string, resource: string, signal: AbortSignal): Promise<ResourceRef | undefined> {
        const { resources: served } = await discover(client, { signal })
        return served.find((r) => r.group === group && r.resource === resource && r.preferred && r.namespaced && r.verbs.includes('watch'))
      }

      function watch(id: string, ref: ResourceRef): Cache<KubeObject> {
        const found = cache<KubeObject>(ref, {}, { signal: stopped.signal })
        counted.set(id, found)
        const stop = found.subscribe((event) => {
          // a creation was booked by admission; reckoning again before all caches have seen it would unbook it
          if (event.type === 'added' || !event.object.metadata.namespace) return
          if (event.type === 'updated' && !matters(event.previous, event.object)) return
          for (const quota of quotas.list(event.object.metadata.namespace)) enqueue(objectKey(quota), settle)
        })
        stopped.signal.addEventListener('abort', stop, { once: true })
        return found
      }

      const changes: Watch = {
        ready: (signal) => quotas.ready(signal),
        subscribe(add) {
          enqueue = add
          const stop = quotas.subscribe((event) => {
            const { object } = event
            if (
              event.type === 'updated' &&
              isDeepStrictEqual(event.previous.spec, object.spec) &&
              isDeepStrictEqual(object.spec?.hard, object.status?.hard)
            )
              return
            add(objectKey(object))
          })
          return () => {
            stop()
            stopped.abort()
          }
        },
      }

      return {
        watches: [changes],
        async reconcile(key, signal) {
          const quota = quotas.get(key)
          if (!quota || quota.metadata.deletionTimestamp) return
          const caches = new Map<string, Cache<KubeObject>>()
          for (const { group, resource } of countedResources(Object.keys(quota.spec?.hard ?? {}))) {
            const found = await cacheOf(group, resource, signal)
            if (found) caches.set(`${group}/${resource}`, found)
          }
          const objects = (group: string, resource: string) => caches.get(`${group}/${resource}`)?.list(quota.metadata.namespace) ?? []
          const status = quotaStatus(quota, objects, clock.now())
          if (!isDeepStrictEqual(status, { hard: quota.status?.hard ?? {}, used: quota.status?.used ?? {} }) || !quota.status?.hard)
            await api.updateStatus({ ...quota, status }, { signal })
          return { requeueAfter: resync }
        },
      }
    },
  }
}

/** Whether an update can change what is used: a pod that ends or is resized, a claim or a service that grows or shrinks. */
function matters(old: DeepReadonly<KubeObject>, now: DeepReadonly<KubeObject>): boolean {
  const [before, after] = [old, now] as DeepReadonly<core.Pod>[]
  return (
    before!.status?.phase !== after!.status?.phase ||
    !before!.metadata.deletionTimestamp !== !after!.metadata.deletionTimestamp ||
    !isDeepStrictEqual(before!.spec, after!.spec)
  )
}
