import { createHash } from 'node:crypto'
import type { Kind } from '#api'
import { apiVersionOf, groups, kinds, schemaOf, schemaOfType } from '#api'
import type { CustomResourceSchema } from './custom.ts'
import { servedCustomResource } from './custom.ts'
import type { Dialect, GroupVersionKind, JsonSchema } from './definitions.ts'
import { Definitions } from './definitions.ts'
import type { Describe } from './descriptions.ts'
import type { MetaRefs, Operation, Parameter, Path, ServedResource } from './operations.ts'
import { groupNames, pathsOf, servedKind } from './operations.ts'

export interface DocumentOptions {
  /** e.g. `v1.36.0`. */
  gitVersion: string
  describe: Describe | undefined
}

interface GroupVersion {
  group: string
  version: string
}

const bearerToken = { description: 'Bearer Token authentication', type: 'apiKey', name: 'authorization', in: 'header' }

/** The whole of what is served in one OpenAPI 2.0 document. */
export function documentV2(custom: readonly CustomResourceSchema[], options: DocumentOptions): JsonSchema {
  const definitions = new Definitions('v2', options.describe)
  const paths = collect(kinds, custom, definitions, 'v2', options.describe)
  const root = rootPaths(definitions)
  const shared = new SharedParameters('#/parameters/', parameterV2)
  const served = paths.map((path) => pathV2(path, shared))
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: options.gitVersion },
    paths: Object.fromEntries([...root, ...served].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    definitions: definitions.all(),
    parameters: shared.all(),
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  }
}

/** What one group and version serves, in OpenAPI 3.0. */
export function documentV3({ group, version }: GroupVersion, custom: readonly CustomResourceSchema[], options: DocumentOptions): JsonSchema {
  const definitions = new Definitions('v3', options.describe)
  const within = (x: GroupVersion) => x.group === group && x.version === version
  const paths = collect(kinds.filter(within), custom.filter(within), definitions, 'v3', options.describe)
  const shared = new SharedParameters('#/components/parameters/', parameterV3)
  const served = paths.map((path) => pathV3(path, shared))
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.gitVersion },
    paths: Object.fromEntries(served.toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: definitions.all(),
      parameters: shared.all(),
      securitySchemes: { BearerToken: bearerToken },
    },
  }
}

function collect(
  served: readonly Kind[],
  custom: readonly CustomResourceSchema[],
  definitions: Definitions,
  dialect: Dialect,
  describe: Describe | undefined,
): Path[] {
  // Every group and version takes DeleteOptions under its own name.
  const versions = new Set([...kinds, ...custom].map(apiVersionOf))
  const everywhere: GroupVersionKind[] = [...versions].map((apiVersion) => {
    const [version = '', group = ''] = apiVersion.split('/').toReversed()
    return { group, kind: 'DeleteOptions', version }
  })
  const meta = (kind: string, as?: GroupVersionKind[]) => definitions.refTo(schemaOf('v1', kind)!, as ?? [{ group: '', kind, version: 'v1' }])
  const refs: MetaRefs = {
    describeParameter: parameterDescriptions(describe),
    watchEvent: definitions.refTo(
      schemaOfType('k8s.io.apimachinery.pkg.apis.meta.v1', 'WatchEvent')!,
      everywhere.map(({ group, version }) => ({ group, kind: 'WatchEvent', version })),
    ),
    deleteOptions: meta('DeleteOptions', everywhere),
    status: meta('Status'),
    patch: definitions.add('io.k8s.apimachinery.pkg.apis.meta.v1.Patch', { type: 'object' }),
  }
  const resources: (ServedResource | undefined)[] = [
    ...served.map((kind) => servedKind(kind, (schema, as) => definitions.refTo(schema, as))),
    ...custom.map((crd) => servedCustomResource(crd, definitions, dialect)),
  ]
  return resources.flatMap((resource) => (resource ? pathsOf(resource, refs) : []))
}

// Clients look for these among an operation's parameters without following references.
const inline = new Set(['dryRun', 'fieldValidation'])

/** Parameters stand in the document once, and operations refer to them: their descriptions would be most of it otherwise. */
class SharedParameters {
  readonly #prefix: string
  readonly #render: (parameter: Parameter) => JsonSchema
  readonly #made = new Map<string, JsonSchema>()

  constructor(prefix: string, render: (parameter: Parameter) => JsonSchema) {
    this.#prefix = prefix
    this.#render = render
  }

