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
}

export interface Parameter {
  name: string
  in: 'path' | 'query'
  type: 'string' | 'integer' | 'boolean'
  required?: boolean
}

/** An operation without what the dialects say differently. */
export interface Operation {
  method: 'get' | 'put' | 'post' | 'delete' | 'patch'
  id: string
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
}

export const builtInPatchTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
]
const objectTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
const watchTypes = [...objectTypes, 'application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch']

const articles: Record<string, Operation['method']> = { get: 'get', list: 'get', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }
const words: Record<string, string> = { get: 'read', list: 'list', create: 'create', update: 'replace', patch: 'patch', delete: 'delete' }
// Deletions of these answer the object as it was; others a Status.
const answersDeleted = new Set(
  'persistentvolumeclaims persistentvolumes pods podtemplates resourcequotas serviceaccounts services csidrivers csinodes storageclasses volumeattachments'.split(
    ' ',
  ),
)
const actions: Record<string, string> = { get: 'get', list: 'list', create: 'post', update: 'put', patch: 'patch', delete: 'delete' }

/** The query parameters of an options kind: its scalar fields, and `dryRun`, which is a list in Go only. */
function optionParameters(kind: string): Parameter[] {
  const parameters: Parameter[] = []
  for (const { name, schema, number } of schemaOf('v1', kind)?.fields.values() ?? []) {
    if (number === 0) continue
    if (schema.type === 'list') parameters.push({ name, in: 'query', type: 'string' })
    else if (schema.type === 'string' || schema.type === 'integer' || schema.type === 'boolean')
      parameters.push({ name, in: 'query', type: schema.type })
  }
  return parameters.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** Every path of a resource with the operations its verbs allow. */
export function pathsOf(resource: ServedResource, refs: MetaRefs): Path[] {
  const { group, version, namespaced } = resource
  const root = group ? `/apis/${group}/${version}` : `/api/${version}`
  const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${resource.resource}`
  const inNamespace: Parameter[] = namespaced ? [{ name: 'namespace', in: 'path', type: 'string', required: true }] : []
  const named: Parameter[] = [{ name: 'name', in: 'path', type: 'string', required: true }, ...inNamespace]
  const pretty: Parameter = { name: 'pretty', in: 'query', type: 'string' }
  const make = operationMaker(resource, refs)
  const has = (verb: string) => resource.verbs.includes(verb)
  const paths: Path[] = []
  const add = (path: string, parameters: Parameter[], operations: (Operation | false)[]) => {
    const present = operations.filter((o) => o !== false)
    if (present.length > 0) paths.push({ path, parameters: [...parameters, pretty], operations: present })
  }
  if (namespaced) add(`${root}/${resource.resource}`, [], [has('list') && make('list', { forAll: true })])
  add(collection, inNamespace, [has('list') && make('list'), has('create') && make('create'), has('deletecollection') && make('deletecollection')])
  const single = ['get', 'update', 'delete', 'patch'] as const
  add(
    `${collection}/{name}`,
    named,
    single.map((verb) => has(verb) && make(verb)),
  )
  for (const sub of resource.subresources) {
    const verbs = sub.verbs.filter((verb) => verb in articles)
    add(
      `${collection}/{name}/${sub.name}`,
      named,
      verbs.map((verb) => make(verb, { sub })),
    )
  }
  return paths
}

function operationMaker(resource: ServedResource, refs: MetaRefs) {
  const { group, version, kind, namespaced } = resource
  const { title, tag } = groupNames(group, version)
  const own: GroupVersionKind = { group, version, kind }

  return (verb: string, { forAll = false, sub }: { forAll?: boolean; sub?: ServedResource['subresources'][number] } = {}): Operation => {
    const many = verb === 'deletecollection'
    const method = many ? 'delete' : articles[verb]!
    // Logs are read as text; exec, attach, portforward and proxy connect.
    const connects = sub !== undefined && sub.body === undefined && sub.name !== 'log'
    const word = connects ? `connect${title}${capital(method)}` : many ? `delete${title}Collection` : `${words[verb]!}${title}`
    const id = `${word}${namespaced && !forAll ? 'Namespaced' : ''}${kind}${sub ? capital(sub.name) : ''}${forAll ? 'ForAllNamespaces' : ''}`
    const base = {
      method,
      id,
      tag,
      action: connects ? 'connect' : many ? 'deletecollection' : actions[verb]!,
      gvk: sub?.gvk ?? own,
      consumes: ['*/*'],
      produces: verb === 'list' ? watchTypes : objectTypes,
      codes: [200],
    }
    const object = sub ? sub.body : resource.object
    if (object === undefined) {
      const log = sub?.name === 'log'
      const parameters = optionParameters(log ? 'PodLogOptions' : base.gvk.kind)
      return { ...base, parameters, produces: log ? ['text/plain', ...objectTypes] : ['*/*'], answer: undefined }
    }
    switch (verb) {
      case 'list':
        return { ...base, parameters: optionParameters('ListOptions'), answer: resource.list ?? object }
      case 'create':
        return {
          ...base,
          parameters: optionParameters('CreateOptions'),
          body: { schema: object, required: true },
          answer: object,
          codes: [200, 201, 202],
        }
      case 'update':
        return { ...base, parameters: optionParameters('UpdateOptions'), body: { schema: object, required: true }, answer: object, codes: [200, 201] }
      case 'patch':
        return {
          ...base,
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
          parameters,
          body: { schema: refs.deleteOptions, required: false },
          answer: !many && answersDeleted.has(resource.resource) ? object : refs.status,
          codes: many ? [200] : [200, 202],
        }
      }
      default:
        return { ...base, parameters: [], answer: object }
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
  }
}
