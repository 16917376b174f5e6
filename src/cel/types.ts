import type { Value } from './values.ts'

/** The types of CEL as the checker knows them (cel-spec `checked.proto`). */
export type CelType =
  | { kind: 'dyn' | 'error' | 'null' | 'bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'timestamp' | 'duration' | 'any' }
  | { kind: 'list'; element: CelType }
  | { kind: 'map'; key: CelType; value: CelType }
  /** The type of the values of a wrapper, such as google.protobuf.Int64Value: a primitive or null. */
  | { kind: 'wrapper'; of: CelType }
  /** An object whose fields a `TypeProvider` knows. */
  | { kind: 'object'; name: string }
  /** A type of a library without fields: `kubernetes.Quantity`, `net.IP`, `optional_type` with its parameter. */
  | { kind: 'opaque'; name: string; parameters: CelType[] }
  | { kind: 'type'; of?: CelType }
  /** A parameter of an overload: `T` of `list(T)`. */
  | { kind: 'parameter'; name: string }

const simple = <Kind extends string>(kind: Kind) => Object.freeze({ kind })

export const types = {
  dyn: simple('dyn'),
  error: simple('error'),
  null: simple('null'),
  bool: simple('bool'),
  int: simple('int'),
  uint: simple('uint'),
  double: simple('double'),
  string: simple('string'),
  bytes: simple('bytes'),
  timestamp: simple('timestamp'),
  duration: simple('duration'),
  any: simple('any'),
  list: (element: CelType): CelType => ({ kind: 'list', element }),
  map: (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value }),
  wrapper: (of: CelType): CelType => ({ kind: 'wrapper', of }),
  object: (name: string): CelType => ({ kind: 'object', name }),
  opaque: (name: string, ...parameters: CelType[]): CelType => ({ kind: 'opaque', name, parameters }),
  optional: (of: CelType): CelType => ({ kind: 'opaque', name: 'optional_type', parameters: [of] }),
  type: (of?: CelType): CelType => ({ kind: 'type', ...(of && { of }) }),
  parameter: (name: string): CelType => ({ kind: 'parameter', name }),
} as const

/** Knows the objects that expressions name: kinds of the API, `Object` of an admission policy, messages. */
export interface TypeProvider {
  /** Whether there is a type of this name, for literals such as `Object{…}` and for the type's own value. */
  has(name: string): boolean
  /** The type of a field; undefined where the object has no such field. */
  field(type: string, field: string): CelType | undefined
  /** The names of the fields, for messages. */
  fields(type: string): readonly string[]
  /** Makes the value of a literal of this type from its fields. */
  create?(type: string, fields: ReadonlyMap<string, Value>): Value
}
