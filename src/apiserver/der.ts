/** A value of DER: its tag, what is in it, and all of its bytes. */
export interface DerElement {
  tag: number
  content: Buffer
  raw: Buffer
}

/** The values that stand in `bytes`, one after the other. Throws a RangeError where one is longer than what holds it. */
export function derElements(bytes: Buffer): DerElement[] {
  const found: DerElement[] = []
  for (let at = 0; at < bytes.length;) {
    const start = at
    const tag = bytes.readUInt8(at)
    let length = bytes.readUInt8(at + 1)
    at += 2
    if (length & 0x80) {
      const size = length & 0x7f
      length = bytes.readUIntBE(at, size)
      at += size
    }
    if (at + length > bytes.length) throw new RangeError('an element is longer than what holds it')
    found.push({ tag, content: bytes.subarray(at, at + length), raw: bytes.subarray(start, at + length) })
    at += length
  }
  return found
}
