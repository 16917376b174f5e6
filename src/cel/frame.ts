import type { Limits, Variables } from './environment.ts'
import { CelError, type Value } from './values.ts'

/** One evaluation under way. */
export interface Frame {
  readonly variables: Variables
  /** Values of variables that were asked for, by the plan's index of the name. */
  readonly known: (Value | undefined)[]
  /** Variables of comprehensions, by the plan's index; undefined: not computed yet. */
  readonly slots: (Value | undefined)[]
  cost: number
  readonly limit: number
  readonly signal: Limits['signal']
}

/** A part of a plan. It returns errors; it throws only `exceeded` and `interrupted`, which no expression can absorb. */
export type Step = (frame: Frame) => Value

/** Ends an evaluation from within. */
class Ended {
  readonly error: CelError
  constructor(message: string) {
    this.error = new CelError(message)
  }
}

const exceeded = new Ended('operation cancelled: actual cost limit exceeded')
const interrupted = new Ended('operation interrupted')

/** Counts the cost of a step. */
export function charge(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.limit) throw exceeded
}

/** How cel-go ends where it would look up bytes among keys of other types. */
export const UNHASHABLE = 'internal error: runtime error: hash of unhashable type types.Bytes'

/** Ends the evaluation with an error that nothing absorbs, as a panic of cel-go's does. */
export function end(message: string): never {
  throw new Ended(message)
}

/** Called once for each element of a comprehension. (Kubernetes looks at each hundredth; steps can take long, and nothing else runs meanwhile here.) */
export function tick(frame: Frame): void {
  if (frame.cost > frame.limit) throw exceeded
  if (frame.signal?.aborted) throw interrupted
}

export function newFrame(variables: Variables, limits: Limits | undefined): Frame {
  return {
    variables,
    known: [],
    slots: [],
    cost: 0,
    limit: limits?.cost ?? Infinity,
    signal: limits?.signal,
  }
}

export function run(step: Step, frame: Frame): Value {
  try {
    const value = step(frame)
    return frame.cost > frame.limit ? exceeded.error : value
  } catch (error) {
    if (error instanceof Ended) return error.error
    // A text longer than a string may be, or a value nested deeper than the stack reaches.
    if (error instanceof RangeError) return new CelError(`operation cancelled: ${error.message}`)
    throw error
  }
}
