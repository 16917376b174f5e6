import type { Expr, MacroCalls } from './ast.ts'
import type { Overload } from './library.ts'
import type { Evaluation, Limits, Variables } from './environment.ts'
import type { CelType, TypeProvider } from './types.ts'
import type { Value } from './values.ts'

/** What a name or a call stands for. */
export type Reference =
  /** A variable, by its full name; a leading dot says that it is the environment's and not one of a comprehension's of the same name. */
  | { kind: 'variable'; name: string }
  /** A name whose value is known: a type, a constant of a library. */
  | { kind: 'constant'; name: string; value: Value }
  /** The overloads that a call may mean, in the order in which they are declared; which it is the values say. */
  | { kind: 'function'; overloads: readonly string[] }

/**
 * An expression whose names are resolved and whose types are known. In `expr` a qualified name that is one (`net.IP`, `a.b` declared as a variable) is
 * an Ident of the full name, functions of a namespace (`optional.of(x)`) are calls without a target, and struct literals have the full name of their
 * type.
 */
export interface Checked {
  source: string
  expr: Expr
  /** By the id of an expression. */
  types: ReadonlyMap<number, CelType>
  /** By the id of an ident or of a call; field selections have none, struct literals have the name of their type. */
  references: ReadonlyMap<number, Reference>
  /** The variables of the environment that it names. */
  mentions: ReadonlySet<string>
  macroCalls: MacroCalls
}

/** What an environment gives to its plans. */
export interface PlanScope {
  /** All overloads of a function, by its full name, in the order in which they are declared. */
  functions: ReadonlyMap<string, readonly Overload[]>
  types?: TypeProvider
}

/** Makes an evaluation of a checked expression. Throws CompileError where an overload refuses its constants. */
export type Plan = (checked: Checked, scope: PlanScope) => (variables: Variables, limits?: Limits) => Evaluation
