import type { Expr, Literal } from './ast.ts'
import type { Checked } from './checked.ts'
import type { MacroMaker } from './parser.ts'
import type { CelType } from './types.ts'
import type { CelError, Value } from './values.ts'

/** One form of a function, with the types it takes. */
export interface Overload {
  /** As the specification or cel-go name it: `add_int64`, `string_to_int64`. */
  id: string
  /** Of a member function the first is the target's type. */
  parameters: CelType[]
  result: CelType
  member?: true
  /** Gets values that match the parameters; an error of an argument never arrives here. Fails by returning a CelError. */
  call(...args: Value[]): Value
  /** `call` takes whatever comes and says itself what it has no form for: as cel-go's operators do, whose overloads are one function. */
  unguarded?: true
  /**
   * Asked once, while an expression is planned, with those arguments that are constants: a form of `call` that is faster for them, or a CelError that
   * refuses the expression, as a pattern that does not compile.
   */
  prepare?(constants: readonly (Value | undefined)[]): ((...args: Value[]) => Value) | CelError | undefined
  /**
   * What a call costs, in the units of Kubernetes' cost limit; 1 when left out. `undecided`: the checker left several overloads, and only the values said
   * which one it is; then the first is asked.
   */
  cost?(args: readonly Value[], result: Value, undecided?: boolean): number
  /** The cost depends on the arguments alone, and the work on it: a call that would pass the limit is not begun. Others are counted when they are done. */
  foreseen?: true
  /** The bounds of the cost before any evaluation; undefined, or left out: what the estimate of standard functions says, else from 1 to 1. */
  estimate?(args: readonly EstimatedArgument[]): CallEstimate | undefined
}

/** How many elements a list or map has, characters a string, bytes; or a cost. Unsigned 64-bit integers: 2⁶⁴−1 stands for without bound. */
export interface SizeEstimate {
  min: bigint
  max: bigint
}

/** What is known of an argument before any evaluation; of a member function the target is the first. */
export interface EstimatedArgument {
  type: CelType
  size: SizeEstimate
  /** The sizes that elements of a list may have, as the schema bounds them. */
  element(): SizeEstimate
  /** The value where the source has a literal. */
  literal?: Literal['value']
}

export interface CallEstimate {
  cost: SizeEstimate
  /** Of the value that comes back, where it has a size. */
  result?: SizeEstimate
}

/** A set of functions, names and macros that an environment may have: the standard one, and one for each extension. */
export interface Library {
  name: string
  functions?: Record<string, Overload[]>
  /** Names of types and constants: `net.IP`, `math`. */
  constants?: Record<string, { type: CelType; value: Value }>
  macros?: Macro[]
  /** What the library asks of a checked expression beyond its types, as of literal arguments. */
  validate?(checked: Checked, report: (offset: number, message: string) => void): void
  /** Functions in whose arguments literal lists and maps may mix types. */
  mixedLiterals?: string[]
}

/** Rewrites a call while it is parsed. */
export interface Macro {
  name: string
  /** `e.name(…)` rather than `name(…)`. */
  member: boolean
  /** How many; `any` for a macro of any number, which is asked after those of just this number. */
  arguments: number | 'any'
  /** Returns undefined when the call is an ordinary one after all; throws a ParseIssue by `make.fail`. */
  expand(make: MacroMaker, target: Expr | undefined, args: Expr[]): Expr | undefined
}
