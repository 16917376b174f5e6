/** A difference from the reference that stays, with the reason. */
export interface CelDeviation {
  /** Of the topics' expressions. */
  expression?: RegExp
  /** Of the difference as it is told: `cost: ours 1, theirs 2`. */
  difference: RegExp
  reason: string
}

export const deviations: readonly CelDeviation[] = []
