import { isUtf8 } from 'node:buffer'
import { CborError } from './error.ts'

export interface CborLimits {
  /** How deep arrays, maps and tags may be nested. */
  depth: number
  /** How many values there may be in all: small ones take many times their bytes in memory. */
  values: number
}

const defaults: CborLimits = { depth: 1000, values: 1 << 19 }

/**
 * Reads one CBOR item into its JSON form by the rules that Kubernetes has for it (KEP-4222): byte strings are text, and base64 where tag 22 says so; keys are
 * text and appear once; numbers are finite; of simple values there are false, true and null. Other tags are looked through. Throws CborError.
 */
export function parseCbor(bytes: Uint8Array, limits: Partial<CborLimits> = {}): unknown {
  return new CborReader(bytes, { ...defaults, ...limits }).whole()
}

const typeNames = ['positive integer', 'negative integer', 'byte string', 'UTF-8 text string', 'array', 'map', 'tag', 'primitives'] as const
/** Upstream's bounds; nothing that can be sent reaches them. */
const mostElements = 2_147_483_647
const mostPairs = 2_097_152
const breakCode = 0xff
const indefinite = 31
const unexpectedEnd = () => new CborError('unexpected EOF')
const unacceptable = (type: string, why: string) => new CborError(`cbor: data item of cbor type ${type} is not accepted by protocol: ${why}`)

class CborReader {
  readonly #bytes: Buffer
  readonly #limits: CborLimits
  #at = 0
  #depth = 0
  #values = 0
  /** Below a key of the outermost map that does not say what kind it is. */
  #inField = false

