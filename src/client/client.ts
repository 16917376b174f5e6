import { type DeepReadonly, type KubeList, type KubeObject, StatusError } from '#api'
import { type Clock, realClock } from '#base'
import { failureOf, readAll, retryAfter } from './failure.ts'
import { lines } from './lines.ts'
import type { Client, DeleteOptions, ListQuery, ResourceClient, ResourceRef, WatchEvent, WatchQuery, WriteOptions } from './resource-client.ts'
import type { Request, Response, Transport, WatchFrame } from './transport.ts'

export interface ClientOptions {
  /** Sent as User-Agent; the server derives the default field manager from what stands before the first slash. */
  userAgent?: string
  clock?: Clock
}

const patchTypes = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
} as const

/** How often a read is sent again when the server asks for it (429 or 503 with Retry-After). */
const maxRetries = 5

/** A Client over any Transport; makes no connection by itself. */
export function createClient(transport: Transport, options: ClientOptions = {}): Client {
  const { userAgent = 'k8ts', clock = realClock } = options

  async function send(
    request: Omit<Request, 'headers' | 'query'> & { headers?: Record<string, string>; query?: URLSearchParams },
  ): Promise<Response> {
    const full: Request = {
      ...request,
      query: request.query ?? new URLSearchParams(),
      headers: { accept: 'application/json', 'user-agent': userAgent, ...request.headers },
    }
    for (let attempt = 0; ; attempt++) {
      const response = await transport.send(full)
      if (response.status < 400) return response
      const wait = retryAfter(response.headers)
      const asked = response.status === 429 || response.status === 503
      if (request.method !== 'GET' || !asked || wait === undefined || attempt >= maxRetries) throw await failureOf(response)
      await readAll(response)
      await clock.sleep(wait * 1000, request.signal)
    }
  }

  async function value<S>(response: Response): Promise<S> {
    if ('value' in response.body) return response.body.value as S
    const bytes = await readAll(response)
    if (bytes.length === 0) return undefined as S
    const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString()
    // /healthz and its like answer plain text
    const json = (response.headers['content-type'] ?? 'application/json').includes('json')
    return (json ? JSON.parse(text) : text) as S
  }

  return {
    resource: <T extends KubeObject>(ref: ResourceRef<T>) => resourceClient<T>(ref, send, value),
    raw: async (method, path, body, { signal, query, headers } = {}) =>
      value(await send({ method: method as Request['method'], path, query: new URLSearchParams(query), headers, body, signal })),
  }
}

type Send = (request: Omit<Request, 'headers' | 'query'> & { headers?: Record<string, string>; query?: URLSearchParams }) => Promise<Response>

function resourceClient<T extends KubeObject>(ref: ResourceRef<T>, send: Send, value: <S>(response: Response) => Promise<S>): ResourceClient<T> {
  const base = ref.group ? `/apis/${ref.group}/${ref.version}` : `/api/${ref.version}`
  const apiVersion = ref.group ? `${ref.group}/${ref.version}` : ref.version

  function path(namespace: string | undefined, name?: string, subresource?: string): string {
    let path = base
    if (ref.namespaced && namespace) path += `/namespaces/${encodeURIComponent(namespace)}`
    path += `/${ref.resource}`
    if (name !== undefined) {
      // an empty name would turn the request for one object into one for all of them
      if (name === '') throw new RangeError(`a request for one of ${ref.resource} needs its name`)
      if (ref.namespaced && !namespace) throw new RangeError(`${ref.resource} "${name}": a namespace is needed`)
      path += `/${encodeURIComponent(name)}`
    }
    // a subresource may carry a path (proxy/…)
    if (subresource) path += `/${subresource}`
    return path
  }

  const write = async <S = DeepReadonly<T>>(
    method: 'POST' | 'PUT' | 'PATCH',
    target: string,
    body: object,
    { signal, ...options }: WriteOptions & { force?: boolean } = {},
    contentType = 'application/json',
  ): Promise<S> => value<S>(await send({ method, path: target, query: writeQuery(options), body, headers: { 'content-type': contentType }, signal }))

  const own = (object: { metadata: { name?: string; namespace?: string } }, subresource?: string) =>
    path(object.metadata.namespace, object.metadata.name ?? '', subresource)

  return {
    get: async (name, namespace, { signal } = {}) => value(await send({ method: 'GET', path: path(namespace, name), signal })),

    list: async (query = {}) => {
      const response = await send({ method: 'GET', path: path(query.namespace), query: listQuery(query), signal: query.signal })
      const list = await value<KubeList<T>>(response)
      return typed(list, apiVersion, ref.kind, 'value' in response.body)
    },

    watch: (query) => watch<T>(ref, path(query.namespace), query, send),

    create: (object, options) => write('POST', path(object.metadata.namespace), object, options),
    update: (object, options) => write('PUT', own(object), object, options),
    updateStatus: (object, options) => write('PUT', own(object, 'status'), object, options),
    patch: (name, namespace, type, patch, options = {}) =>
      write('PATCH', path(namespace, name, options.subresource), patch as object, options, patchTypes[type]),
    apply: (object, options) => write('PATCH', own(object as T, options.subresource), object, options, 'application/apply-patch+yaml'),

    delete: async (name, namespace, options = {}) => {
      await readAll(await send({ method: 'DELETE', path: path(namespace, name), ...deletion(options) }))
    },
    deleteCollection: async (query, options = {}) => {
      const { body, headers } = deletion(options)
      await readAll(
        await send({ method: 'DELETE', path: path(query.namespace), query: listQuery(query), body, headers, signal: query.signal ?? options.signal }),
      )
    },

    getSubresource: async <S>(name: string, namespace: string | undefined, subresource: string, { signal }: { signal?: AbortSignal } = {}) =>
      value<S>(await send({ method: 'GET', path: path(namespace, name, subresource), signal })),
    createSubresource: <S>(name: string, namespace: string | undefined, subresource: string, body: object, options?: WriteOptions) =>
      write<S>('POST', path(namespace, name, subresource), body, options),
    updateSubresource: <S>(name: string, namespace: string | undefined, subresource: string, body: object, options?: WriteOptions) =>
      write<S>('PUT', path(namespace, name, subresource), body, options),
  }
}

