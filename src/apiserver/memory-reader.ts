import type { DeepReadonly, KubeObject } from '#api'
import type { ObjectChange, ObjectReader } from './object-reader.ts'

/** An ObjectReader over a map, for tests of what reads through one. */
export interface MemoryReader extends ObjectReader {
  set(group: string, resource: string, object: object): void
  delete(group: string, resource: string, namespace: string, name: string): void
}

export function memoryReader(): MemoryReader {
  const objects = new Map<string, Map<string, DeepReadonly<KubeObject>>>()
  const listeners = new Map<string, Set<(change: ObjectChange) => void>>()
  const table = (group: string, resource: string) => {
    const id = `${resource}.${group}`
    let found = objects.get(id)
    if (!found) objects.set(id, (found = new Map()))
    return found
  }
  const tell = (group: string, resource: string, change: ObjectChange) => {
    for (const fn of listeners.get(`${resource}.${group}`) ?? []) fn(change)
  }
  return {
    get: (group, resource, namespace, name) => table(group, resource).get(`${namespace}/${name}`) as never,
    list: (group, resource, namespace) =>
      [...table(group, resource).values()].filter((o) => !namespace || o.metadata.namespace === namespace) as never,
    onChange(group, resource, fn) {
      const id = `${resource}.${group}`
      const set = listeners.get(id) ?? new Set()
      listeners.set(id, set)
      set.add(fn as never)
      return () => set.delete(fn as never)
    },
    set(group, resource, value) {
      const object = value as KubeObject
      const key = `${object.metadata.namespace ?? ''}/${object.metadata.name}`
      const previous = table(group, resource).get(key)
      table(group, resource).set(key, object)
      tell(group, resource, previous ? { type: 'updated', object, previous } : { type: 'added', object })
    },
    delete(group, resource, namespace, name) {
      const key = `${namespace}/${name}`
      const object = table(group, resource).get(key)
      if (!object) return
      table(group, resource).delete(key)
      tell(group, resource, { type: 'deleted', object })
    },
  }
}
