/** Of each, no more are told (upstream's bound): a path can be long, and there can be many. */
export const mostFieldProblems = 100

/**
 * Paths of keys that an object has twice, e.g. `spec.replicas`, each path once and the first 100; JSON.parse keeps the last one silently. `text` is valid
 * JSON (parse it first). Only strict field validation asks.
 */
export function findDuplicateFields(text: string): string[] {
  const duplicates = new Set<string>()
  // One frame for each open object or array; `key` is the member at hand.
  const frames: { keys: Set<string> | undefined; key: string | number }[] = []
  let expectsKey = false
  for (let at = 0; at < text.length; at++) {
    const frame = frames.at(-1)
    switch (text[at]) {
      case '"': {
        const end = endOfString(text, at)
        if (expectsKey && frame?.keys) {
          const key = JSON.parse(text.slice(at, end + 1)) as string
          frame.key = key
          if (frame.keys.has(key)) duplicates.add(pathOf(frames))
          if (duplicates.size >= mostFieldProblems) return [...duplicates]
          frame.keys.add(key)
          expectsKey = false
        }
        at = end
        break
      }
      case '{':
        frames.push({ keys: new Set(), key: '' })
        expectsKey = true
        break
      case '[':
        frames.push({ keys: undefined, key: 0 })
        expectsKey = false
        break
      case '}':
      case ']':
        frames.pop()
        break
      case ',':
        if (typeof frame?.key === 'number') frame.key++
        else expectsKey = true
        break
      default:
    }
  }
  return [...duplicates]
}

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (isEscaped(text, end)) end = text.indexOf('"', end + 1)
  return end
}

function isEscaped(text: string, at: number): boolean {
  let backslashes = 0
  while (text[at - 1 - backslashes] === '\\') backslashes++
  return backslashes % 2 === 1
}

function pathOf(frames: { key: string | number }[]): string {
  let out = ''
  for (const { key } of frames) out += typeof key === 'number' ? `[${key}]` : out === '' ? key : `.${key}`
  return out
}

/** What strict field validation has to say, one sentence each, as in Warning headers and in `strict decoding error: …`. */
export function fieldProblems(unknownFields: readonly string[], duplicateFields: readonly string[]): string[] {
  return [...duplicateFields.map((f) => `duplicate field ${JSON.stringify(f)}`), ...unknownFields.map((f) => `unknown field ${JSON.stringify(f)}`)]
}
