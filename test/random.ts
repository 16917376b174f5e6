/** A small generator of numbers between 0 and 1, the same ones for the same seed. */
export function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

/** Choices that a fuzzer makes again and again. */
export function chooser(random: () => number) {
  const below = (limit: number) => Math.floor(random() * limit)
  const one = <T>(of: readonly T[]): T => of[below(of.length)]!
  const chance = (probability: number) => random() < probability
  return { below, one, chance, random }
}

export type Chooser = ReturnType<typeof chooser>

const oddStrings = ['', ' ', '\0', '\ud800', '𝒳', '__proto__', 'constructor', 'toString', '$patch', '$setElementOrder/containers', '$retainKeys', '../..', '%2e%2e', 'a'.repeat(300), '-1', '1e999', '0x10', '1Gi', '9'.repeat(40), 'null', '2026-01-01T00:00:00Z', '{}', '[]', '~1', '/'] // prettier-ignore
const oddNumbers = [0, -0, -1, 1.5, 1e308, 2 ** 53, -(2 ** 63), 2 ** 31, 1e-300]

/** A value that nobody would write. */
export function oddValue(c: Chooser, depth = 0): unknown {
  const kind = c.below(depth > 3 ? 5 : 8)
  if (kind === 0) return null
  if (kind === 1) return c.chance(0.5)
  if (kind === 2) return c.one(oddNumbers)
  if (kind <= 4) return c.one(oddStrings)
  if (kind === 5) return Array.from({ length: c.below(c.chance(0.02) ? 2000 : 4) }, () => oddValue(c, depth + 1))
  return Object.fromEntries(Array.from({ length: c.below(4) }, () => [c.one(oddStrings), oddValue(c, depth + 1)]))
}

/** A copy of a JSON value in which some places hold something else, are gone, doubled, or moved. */
export function mutated(value: unknown, c: Chooser, rate = 0.08): unknown {
  if (c.chance(rate)) return c.chance(0.7) ? oddValue(c) : undefined
  if (Array.isArray(value)) {
    const items = value.map((item) => mutated(item, c, rate)).filter((item) => item !== undefined)
    if (c.chance(rate) && items.length > 0) items.push(structuredClone(c.one(items)))
    return c.chance(rate / 4) ? items.reverse() : items
  }
  if (typeof value === 'object' && value !== null) {
    const fields = Object.entries(value).map(([key, field]) => [c.chance(rate / 3) ? c.one(oddStrings) : key, mutated(field, c, rate)] as const)
    if (c.chance(rate)) fields.push([c.one(oddStrings), oddValue(c)])
    return Object.fromEntries(fields.filter(([, field]) => field !== undefined))
  }
  if (typeof value === 'string' && c.chance(rate)) return mutatedText(value, c)
  return value
}

export function mutatedText(text: string, c: Chooser): string {
  const at = c.below(text.length + 1)
  switch (c.below(4)) {
    case 0:
      return text.slice(0, at)
    case 1:
      return text.slice(0, at) + c.one(oddStrings) + text.slice(at)
    case 2:
      return text.slice(0, at) + text.slice(at + 1)
    default:
      return text + text
  }
}

/** Bytes with some of them turned, cut out or repeated. */
export function mutatedBytes(bytes: Uint8Array, c: Chooser): Buffer {
  let copy: Buffer = Buffer.from(bytes)
  for (let n = 1 + c.below(6); n > 0 && copy.length > 0; n--) {
    const at = c.below(copy.length)
    switch (c.below(5)) {
      case 0:
        copy[at]! ^= 1 << c.below(8)
        break
      case 1:
        copy[at] = c.one([0, 0xff, 0x80, 0x7f])
        break
      case 2:
        copy = copy.subarray(0, at)
        break
      case 3:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(at + 1 + c.below(8))])
        break
      default:
        copy = Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - c.below(64))), copy.subarray(at)])
    }
  }
  return copy
}