function watch<T extends KubeObject>(ref: ResourceRef<T>, path: string, query: WatchQuery, send: Send): AsyncIterable<WatchEvent<T>> {
  return {
    async *[Symbol.asyncIterator]() {
      const parameters = listQuery(query)
      parameters.set('watch', 'true')
      if (query.allowBookmarks) parameters.set('allowWatchBookmarks', 'true')
      if (query.sendInitialEvents !== undefined) parameters.set('sendInitialEvents', String(query.sendInitialEvents))
      if (query.timeoutSeconds !== undefined) parameters.set('timeoutSeconds', String(query.timeoutSeconds))
      try {
        const { body } = await send({ method: 'GET', path, query: parameters, signal: query.signal })
        if ('events' in body) {
          for await (const frame of body.events) yield decode<T>(frame)
        } else if (!('value' in body)) {
          const chunks = 'stream' in body ? body.stream : oneByOne(body.bytes)
          for await (const line of lines(chunks)) yield decode<T>(JSON.parse(line.toString()) as WatchFrame)
        }
      } catch (error) {
        // being told to stop is the normal end of a watch
        if (!query.signal?.aborted) throw error
      }
    },
  }
}

async function* oneByOne(bytes: Uint8Array | Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* Array.isArray(bytes) ? bytes : [bytes]
}

function decode<T extends KubeObject>(frame: Pick<WatchFrame, 'type' | 'object'>): WatchEvent<T> {
  if (frame.type === 'ERROR') return { type: 'ERROR', status: frame.object as StatusError['status'] }
  const object = frame.object as DeepReadonly<T>
  if (frame.type !== 'BOOKMARK') return { type: frame.type, object }
  return {
    type: 'BOOKMARK',
    resourceVersion: object.metadata.resourceVersion ?? '',
    initialEventsEnd: object.metadata.annotations?.['k8s.io/initial-events-end'] === 'true',
  }
}

/** Items of a list may come without apiVersion and kind (upstream leaves them out): whoever holds one alone needs them. */
function typed<T extends KubeObject>(list: KubeList<T>, apiVersion: string, kind: string, shared: boolean): DeepReadonly<KubeList<T>> {
  const complete = (item: T) => item.apiVersion !== undefined && item.kind !== undefined
  const items = list.items ?? []
  if (list.items && items.every(complete)) return list as unknown as DeepReadonly<KubeList<T>>
  if (shared)
    return { ...list, items: items.map((item) => (complete(item) ? item : { ...item, apiVersion, kind })) } as unknown as DeepReadonly<KubeList<T>>
  list.items = items
  for (const item of items) Object.assign(item, { apiVersion: item.apiVersion ?? apiVersion, kind: item.kind ?? kind })
  return list as unknown as DeepReadonly<KubeList<T>>
}

function listQuery(query: ListQuery): URLSearchParams {
  const parameters = new URLSearchParams()
  for (const name of ['labelSelector', 'fieldSelector', 'resourceVersion', 'resourceVersionMatch', 'limit', 'continue'] as const) {
    const value = query[name]
    if (value !== undefined && value !== '') parameters.set(name, String(value))
  }
  return parameters
}

function writeQuery(options: WriteOptions & { force?: boolean }): URLSearchParams {
  const parameters = new URLSearchParams()
  if (options.fieldManager) parameters.set('fieldManager', options.fieldManager)
  if (options.dryRun) parameters.set('dryRun', 'All')
  if (options.force !== undefined) parameters.set('force', String(options.force))
  return parameters
}

function deletion(options: DeleteOptions): { body?: object; headers?: Record<string, string>; signal?: AbortSignal } {
  const { signal, dryRun, gracePeriodSeconds, propagationPolicy, preconditions } = options
  const asked = {
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(preconditions === undefined ? {} : { preconditions }),
    ...(dryRun ? { dryRun: ['All'] } : {}),
  }
  if (Object.keys(asked).length === 0) return { signal }
  return { body: { kind: 'DeleteOptions', apiVersion: 'v1', ...asked }, headers: { 'content-type': 'application/json' }, signal }
}
