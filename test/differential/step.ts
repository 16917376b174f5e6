/** One request of the suite. Its name reads as a sentence and is unique within its topic. */
export interface Step {
  name: string
  method: string
  /** With the query, as it is sent. */
  path: string
  headers?: Record<string, string>
  /** An object is sent as JSON, text and bytes as they are. */
  body?: unknown
  /** Reads the object at `path` first and puts back what this makes of it. */
  edit?(object: any): void
  /** Sent again until the answer's body has this text: for what a server comes to know with time. */
  until?: string
  /** Of a watch: ends after as many events. */
  events?: number
}

/** Requests about one thing, sent in order to a server that has nothing of the topic's yet. */
export interface Topic {
  /** The namespace the topic plays in, made beforehand with its default service account. Names of cluster-wide objects begin with `diff-`. */
  namespace: string
  /** Compares managedFields too. */
  managedFields?: boolean
  steps: Step[]
}

/** What a server answered. */
export interface Answer {
  status: number
  headers: Record<string, string>
  body?: unknown
}

/** A kind as the tables of requests see it. */
export interface Kind {
  /** `/api/v1/namespaces/x/pods` or `/api/v1/nodes`. */
  collection: string
  apiVersion: string
  kind: string
}

/** `kindIn('diff-core', 'v1', 'Pod', 'pods')`; without a namespace for kinds of the cluster. */
export function kindIn(namespace: string | undefined, apiVersion: string, kind: string, plural: string): Kind {
  const root = apiVersion.includes('/') ? `/apis/${apiVersion}` : `/api/${apiVersion}`
  return { collection: namespace ? `${root}/namespaces/${namespace}/${plural}` : `${root}/${plural}`, apiVersion, kind }
}

type Rest = Record<string, unknown>

const typed = (kind: Kind, rest: Rest): Rest => ({ apiVersion: kind.apiVersion, kind: kind.kind, ...rest })

/** POST of an object whose name, when `rest` gives no metadata, is `name`. */
export const create = (kind: Kind, name: string, title: string, rest: Rest = {}, query = ''): Step => ({
  name: title,
  method: 'POST',
  path: kind.collection + query,
  body: typed(kind, { ...rest, metadata: { name, ...(rest['metadata'] as object | undefined) } }),
})

export const get = (kind: Kind, name: string, title: string, headers?: Record<string, string>): Step => ({
  name: title,
  method: 'GET',
  path: name ? `${kind.collection}/${name}` : kind.collection,
  ...(headers ? { headers } : {}),
})

export const edit = (kind: Kind, name: string, title: string, change: (object: any) => void): Step => ({
  name: title,
  method: 'PUT',
  path: `${kind.collection}/${name}`,
  edit: change,
})

export type PatchType = 'json' | 'merge' | 'strategic' | 'apply'

const patchTypes: Record<PatchType, string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

export const patch = (kind: Kind, name: string, type: PatchType, title: string, body: unknown, query = ''): Step => ({
  name: title,
  method: 'PATCH',
  path: `${kind.collection}/${name}${query}`,
  headers: { 'content-type': patchTypes[type] },
  body: type === 'apply' && typeof body === 'object' ? typed(kind, body as Rest) : body,
})

export const remove = (kind: Kind, name: string, title: string, options?: unknown, query = ''): Step => ({
  name: title,
  method: 'DELETE',
  path: `${kind.collection}/${name}${query}`,
  ...(options === undefined ? {} : { body: options }),
})

export const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' }
export const partial = { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' }
export const partialList = { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' }
export const protobuf = { accept: 'application/vnd.kubernetes.protobuf' }
export const yaml = { accept: 'application/yaml' }
