/**
 * How deep the values in a body may be nested. Upstream reads 10,000 levels; what handles objects here recurses, and an object with a
 * tenth of that is none that anybody keeps.
 */
export const maxDepth = 1000

/** Nesting beyond `maxDepth`, in the words of Go's JSON decoder. */
export class TooDeep extends SyntaxError {
  override name = 'TooDeep'
}

/** How many objects and lists there may be in a body: each takes memory that its two characters do not show. Honest ones of 3 MB have a tenth. */
const mostContainers = 400_000

/** More objects and lists than a body may have. */
export class TooMany extends SyntaxError {
  override name = 'TooMany'
}

const quote = 0x22
const backslash = 0x5c

/** Throws TooDeep for JSON that is nested too deeply, before anything that recurses sees it, and TooMany. What is no JSON passes. */
export function checkDepth(json: Uint8Array): void {
  // each level takes two characters
  if (json.length < 2 * maxDepth) return
  let depth = 0
  let containers = 0
  for (let at = 0; at < json.length; at++) {
    const byte = json[at]!
    if (byte === 0x7b || byte === 0x5b) {
      if (++containers > mostContainers) throw new TooMany(`more than ${mostContainers} objects and lists`)
      if (++depth > maxDepth) throw new TooDeep(`invalid character '${String.fromCharCode(byte)}' exceeded max depth`)
    } else if (byte === 0x7d || byte === 0x5d) depth--
    else if (byte === quote) {
      let end = json.indexOf(quote, at + 1)
      while (end > 0 && isEscaped(json, end)) end = json.indexOf(quote, end + 1)
      if (end < 0) return
      at = end
    }
  }
}

function isEscaped(json: Uint8Array, at: number): boolean {
  let before = at - 1
  while (json[before] === backslash) before--
  return (at - before) % 2 === 0
}

/** Whether a value is nested deeper than a body may be. */
export function isTooDeep(value: unknown, left = maxDepth): boolean {
  if (typeof value !== 'object' || value === null) return false
  if (left === 0) return true
  if (Array.isArray(value)) return value.some((item) => isTooDeep(item, left - 1))
  for (const key in value) if (isTooDeep((value as Record<string, unknown>)[key], left - 1)) return true
  return false
}
