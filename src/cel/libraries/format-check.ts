import type { Call, Expr } from '../ast.ts'
import type { Checked } from '../checked.ts'
import { type CelType, types } from '../types.ts'
import { typeName } from '../values/names.ts'
import { FormatError, type Verb, parseFormat, verbMessages } from './format-text.ts'

const integers = ['int', 'uint'] as const
const kinds: Record<Verb, ReadonlySet<CelType['kind']>> = {
  s: new Set(['list', 'map', 'int', 'uint', 'double', 'bool', 'string', 'timestamp', 'bytes', 'duration', 'type', 'null']),
  d: new Set(integers),
  o: new Set(integers),
  b: new Set([...integers, 'bool']),
  x: new Set([...integers, 'string', 'bytes']),
  X: new Set([...integers, 'string', 'bytes']),
  // texts can name what is no number
  f: new Set(['double', 'string']),
  e: new Set(['double', 'string']),
}

/** What is wrong with one argument. */
class ArgumentError extends FormatError {
  readonly expr: Expr
  constructor(expr: Expr, message: string) {
    super(message)
    this.expr = expr
  }
}

/** Checks a literal format against the list of arguments that is written out beside it. */
export function checkFormat(checked: Checked, call: Call, report: (offset: number, message: string) => void): void {
  const { target, args } = call
  const [list] = args
  if (target?.kind !== 'literal' || typeof target.value !== 'string' || args.length !== 1 || list?.kind !== 'list') return
  const typeOf = (expr: Expr): CelType => checked.types.get(expr.id) ?? types.dyn
  const refused = (expr: Expr, verb: Verb): Expr | undefined => {
    const { kind } = typeOf(expr)
    if (kind !== 'dyn' && !kinds[verb].has(kind)) return expr
    if (verb !== 's') return undefined
    const parts = expr.kind === 'list' ? expr.elements : expr.kind === 'map' ? expr.entries.flatMap(({ key, value }) => [key, value]) : []
    for (const part of parts) {
      const found = refused(part, verb)
      if (found) return found
    }
    return undefined
  }
  let used = 0
  try {
    parseFormat(
      target.value,
      list.elements.length,
      (verb, _, index) => {
        const wrong = refused(list.elements[index]!, verb)
        if (wrong) throw new ArgumentError(wrong, `error during formatting: ${verbMessages[verb]}, was given ${typeName(typeOf(wrong))}`)
        used++
        return ''
      },
      true,
    )
  } catch (error) {
    if (!(error instanceof FormatError)) throw error
    report((error instanceof ArgumentError ? error.expr : call).offset, error.message)
    return
  }
  const given = list.elements.length
  if (given > used) report(call.offset, `too many arguments supplied to string.format (expected ${used}, got ${given})`)
}
