import { RE2JS } from 're2js'
import { CelError } from './values.ts'

/** Patterns that come with the data are compiled again and again: the last are kept, few and short enough that no sender of them fills the memory. */
const compiled = new Map<string, RE2JS | CelError>()
const KEPT = 256
const LONGEST_KEPT = 1024

/** An RE2 pattern, which matches in linear time whatever it is; an error with Go's text where it is none. */
export function compileRegex(pattern: string): RE2JS | CelError {
  const found = compiled.get(pattern)
  if (found !== undefined) return found
  const made = compileNew(pattern)
  if (pattern.length <= LONGEST_KEPT) {
    if (compiled.size >= KEPT) compiled.clear()
    compiled.set(pattern, made)
  }
  return made
}

function compileNew(pattern: string): RE2JS | CelError {
  try {
    return RE2JS.compile(pattern)
  } catch (error) {
    // The stack of a pattern that nests deeper than it reaches.
    if (error instanceof RangeError) return new CelError(`error parsing regexp: expression nests too deeply: \`${pattern}\``)
    const { message } = error as Error
    return new CelError(message.includes(': `') ? message : `${message}: \`\``)
  }
}
