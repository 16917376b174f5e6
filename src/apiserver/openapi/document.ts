import type { Kind } from '#api'
import { apiVersionOf, groups, kinds, schemaOf } from '#api'
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

/** The whole of what is served in one OpenAPI 2.0 document. */
export function documentV2(custom: readonly CustomResourceSchema[], options: DocumentOptions): JsonSchema {
  const definitions = new Definitions('v2', options.describe)
  const paths = collect(kinds, custom, definitions, 'v2')
  const root = rootPaths(definitions)
  return {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: options.gitVersion },
    paths: Object.fromEntries([...root, ...paths.map(pathV2)].toSorted(([a], [b]) => (a < b ? -1 : 1))),
    definitions: definitions.all(),
    securityDefinitions: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    security: [{ BearerToken: [] }],
  }
}

/** What one group and version serves, in OpenAPI 3.0. */
export function documentV3({ group, version }: GroupVersion, custom: readonly CustomResourceSchema[], options: DocumentOptions): JsonSchema {
  const definitions = new Definitions('v3', options.describe)
  const within = (x: GroupVersion) => x.group === group && x.version === version
  const paths = collect(kinds.filter(within), custom.filter(within), definitions, 'v3')
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: options.gitVersion },
    paths: Object.fromEntries(paths.map(pathV3).toSorted(([a], [b]) => (a < b ? -1 : 1))),
    components: {
      schemas: definitions.all(),
      securitySchemes: { BearerToken: { type: 'apiKey', name: 'authorization', in: 'header' } },
    },
  }
}

function collect(served: readonly Kind[], custom: readonly CustomResourceSchema[], definitions: Definitions, dialect: Dialect): Path[] {
  // Every group and version takes DeleteOptions under its own name.
  const versions = new Set([...kinds, ...custom].map(apiVersionOf))
  const everywhere: GroupVersionKind[] = [...versions].map((apiVersion) => {
    const [version = '', group = ''] = apiVersion.split('/').toReversed()
    return { group, kind: 'DeleteOptions', version }
  })
  const meta = (kind: string, as?: GroupVersionKind[]) => definitions.refTo(schemaOf('v1', kind)!, as ?? [{ group: '', kind, version: 'v1' }])
  const refs: MetaRefs = {
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

const reasons: Record<number, string> = { 200: 'OK', 201: 'Created', 202: 'Accepted', 401: 'Unauthorized' }

function pathV2({ path, parameters, operations }: Path): [string, JsonSchema] {
  return [path, { ...Object.fromEntries(operations.map((o) => [o.method, operationV2(o)])), parameters: parameters.map(parameterV2) }]
}

function operationV2(o: Operation): JsonSchema {
  const body = o.body ? [{ name: 'body', in: 'body', ...(o.body.required ? { required: true } : {}), schema: o.body.schema }] : []
  return {
    consumes: o.consumes,
    produces: o.produces,
    schemes: ['https'],
    tags: [o.tag],
    operationId: o.id,
    parameters: [...body, ...o.parameters.map(parameterV2)],
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

function pathV3({ path, parameters, operations }: Path): [string, JsonSchema] {
  return [path, { ...Object.fromEntries(operations.map((o) => [o.method, operationV3(o)])), parameters: parameters.map(parameterV3) }]
}

function operationV3(o: Operation): JsonSchema {
  const contentOf = (types: readonly string[], schema: JsonSchema) => Object.fromEntries(types.map((type) => [type, { schema }]))
  const content = contentOf(o.produces, o.answer ?? { type: 'string' })
  return {
    tags: [o.tag],
    operationId: o.id,
    parameters: o.parameters.map(parameterV3),
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
  return answers.map(({ path, operationId, tag, kind }) => {
    const schema = definitions.refTo(schemaOf('v1', kind)!, [{ group: '', kind, version: 'v1' }])
    const responses = { 200: { description: 'OK', schema }, 401: { description: 'Unauthorized' } }
    const types = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']
    return [path, { get: { consumes: types, produces: types, schemes: ['https'], tags: [tag], operationId, responses } }]
  })
}
