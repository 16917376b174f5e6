import { RE2JS } from 're2js'
import type { Outcome } from './expression.ts'
import type { Budget } from './problems.ts'
import type { Position } from './tree.ts'

const longest = 1000
/** Instructions of the compiled program, roughly. */
const largestProgram = 20_000

/** Whether the whole of a text is matched by a pattern. RE2's engine takes time in proportion to the text, whatever the pattern. */
export type WholeMatch = (text: string) => boolean

export function compilePattern(pattern: string, at: Position, budget: Budget): Outcome<WholeMatch> {
  if (pattern.length > longest) return { ok: false, message: `a regular expression may have ${longest} characters` }
  const program = pattern.length * repetitions(pattern)
  if (program > largestProgram) return { ok: false, message: 'the regular expression repeats too much' }
  budget.spend(1 + Math.floor(program / 16), at)
  try {
    const compiled = RE2JS.compile(pattern)
    return { ok: true, value: (text) => compiled.matches(text) }
  } catch (error) {
    const around = /\(\?<?[=!]/.test(pattern) ? '; lookahead and lookbehind are not supported' : ''
    return { ok: false, message: `not a regular expression${around}: ${error instanceof Error ? error.message : String(error)}` }
  }
}

/** Counted repetitions are copies of the program, and nested ones multiply: the product bounds what compiling can cost. */
function repetitions(pattern: string): number {
  let product = 1
  for (const [, least, most] of pattern.matchAll(/\{(\d+)(?:,(\d*))?\}/g)) product *= Math.max(1, Number(most || least))
  return product
}
