import { parseApiVersion } from '../kinds.ts'
import type { FactsField, FactsPackage } from './facts.ts'
import { factsOf, metaPackage, packageOf } from './facts.ts'

/**
 * The shape of a value in JSON. `any` is free-form: RawExtension, FieldsV1, JSON, and the three JSON-schema unions.
 * One schema object exists per type, so identity compares types; types may refer to themselves (JSONSchemaProps).
 */
export type Schema = StringSchema | NumberSchema | SimpleSchema | AnySchema | ListSchema | MapSchema | ObjectSchema

export interface StringSchema {
  type: 'string'
  /** Values of a closed enumeration. */
  enum?: readonly string[]
}
export interface NumberSchema {
  type: 'integer' | 'number'
  format: 'int32' | 'int64' | 'double'
}
export interface SimpleSchema {
  type: 'boolean' | 'bytes' | 'quantity' | 'time' | 'microTime' | 'duration' | 'intOrString'
}
export interface AnySchema {
  type: 'any'
  /** The Go type, e.g. `RawExtension`, `JSONSchemaPropsOrBool`. */
  name: string
  /** For the JSON-schema unions: what an object (or an array's items, where it may be one) holds. */
  of?: ObjectSchema
}
export interface ListSchema {
  type: 'list'
  items: Schema
  listType?: 'atomic' | 'set' | 'map'
  listMapKeys?: readonly string[]
  /** Strategic merge: `merge`, `replace`, `retainKeys`. */
  patchStrategy?: readonly string[]
  patchMergeKey?: string
}
export interface MapSchema {
  type: 'map'
  values: Schema
  mapType?: 'atomic' | 'granular'
}
export interface ObjectSchema {
  type: 'object'
  /** The OpenAPI definition's name, e.g. `io.k8s.api.core.v1.PodSpec`. */
  name: string
  /** The Go type as error messages name it, e.g. `v1.PodSpec`. */
  goName: string
  /** By JSON name, in the order in which upstream writes them; fields of inlined types stand among them. */
  fields: ReadonlyMap<string, Field>
  mapType?: 'atomic' | 'granular'
  /** Set for kinds and their lists: what has `apiVersion` and `kind`. */
  root?: { group: string; version: string; kind: string; list: boolean }
}
export interface Field {
  name: string
  schema: Schema
  /** The protobuf field number; 0 for `kind` and `apiVersion`, which the protobuf form carries in its envelope. */
  number: number
  /** Numbers of the embedded messages that hold it in the protobuf form, outermost first (`inline` in JSON). */
  within: readonly number[]
  optional: boolean
  required: boolean
  omitempty: boolean
  /** A pointer in Go: its zero value is kept. */
  pointer: boolean
  /** The Go type as error messages name it, e.g. `[]v1.Container`. */
  goType: string
  default?: unknown
  featureGate?: string
  patchStrategy?: readonly string[]
  patchMergeKey?: string
}

/** The schema of a kind (or of its list kind, or of an options kind such as DeleteOptions); undefined for unknown ones. */
export function schemaOf(apiVersion: string, kind: string): ObjectSchema | undefined {
  const { group, version } = parseApiVersion(apiVersion)
  const own = factsOf(packageOf(group, version))
  // Options, Status and List belong to the meta package and are accepted in every group.
  const facts = own?.types[kind]?.kind ? own : factsOf(metaPackage)
  return facts?.types[kind]?.kind ? objectSchema(facts, kind) : undefined
}

/** The schema of any type by its Go package and name, e.g. `('k8s.io.api.core.v1', 'PodSpec')`. */
export function schemaOfType(packageName: string, type: string): ObjectSchema | undefined {
  const facts = factsOf(packageName)
  return facts?.types[type] ? objectSchema(facts, type) : undefined
}

