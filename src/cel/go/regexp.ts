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

/** Throws RegexpError. */
export function compileRegexp(pattern: string): Regexp {
  let compiled: RE2JS
  try {
    compiled = RE2JS.compile(pattern)
  } catch (error) {
    throw new RegexpError(error instanceof Error ? error.message : String(error))
  }
  return {
    matches: (text) => compiled.matcher(text).find(),
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
