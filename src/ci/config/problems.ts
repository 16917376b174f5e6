import type { ConfigProblem } from './compiled.ts'
import type { ConfigNode, Position } from './tree.ts'

/** What is wrong with a configuration, collected while it is read: a reader is told everything at once. */
export interface Problems {
  report(at: Position, message: string): void
  warn(at: Position, message: string): void
  /**
   * A value that does not do. Where steps are looked at although they will not run (`live` is false), the values in expressions are not
   * those that they were written for: then only what was written out counts.
   */
  value(node: ConfigNode, live: boolean, message: string): void
  /** What ends compiling, although there may be more. */
  last(at: Position, message: string): void
  readonly count: number
  /** In the order of the file, each once. */
  errors(): ConfigProblem[]
  warnings(): ConfigProblem[]
}

/** Nobody reads more. */
const most = 100

export function collectProblems(file: string): Problems {
  const errors = new Map<string, ConfigProblem>()
  const warnings = new Map<string, ConfigProblem>()
  const add = (to: Map<string, ConfigProblem>, at: Position, message: string) => {
    const key = `${at.line}:${at.column}:${message}`
    if (to.has(key)) return
    if (to.size < most) to.set(key, { file, line: at.line, column: at.column, message })
    else if (to === errors) throw new LimitExceeded(at, `more than ${most} problems; the others are not listed`)
  }
  const sorted = (from: Map<string, ConfigProblem>) => [...from.values()].toSorted((a, b) => a.line - b.line || a.column - b.column)
  return {
    report: (at, message) => add(errors, at, message),
    warn: (at, message) => add(warnings, at, message),
    value(node, live, message) {
      if (node.kind === 'scalar' && node.broken) return
      const from = node.kind === 'scalar' && node.from && node.from.line !== node.at.line ? ` (the value comes from line ${node.from.line})` : ''
      if (live || !node.derived) add(errors, node.at, message + from)
    },
    last: (at, message) => void errors.set('last', { file, line: at.line, column: at.column, message }),
    get count() {
      return errors.size
    },
    errors: () => sorted(errors),
    warnings: () => sorted(warnings),
  }
}

/** The configuration asks for more than one may: what is known so far is reported, and compiling ends. */
export class LimitExceeded extends Error {
  readonly at: Position
  constructor(at: Position, message: string) {
    super(message)
    this.at = at
  }
}

/** Bounds the work that a small file can ask for by commands that call commands. */
export interface Budget {
  spend(amount: number, at: Position): void
}

export function createBudget(amount: number): Budget {
  let left = amount
  return {
    spend(spent, at) {
      left -= spent
      if (left < 0)
        throw new LimitExceeded(
          at,
          'the configuration grows too large here: its commands, matrices and aliases expand to more than one pipeline may have',
        )
    },
  }
}

/** ` (did you mean "x"?)` when one of the names is close, or nothing. */
export function didYouMean(name: string, names: Iterable<string>): string {
  let best: string | undefined
  let least = Math.min(name.length, Math.max(1, Math.floor(name.length / 3)) + 1)
  let looked = 0
  for (const candidate of names) {
    if (++looked > 500) break
    const distance = editDistance(name.toLowerCase(), candidate.toLowerCase(), least)
    if (distance < least) {
      least = distance
      best = candidate
    }
  }
  return best === undefined ? '' : ` (did you mean "${best}"?)`
}

/** Levenshtein's distance with neighbours swapped counting as one, or `limit` when it is no less. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 40) return limit
  let before: number[] = []
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1]
      let cost = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) cost = Math.min(cost, before[j - 2]! + 1)
      next.push(cost)
    }
    before = row
    row = next
  }
  return row[b.length]!
}
