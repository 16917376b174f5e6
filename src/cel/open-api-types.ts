import { escapeName } from './escape.ts'
import type { Declared } from './schema-types.ts'
import { types } from './types.ts'

/** What of an OpenAPI schema tells a value's type and size (a structural schema of a custom resource has no more than this of it). */
export interface OpenApiSchema {
  type?: string
  format?: string
  items?: OpenApiSchema
  properties?: Readonly<Record<string, OpenApiSchema>>
  additionalProperties?: OpenApiSchema | boolean
  required?: readonly string[]
  default?: unknown
  enum?: readonly unknown[]
  maxItems?: number
  maxLength?: number
  maxProperties?: number
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-embedded-resource'?: boolean
}

/** The bytes of a request. */
const largestRequest = 3 * 1024 * 1024

/** A declaration, and the fewest bytes that JSON needs for such a value: they bound how many there can be in a request. */
interface Measured {
  declared: Declared
  least: number
}

/**
 * What expressions see of a value with this schema (upstream's SchemaDeclType), with the sizes that it can have; undefined where they do not see it.
 * `root`: it is a resource, and so has apiVersion, kind and metadata.
 */
export function declaredOpenApi(schema: OpenApiSchema, root = false): Declared | undefined {
  return measured(schema, root)?.declared
}

function measured(given: OpenApiSchema, root: boolean): Measured | undefined {
  if (given['x-kubernetes-int-or-string'] || given.format === 'int-or-string') {
    return { declared: { kind: 'simple', type: types.dyn, most: textLength(given, largestRequest - 2) }, least: 1 }
  }
  const schema = root ? withMetadata(given) : given
  switch (schema.type) {
    case 'array': {
      const element = schema.items && measuredWithin(schema.items)
      if (!element) return undefined
      const most = schema.maxItems === undefined ? Math.floor((largestRequest - 2) / (element.least + 1)) : Math.max(0, schema.maxItems)
      return { declared: { kind: 'list', element: element.declared, most }, least: 2 }
    }
    case 'object':
      return typeof schema.additionalProperties === 'object' ? measuredMap(schema, schema.additionalProperties) : measuredObject(schema)
    case 'string':
      return measuredText(schema)
    case 'boolean':
      return { declared: { kind: 'simple', type: types.bool }, least: 4 }
    case 'number':
      return { declared: { kind: 'simple', type: types.double }, least: 1 }
    case 'integer':
      return { declared: { kind: 'simple', type: types.int }, least: 1 }
    default:
      return undefined
  }
}

const measuredWithin = (schema: OpenApiSchema): Measured | undefined => measured(schema, schema['x-kubernetes-embedded-resource'] ?? false)

function measuredMap(schema: OpenApiSchema, values: OpenApiSchema): Measured | undefined {
  const value = measuredWithin(values)
  if (!value) return undefined
  // beside the value two bytes of key, the quotes, colon and comma
  const most = schema.maxProperties === undefined ? Math.floor((largestRequest - 2) / (value.least + 6)) : Math.max(0, schema.maxProperties)
  return { declared: { kind: 'map', value: value.declared, most }, least: 2 }
}

function measuredObject({ properties = {}, required = [] }: OpenApiSchema): Measured {
  const fields = new Map<string, Declared>()
  let least = 2
  for (const [name, property] of Object.entries(properties)) {
    const field = measuredWithin(property)
    if (!field) continue
    const escaped = escapeName(name)
    if (escaped !== undefined) fields.set(escaped, field.declared)
    // what has a default need not be sent
    if (required.includes(name) && property.default === undefined) least += Buffer.byteLength(name) + field.least + 4
  }
  return { declared: { kind: 'object', fields }, least }
}

/** Characters are bounded in bytes, of which one may take four. */
const textLength = ({ maxLength }: OpenApiSchema, otherwise: number): number => (maxLength === undefined ? otherwise : Math.max(0, maxLength) * 4)

function measuredText(schema: OpenApiSchema): Measured {
  switch (schema.format) {
    case 'byte':
      return { declared: { kind: 'simple', type: types.bytes, most: Math.max(0, schema.maxLength ?? largestRequest - 2) }, least: 2 }
    case 'duration':
      return { declared: { kind: 'simple', type: types.duration, most: 32 }, least: 3 }
    case 'date':
      return { declared: { kind: 'simple', type: types.timestamp, most: 12 }, least: 12 }
    case 'date-time':
      return { declared: { kind: 'simple', type: types.timestamp, most: 32 }, least: 21 }
    default: {
      const values = (schema.enum ?? []).filter((value) => typeof value === 'string').map((value) => Buffer.byteLength(value))
      const most = textLength(schema, schema.enum?.length ? Math.max(0, ...values) : largestRequest - 2)
      return { declared: { kind: 'simple', type: types.string, most }, least: 2 }
    }
  }
}

const text: OpenApiSchema = { type: 'string' }

/** The fields that every resource has, where the schema does not declare them all. */
function withMetadata(schema: OpenApiSchema): OpenApiSchema {
  const { kind, apiVersion, metadata } = schema.properties ?? {}
  const { name, generateName } = metadata?.properties ?? {}
  const complete = [kind, apiVersion, name, generateName].every((property) => property?.type === 'string') && metadata?.type === 'object'
  if (complete) return schema
  return {
    ...schema,
    properties: { ...schema.properties, kind: text, apiVersion: text, metadata: { type: 'object', properties: { name: text, generateName: text } } },
  }
}
