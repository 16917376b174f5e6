import { RE2JS } from 're2js'

/** Why a pattern is none, in the words of Go: `error parsing regexp: missing closing ): …`. */
export class RegexpError extends Error {
  override name = 'RegexpError'
}

/** A compiled pattern: matching takes time in proportion to the text, whatever the pattern. */
export interface Regexp {
  /** Whether it is somewhere in the text. */
  matches(text: string): boolean
  /** The first match; undefined for none. */
  find(text: string): string | undefined
  /** The matches from the left, of `limit` the first ones; none overlap, and an empty one does not follow right after another. */
  findAll(text: string, limit?: number): string[]
}

/** Patterns that come with the data are compiled again and again: the last are kept, few and short enough that no sender of them fills the memory. */
const kept = new Map<string, Regexp>()
const MOST_KEPT = 256
const LONGEST_KEPT = 1024

/** Throws RegexpError. */
export function compileRegexp(pattern: string): Regexp {
  const found = kept.get(pattern)
  if (found !== undefined) return found
  const made = compile(pattern)
  if (pattern.length <= LONGEST_KEPT) {
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(pattern, made)
  }
  return made
}

function compile(pattern: string): Regexp {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    // the stack of a pattern that nests deeper than it reaches
    if (error instanceof RangeError) throw new RegexpError(`error parsing regexp: expression nests too deeply: \`${pattern}\``)
    const message = error instanceof Error ? error.message : String(error)
    throw new RegexpError(message.includes(': `') ? message : `${message}: \`\``)
  }
  return {
    matches: (text) => compiled.test(text),
    find: (text) => {
      const matcher = compiled.matcher(text)
      return matcher.find() ? (matcher.group() ?? '') : undefined
    },
    findAll: (text, limit = Infinity) => {
      const found: string[] = []
      const matcher = compiled.matcher(text)
      let end = -1
      while (found.length < limit && matcher.find()) {
        const match = matcher.group() ?? ''
        if (match !== '' || matcher.start() !== end) found.push(match)
        end = matcher.end()
      }
      return found
    },
  }
}
