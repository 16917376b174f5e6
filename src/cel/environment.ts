import type { Checked } from './checked.ts'
import type { Library } from './library.ts'
import type { CelType, TypeProvider } from './types.ts'
import type { Value } from './values.ts'

export interface EnvironmentOptions {
  libraries: readonly Library[]
  variables: Readonly<Record<string, CelType>>
  types?: TypeProvider
  /** Namespace in which names are looked up first. */
  container?: string
  /**
   * As Kubernetes compiles: literal lists and maps have elements of one type, literal durations, timestamps and patterns are valid. Otherwise as the
   * language definition has it. True when left out.
   */
  strict?: boolean
}

/** What may be said in an expression, and by which names. Made once, shared by all expressions of a kind. */
export interface Environment {
  /** Parses and checks. Throws CompileError with all that is wrong. */
  compile(source: string): Program
  /** The same environment with more variables or libraries. */
  extend(more: Partial<EnvironmentOptions>): Environment
}

export interface Program {
  readonly source: string
  /** For what is said of it without evaluating it, as its cost is estimated. */
  readonly checked: Checked
  readonly resultType: CelType
  /** Whether the value of a name can matter to the result. */
  readonly mentions: ReadonlySet<string>
  evaluate(variables: Variables, limits?: Limits): Evaluation
}

/** Names' values; a function is asked when the value is first needed, at most once an evaluation. Values must be of the declared types. */
export type Variables = Readonly<Record<string, Value | (() => Value)>>

export interface Limits {
  /** In units of Kubernetes' cost; beyond it the evaluation ends with an error. */
  cost?: number
  /** Ends the evaluation between the steps of a comprehension; asked at each, so that it may also be a look at a clock. */
  signal?: Pick<AbortSignal, 'aborted'>
}

export interface Evaluation {
  /** A CelError when the evaluation failed. */
  value: Value
  cost: number
}

/** A fault of the source. `line` counts from 1, `column` from 0, as in cel-go. */
export interface Issue {
  line: number
  column: number
  message: string
}

/** `message` is the text of cel-go: a line for each issue, with the line of source and a mark below. */
export class CompileError extends Error {
  readonly issues: readonly Issue[]
  constructor(message: string, issues: readonly Issue[]) {
    super(message)
    this.issues = issues
  }
}
