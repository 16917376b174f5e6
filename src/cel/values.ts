import type { CelType } from './types.ts'

/**
 * What expressions compute. int is a bigint, double a number, bytes a Uint8Array; lists and maps are interfaces, so that objects of the API are looked
 * at where they lie and nothing is copied. An error is a value too: `||` and `&&` decide without it where they can.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | List
  | MapValue
  | TypeValue
  | Opaque
  | CelError

export class Uint {
  readonly value: bigint
  constructor(value: bigint) {
    this.value = value
  }
}

/** Nanoseconds since 1970, of years 1 to 9999. */
export class Timestamp {
  readonly nanoseconds: bigint
  /** Seconds east of UTC in which it was written: text made of it is in that zone again; nothing else looks at it. */
  readonly offset: number
  constructor(nanoseconds: bigint, offset = 0) {
    this.nanoseconds = nanoseconds
    this.offset = offset
  }
}

export class Duration {
  readonly nanoseconds: bigint
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds
  }
}

/** Any value with elements in an order. */
export abstract class List {
  abstract readonly length: number
  /** The element at an index below `length`. */
  abstract at(index: number): Value
  /** Of a list whose order means nothing: the pairs that have to be equal for it to equal the other one; undefined where it cannot. */
  pairs?(other: List): [Value, Value][] | undefined
  /** Of a list that is more than a sequence, a set or what has keys: it and another in one. */
  joined?(other: List): List
}

/** Any value with keys: a map, or an object with fields (then `type` names it, and its keys are its fields that are set). */
export abstract class MapValue {
  abstract readonly size: number
  /** The type of an object with fields; undefined for a map. */
  readonly type: string | undefined
  /** Undefined where there is no such key. */
  abstract get(key: Value): Value | undefined
  abstract keys(): Iterable<Value>
}

/** `int`, `type(x)`: types are values. */
export class TypeValue {
  readonly of: CelType
  constructor(of: CelType) {
    this.of = of
  }
}

/** A value of a library's type; optional values and `kubernetes.Quantity` are such. */
export abstract class Opaque {
  abstract readonly type: CelType
  /** Undefined when the type knows no equality: then the same object is equal. */
  equals?(other: Opaque): boolean
  /** What costs and sizes are counted by, for a type that has a size; 1 when left out. */
  size?(): number
}

/** An evaluation's failure, such as `no such key: x`; it carries the place of the expression once that is known. */
export class CelError {
  readonly message: string
  constructor(message: string) {
    this.message = message
  }
}
