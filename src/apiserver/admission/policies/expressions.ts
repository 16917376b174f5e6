import type { Clock } from '#base'
import type { CelType, Environment, Limits, Program, Value, Variables } from '#cel'
import { CelError, CompileError, MapValue, printType, sameType, variablesType } from '#cel'

/** What one expression may cost, and all expressions of one kind in a policy together, in units of CEL's cost (upstream's apis/cel config). */
export const perCallLimit = 1_000_000
export const policyBudget = 10_000_000
export const matchConditionsBudget = 2_500_000

/** An expression that is ready, or what is wrong with it. */
export interface Compiled {
  expression: string
  program?: Program
  /** `compilation failed: …`, or that its type is another than asked for. */
  error?: string
}

/** `returns`: the types that the value may be of; any when absent. Says as an error what is wrong with the expression. */
export function compileExpression(environment: Environment, expression: string, returns?: readonly CelType[]): Compiled {
  let program: Program
  try {
    program = environment.compile(expression)
  } catch (error) {
    if (!(error instanceof CompileError)) throw error
    return { expression, error: `compilation failed: ${error.message}` }
  }
  if (!returns || returns.some((type) => sameType(type, program.resultType))) return { expression, program }
  const got = printType(program.resultType)
  const wanted = returns.map(printType)
  const choice = wanted.length === 1 ? wanted[0] : `one of [${wanted.join(' ')}]`
  return { expression, error: `must evaluate to ${choice} but got ${got}` }
}

/** A variable of a policy: `variables.NAME` in the expressions after it. */
export interface NamedExpression extends Compiled {
  name: string
}

/** What of a budget is left; shared by the expressions that it is for. */
export interface Budget {
  left: number
}

/** No further expressions are evaluated. */
export class OutOfBudget extends Error {
  constructor() {
    super('validation failed due to running out of cost budget, no further validation rules will be run')
  }
}

export interface Evaluated {
  value?: Value
  /** Why there is none. */
  error?: string
  /** What it took. */
  seconds: number
}

/** The names of one evaluation. Variables of the policy are computed when they are first asked for, once for all expressions of it. */
export interface Activation {
  variables: Variables
  /** Ends the evaluation that is under way, with the variables that it asks for. */
  signal?: Limits['signal']
  /** What variables have cost since this was last asked. */
  takeCost(): number
}

export function activation(inputs: Variables, named: readonly NamedExpression[]): Activation {
  let cost = 0
  const variables: Record<string, Variables[string]> = { ...inputs }
  const names: Activation = {
    variables,
    takeCost() {
      const taken = cost
      cost = 0
      return taken
    },
  }
  variables['variables'] = new LazyVariables(named, (program) => {
    const evaluated = program.evaluate(variables, { cost: perCallLimit, ...(names.signal && { signal: names.signal }) })
    cost += evaluated.cost
    return evaluated.value
  })
  return names
}

/**
 * How long one evaluation may take, in milliseconds, with the variables that it asks for: costs do not say how long it takes to compare large objects over
 * and over. Upstream ends it with its request; here nothing else runs meanwhile.
 */
const longestEvaluation = 5000

/** Throws OutOfBudget. */
export function evaluate({ expression, program, error }: Compiled, names: Activation, budget: Budget, clock: Clock): Evaluated {
  if (!program) return { error: `compilation error: ${error ?? ''}`, seconds: 0 }
  const began = clock.monotonic()
  const signal = {
    get aborted() {
      return clock.monotonic() - began > longestEvaluation
    },
  }
  names.signal = signal
  const { value, cost } = program.evaluate(names.variables, { cost: perCallLimit, signal })
  budget.left -= names.takeCost()
  const seconds = (clock.monotonic() - began) / 1000
  if (budget.left < 0 || cost > budget.left) throw new OutOfBudget()
  budget.left -= cost
  if (value instanceof CelError) return { error: `expression '${expression}' resulted in error: ${value.message}`, seconds }
  return { value, seconds }
}

class LazyVariables extends MapValue {
  override readonly type = variablesType
  readonly #named: readonly NamedExpression[]
  readonly #evaluate: (program: Program) => Value
  readonly #values = new Map<string, Value>()

  constructor(named: readonly NamedExpression[], evaluateProgram: (program: Program) => Value) {
    super()
    this.#named = named
    this.#evaluate = evaluateProgram
  }

  get size(): number {
    return this.#named.length
  }

  get(key: Value): Value | undefined {
    if (typeof key !== 'string') return undefined
    const known = this.#values.get(key)
    if (known !== undefined) return known
    // of two of one name the last one counts
    const variable = this.#named.findLast(({ name }) => name === key)
    if (!variable) return undefined
    const value = this.#compute(variable)
    this.#values.set(key, value)
    return value
  }

  keys(): Iterable<Value> {
    return this.#named.map(({ name }) => name)
  }

  #compute({ name, program, error }: NamedExpression): Value {
    const quoted = JSON.stringify(name)
    if (!program) return new CelError(`composited variable ${quoted} fails to compile: ${error ?? ''}`)
    const value = this.#evaluate(program)
    return value instanceof CelError ? new CelError(`composited variable ${quoted} fails to evaluate: ${value.message}`) : value
  }
}
