import type { AnySchema, Field, ObjectSchema, Schema } from '#api'
import type { Describe, TypeDescription } from './descriptions.ts'

/** OpenAPI 2.0 and 3.0 differ in where definitions stand and in what a schema may say. */
export type Dialect = 'v2' | 'v3'

export type JsonSchema = Record<string, unknown>

export interface GroupVersionKind {
  group: string
  version: string
  kind: string
}

export const refTo = (dialect: Dialect, name: string): JsonSchema => ({
  $ref: `${dialect === 'v2' ? '#/definitions/' : '#/components/schemas/'}${name}`,
})

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1'
const apiextensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1'

// Types that are no objects in JSON, and still have definitions of their own.
const scalarNames: Partial<Record<Schema['type'], string>> = {
  time: `${meta}.Time`,
  microTime: `${meta}.MicroTime`,
  duration: `${meta}.Duration`,
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
}

const anyNames: Record<string, string> = {
  RawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  Unknown: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  FieldsV1: `${meta}.FieldsV1`,
}

/** Collects the definitions that its schemas refer to, each once. */
export class Definitions {
  readonly #dialect: Dialect
  readonly #describe: Describe | undefined
  readonly #made = new Map<string, JsonSchema>()
  readonly #kinds = new Map<string, GroupVersionKind[]>()

  constructor(dialect: Dialect, describe: Describe | undefined) {
    this.#dialect = dialect
    const known = new Map<string, TypeDescription | undefined>()
    this.#describe =
      describe &&
      ((name) => {
        if (!known.has(name)) known.set(name, describe(name))
        return known.get(name)
      })
  }