  constructor(bytes: Uint8Array, limits: CborLimits) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.#limits = limits
  }

  whole(): unknown {
    if (this.#bytes.length === 0) throw new CborError('EOF')
    const value = this.#value()
    const left = this.#bytes.length - this.#at
    if (left > 0) throw new CborError(`cbor: ${left} bytes of extraneous data starting at index ${this.#at}`)
    return value
  }

  #byte(): number {
    const byte = this.#bytes[this.#at]
    if (byte === undefined) throw unexpectedEnd()
    this.#at++
    return byte
  }

  #need(count: number): void {
    if (count > this.#bytes.length - this.#at) throw unexpectedEnd()
  }

  /** The argument of a head: a number as far as it is exact, a bigint beyond. */
  #argument(head: number): number | bigint {
    const info = head & 31
    if (info < 24) return info
    const at = this.#at
    switch (info) {
      case 24:
        return this.#byte()
      case 25:
        this.#need(2)
        this.#at += 2
        return this.#bytes.readUInt16BE(at)
      case 26:
        this.#need(4)
        this.#at += 4
        return this.#bytes.readUInt32BE(at)
      case 27: {
        this.#need(8)
        this.#at += 8
        const value = this.#bytes.readBigUInt64BE(at)
        return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value
      }
      default:
        throw new CborError(`cbor: invalid additional information ${info} for type ${typeNames[head >> 5]}`)
    }
  }

  #value(): unknown {
    if (++this.#values > this.#limits.values) throw new CborError(`cbor: exceeded max number of elements ${this.#limits.values} for CBOR array`)
    const head = this.#byte()
    switch (head >> 5) {
      case 0:
      case 1:
        return this.#integer(head)
      case 2:
        return this.#chunks(head)
      case 3:
        return this.#text(head)
      case 4:
        return this.#array(head)
      case 5:
        return this.#map(head)
      case 6:
        return this.#tagged(head)
      default:
        return this.#primitive(head)
    }
  }

  #integer(head: number): number {
    const argument = this.#argument(head)
    const negative = head >> 5 === 1
    if (typeof argument === 'number') return negative ? -1 - argument : argument
    if (argument >= 2n ** 63n) {
      const shown = negative ? -1n - argument : argument
      throw this.#mistake(`cbor: cannot unmarshal ${typeNames[head >> 5]} into Go value of type int64 (${shown} overflows Go's int64)`)
    }
    return Number(negative ? -1n - argument : argument)
  }

  /** The bytes of a string: of one piece, or of several that a break ends. */
  #pieces(head: number): Buffer {
    if ((head & 31) !== indefinite) {
      const length = Number(this.#argument(head))
      this.#need(length)
      const piece = this.#bytes.subarray(this.#at, this.#at + length)
      this.#at += length
      return piece
    }
    const start = this.#at
    const whole = Buffer.allocUnsafe(this.#walkPieces(head >> 5, () => {}))
    this.#at = start
    let filled = 0
    this.#walkPieces(head >> 5, (from, to) => {
      filled += this.#bytes.copy(whole, filled, from, to)
    })
    return whole
  }

  /** Goes over the pieces of a string up to its break, and answers how long they are together. They may be many more than their bytes: nothing is kept of each. */
  #walkPieces(type: number, each: (from: number, to: number) => void): number {
    let total = 0
    for (let next = this.#byte(); next !== breakCode; next = this.#byte()) {
      if (next >> 5 !== type) throw new CborError(`cbor: wrong element type ${typeNames[next >> 5]} for indefinite-length ${typeNames[type]}`)
      if ((next & 31) === indefinite) throw new CborError(`cbor: indefinite-length ${typeNames[type]} chunk is not definite-length`)
      const length = Number(this.#argument(next))
      this.#need(length)
      const from = this.#at
      this.#at += length
      // each piece of a text is a text
      if (type === 3 && length > 0) this.#checkText(this.#bytes.subarray(from, this.#at))
      each(from, this.#at)
      total += length
    }
    return total
  }

  /** A byte string as text; what is no UTF-8 in it is replaced, as it is wherever upstream shows it. */
  #chunks(head: number): string {
    return (head & 31) === indefinite ? this.#pieces(head).toString() : this.#string(Number(this.#argument(head)))
  }

  #text(head: number): string {
    const start = this.#at
    const text = this.#chunks(head)
    if (text.includes('\ufffd')) {
      this.#at = start
      this.#checkText(this.#pieces(head))
    }
    return text
  }

  #string(length: number): string {
    this.#need(length)
    const start = this.#at
    this.#at += length
    return this.#bytes.toString('utf8', start, this.#at)
  }

  #checkText(bytes: Buffer): void {
    if (!isUtf8(bytes)) throw this.#mistake('cbor: invalid UTF-8 string')
  }

  /** How many elements follow; Infinity: until the break. */
  #count(head: number): number {
    if ((head & 31) === indefinite) return Infinity
    const count = Number(this.#argument(head))
    const ofMap = head >> 5 === 5
    if (ofMap && count > mostPairs) throw new CborError(`cbor: exceeded max number of key-value pairs ${mostPairs} for CBOR map`)
    if (count > mostElements) throw new CborError(`cbor: exceeded max number of elements ${mostElements} for CBOR array`)
    // each takes a byte at least
    this.#need(ofMap ? 2 * count : count)
    return count
  }

  #enter(): void {
    if (++this.#depth > this.#limits.depth) throw new CborError(`cbor: exceeded max nested level ${this.#limits.depth}`)
  }

  #atBreak(count: number): boolean {
    if (count !== Infinity || this.#bytes[this.#at] !== breakCode) return false
    this.#at++
    return true
  }

  #array(head: number): unknown[] {
    const count = this.#count(head)
    this.#enter()
    const array: unknown[] = []
    for (let i = 0; i < count && !this.#atBreak(count); i++) array.push(this.#value())
    this.#depth--
    return array
  }

  #map(head: number): Record<string, unknown> {
    const count = this.#count(head)
    this.#enter()
    const map: Record<string, unknown> = {}
    const outermost = this.#depth === (this.#selfDescribed() ? 2 : 1)
    for (let i = 0; i < count && !this.#atBreak(count); i++) {
      const key = this.#key()
      if (Object.hasOwn(map, key)) throw this.#mistake(`cbor: found duplicate map key ${JSON.stringify(key)} at map element index ${i}`)
      if (outermost) this.#inField = key !== 'kind' && key !== 'apiVersion'
      const value = this.#value()
      if (outermost) this.#inField = false
      if (key === '__proto__') Object.defineProperty(map, key, { value, enumerable: true, configurable: true, writable: true })
      else map[key] = value
    }
    this.#depth--
    return map
  }

  #key(): string {
    const head = this.#byte()
    const type = head >> 5
    if (type === 2) return this.#chunks(head)
    if (type === 3) return this.#text(head)
    if (head === breakCode) throw new CborError('cbor: unexpected "break" code')
    throw this.#mistake(`cbor: cannot unmarshal ${typeNames[type]!} into Go value of type string`)
  }

  #tagged(head: number): unknown {
    const tag = this.#argument(head)
    this.#enter()
    const next = this.#bytes[this.#at]
    if (next === undefined) throw unexpectedEnd()
    const type = next >> 5
    let content: unknown
    if (type === 2 && (tag === 21 || tag === 22 || tag === 23)) {
      this.#at++
      // what it is to be in text is said by the tag
      content = this.#pieces(next).toString(tag === 21 ? 'base64url' : tag === 22 ? 'base64' : 'hex')
    } else {
      content = this.#value()
      if (tag === 0) content = this.#timeText(content, type)
      else if (tag === 1) content = this.#epoch(content, type)
      else if (tag === 2 || tag === 3) throw unacceptable('tag', 'bignum')
    }
    this.#depth--
    return content
  }

  #timeText(content: unknown, type: number): string {
    if (type !== 3) throw this.#mistake(`cbor: tag number 0 must be followed by text string, got ${typeNames[type]}`)
    const text = content as string
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d([.,]\d+)?(Z|[+-]\d\d:\d\d)$/.test(text) || Number.isNaN(Date.parse(text.replace(',', '.'))))
      throw this.#mistake(`cbor: cannot set ${text} for time.Time: parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00"`)
    return text
  }

  #epoch(content: unknown, type: number): string {
    if (typeof content !== 'number')
      throw this.#mistake(`cbor: tag number 1 must be followed by integer or floating-point number, got ${typeNames[type]}`)
    const time = new Date(content * 1000)
    // also what is no date at all has no year
    if (!(time.getUTCFullYear() >= 0 && time.getUTCFullYear() <= 9999))
      throw this.#mistake(
        'cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: Time.MarshalText: year outside of range [0,9999]',
      )
    return time.toISOString().replace(/\.?0*Z$/, 'Z')
  }

  #primitive(head: number): unknown {
    switch (head & 31) {
      case 20:
        return false
      case 21:
        return true
      case 22:
        return null
      case 24: {
        const value = this.#byte()
        if (value < 32) throw new CborError(`cbor: invalid simple value ${value} for type primitives`)
        throw unacceptable('primitives', `simple value ${value} is not recognized`)
      }
      case 25:
        this.#need(2)
        this.#at += 2
        return finite(halfAt(this.#bytes, this.#at - 2))
      case 26:
        this.#need(4)
        this.#at += 4
        return finite(this.#bytes.readFloatBE(this.#at - 4))
      case 27:
        this.#need(8)
        this.#at += 8
        return finite(this.#bytes.readDoubleBE(this.#at - 8))
      case indefinite:
        throw new CborError('cbor: unexpected "break" code')
    }
    const value = head & 31
    if (value > 27) throw new CborError(`cbor: invalid additional information ${value} for type primitives`)
    throw unacceptable('primitives', `simple value ${value} is not recognized`)
  }

  #mistake(message: string): CborError {
    return new CborError(message, this.#inField)
  }

  /** The magic number is a tag, and a level of nesting. */
  #selfDescribed(): boolean {
    return this.#bytes[0] === 0xd9 && this.#bytes[1] === 0xd9 && this.#bytes[2] === 0xf7
  }
}

function finite(value: number): number {
  if (Number.isNaN(value)) throw unacceptable('primitives', 'floating-point NaN')
  if (!Number.isFinite(value)) throw unacceptable('primitives', 'floating-point infinity')
  return value
}

/** A float of 16 bits: sign, 5 bits of exponent, 10 of fraction. */
function halfAt(bytes: Buffer, at: number): number {
  const half = bytes.readUInt16BE(at)
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 31) return fraction === 0 ? sign * Infinity : Number.NaN
  return sign * (1024 + fraction) * 2 ** (exponent - 25)
}
