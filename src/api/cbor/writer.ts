/** Writes CBOR items one after the other, in the shortest form of each. */
export class CborWriter {
  #buffer: Buffer
  #at = 0

  constructor(size = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(Math.max(size, 64))
  }

  get length(): number {
    return this.#at
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return
    const larger = Buffer.allocUnsafeSlow(Math.max(2 * this.#buffer.length, this.#at + count))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
  }

  /** What was written, in memory that is little more than that. */
  finish(): Buffer {
    if (this.#buffer.length - this.#at < 64 + this.#at / 16) return this.#buffer.subarray(0, this.#at)
    const bytes = Buffer.allocUnsafeSlow(this.#at)
    this.#buffer.copy(bytes, 0, 0, this.#at)
    return bytes
  }

  byte(value: number): void {
    this.#reserve(1)
    this.#buffer[this.#at++] = value
  }

  raw(bytes: Uint8Array): void {
    this.#reserve(bytes.length)
    this.#buffer.set(bytes, this.#at)
    this.#at += bytes.length
  }

  /** A head of a major type (0 to 7) with its argument. */
  head(major: number, argument: number): void {
    this.#reserve(9)
    const buffer = this.#buffer
    const type = major << 5
    if (argument < 24) buffer[this.#at++] = type | argument
    else if (argument < 0x100) {
      buffer[this.#at++] = type | 24
      buffer[this.#at++] = argument
    } else if (argument < 0x10000) {
      buffer[this.#at++] = type | 25
      this.#at = buffer.writeUInt16BE(argument, this.#at)
    } else if (argument < 0x100000000) {
      buffer[this.#at++] = type | 26
      this.#at = buffer.writeUInt32BE(argument, this.#at)
    } else {
      buffer[this.#at++] = type | 27
      this.#at = buffer.writeBigUInt64BE(BigInt(argument), this.#at)
    }
  }

  integer(value: number): void {
    if (value >= 0) this.head(0, value)
    // the argument of -2^63 is no number that a double has
    else if (value < Number.MIN_SAFE_INTEGER) {
      this.#reserve(9)
      this.#buffer[this.#at++] = 0x3b
      this.#at = this.#buffer.writeBigUInt64BE(-1n - BigInt(value), this.#at)
    } else this.head(1, -1 - value)
  }

  /** A float in the fewest bits that hold it. */
  float(value: number): void {
    this.#reserve(9)
    const half = halfOf(value)
    if (half !== undefined) {
      this.#buffer[this.#at++] = 0xf9
      this.#at = this.#buffer.writeUInt16BE(half, this.#at)
    } else if (Math.fround(value) === value) {
      this.#buffer[this.#at++] = 0xfa
      this.#at = this.#buffer.writeFloatBE(value, this.#at)
    } else {
      this.#buffer[this.#at++] = 0xfb
      this.#at = this.#buffer.writeDoubleBE(value, this.#at)
    }
  }

  /** A text, which Kubernetes writes as a byte string. */
  text(value: string): void {
    const { length } = value
    if (length < 24) {
      this.#reserve(1 + length)
      const buffer = this.#buffer
      const start = this.#at
      let at = start + 1
      for (let i = 0; i < length; i++) {
        const code = value.charCodeAt(i)
        if (code > 0x7f) return this.#longText(value)
        buffer[at++] = code
      }
      buffer[start] = 0x40 | length
      this.#at = at
      return
    }
    this.#longText(value)
  }

  #longText(value: string): void {
    const length = Buffer.byteLength(value)
    this.head(2, length)
    this.#reserve(length)
    this.#buffer.write(value, this.#at, length)
    this.#at += length
  }
}

/** The 16 bits of a float, or undefined where they do not hold it. */
function halfOf(value: number): number | undefined {
  const sign = Object.is(value, -0) || value < 0 ? 0x8000 : 0
  const size = Math.abs(value)
  if (size === 0) return sign
  if (size < 2 ** -24 || size > 65_504) return undefined
  if (size < 2 ** -14) {
    const fraction = size * 2 ** 24
    return Number.isInteger(fraction) ? sign | fraction : undefined
  }
  const exponent = Math.floor(Math.log2(size))
  const fraction = size * 2 ** (10 - exponent) - 1024
  return Number.isInteger(fraction) && fraction >= 0 && fraction < 1024 ? sign | ((exponent + 15) << 10) | fraction : undefined
}
