/**
 * A parsed expression (the language definition of CEL, cel-spec `syntax.proto`). Macros are expanded: comprehensions stand in their place. Ids are
 * unique in an expression, from 1, in the order in which the parser makes them; `offset` counts code points of the source.
 */
export type Expr = Literal | Ident | Select | Call | ListExpr | MapExpr | StructExpr | Comprehension

interface Node {
  id: number
  offset: number
}

export interface Literal extends Node {
  kind: 'literal'
  value: null | boolean | bigint | number | string | Uint8Array | UintLiteral
}

/** A literal such as `1u`. */
export interface UintLiteral {
  uint: bigint
}

/** A name, qualified names are selections of one another. A leading dot keeps its place in the name: it means the root of all names. */
export interface Ident extends Node {
  kind: 'ident'
  name: string
}

export interface Select extends Node {
  kind: 'select'
  operand: Expr
  field: string
  /** `has(operand.field)`. */
  testOnly?: true
}

/** Operators are functions by their names in the specification: `_+_`, `_[_]`, `_?_:_`, `_?._`, `_[?_]`, `@in`, `!_`, `-_`. */
export interface Call extends Node {
  kind: 'call'
  function: string
  target?: Expr
  args: Expr[]
}

export interface ListExpr extends Node {
  kind: 'list'
  elements: Expr[]
  /** Places of elements written `?e`: left out when the optional has no value. */
  optional?: number[]
}

export interface MapExpr extends Node {
  kind: 'map'
  entries: { id: number; offset: number; key: Expr; value: Expr; optional?: true }[]
}

export interface StructExpr extends Node {
  kind: 'struct'
  name: string
  entries: { id: number; offset: number; field: string; value: Expr; optional?: true }[]
}

/** Folds `range` into `accumulator`: `init`, then for each element, while `condition` holds, `step`; the value is `result`. */
export interface Comprehension extends Node {
  kind: 'comprehension'
  range: Expr
  variable: string
  /** In comprehensions of two variables `variable` is the index or key, this the value. */
  second?: string
  accumulator: string
  init: Expr
  condition: Expr
  step: Expr
  result: Expr
}

/** A call of a macro before it was expanded, by the id of what stands in its place: for messages and for estimates of cost. */
export type MacroCalls = ReadonlyMap<number, Expr>

export interface Parsed {
  source: string
  expr: Expr
  macroCalls: MacroCalls
}
