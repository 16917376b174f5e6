import type { Expr, Parsed } from './ast.ts'
import type { Library } from './library.ts'

/** Makes the parts that a macro stands for, each with an id of its own, at the place of the call. */
export interface MacroMaker {
  ident(name: string): Expr
  literal(value: boolean | bigint | string): Expr
  call(name: string, ...args: Expr[]): Expr
  member(target: Expr, name: string, ...args: Expr[]): Expr
  list(...elements: Expr[]): Expr
  /** A map with no entries. */
  map(): Expr
  select(operand: Expr, field: string, testOnly?: true): Expr
  fold(parts: { range: Expr; variable: string; second?: string; accumulator: string; init: Expr; condition: Expr; step: Expr; result: Expr }): Expr
  /** The name that accumulators have: no source can write it. */
  readonly accumulator: string
  /** Ends the expansion with an issue at the place of `at`. */
  fail(at: Expr, message: string): never
}

/** Parses an expression. Throws CompileError. */
export type Parse = (source: string, libraries: readonly Library[]) => Parsed
