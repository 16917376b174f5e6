import type { Store } from '#store'
import { registryPrefix } from './registry/watch-cache.ts'

export type StoreOperation = 'get' | 'list' | 'create' | 'update' | 'delete'

/** Told when an operation begins; what it answers is called at its end, with the error if there was one. */
export type StoreObserver = (operation: StoreOperation, group: string, resource: string) => (error?: unknown) => void

/** A store whose operations are told to an observer. */
export function observedStore(store: Store, observe: StoreObserver): Store {
  // one after the other, writes are mostly about the same resource
  let last: About | undefined
  function told<T>(operation: StoreOperation, key: string, run: Promise<T>): Promise<T> {
    const about = last && key.startsWith(last.prefix) ? last : aboutOf(key)
    const { group, resource } = about
    if (about.prefix) last = about
    const end = observe(operation, group, resource)
    // side by side with the caller's own handlers: nothing is put between the store and whoever waits for it
    run.then(() => end(), end)
    return run
  }
  return {
    get: (key, options) => told('get', key, store.get(key, options)),
    list: (prefix, options) => told('list', prefix, store.list(prefix, options)),
    currentRevision: () => store.currentRevision(),
    create: (key, value, options) => told('create', key, store.create(key, value, options)),
    update: (key, value, revision, options) => told('update', key, store.update(key, value, revision, options)),
    delete: (key, revision) => told('delete', key, store.delete(key, revision)),
    watch: (prefix, options) => store.watch(prefix, options),
    compact: (revision) => store.compact(revision),
    ...(store.size === undefined ? {} : { size: () => store.size!() }),
    ...(store.leases === undefined ? {} : { leases: store.leases }),
    ...(store.shared === undefined ? {} : { shared: store.shared }),
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  }
}

interface About {
  group: string
  resource: string
  /** What all keys of the resource begin with; empty for keys of none. */
  prefix: string
}

/** `/registry/GROUP/RESOURCE/…`, where the core group has its own name. */
function aboutOf(key: string): About {
  if (!key.startsWith(registryPrefix)) return { group: '', resource: '', prefix: '' }
  const slash = key.indexOf('/', registryPrefix.length)
  const end = key.indexOf('/', slash + 1)
  const group = key.slice(registryPrefix.length, slash < 0 ? undefined : slash)
  return {
    group: group === 'core' ? '' : group,
    resource: slash < 0 ? '' : key.slice(slash + 1, end < 0 ? undefined : end),
    prefix: slash < 0 || end < 0 ? '' : key.slice(0, end + 1),
  }
}
