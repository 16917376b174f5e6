import { lengthDelimited } from './reader.ts'

/**
 * Writes protobuf's wire format from its end to its beginning: the length of what is inside of a message is known when its head is written, so nothing is
 * measured or copied twice. Fields are therefore given in descending order.
 *
 *     writer.string(2, 'b'); writer.string(1, 'a')   →   0a 01 61 12 01 62
 */
export class Writer {
  #buffer: Buffer
  #at: number

  constructor(size = 1024) {
    this.#buffer = Buffer.allocUnsafe(size)
    this.#at = size
  }

  /** Bytes written so far: what `enclose` is told as the place where a message ends. */
  get length(): number {
    return this.#buffer.length - this.#at
  }

  finish(): Buffer {
    return this.#buffer.subarray(this.#at)
  }

  tag(number: number, wireType: number): void {
    this.varint(number * 8 + wireType)
  }

  /** Puts a head in front of everything that was written since `length` was `end`. */
  enclose(number: number, end: number): void {
    this.varint(this.length - end)
    this.tag(number, lengthDelimited)
  }

  string(number: number, text: string): void {
    const length = Buffer.byteLength(text)
    this.#room(length)
    this.#at -= length
    this.#buffer.write(text, this.#at)
    this.varint(length)
    this.tag(number, lengthDelimited)
  }

  /** Bytes as they are. */
  raw(bytes: Uint8Array): void {
    this.#room(bytes.length)
    this.#at -= bytes.length
    this.#buffer.set(bytes, this.#at)
  }

  bytes(number: number, bytes: Uint8Array): void {
    this.raw(bytes)
    this.varint(bytes.length)
    this.tag(number, lengthDelimited)
  }

  /** A whole number; negative ones take ten bytes, as their two's complement. */
  integer(number: number, value: number): void {
    if (value >= 0 && value <= Number.MAX_SAFE_INTEGER) this.varint(value)
    else this.bigVarint(BigInt.asUintN(64, BigInt(Math.trunc(value))))
    this.tag(number, 0)
  }

  bigInteger(number: number, value: bigint): void {
    this.bigVarint(BigInt.asUintN(64, value))
    this.tag(number, 0)
  }

  boolean(number: number, value: boolean): void {
    this.varint(value ? 1 : 0)
    this.tag(number, 0)
  }

  double(number: number, value: number): void {
    this.#room(8)
    this.#at -= 8
    this.#buffer.writeDoubleLE(value, this.#at)
    this.tag(number, 1)
  }

  varint(value: number): void {
    this.#room(10)
    if (value < 0x80) {
      this.#buffer[--this.#at] = value
      return
    }
    let size = 1
    for (let rest = value; rest >= 0x80; rest = Math.floor(rest / 0x80)) size++
    let at = (this.#at -= size)
    let rest = value
    for (; size > 1; size--) {
      this.#buffer[at++] = (rest % 0x80) | 0x80
      rest = Math.floor(rest / 0x80)
    }
    this.#buffer[at] = rest
  }

  bigVarint(value: bigint): void {
    const bytes: number[] = []
    let rest = value
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    bytes.push(Number(rest))
    this.raw(Uint8Array.from(bytes))
  }

  #room(count: number): void {
    if (this.#at >= count) return
    const used = this.length
    const grown = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, used + count + 64))
    this.#buffer.copy(grown, grown.length - used, this.#at)
    this.#at = grown.length - used
    this.#buffer = grown
  }
}
