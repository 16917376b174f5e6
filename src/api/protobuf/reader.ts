/** The wire type of what begins with its length. */
export const lengthDelimited = 2

/** Reads protobuf's wire format; throws RangeError where the bytes end too early or make no sense. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0

  constructor(bytes: Buffer) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.#at >= this.#bytes.length
  }

  tag(): { number: number; type: number } | undefined {
    if (this.done) return undefined
    const tag = Number(this.varint())
    return { number: tag >>> 3, type: tag & 7 }
  }

  varint(): bigint {
    // most numbers are short: no big integers on the way
    let low = 0
    for (let shift = 0; shift < 28; shift += 7) {
      const byte = this.#byte()
      low |= (byte & 0x7f) << shift
      if (byte < 0x80) return BigInt(low)
    }
    let value = BigInt(low)
    for (let shift = 28n; shift < 70n; shift += 7n) {
      const byte = this.#byte()
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return value
    }
    throw new RangeError('a number is too long')
  }

  double(): number {
    const at = this.#at
    this.#advance(8)
    return this.#bytes.readDoubleLE(at)
  }

  bytes(): Buffer {
    const length = Number(this.varint())
    const at = this.#at
    this.#advance(length)
    return this.#bytes.subarray(at, this.#at)
  }

  message(): Reader {
    return new Reader(this.bytes())
  }

  skip(type: number): void {
    if (type === 0) this.varint()
    else if (type === 1) this.#advance(8)
    else if (type === lengthDelimited) this.bytes()
    else if (type === 5) this.#advance(4)
    else throw new RangeError(`unknown wire type ${type}`)
  }

  #byte(): number {
    const byte = this.#bytes[this.#at++]
    if (byte === undefined) throw new RangeError('unexpected end')
    return byte
  }

  #advance(count: number): void {
    this.#at += count
    if (this.#at > this.#bytes.length) throw new RangeError('unexpected end')
  }
}

/** Runs what reads; a RangeError of it says that the body is malformed. */
export function wellFormed<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw error instanceof RangeError ? new RangeError(`the protobuf body is malformed: ${error.message}`, { cause: error }) : error
  }
}
