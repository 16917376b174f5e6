import type { Client, ResourceRef } from '#client'
import type { Clock, Logger } from '#base'
import type { DeepReadonly, KubeObject } from '#api'
import type { Cache, IndexFunctions } from './cache.ts'
import type { EventRecorder } from './events.ts'

/** What a reconcile answers: nothing more to do until something changes, or look again after some milliseconds. */
export type Settled = { requeueAfter: number } | void

/** Stop retrying this key until it changes: the error will not go away by itself. */
export class TerminalError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'TerminalError'
  }
}

/**
 * Brings the world to what the object at `key` asks for. Level-triggered: the key says where to look, never what happened, and
 * reading the state again must always be enough. A throw means retry with back-off.
 */
export type Reconcile = (key: string, signal: AbortSignal) => Promise<Settled>

/** What every controller gets. Caches are shared: two controllers that ask for one resource watch it once. */
export interface ControllerContext {
  client: Client
  clock: Clock
  log: Logger
  events: EventRecorder
  /**
   * The shared cache of a resource; index functions add up over all callers (same name: same function). Call it in `setup` only, unless with a
   * `signal` that says when this caller no longer needs it: the watch stops when nobody does.
   */
  cache<T extends KubeObject>(ref: ResourceRef<T>, indexes?: IndexFunctions<T>, options?: { signal?: AbortSignal }): Cache<T>
}

/** A controller as data. The runtime makes caches, queue and workers from it. */
export interface Controller {
  /** Lower-case, dashed: `replicaset`. Used in logs, metrics, and as the field manager `<name>-controller`. */
  name: string
  /** The component that its events come from, e.g. `replicaset-controller`; the context's when absent. */
  eventSource?: string
  /** Parallel reconciles; 5 when absent. A key is never reconciled twice at the same time. */
  concurrency?: number
  /** Called once, before anything runs: ask for caches, return the reconcile function and what triggers it. */
  setup(context: ControllerContext): {
    reconcile: Reconcile
    watches: Watch[]
    /** Runs next to the workers, for what time alone triggers. */ run?: (signal: AbortSignal) => Promise<void>
  }
}

/** A source of keys: each change of an object in the cache enqueues what `keys` returns. */
export interface Watch {
  subscribe(enqueue: (key: string, afterMs?: number) => void): () => void
  ready(signal?: AbortSignal): Promise<void>
}

/** Enqueues an object's own key on every change of it. */
export function primary<T extends KubeObject>(cache: Cache<T>): Watch {
  return mapped(cache, (object) => [object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : object.metadata.name])
}

/** Enqueues the controlling owner of kind `ownerKind` when an object changes. */
export function owned<T extends KubeObject>(cache: Cache<T>, ownerKind: string): Watch {
  return mapped(cache, (object) => {
    const owner = object.metadata.ownerReferences?.find((o) => o.controller && o.kind === ownerKind)
    return owner ? [object.metadata.namespace ? `${object.metadata.namespace}/${owner.name}` : owner.name] : []
  })
}

/** Enqueues whatever keys `keys` derives from a changed object; of an update, from both the old and the new one. */
export function mapped<T extends KubeObject>(cache: Cache<T>, keys: (object: DeepReadonly<T>) => string[]): Watch {
  return {
    ready: (signal) => cache.ready(signal),
    subscribe: (enqueue) =>
      cache.subscribe((event) => {
        for (const key of keys(event.object)) enqueue(key)
        if (event.type === 'updated') for (const key of keys(event.previous)) enqueue(key)
      }),
  }
}
