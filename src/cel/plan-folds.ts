import { type Frame, type Step, tick } from './frame.ts'
import { notIterable } from './plan-calls.ts'
import { CelError, List, MapValue } from './values.ts'
import { MutableList, MutableMap } from './values/collections.ts'

/** The parts of a comprehension, and where a frame keeps its variables. */
export interface Fold {
  range: Step
  accumulator: number
  variable: number
  second: number | undefined
  condition: Step
  step: Step
  result: Step
}

/** Goes through a list, or the keys of a map, as long as the condition holds; an error is no reason to stop, as `||` may do without it. */
export function fold({ range, accumulator, variable, second, condition, step, result }: Fold): Step {
  /** Whether the loop goes on. */
  const turn = (frame: Frame): boolean => {
    tick(frame)
    if (condition(frame) === false) return false
    frame.slots[accumulator] = step(frame)
    return true
  }
  const overList = (frame: Frame, list: List) => {
    const { slots } = frame
    for (let index = 0, { length } = list; index < length; index++) {
      if (second === undefined) slots[variable] = list.at(index)
      else {
        slots[variable] = BigInt(index)
        slots[second] = list.at(index)
      }
      if (!turn(frame)) break
    }
  }
  const overMap = (frame: Frame, map: MapValue) => {
    const { slots } = frame
    for (const key of map.keys()) {
      slots[variable] = key
      if (second !== undefined) slots[second] = map.get(key)!
      if (!turn(frame)) break
    }
  }
  return (frame) => {
    const values = range(frame)
    if (values instanceof CelError) return values
    frame.slots[accumulator] = undefined
    if (values instanceof List) overList(frame, values)
    else if (values instanceof MapValue) overMap(frame, values)
    else return notIterable(values, second !== undefined)
    const value = result(frame)
    return value instanceof MutableList || value instanceof MutableMap ? value.frozen() : value
  }
}
