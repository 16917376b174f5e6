import type { Kind, ObjectSchema } from '#api'
import { apiVersionOf, schemaOf } from '#api'
import type { GroupVersionKind, JsonSchema } from './definitions.ts'

/** What is served below one resource's paths: a built-in kind or a custom resource. */
export interface ServedResource extends GroupVersionKind {
  resource: string
  namespaced: boolean
  verbs: readonly string[]
  /** References to the definitions of the object and of its list. */
  object: JsonSchema
  list: JsonSchema | undefined
  /** `body` is undefined for what is connected or streamed. */
  subresources: readonly { name: string; verbs: readonly string[]; gvk: GroupVersionKind; body: JsonSchema | undefined }[]
  patchTypes: readonly string[]
  /** Whether `/watch/…` paths lead here, too. */
  watchPaths: boolean
}

export interface Parameter {
  name: string
  in: 'path' | 'query'
  type: 'string' | 'integer' | 'boolean'
  required?: boolean
  description?: string
}

export type Method = 'get' | 'put' | 'post' | 'delete' | 'patch' | 'options' | 'head'

/** An operation without what the dialects say differently. */
export interface Operation {
  method: Method
  id: string
  description: string
  tag: string
  action: string
  gvk: GroupVersionKind
  parameters: readonly Parameter[]
  consumes: readonly string[]
  produces: readonly string[]
  body?: { schema: JsonSchema; required: boolean }
  /** A schema, or plain text. */
  answer: JsonSchema | undefined
  codes: readonly number[]
}

export interface Path {
  path: string
  parameters: readonly Parameter[]
  operations: readonly Operation[]
}

/** References to the meta types that every resource's operations need. */
export interface MetaRefs {
  deleteOptions: JsonSchema
  patch: JsonSchema
  status: JsonSchema
  watchEvent: JsonSchema
  /** What a query or path parameter is for, by its name, where somebody says. */
  describeParameter: (name: string) => string | undefined
}