const scalars = {
  string: { type: 'string' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
  bool: { type: 'boolean' },
  bytes: { type: 'bytes' },
} as const satisfies Record<string, Schema>

// Types whose JSON form is not an object with their fields.
const special: Record<string, Schema> = {
  Time: { type: 'time' },
  MicroTime: { type: 'microTime' },
  Duration: { type: 'duration' },
  Quantity: { type: 'quantity' },
  IntOrString: { type: 'intOrString' },
  RawExtension: { type: 'any', name: 'RawExtension' },
  Unknown: { type: 'any', name: 'Unknown' },
  FieldsV1: { type: 'any', name: 'FieldsV1' },
  JSON: { type: 'any', name: 'JSON' },
}
const jsonSchemaUnions = new Set(['JSONSchemaPropsOrBool', 'JSONSchemaPropsOrArray', 'JSONSchemaPropsOrStringArray'])

const objects = new Map<string, ObjectSchema>()
const others = new Map<string, Schema>()

function objectSchema(facts: FactsPackage, name: string): ObjectSchema {
  const key = `${facts.package}.${name}`
  const known = objects.get(key)
  if (known) return known
  const type = facts.types[name]!
  const fields = new Map<string, Field>()
  const schema: ObjectSchema = {
    type: 'object',
    name: definitionName(facts.package, name),
    goName: `${lastPart(facts.package)}.${name}`,
    fields,
    ...(type.mapType ? { mapType: type.mapType } : {}),
    ...(type.kind
      ? { root: { group: facts.package === metaPackage ? '' : facts.group, version: facts.version, kind: name, list: type.kind === 'list' } }
      : {}),
  }
  // Registered before its fields are built: a type may contain itself.
  objects.set(key, schema)
  if (type.kind) for (const n of ['kind', 'apiVersion']) fields.set(n, typeMetaField(n))
  addFields(fields, facts, name, [])
  return schema
}

function typeMetaField(name: string): Field {
  const schema = scalars.string
  return { name, schema, number: 0, within: [], optional: true, required: false, omitempty: true, pointer: false, goType: 'string' }
}

function addFields(fields: Map<string, Field>, facts: FactsPackage, name: string, within: readonly number[]): void {
  for (const [protoName, f] of Object.entries(facts.types[name]!.fields)) {
    if (f.inline) {
      const target = resolve(facts, f.type)
      if (target) addFields(fields, target.facts, target.name, [...within, f.n])
      continue
    }
    const field = fieldOf(facts, f.json ?? protoName, f, within)
    fields.set(field.name, field)
  }
}

function fieldOf(facts: FactsPackage, name: string, f: FactsField, within: readonly number[]): Field {
  const patchStrategy = f.patchStrategy?.split(',')
  const patch = { ...(patchStrategy ? { patchStrategy } : {}), ...(f.patchMergeKey ? { patchMergeKey: f.patchMergeKey } : {}) }
  const defaultValue = defaultOf(f.default)
  return {
    name,
    schema: schemaOfField(facts, f, patch),
    number: f.n,
    within,
    optional: f.optional ?? false,
    required: f.required ?? !(f.optional || f.omitempty),
    omitempty: f.omitempty ?? false,
    pointer: f.go?.startsWith('*') ?? false,
    goType: goType(facts, f.go ?? f.type),
    ...(defaultValue === undefined ? {} : { default: defaultValue }),
    ...(f.featureGate ? { featureGate: f.featureGate } : {}),
    ...patch,
  }
}

/** Defaults stand in the facts as the marker has them: JSON, or `ref(Constant)`, which is the defaulting code's to know. */
function defaultOf(value: unknown): unknown {
  if (typeof value !== 'string') return value
  if (value.startsWith('ref(')) return undefined
  try {
    return JSON.parse(value)
  } catch {
    return value
  }
}

function schemaOfField(facts: FactsPackage, f: FactsField, patch: Pick<ListSchema, 'patchStrategy' | 'patchMergeKey'>): Schema {
  const map = /^map<string,\s*(.+)>$/.exec(f.type)
  if (map) return { type: 'map', values: valueSchema(facts, map[1]!), ...(f.mapType ? { mapType: f.mapType } : {}) }
  const items = valueSchema(facts, f.type, f.go)
  if (f.repeated)
    return {
      type: 'list',
      items,
      ...(f.listType ? { listType: f.listType } : {}),
      ...(f.listMapKeys ? { listMapKeys: f.listMapKeys } : {}),
      ...patch,
    }
  // A struct can be atomic where it is used, though its type is not.
  if (items.type === 'object' && f.mapType && items.mapType !== f.mapType) return { ...items, mapType: f.mapType }
  return items
}

function valueSchema(facts: FactsPackage, type: string, go?: string): Schema {
  if (type === 'string') return stringSchema(facts, go)
  if (Object.hasOwn(scalars, type)) return scalars[type as keyof typeof scalars]
  const short = lastPart(type)
  if (Object.hasOwn(special, short)) return special[short]!
  const target = resolve(facts, type)
  if (!target) return { type: 'any', name: short }
  const key = `${target.facts.package}.${target.name}`
  const known = others.get(key)
  if (known) return known
  if (jsonSchemaUnions.has(short)) {
    const union: AnySchema = { type: 'any', name: short }
    others.set(key, union)
    union.of = objectSchema(target.facts, 'JSONSchemaProps')
    return union
  }
  const list = namedList(target.facts, target.name)
  if (list) {
    others.set(key, list)
    return list
  }
  return objectSchema(target.facts, target.name)
}

/** A Go type that is a list by another name (ExtraValue, Verbs): the protobuf message wraps it, JSON does not. */
function namedList(facts: FactsPackage, name: string): ListSchema | undefined {
  const fields = Object.entries(facts.types[name]!.fields)
  const [only] = fields
  if (fields.length !== 1 || !only || only[0] !== 'items' || !only[1].repeated || only[1].go) return undefined
  return { type: 'list', items: valueSchema(facts, only[1].type) }
}

function stringSchema(facts: FactsPackage, go: string | undefined): StringSchema {
  const name = go?.replace(/^[*[\]]+/, '')
  const found = name ? facts.enums[name] : undefined
  if (!found?.closed || found.values.length === 0) return scalars.string
  const key = `${facts.package}.${name}`
  const known = others.get(key)
  if (known?.type === 'string') return known
  const schema: StringSchema = { type: 'string', enum: found.values }
  others.set(key, schema)
  return schema
}

function resolve(facts: FactsPackage, type: string): { facts: FactsPackage; name: string } | undefined {
  const name = lastPart(type)
  // A type of another package has its full name, with or without the dot in front that protobuf's descriptors have.
  const owner = type.includes('.') ? factsOf(type.slice(type.startsWith('.') ? 1 : 0, -name.length - 1)) : facts
  return owner?.types[name] ? { facts: owner, name } : undefined
}

function lastPart(dotted: string): string {
  return dotted.slice(dotted.lastIndexOf('.') + 1)
}

/** `k8s.io.api.core.v1` and `Pod` → `io.k8s.api.core.v1.Pod`. */
function definitionName(packageName: string, type: string): string {
  return `${packageName
    .replace(/^k8s\.io/, 'io.k8s')
    .replace('apiextensions_apiserver', 'apiextensions-apiserver')
    .replace('kube_aggregator', 'kube-aggregator')}.${type}`
}

// Go's own names stay as they are; types of the package get its name, aliased imports (`metav1`, `corev1`) their package's.
function goType(facts: FactsPackage, go: string): string {
  return go
    .replace(/^\*/, '')
    .replace(/\b(?:meta|core|api)v1\./g, 'v1.')
    .replace(/(^|[\]*])([A-Z]\w*)$/, (_, before: string, name: string) => `${before}${lastPart(facts.package)}.${name}`)
}
