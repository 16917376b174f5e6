const replaced = (text: string) => (text.isWellFormed() ? text : text.toWellFormed())

/** Parses JSON. Throws SyntaxError. */
export const parseWellFormed = (text: string): unknown => wellFormed(JSON.parse(text), text)

/**
 * A parsed value with every half of a surrogate pair replaced by U+FFFD, as Go reads it: there is no UTF-8 for one, so that it could be neither stored nor
 * named. `text` is what was parsed: only escapes can bring one in.
 */
export function wellFormed(value: unknown, text: string): unknown {
  // most have no escape: to look for one is many times as fast as the pattern
  return text.includes('\\u') && /\\u[dD][89a-fA-F]/.test(text) ? clean(value, new Map()) : value
}

/** Nodes that YAML shares are seen to once. Where a key has to change, the object is made anew: changing the keys of a large one in place is slow. */
function clean(value: unknown, done: Map<object, unknown>): unknown {
  if (typeof value === 'string') return replaced(value)
  if (typeof value !== 'object' || value === null) return value
  const known = done.get(value)
  if (known !== undefined) return known
  if (Array.isArray(value)) {
    done.set(value, value)
    for (let i = 0; i < value.length; i++) value[i] = clean(value[i], done)
    return value
  }
  const object = value as Record<string, unknown>
  let result = object
  for (const key in object)
    if (!key.isWellFormed()) {
      result = {}
      break
    }
  done.set(value, result)
  for (const key in object) set(result, replaced(key), clean(object[key], done))
  return result
}

function set(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true })
  else object[key] = value
}
