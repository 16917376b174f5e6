import type { apiextensions } from '#api'
import { schemaOf } from '#api'
import type { Definitions, Dialect, GroupVersionKind, JsonSchema } from './definitions.ts'
import type { ServedResource } from './operations.ts'

/** One served version of a custom resource, as OpenAPI shows it. */
export interface CustomResourceSchema {
  group: string
  version: string
  kind: string
  listKind: string
  resource: string
  namespaced: boolean
  verbs: readonly string[]
  hasStatus: boolean
  hasScale: boolean
  /** Structural; absent where the definition has none. */
  schema?: apiextensions.JSONSchemaProps
  preserveUnknownFields?: boolean
}

const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/apply-patch+yaml']

/** Defines a custom resource and its list, and answers what its paths need. */
export function servedCustomResource(crd: CustomResourceSchema, definitions: Definitions, dialect: Dialect): ServedResource {
  const { group, version, kind, listKind } = crd
  const gvk = { group, kind, version }
  const name = [...group.split('.').toReversed(), version].join('.')
  const meta = (type: 'ObjectMeta' | 'ListMeta'): JsonSchema => {
    // Any kind refers to them; their definitions come along.
    const field = schemaOf('v1', type === 'ObjectMeta' ? 'PartialObjectMetadata' : 'Status')!.fields.get('metadata')!.schema
    return field.type === 'object' ? definitions.refTo(field) : {}
  }
  const object = definitions.add(`${name}.${kind}`, objectDefinition(crd, gvk, meta('ObjectMeta'), dialect))
  const list = definitions.add(`${name}.${listKind}`, {
    description: `${listKind} is a list of ${kind}`,
    required: ['items'],
    type: 'object',
    properties: { apiVersion: { type: 'string' }, items: { type: 'array', items: object }, kind: { type: 'string' }, metadata: meta('ListMeta') },
    'x-kubernetes-group-version-kind': [{ group, kind: listKind, version }],
  })
  const scaleKind = { group: 'autoscaling', kind: 'Scale', version: 'v1' }
  const verbs = ['get', 'patch', 'update']
  return {
    ...gvk,
    resource: crd.resource,
    namespaced: crd.namespaced,
    verbs: crd.verbs,
    object,
    list,
    subresources: [
      ...(crd.hasScale ? [{ name: 'scale', verbs, gvk: scaleKind, body: definitions.refTo(schemaOf('autoscaling/v1', 'Scale')!, [scaleKind]) }] : []),
      ...(crd.hasStatus ? [{ name: 'status', verbs, gvk, body: object }] : []),
    ],
    patchTypes,
    watchPaths: false,
  }
}

function objectDefinition(crd: CustomResourceSchema, gvk: GroupVersionKind, metadata: JsonSchema, dialect: Dialect): JsonSchema {
  const kinds = { 'x-kubernetes-group-version-kind': [gvk] }
  const preserves = crd.preserveUnknownFields || crd.schema?.['x-kubernetes-preserve-unknown-fields']
  // kubectl takes any property for a complete list of them: where more may come, none can be named.
  if (!crd.schema || (dialect === 'v2' && preserves)) return { type: 'object', ...kinds }
  const converted = convert(crd.schema as JsonSchema, dialect)
  const published = addEmbedded(converted, metadata, dialect)
  return { ...published, properties: { ...(published.properties as object), ...typeMeta, metadata }, ...kinds }
}

const typeMeta = { apiVersion: { type: 'string' }, kind: { type: 'string' } }
const embedding = ['properties', 'items', 'additionalProperties'] as const

/** Applies `change` to every schema inside, and leaves the rest of the keywords alone. */
function mapNested(schema: JsonSchema, change: (nested: JsonSchema) => JsonSchema): JsonSchema {
  const out: JsonSchema = { ...schema }
  for (const keyword of embedding) {
    const value = out[keyword]
    if (typeof value !== 'object' || value === null) continue
    out[keyword] =
      keyword === 'properties'
        ? Object.fromEntries(Object.entries(value as Record<string, JsonSchema>).map(([name, nested]) => [name, change(nested)]))
        : change(value as JsonSchema)
  }
  return out
}

function convert(schema: JsonSchema, dialect: Dialect): JsonSchema {
  if (dialect === 'v3') {
    const out = mapNested(schema, (nested) => convert(nested, dialect))
    const mixed = out['x-kubernetes-int-or-string'] === true && out.anyOf === undefined
    return mixed ? { ...out, anyOf: [{ type: 'integer' }, { type: 'string' }] } : out
  }
  return mapNested(toV2(schema), (nested) => convert(nested, dialect))
}

/** Drops what OpenAPI 2 cannot say, and what kubectl's reading of it cannot bear. */
function toV2(schema: JsonSchema): JsonSchema {
  const { allOf: _all, oneOf: _one, anyOf: _any, not: _not, nullable, ...out } = schema
  const preserves = out['x-kubernetes-preserve-unknown-fields'] === true
  if (nullable) delete out.type
  if (nullable || preserves) {
    delete out.items
    delete out.properties
  }
  if ((out.type === 'array' && out.items === undefined) || (out.type === 'object' && preserves)) delete out.type
  const properties = out.properties as Record<string, JsonSchema> | undefined
  if (Array.isArray(out.required)) {
    const required = out.required.filter((name: string) => !properties?.[name]?.nullable)
    if (required.length > 0) out.required = required
    else delete out.required
  }
  const additional = out.additionalProperties as JsonSchema | boolean | undefined
  if (typeof additional === 'object' && additional.nullable) delete out.required
  return out
}

/** An embedded resource has the fields of any object. */
function addEmbedded(schema: JsonSchema, metadata: JsonSchema, dialect: Dialect): JsonSchema {
  const out = mapNested(schema, (nested) => addEmbedded(nested, metadata, dialect))
  if (out['x-kubernetes-embedded-resource'] !== true) return out
  if (dialect === 'v2' && out['x-kubernetes-preserve-unknown-fields'] === true) return out
  const required = new Set([...((out.required as string[] | undefined) ?? []), 'kind', 'apiVersion'])
  return { ...out, properties: { ...(out.properties as object), ...typeMeta, metadata }, required: [...required] }
}
