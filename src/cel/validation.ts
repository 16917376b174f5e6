import type { Expr } from './ast.ts'
import type { Checked } from './checked.ts'
import type { Library, Overload } from './library.ts'
import { compileRegex } from './regex.ts'
import { newIssues, newSource } from './source.ts'
import { describeType } from './type-text.ts'
import { type CelType, types } from './types.ts'
import { isExact } from './unification.ts'
import { CelError, Uint, type Value } from './values.ts'

/** A conversion of a literal that fails is a fault of the expression, and so is a pattern that is none. */
const convertible = new Set(['duration', 'timestamp'])

/**
 * What Kubernetes asks of an expression beyond its types (cel-go's AST validators): literal durations, timestamps and patterns are valid; lists and maps
 * that are written out have elements of one type, also where the checker could take them for `dyn`; and what libraries ask. Throws CompileError.
 */
export const validate = (checked: Checked, functions: ReadonlyMap<string, readonly Overload[]>, libraries: readonly Library[]): void => {
  const source = newSource(checked.source)
  const issues = newIssues(source)
  const mixed = new Set(libraries.flatMap(({ mixedLiterals }) => mixedLiterals ?? []))
  const typeOf = (e: Expr): CelType => checked.types.get(e.id) ?? types.dyn

  const convert = (e: Expr & { kind: 'call' }): void => {
    const [argument] = e.args
    if (argument?.kind !== 'literal') return
    const reference = checked.references.get(e.id)
    const overload = functions.get(e.function)?.find(({ id }) => reference?.kind === 'function' && reference.overloads.includes(id))
    if (overload?.call(literalValue(argument.value)) instanceof CelError) issues.report(argument.offset, `invalid ${e.function} argument`)
  }
  const matches = ({ args: [pattern] }: Expr & { kind: 'call' }): void => {
    if (pattern?.kind !== 'literal' || typeof pattern.value !== 'string') return
    if (compileRegex(pattern.value) instanceof CelError) issues.report(pattern.offset, 'invalid matches argument')
  }
  /** Reports the first of some parts whose type is not that of the parts before. */
  const homogeneous = (parts: { expr: Expr; optional: boolean }[], each: boolean): void => {
    const [first, ...rest] = parts.map(({ expr, optional }) => ({ expr, type: optional ? heldBy(typeOf(expr)) : typeOf(expr) }))
    const differing = rest.filter(({ type }) => !isExact(first!.type, type))
    for (const { expr, type } of each ? differing : differing.slice(0, 1)) {
      issues.report(expr.offset, `expected type '${describeType(first!.type)}' but found '${describeType(type)}'`)
    }
  }

  const visit = (e: Expr, mayMix: boolean): void => {
    if (e.kind === 'call') {
      if (convertible.has(e.function)) convert(e)
      else if (e.function === 'matches') matches(e)
    } else if (e.kind === 'list' && !mayMix) {
      const optional = new Set(e.optional)
      homogeneous(
        e.elements.map((expr, index) => ({ expr, optional: optional.has(index) })),
        false,
      )
    } else if (e.kind === 'map' && !mayMix) {
      homogeneous(
        e.entries.map(({ key }) => ({ expr: key, optional: false })),
        true,
      )
      homogeneous(
        e.entries.map(({ value, optional }) => ({ expr: value, optional: optional ?? false })),
        true,
      )
    }
    const mixes = mayMix || (e.kind === 'call' && mixed.has(e.function))
    for (const part of partsOf(e)) visit(part, mixes)
  }
  visit(checked.expr, false)
  for (const library of libraries) library.validate?.(checked, issues.report)
  issues.throwIfAny()
}

const heldBy = (type: CelType): CelType => (type.kind === 'opaque' && type.name === 'optional_type' ? type.parameters[0]! : type)

const literalValue = (value: (Expr & { kind: 'literal' })['value']): Value =>
  value !== null && typeof value === 'object' && 'uint' in value ? new Uint(value.uint) : value

/** The expressions that an expression is made of, in the order in which they are written. */
export const partsOf = (e: Expr): readonly Expr[] => {
  switch (e.kind) {
    case 'select':
      return [e.operand]
    case 'call':
      return e.target ? [e.target, ...e.args] : e.args
    case 'list':
      return e.elements
    case 'map':
      return e.entries.flatMap(({ key, value }) => [key, value])
    case 'struct':
      return e.entries.map(({ value }) => value)
    case 'comprehension':
      return [e.range, e.init, e.condition, e.step, e.result]
    default:
      return []
  }
}
