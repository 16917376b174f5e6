import type { meta } from './types/index.ts'

/** Any Kubernetes object in its served version's wire form. */
export interface KubeObject {
  apiVersion: string
  kind: string
  metadata: meta.ObjectMeta
}

export interface KubeList<T extends KubeObject = KubeObject> {
  apiVersion: string
  kind: string
  metadata: meta.ListMeta
  items: T[]
}

/** Objects that come from a cache or the store are shared: nobody may change them. */
export type DeepReadonly<T> = T extends (infer E)[]
  ? readonly DeepReadonly<E>[]
  : T extends object
    ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
    : T

/** The shape a create request takes: the name may be left to `generateName`. */
export type Creatable<T extends KubeObject> = Omit<T, 'metadata' | 'status'> & { metadata: Partial<meta.ObjectMeta> } & Partial<
    Pick<T & { status?: unknown }, 'status'>
  >

/** `namespace/name`, or `name` for a cluster-scoped object: the key of caches and work queues. */
export function objectKey(object: { metadata: { name: string; namespace?: string } } | DeepReadonly<KubeObject>): string {
  const { namespace, name } = object.metadata
  return namespace ? `${namespace}/${name}` : name
}

export function splitKey(key: string): { namespace?: string; name: string } {
  const slash = key.indexOf('/')
  return slash < 0 ? { name: key } : { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

/** The owner that manages this object, if any. */
export function controllerOf(object: DeepReadonly<KubeObject>): DeepReadonly<meta.OwnerReference> | undefined {
  return object.metadata.ownerReferences?.find((o) => o.controller)
}
