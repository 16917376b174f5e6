import { type ObjectSchema, type Schema, schemaOf } from '#api'
import type { KnownSizes } from './cost-estimate.ts'
import { escapeName, isReserved } from './escape.ts'
import { type CelType, type TypeProvider, types } from './types.ts'

/** What a schema declares a value to be. `most`: the elements or characters that it can have, where the schema bounds them. */
export type Declared =
  | { kind: 'simple'; type: CelType; most?: number }
  | { kind: 'list'; element: Declared; most?: number }
  | { kind: 'map'; value: Declared; most?: number }
  | {
      kind: 'object'
      /** By escaped names. */
      fields: ReadonlyMap<string, Declared>
    }

const simple = (type: CelType): Declared => ({ kind: 'simple', type })
const object = (fields: Iterable<readonly [string, Declared]>): Declared => ({ kind: 'object', fields: new Map(fields) })

/**
 * What expressions see of a kind of the API, as upstream derives it from the OpenAPI definitions (SchemaDeclType): quantities, and maps of them, are not
 * there, since their definition (text or number) has no one type; durations are texts; what is int or string is dyn. Undefined for unknown kinds.
 */
export function declaredKind(apiVersion: string, kind: string): Declared | undefined {
  const schema = schemaOf(apiVersion, kind)
  return schema && declaredObject(schema, new Set())
}

/** `within`: the objects around; one within itself is left empty. */
function declared(schema: Schema, within: ReadonlySet<string>): Declared | undefined {
  switch (schema.type) {
    case 'string':
    case 'duration':
      return simple(types.string)
    case 'integer':
      return simple(types.int)
    case 'number':
      return simple(types.double)
    case 'boolean':
      return simple(types.bool)
    case 'bytes':
      return simple(types.bytes)
    case 'time':
    case 'microTime':
      return simple(types.timestamp)
    case 'intOrString':
      return simple(types.dyn)
    case 'quantity':
      return undefined
    case 'any':
      return schema.name === 'RawExtension' || schema.name === 'FieldsV1' ? object([]) : undefined
    case 'list': {
      const element = declared(schema.items, within)
      return element && { kind: 'list', element }
    }
    case 'map': {
      const value = declared(schema.values, within)
      return value && { kind: 'map', value }
    }
    case 'object':
      return declaredObject(schema, within)
    default:
      return schema satisfies never
  }
}

function declaredObject(schema: ObjectSchema, around: ReadonlySet<string>): Declared {
  if (around.has(schema.name)) return object([])
  const within = new Set(around).add(schema.name)
  const fields: [string, Declared][] = []
  for (const [name, field] of schema.fields) {
    const escaped = escapeName(name)
    const type = escaped === undefined ? undefined : declared(field.schema, within)
    if (type) fields.push([escaped!, type])
  }
  return object(fields)
}

/** The types that a declaration stands for. */
export interface DeclaredTypes {
  /** Of the whole. */
  type: CelType
  provider: TypeProvider
}

/**
 * Gives each object of a declaration a name of its own, by where it stands: `Deployment.spec`, `Deployment.spec.template.spec.containers.@idx`. The root
 * has the name given. Fields whose names are reserved words may also be written as they are.
 */
export function declaredTypes(name: string, root: Declared): DeclaredTypes {
  const objects = new Map<string, ReadonlyMap<string, Declared>>()
  const typeOf = (path: string, of: Declared): CelType => {
    switch (of.kind) {
      case 'simple':
        return of.type
      case 'list':
        return types.list(typeOf(`${path}.@idx`, of.element))
      case 'map':
        return types.map(types.string, typeOf(`${path}.@elem`, of.value))
      case 'object':
        objects.set(path, of.fields)
        return types.object(path)
      default:
        return of satisfies never
    }
  }
  const provider: TypeProvider = {
    has: (type) => objects.has(type),
    field: (type, field) => {
      const fields = objects.get(type)
      const found = fields?.get(field) ?? (isReserved(field) ? fields?.get(`__${field}__`) : undefined)
      return found && typeOf(`${type}.${fields!.has(field) ? field : `__${field}__`}`, found)
    },
    fields: (type) => [...(objects.get(type)?.keys() ?? [])],
  }
  return { type: typeOf(name, root), provider }
}

/** Sizes of what variables hold, by what they are declared to be. */
export function declaredSizes(variables: Readonly<Record<string, Declared>>): KnownSizes {
  return (path) => {
    if (path === undefined || path.length === 0) return undefined
    let at: Declared | undefined = Object.hasOwn(variables, path[0]!) ? variables[path[0]!] : undefined
    if (at === undefined) return undefined
    for (const step of path.slice(1)) {
      if (step === '@items' || step === '@values') at = at.kind === 'list' ? at.element : at.kind === 'map' ? at.value : undefined
      else if (step === '@keys') at = at.kind === 'map' ? keys : undefined
      else at = at.kind === 'object' ? at.fields.get(step) : undefined
      if (at === undefined) return undefined
    }
    return { min: 0n, max: at.kind === 'object' ? 0n : BigInt(at.most ?? 0) }
  }
}

const keys = simple(types.string)
