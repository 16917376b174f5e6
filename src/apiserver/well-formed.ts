const replaced = (text: string) => (text.isWellFormed() ? text : text.toWellFormed())

/** Parses JSON. Throws SyntaxError. */
export const parseWellFormed = (text: string): unknown => wellFormed(JSON.parse(text), text)

/**
 * A parsed value with every half of a surrogate pair replaced by U+FFFD, as Go reads it: there is no UTF-8 for one, so that it could be neither stored nor
 * named. `text` is what was parsed: only escapes can bring one in.
 */
export function wellFormed(value: unknown, text: string): unknown {
  return /\\u[dD][89a-fA-F]/.test(text) ? clean(value, new Set()) : value
}

/** In place; nodes that YAML shares are seen to once. */
function clean(value: unknown, done: Set<object>): unknown {
  if (typeof value === 'string') return replaced(value)
  if (typeof value !== 'object' || value === null || done.has(value)) return value
  done.add(value)
  if (Array.isArray(value)) for (let i = 0; i < value.length; i++) value[i] = clean(value[i], done)
  else
    for (const [key, child] of Object.entries(value)) {
      const own = replaced(key)
      if (own !== key) delete (value as Record<string, unknown>)[key]
      Object.defineProperty(value, own, { value: clean(child, done), enumerable: true, configurable: true, writable: true })
    }
  return value
}