  readonly use = (parameter: Parameter): JsonSchema => {
    if (inline.has(parameter.name)) return this.#render({ ...parameter, ...firstSentence(parameter.description) })
    const key = `${parameter.name}-${createHash('sha256').update(JSON.stringify(parameter)).digest('base64url').slice(0, 8)}`
    if (!this.#made.has(key)) this.#made.set(key, this.#render(parameter))
    return { $ref: this.#prefix + key }
  }

  /** Sorted by name. */
  all(): Record<string, JsonSchema> {
    return Object.fromEntries([...this.#made].toSorted(([a], [b]) => (a < b ? -1 : 1)))
  }
}

function firstSentence(text: string | undefined): { description?: string } {
  return text === undefined ? {} : { description: text.replace(/(?<=\.) .*/s, '') }
}

/** Query parameters are described where the options they stand for are; the first that knows a name says it. */
function parameterDescriptions(describe: Describe | undefined): MetaRefs['describeParameter'] {
  const options = ['ListOptions', 'DeleteOptions', 'PatchOptions'].map((kind) => describe?.(`io.k8s.apimachinery.pkg.apis.meta.v1.${kind}`))
  return (name) => options.find((kind) => kind?.fields.has(name))?.fields.get(name)
}

const reasons: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' }

function pathV2({ path, parameters, operations }: Path, shared: SharedParameters): [string, JsonSchema] {
  return [path, { ...Object.fromEntries(operations.map((o) => [o.method, operationV2(o, shared)])), parameters: parameters.map(shared.use) }]
}

function operationV2(o: Operation, shared: SharedParameters): JsonSchema {
  const body = o.body ? [{ name: 'body', in: 'body', ...(o.body.required ? { required: true } : {}), schema: o.body.schema }] : []
  return {
    description: o.description,
    consumes: o.consumes,
    produces: o.produces,
    schemes: ['https'],
    tags: [o.tag],
    operationId: o.id,
    parameters: [...body, ...o.parameters.map(shared.use)],
    responses: {
      ...Object.fromEntries(o.codes.map((code) => [code, { description: reasons[code], schema: o.answer ?? { type: 'string' } }])),
      401: { description: reasons[401] },
    },
    'x-kubernetes-action': o.action,
    'x-kubernetes-group-version-kind': o.gvk,
  }
}

function parameterV2({ type, ...rest }: Parameter): JsonSchema {
  return { uniqueItems: true, type, ...rest }
}

function pathV3({ path, parameters, operations }: Path, shared: SharedParameters): [string, JsonSchema] {
  return [path, { ...Object.fromEntries(operations.map((o) => [o.method, operationV3(o, shared)])), parameters: parameters.map(shared.use) }]
}

function operationV3(o: Operation, shared: SharedParameters): JsonSchema {
  const contentOf = (types: readonly string[], schema: JsonSchema) => Object.fromEntries(types.map((type) => [type, { schema }]))
  const content = contentOf(o.produces, o.answer ?? { type: 'string' })
  return {
    description: o.description,
    tags: [o.tag],
    operationId: o.id,
    parameters: o.parameters.map(shared.use),
    ...(o.body ? { requestBody: { ...(o.body.required ? { required: true } : {}), content: contentOf(o.consumes, o.body.schema) } } : {}),
    responses: {
      ...Object.fromEntries(o.codes.map((code) => [code, { description: reasons[code], content }])),
      401: { description: reasons[401] },
    },
    'x-kubernetes-action': o.action,
    'x-kubernetes-group-version-kind': o.gvk,
  }
}

function parameterV3({ type, ...rest }: Parameter): JsonSchema {
  return { ...rest, schema: { type, uniqueItems: true } }
}

/** The discovery documents' own paths. */
function rootPaths(definitions: Definitions): [string, JsonSchema][] {
  const answers: { path: string; operationId: string; tag: string; kind: string }[] = [
    { path: '/api/', operationId: 'getCoreAPIVersions', tag: 'core', kind: 'APIVersions' },
    { path: '/apis/', operationId: 'getAPIVersions', tag: 'apis', kind: 'APIGroupList' },
  ]
  for (const { name, versions } of groups()) {
    const { title: groupTitle, tag: groupTag } = groupNames(name, '')
    if (name) answers.push({ path: `/apis/${name}/`, operationId: `get${groupTitle}APIGroup`, tag: groupTag.replace(/_$/, ''), kind: 'APIGroup' })
    for (const { version } of versions) {
      const { title, tag } = groupNames(name, version)
      const path = name ? `/apis/${name}/${version}/` : `/api/${version}/`
      answers.push({ path, operationId: `get${title}APIResources`, tag, kind: 'APIResourceList' })
    }
  }
  const documents = answers.map(({ path, operationId, tag, kind }): [string, JsonSchema] => {
    const schema = definitions.refTo(schemaOf('v1', kind)!, [{ group: '', kind, version: 'v1' }])
    const types = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
    return [path, rootOperation({ operationId, tag, schema, description: `get the ${kind}`, produces: types, consumes: types })]
  })
  const info = definitions.add('io.k8s.apimachinery.pkg.version.Info', versionInfo)
  const text = { type: 'string' }
  const open = { tag: 'openid', schema: text }
  return [
    ...documents,
    [
      '/version/',
      rootOperation({
        operationId: 'getCodeVersion',
        tag: 'version',
        schema: info,
        description: 'get the version of the server',
        produces: ['application/json'],
        consumes: ['application/json'],
      }),
    ],
    [
      '/openid/v1/jwks/',
      rootOperation({
        ...open,
        operationId: 'getServiceAccountIssuerOpenIDKeyset',
        description: 'get the keys that verify tokens of service accounts',
        produces: ['application/jwk-set+json'],
      }),
    ],
    [
      '/.well-known/openid-configuration/',
      rootOperation({
        ...open,
        tag: 'WellKnown',
        operationId: 'getServiceAccountIssuerOpenIDConfiguration',
        description: 'get the OpenID configuration of the issuer of service account tokens',
        produces: ['application/json'],
      }),
    ],
  ]
}

interface RootOperation {
  operationId: string
  tag: string
  schema: JsonSchema
  description: string
  produces: string[]
  consumes?: string[]
}

function rootOperation({ operationId, tag, schema, description, produces, consumes }: RootOperation): JsonSchema {
  const responses = { 200: { description: 'OK', schema }, 401: { description: 'Unauthorized' } }
  return { get: { description, ...(consumes ? { consumes } : {}), produces, schemes: ['https'], tags: [tag], operationId, responses } }
}

const emulation = ['emulationMajor', 'emulationMinor', 'minCompatibilityMajor', 'minCompatibilityMinor']
const versionFields = ['major', 'minor', 'gitVersion', 'gitCommit', 'gitTreeState', 'buildDate', 'goVersion', 'compiler', 'platform']
const versionInfo: JsonSchema = {
  description: 'Info says which build of the server answers.',
  type: 'object',
  required: versionFields,
  properties: Object.fromEntries([...versionFields, ...emulation].toSorted().map((name) => [name, { type: 'string' }])),
}
