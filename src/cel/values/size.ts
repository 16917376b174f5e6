import { Optional } from '../optional.ts'
import { List, MapValue, Opaque, type Value } from '../values.ts'

const SURROGATE = /[\ud800-\udbff]/
/** From here on looking for surrogates is quicker than counting. */
const LONG = 32

/** The number of code points. */
export function characters(text: string): number {
  // in text of one byte a character, as most is, the pattern cannot match, and is not even tried
  if (text.length > LONG && !SURROGATE.test(text)) return text.length
  let count = text.length
  for (let index = 0; index < text.length - 1; index++) {
    const unit = text.charCodeAt(index)
    if (unit >= 0xd800 && unit < 0xdc00) {
      const next = text.charCodeAt(index + 1)
      if (next >= 0xdc00 && next < 0xe000) {
        count--
        index++
      }
    }
  }
  return count
}

/** What costs are counted by: elements, characters, bytes, and 1 for what has no size (cel-go's `actualSize`). */
export function sizeOf(value: Value): number {
  if (typeof value === 'string') return characters(value)
  if (typeof value !== 'object' || value === null) return 1
  if (value instanceof List || value instanceof Uint8Array) return value.length
  if (value instanceof MapValue) return value.size
  if (value instanceof Optional) return value.value === undefined ? 1 : sizeOf(value.value)
  if (value instanceof Opaque) return value.size?.() ?? 1
  return 1
}
