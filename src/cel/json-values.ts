import { CelError, Duration, List, MapValue, Timestamp, Uint, type Value } from './values.ts'

/** A JSON value as expressions see it, looked at where it lies: whole numbers are int, others double. What is undefined in an object is not there. */
export function jsonValue(value: unknown): Value {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? BigInt(value) : value
    case 'string':
    case 'boolean':
    case 'bigint':
      return value
    case 'object':
      if (value === null) return null
      return Array.isArray(value) ? new JsonList(value) : new JsonMap(value as Readonly<Record<string, unknown>>)
    default:
      return null
  }
}

class JsonList extends List {
  readonly items: readonly unknown[]
  constructor(items: readonly unknown[]) {
    super()
    this.items = items
  }
  get length(): number {
    return this.items.length
  }
  at(index: number): Value {
    return jsonValue(this.items[index])
  }
}

class JsonMap extends MapValue {
  readonly object: Readonly<Record<string, unknown>>
  constructor(object: Readonly<Record<string, unknown>>) {
    super()
    this.object = object
  }
  get size(): number {
    let size = 0
    for (const key in this.object) if (this.object[key] !== undefined) size++
    return size
  }
  get(key: Value): Value | undefined {
    if (typeof key !== 'string' || !Object.hasOwn(this.object, key)) return undefined
    const value = this.object[key]
    return value === undefined ? undefined : jsonValue(value)
  }
  *keys(): Iterable<Value> {
    for (const key in this.object) if (this.object[key] !== undefined) yield key
  }
}

/** A value as JSON, as cel-go converts it: numbers that JSON cannot hold exactly are texts, bytes base64. Throws Error for what has no JSON form. */
export function toJson(value: Value): unknown {
  if (value === null || typeof value === 'boolean' || typeof value === 'string' || typeof value === 'number') return value
  if (typeof value === 'bigint') return integer(value)
  if (value instanceof Uint) return integer(value.value)
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64')
  if (value instanceof JsonList) return value.items
  if (value instanceof JsonMap) return value.object
  if (value instanceof List) return Array.from({ length: value.length }, (_, i) => toJson(value.at(i)))
  if (value instanceof MapValue) {
    const object: Record<string, unknown> = {}
    for (const key of value.keys()) {
      if (typeof key !== 'string') throw new Error(`map key ${printed(key)} is not a string`)
      Object.defineProperty(object, key, { value: toJson(value.get(key)!), enumerable: true, configurable: true, writable: true })
    }
    return object
  }
  if (value instanceof Timestamp) return timestampText(value.nanoseconds)
  if (value instanceof Duration) return `${decimal(value.nanoseconds)}s`
  if (value instanceof CelError) throw new Error(value.message)
  throw new Error('a value of this type has no JSON form')
}

const integer = (value: bigint) =>
  value >= BigInt(Number.MIN_SAFE_INTEGER) && value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : String(value)

const printed = (value: Value) => (typeof value === 'bigint' ? String(value) : JSON.stringify(value))

const second = 1_000_000_000n

/** Seconds with as many digits as there are to show, without the unit. */
function decimal(nanoseconds: bigint): string {
  const negative = nanoseconds < 0n
  const all = negative ? -nanoseconds : nanoseconds
  const rest = String(all % second)
    .padStart(9, '0')
    .replace(/0+$/, '')
  return `${negative ? '-' : ''}${all / second}${rest ? `.${rest}` : ''}`
}

function timestampText(nanoseconds: bigint): string {
  const rest = ((nanoseconds % second) + second) % second
  const date = new Date(Number((nanoseconds - rest) / 1_000_000n)).toISOString().slice(0, 19)
  const digits = String(rest).padStart(9, '0').replace(/0+$/, '')
  return `${date}${digits ? `.${digits}` : ''}Z`
}