export const builtInPatchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const watchTypes = [...objectTypes, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

const methods: Record<string, Method> = { get: 'get', list: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }
const words: Record<string, string> = { get: 'read', list: 'list', create: 'create', update: 'replace', patch: 'patch', delete: 'delete' }
// Deletions of these answer the object as it was; others a Status.
const answersDeleted = new Set(
  'persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services csidrivers csinodes storageclasses volumeattachments'.split(
    ' ',
  ),
)
const proxyMethods: readonly Method[] = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']
const actions: Record<string, string> = { get: 'get', list: 'list', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }

/** The query parameters of an options kind: its scalar fields, and `dryRun`, which is a list in Go only. */
function optionParameters(kind: string): Parameter[] {
  const parameters: Parameter[] = []
  for (const { name, schema, number } of schemaOf('v1', kind)?.fields.values() ?? []) {
    if (number === 0) continue
    if (schema.type === 'list') parameters.push({ name, in: 'query', type: schema.items.type === 'integer' ? 'integer' : 'string' })
    else if (schema.type === 'string' || schema.type === 'integer' || schema.type === 'boolean')
      parameters.push({ name, in: 'query', type: schema.type })
  }
  return parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Every path of a resource with the operations its verbs allow. */
export function pathsOf(resource: ServedResource, refs: MetaRefs): Path[] {
  const { group, version, namespaced } = resource
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`
  const described = (parameter: Parameter): Parameter => {
    const description = refs.describeParameter(parameter.name)
    return description ? { description, ...parameter } : parameter
  }
  const within = namespaced ? '/namespaces/{namespace}' : ''
  const inNamespace: Parameter[] = namespaced
    ? [{ description: 'the namespace of the object', name: 'namespace', in: 'path', type: 'string', required: true }]
    : []
  const named: Parameter[] = [
    { description: `the name of the ${resource.kind}`, name: 'name', in: 'path', type: 'string', required: true },
    ...inNamespace,
  ]
  const pretty: Parameter = { name: 'pretty', in: 'query', type: 'string' }
  const make = operationMaker(resource, refs)
  const has = (verb: string) => resource.verbs.includes(verb)
  const paths: Path[] = []
  const add = (path: string, parameters: Parameter[], operations: (Operation | false)[]) => {
    const present = operations.filter((o) => o !== false)
    if (present.length === 0) return
    const shared = common(present)
    const own = present.map((o) => ({ ...o, parameters: o.parameters.filter(({ name }) => !shared.has(name)).map(described) }))
    const connects = present.every((o) => o.action === 'connect')
    const all = [...parameters, ...(connects ? [] : [pretty]), ...shared.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
    paths.push({ path, parameters: all.map(described), operations: own })
  }
  const collection = `${within}/${resource.resource}`
  if (namespaced) add(`${root}/${resource.resource}`, [], [has('list') && make('list', { forAll: true })])
  add(root + collection, inNamespace, [
    has('list') && make('list'),
    has('create') && make('create'),
    has('deletecollection') && make('deletecollection'),
  ])
  const single = ['get', 'update', 'delete', 'patch'] as const
  add(
    `${root}${collection}/{name}`,
    named,
    single.map((verb) => has(verb) && make(verb)),
  )
  for (const sub of resource.subresources) {
    const path = `${root}${collection}/{name}/${sub.name}`
    if (sub.name === 'proxy') {
      const rest: Parameter = { description: 'the path below the one that is led on', name: 'path', in: 'path', type: 'string', required: true }
      const proxied = (withPath: boolean) => proxyMethods.map((method) => make('get', { sub, method, withPath }))
      add(path, named, proxied(false))
      add(`${path}/{path}`, [...named, rest], proxied(true))
    } else {
      const verbs = sub.verbs.filter((verb) => verb in methods)
      add(
        path,
        named,
        verbs.map((verb) => make(verb, { sub })),
      )
    }
  }
  // The old form of a watch; custom resources never had it.
  if (has('watch') && resource.watchPaths) {
    if (namespaced) add(`${root}/watch/${resource.resource}`, [], [make('watchlist', { forAll: true })])
    add(`${root}/watch${collection}`, inNamespace, [make('watchlist')])
    add(`${root}/watch${collection}/{name}`, named, [make('watch')])
  }
  return paths
}

/** The parameters that all operations of a path take: they stand at the path, once. */
function common(operations: readonly Operation[]): Map<string, Parameter> {
  const [first, ...others] = operations
  return new Map(first!.parameters.filter(({ name }) => others.every((o) => o.parameters.some((p) => p.name === name))).map((p) => [p.name, p]))
}

interface Variant {
  forAll?: boolean
  sub?: ServedResource['subresources'][number]
  /** Of what is connected. */
  method?: Method
  withPath?: boolean
}

function operationMaker(resource: ServedResource, refs: MetaRefs) {
  const { group, version, kind, namespaced } = resource
  const { title, tag } = groupNames(group, version)
  const own: GroupVersionKind = { group, kind, version }

  return (verb: string, { forAll = false, sub, method: asked, withPath = false }: Variant = {}): Operation => {
    const many = verb === 'deletecollection'
    const method = asked ?? (many ? 'delete' : (methods[verb] ?? 'get'))
    const of = `${sub ? `${sub.name} of the ` : ''}${kind}`
    const scope = namespaced && !forAll ? 'Namespaced' : ''
    const tail = `${scope}${kind}${sub ? capital(sub.name) : ''}`
    const all = forAll ? 'ForAllNamespaces' : ''
    const base = {
      method,
      id: `${words[verb]}${title}${tail}${all}`,
      description: `${verb} the ${of}`,
      tag,
      action: actions[verb] ?? verb,
      gvk: sub?.gvk ?? own,
      consumes: ['*/*'],
      produces: verb === 'list' || verb.startsWith('watch') ? watchTypes : objectTypes,
      codes: [200],
    }
    if (verb.startsWith('watch')) {
      const id = `watch${title}${tail}${verb === 'watchlist' ? 'List' : ''}${all}`
      const description = 'watch changes; deprecated in favour of a list with the parameter "watch"'
      return { ...base, id, description, action: verb, parameters: optionParameters('ListOptions'), answer: refs.watchEvent }
    }
    const object = sub ? sub.body : resource.object
    if (object === undefined) {
      // Logs are read as text; exec, attach, portforward and proxy connect.
      const log = sub?.name === 'log'
      const parameters = optionParameters(log ? 'PodLogOptions' : base.gvk.kind)
      if (log) return { ...base, parameters, produces: ['text/plain', ...objectTypes], answer: undefined }
      const id = `connect${title}${capital(method)}${tail}${withPath ? 'WithPath' : ''}`
      const description = `connect ${method.toUpperCase()} requests to the ${of}`
      return { ...base, id, description, action: 'connect', parameters, produces: ['*/*'], answer: undefined }
    }
    switch (verb) {
      case 'list':
        return { ...base, description: `list or watch ${kind} objects`, parameters: optionParameters('ListOptions'), answer: resource.list ?? object }
      case 'create':
        return {
          ...base,
          parameters: optionParameters('CreateOptions'),
          body: { schema: object, required: true },
          answer: object,
          codes: [200, 201, 202],
        }
      case 'update':
        return {
          ...base,
          description: `replace the ${of}`,
          parameters: optionParameters('UpdateOptions'),
          body: { schema: object, required: true },
          answer: object,
          codes: [200, 201],
        }
      case 'patch':
        return {
          ...base,
          description: `change parts of the ${of}`,
          parameters: optionParameters('PatchOptions'),
          consumes: resource.patchTypes,
          body: { schema: refs.patch, required: true },
          answer: object,
          codes: [200, 201],
        }
      case 'delete':
      case 'deletecollection': {
        const names = new Set<string>()
        const parameters = [...optionParameters('DeleteOptions'), ...(many ? optionParameters('ListOptions') : [])].filter(
          ({ name }) => !names.has(name) && names.add(name) && name !== 'watch' && name !== 'allowWatchBookmarks',
        )
        return {
          ...base,
          ...(many ? { id: `delete${title}Collection${tail}`, description: `delete the ${kind} objects that are selected` } : {}),
          parameters,
          body: { schema: refs.deleteOptions, required: false },
          answer: !many && answersDeleted.has(resource.resource) ? object : refs.status,
          codes: many ? [200] : [200, 202],
        }
      }
      default:
        return { ...base, description: `read the ${of}`, parameters: [], answer: object }
    }
  }
}

/** `rbac.authorization.k8s.io`, `v1` → `RbacAuthorizationV1` and `rbacAuthorization_v1`. */
export function groupNames(group: string, version: string): { title: string; tag: string } {
  const parts = group === '' ? ['core'] : group.replace(/\.k8s\.io$/, '').split(/[.-]/)
  const title = parts.map(capital).join('')
  return { title: `${title}${capital(version)}`, tag: `${title.slice(0, 1).toLowerCase()}${title.slice(1)}_${version}` }
}

function capital(text: string): string {
  return text.slice(0, 1).toUpperCase() + text.slice(1)
}

/** A built-in kind as its paths need it. */
export function servedKind(kind: Kind, define: (schema: ObjectSchema, kinds: GroupVersionKind[]) => JsonSchema): ServedResource | undefined {
  const { group, version } = kind
  const apiVersion = apiVersionOf(kind)
  const schema = schemaOf(apiVersion, kind.kind)
  if (!schema) return undefined
  const list = kind.verbs.includes('list') ? schemaOf(apiVersion, `${kind.kind}List`) : undefined
  const gvk = { group, kind: kind.kind, version }
  return {
    ...gvk,
    resource: kind.resource,
    namespaced: kind.namespaced,
    verbs: kind.verbs,
    object: define(schema, [gvk]),
    list: list && define(list, [{ group, kind: `${kind.kind}List`, version }]),
    subresources: kind.subresources.map((sub) => {
      const subGvk = { group: sub.group ?? group, kind: sub.kind ?? kind.kind, version: sub.version ?? version }
      const streams = sub.name === 'log' || sub.kind?.endsWith('Options')
      const body = streams ? undefined : schemaOf(apiVersionOf(subGvk), subGvk.kind)
      return { name: sub.name, verbs: sub.verbs, gvk: subGvk, body: body && define(body, [subGvk]) }
    }),
    patchTypes: builtInPatchTypes,
    watchPaths: true,
  }
}
