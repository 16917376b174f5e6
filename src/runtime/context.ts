import type { KubeObject } from '#api'
import { type Clock, type Logger, type Random, realClock, silentLogger } from '#base'
import type { Client, ResourceRef } from '#client'
import type { Cache, IndexFunctions } from './cache.ts'
import type { ControllerContext } from './controller.ts'
import type { EventRecorder } from './events.ts'
import { createEventRecorder } from './recorder.ts'
import { type RunningCache, startCache } from './start-cache.ts'

export interface ContextOptions {
  client: Client
  /** Names the source of events and log lines, e.g. `kube-controller-manager`. */
  component: string
  /** The node the component runs on, as the source host of events. */
  host?: string
  clock?: Clock
  log?: Logger
  random?: Random
}

export interface RunningContext extends ControllerContext, AsyncDisposable {}

/**
 * A context whose caches start when they are first asked for and stop when it is disposed, after everything that uses it has ended. Two who ask for
 * one resource share one watch.
 */
export function createContext(options: ContextOptions): RunningContext {
  const { client, component, host, clock = realClock, log = silentLogger, random = Math.random } = options
  const shared = new Map<string, { cache: RunningCache<any>; users: number }>()
  const recorder = createEventRecorder({ client, component, host, clock, log: log.named('events') })
  let disposed: Promise<void> | undefined

  function cache<T extends KubeObject>(ref: ResourceRef<T>, indexes?: IndexFunctions<T>, { signal }: { signal?: AbortSignal } = {}): Cache<T> {
    if (disposed) throw new Error('the context is disposed')
    const key = `${ref.group}/${ref.version}/${ref.resource}`
    let entry = shared.get(key)
    if (!entry) shared.set(key, (entry = { cache: startCache({ client, ref, clock, log, random }), users: 0 }))
    entry.users++
    if (indexes) entry.cache.index(indexes)
    const held = entry
    const release = () => {
      if (--held.users > 0) return
      if (shared.get(key) === held) shared.delete(key)
      void held.cache[Symbol.asyncDispose]()
    }
    // who gives no signal holds the cache until the context ends
    if (signal?.aborted) release()
    else signal?.addEventListener('abort', release, { once: true })
    return held.cache
  }

  return {
    client,
    clock,
    log,
    events: recorder satisfies EventRecorder,
    cache,
    [Symbol.asyncDispose]() {
      disposed ??= Promise.all([recorder[Symbol.asyncDispose](), ...[...shared.values()].map((e) => e.cache[Symbol.asyncDispose]())]).then(() => {})
      return disposed
    },
  }
}
