/** Keys of the store, which start with a slash, below a prefix of its own in etcd, where what keeps the store itself going stands beside them. */
export interface KeySpace {
  encode(key: string): Buffer
  /** Undefined for keys that are the store's own. */
  decode(key: Uint8Array): string | undefined
  /** All keys that start with `prefix`. */
  range(prefix: string): { key: Buffer; range_end: Buffer }
  /** Everything, the store's own keys included. */
  all: { key: Buffer; range_end: Buffer }
  /** Written where only a write of one's own tells how far a watch is. */
  sync: Buffer
  /** Holds the revision at which some server compacted last. */
  compaction: Buffer
}

const own = '/~k8ts/'

export function keySpace(prefix: string): KeySpace {
  const bytes = (key: string) => Buffer.from(prefix + key)
  const range = (start: string) => ({ key: bytes(start).length > 0 ? bytes(start) : Buffer.from([0]), range_end: endOf(bytes(start)) })
  return {
    encode: bytes,
    decode(key) {
      const text = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString()
      const inner = text.slice(prefix.length)
      return inner.startsWith(own) ? undefined : inner
    },
    range,
    all: range('/'),
    sync: bytes(`${own}sync`),
    compaction: bytes(`${own}compaction`),
  }
}

/** The first key after all that start with these bytes; a zero byte stands for no end. */
function endOf(prefix: Buffer): Buffer {
  let length = prefix.length
  while (length > 0 && prefix[length - 1] === 0xff) length--
  if (length === 0) return Buffer.from([0])
  const end = Buffer.from(prefix.subarray(0, length))
  end[length - 1]!++
  return end
}
