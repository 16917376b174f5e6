import { isDeepStrictEqual } from 'node:util'
import { type DeepReadonly, type KubeObject, parseApiVersion, resources } from '#api'
import { type DiscoveredResource, type ResourceRef, discover } from '#client'
import type { ControllerContext, Watch } from '#runtime'
import { type GraphNode, createGraph } from './graph.ts'

/** Resources whose objects neither own nor are owned in a way that matters, and that come in masses. */
const ignored = new Set(['/events', 'events.k8s.io/events'])
/** How often the server is asked what it serves, beside on changes of custom resource definitions. */
const resync = 30_000
/** How long one resource that cannot be listed may keep the others waiting. */
const patience = 30_000

const idOf = ({ group, resource }: ResourceRef) => `${group}/${resource}`

/** Watches everything that can be watched and deleted, and keeps the graph. */
export function createMonitors(context: ControllerContext) {
  const { client, clock, log } = context
  const graph = createGraph()
  const running = new Map<string, { ref: DiscoveredResource; stop: AbortController; ready: Promise<void> }>()
  // by group and kind, for owner references
  let byKind = new Map<string, DiscoveredResource>()
  let enqueue: (uid: string) => void = () => {}
  // items with an owner whose kind was not served when it was looked for
  const unresolved = new Set<string>()
  const stopped = new AbortController()
  const definitions = context.cache(resources.customResourceDefinitions)

  function start(ref: DiscoveredResource): void {
    const stop = new AbortController()
    const cache = context.cache<KubeObject>(ref, {}, { signal: stop.signal })
    const node = (object: DeepReadonly<KubeObject>): GraphNode => ({ ref, object })
    const unsubscribe = cache.subscribe(({ type, object }) => {
      if (!object.metadata.uid) return
      for (const uid of type === 'deleted' ? graph.remove(node(object)) : graph.put(node(object))) enqueue(uid)
    })
    stop.signal.addEventListener('abort', () => {
      unsubscribe()
      // what is no longer served is gone
      for (const object of cache.list()) for (const uid of graph.remove(node(object))) enqueue(uid)
    })
    running.set(idOf(ref), { ref, stop, ready: cache.ready(stop.signal).catch(() => {}) })
  }

  /** Starts and stops watches to match what the server serves. */
  async function refresh(signal: AbortSignal): Promise<void> {
    const { resources: served, failures } = await discover(client, { signal })
    if (stopped.signal.aborted) return
    const preferred = served.filter((r) => r.preferred)
    byKind = new Map(preferred.map((r) => [`${r.group}/${r.kind}`, r]))
    const wanted = new Map(
      preferred.filter((r) => ['delete', 'list', 'watch'].every((verb) => r.verbs.includes(verb)) && !ignored.has(idOf(r))).map((r) => [idOf(r), r]),
    )
    const failing = new Set(failures.map((f) => parseApiVersion(f.groupVersion).group))
    for (const [id, { ref, stop }] of running) {
      const now = wanted.get(id)
      if (now && isDeepStrictEqual({ ...now, verbs: [] }, { ...ref, verbs: [] })) continue
      // what could not be discovered is unknown, not gone
      if (!now && failing.has(ref.group)) continue
      running.delete(id)
      stop.abort()
    }
    for (const [id, ref] of wanted) if (!running.has(id)) start(ref)
    for (const uid of unresolved) enqueue(uid)
    unresolved.clear()
  }

  const watch: Watch = {
    async ready(signal = new AbortController().signal) {
      for (let first = true; ; first = false) {
        try {
          await refresh(signal)
          break
        } catch (error) {
          signal.throwIfAborted()
          if (first) log.warn('discovery failed', { error: error as Error })
          await clock.sleep(1000, signal)
        }
      }
      const enough = new AbortController()
      try {
        await Promise.race([
          Promise.all([...running.values()].map((r) => r.ready)),
          clock.sleep(patience, AbortSignal.any([signal, enough.signal])).catch(() => {}),
        ])
      } finally {
        enough.abort()
      }
      signal.throwIfAborted()
    },
    subscribe(add) {
      enqueue = add
      return () => {
        stopped.abort()
        for (const { stop } of running.values()) stop.abort()
        running.clear()
      }
    },
  }

  /** Looks at what is served again: regularly, and soon after a definition of a resource changed. */
  async function run(signal: AbortSignal): Promise<void> {
    let wake: (() => void) | undefined
    const unsubscribe = definitions.subscribe(() => wake?.())
    try {
      while (!signal.aborted) {
        const pause = new AbortController()
        wake = () => pause.abort()
        await clock.sleep(resync, AbortSignal.any([signal, pause.signal])).catch(() => {})
        // several changes at once, and the server's own delay until it serves them
        if (pause.signal.aborted) await clock.sleep(500, signal).catch(() => {})
        if (!signal.aborted) await refresh(signal).catch((error: unknown) => log.warn('discovery failed', { error: error as Error }))
      }
    } finally {
      unsubscribe()
    }
  }

  return {
    graph,
    watch,
    run,
    /** How the kind of an owner reference is served; undefined when it is not. */
    resourceOf: (apiVersion: string, kind: string): ResourceRef | undefined => byKind.get(`${parseApiVersion(apiVersion).group}/${kind}`),
    /** `uid` is looked at again once the server serves something else. */
    unresolved: (uid: string) => void unresolved.add(uid),
  }
}
