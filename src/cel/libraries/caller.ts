import type { Library, Overload } from '../library.ts'
import type { Value } from '../values.ts'

export interface Caller {
  (id: string, ...args: Value[]): Value
  /** What the call costs. */
  cost(id: string, ...args: Value[]): number
}

/** Calls overloads by their ids, as the plan of an expression does that needs one; for tests of libraries by themselves. */
export function caller(...libraries: Library[]): Caller {
  const overloads = new Map<string, Overload>()
  for (const { functions } of libraries) for (const overload of Object.values(functions ?? {}).flat()) overloads.set(overload.id, overload)
  const of = (id: string): Overload => {
    const overload = overloads.get(id)
    if (!overload) throw new Error(`no overload ${id}`)
    return overload
  }
  return Object.assign((id: string, ...args: Value[]) => of(id).call(...args), {
    cost: (id: string, ...args: Value[]) => of(id).cost?.(args, of(id).call(...args)) ?? 1,
  })
}