  /** A reference to `schema`, which is defined from now on; `kinds` are the kinds that it is. */
  refTo(schema: ObjectSchema, kinds: readonly GroupVersionKind[] = []): JsonSchema {
    if (kinds.length > 0) this.#kinds.set(schema.name, [...kinds])
    if (!this.#made.has(schema.name)) {
      // Registered before its fields are looked at: a type may contain itself.
      const definition: JsonSchema = {}
      this.#made.set(schema.name, definition)
      Object.assign(definition, this.#object(schema))
    }
    return refTo(this.#dialect, schema.name)
  }

  /** Defines what is no API type of ours, e.g. a custom resource. */
  add(name: string, definition: JsonSchema): JsonSchema {
    this.#made.set(name, definition)
    return refTo(this.#dialect, name)
  }

  /** Sorted by name. */
  all(): Record<string, JsonSchema> {
    const names = [...this.#made.keys()].toSorted()
    return Object.fromEntries(
      names.map((name) => {
        const kinds = this.#kinds.get(name)
        return [name, kinds ? { ...this.#made.get(name), 'x-kubernetes-group-version-kind': kinds } : this.#made.get(name)!]
      }),
    )
  }

  #object(schema: ObjectSchema): JsonSchema {
    const described = this.#describe?.(schema.name)
    const properties: [string, JsonSchema][] = []
    const required: string[] = []
    for (const field of schema.fields.values()) {
      properties.push([field.name, this.#property(field, described?.fields.get(field.name) ?? ofAnyKind(schema, field.name))])
      if (field.required && field.number > 0) required.push(field.name)
    }
    properties.sort(([a], [b]) => (a < b ? -1 : 1))
    return {
      ...(described?.description ? { description: described.description } : {}),
      ...(required.length > 0 ? { required } : {}),
      type: 'object',
      ...(properties.length > 0 ? { properties: Object.fromEntries(properties) } : {}),
      ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
    }
  }

  #property(field: Field, described: string | undefined): JsonSchema {
    const schema = this.#schema(field.schema)
    // Where nothing is said of the field, its type's description says what it holds.
    const description = described ?? (field.schema.type === 'object' ? this.#describe?.(field.schema.name)?.description : undefined)
    const says: JsonSchema = {
      ...(description ? { description } : {}),
      ...(field.default === undefined || this.#dialect === 'v2' ? {} : { default: field.default }),
      ...(field.patchMergeKey ? { 'x-kubernetes-patch-merge-key': field.patchMergeKey } : {}),
      ...(field.patchStrategy ? { 'x-kubernetes-patch-strategy': field.patchStrategy.join(',') } : {}),
    }
    // OpenAPI 3 ignores whatever stands beside a reference.
    if (this.#dialect === 'v3' && '$ref' in schema && Object.keys(says).length > 0) return { ...says, allOf: [schema] }
    return { ...schema, ...says }
  }

  #schema(schema: Schema): JsonSchema {
    switch (schema.type) {
      case 'string':
        return { type: 'string', ...(schema.enum ? { enum: [...schema.enum].toSorted() } : {}) }
      case 'integer':
      case 'number':
        return { type: schema.type, format: schema.format }
      case 'boolean':
        return { type: 'boolean' }
      case 'bytes':
        return { type: 'string', format: 'byte' }
      case 'list':
        return {
          type: 'array',
          items: this.#schema(schema.items),
          ...(schema.listType ? { 'x-kubernetes-list-type': schema.listType } : {}),
          ...(schema.listMapKeys ? { 'x-kubernetes-list-map-keys': schema.listMapKeys } : {}),
        }
      case 'map':
        return {
          type: 'object',
          additionalProperties: this.#schema(schema.values),
          ...(schema.mapType ? { 'x-kubernetes-map-type': schema.mapType } : {}),
        }
      case 'object':
        return this.refTo(schema)
      case 'any':
        return this.#scalar(anyNames[schema.name] ?? `${apiextensions}.${schema.name}`, anyDefinition(schema))
      default:
        return this.#scalar(scalarNames[schema.type]!, scalarDefinition(schema.type, this.#dialect))
    }
  }

  #scalar(name: string, definition: JsonSchema): JsonSchema {
    if (!this.#made.has(name)) {
      const description = this.#describe && (this.#describe(name)?.description ?? scalarDescriptions[name.slice(name.lastIndexOf('.') + 1)])
      this.#made.set(name, { ...(description ? { description } : {}), ...definition })
    }
    return refTo(this.#dialect, name)
  }
}

/** What the parts that all kinds have are for. */
function ofAnyKind({ root }: ObjectSchema, field: string): string | undefined {
  if (!root) return undefined
  if (root.list) return field === 'metadata' ? 'Where the list was read, and where to go on.' : undefined
  switch (field) {
    case 'metadata':
      return "The object's name, labels and other metadata."
    case 'spec':
      return `What is wanted of the ${root.kind}.`
    case 'status':
      return `What was last observed of the ${root.kind}.`
    default:
      return undefined
  }
}

// Types that the generated clients have as plain values, and so do not describe.
const scalarDescriptions: Record<string, string> = {
  Time: 'Time is a point in time in the form of RFC 3339, to the second.',
  MicroTime: 'MicroTime is a point in time in the form of RFC 3339, to the microsecond.',
  Duration: 'Duration is a length of time such as 1h30m.',
  Quantity:
    'Quantity is a fixed-point number with an optional suffix: decimal (n, u, m, k, M, G, T, P, E), binary (Ki, Mi, Gi, Ti, Pi, Ei) or an exponent.',
  IntOrString: 'IntOrString is an integer or a string, such as a port by number or by name, or a count or a percentage.',
  FieldsV1:
    'FieldsV1 is a set of field paths as a trie: f:<name> is a field, k:<keys> an item of a list by its keys, v:<value> one by its value, i:<index> one by its position.',
  RawExtension: 'RawExtension is any object.',
  JSON: 'JSON is any JSON value.',
  JSONSchemaPropsOrArray: 'JSONSchemaPropsOrArray is a schema or a list of them.',
  JSONSchemaPropsOrBool: 'JSONSchemaPropsOrBool is a schema or a boolean: whether anything is allowed.',
  JSONSchemaPropsOrStringArray: 'JSONSchemaPropsOrStringArray is a schema or a list of strings.',
}

// JSON and the JSON-schema unions may be anything at all, so their definitions say nothing.
function anyDefinition(schema: AnySchema): JsonSchema {
  return schema.name in anyNames ? { type: 'object' } : {}
}

function scalarDefinition(type: Schema['type'], dialect: Dialect): JsonSchema {
  switch (type) {
    case 'time':
    case 'microTime':
      return { type: 'string', format: 'date-time' }
    case 'intOrString':
      return dialect === 'v2'
        ? { type: 'string', format: 'int-or-string' }
        : { oneOf: [{ type: 'integer' }, { type: 'string' }], format: 'int-or-string' }
    case 'quantity':
      return dialect === 'v2' ? { type: 'string' } : { oneOf: [{ type: 'string' }, { type: 'number' }] }
    default:
      return { type: 'string' }
  }
}
