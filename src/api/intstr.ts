/** A number or a percentage such as `25%`. */
export type IntOrString = number | string

/**
 * The number that an int-or-percent means of `total`, as rolling updates and disruption budgets count; percentages
 * round as asked. Throws for a string that is no percentage, in upstream's words.
 */
export function scaledValue(value: IntOrString, total: number, round: 'up' | 'down'): number {
  if (typeof value === 'number') return value
  const percent = percentOf(value)
  if (percent === undefined) throw new Error('invalid value for IntOrString: invalid type: string is not a percentage')
  const share = (percent * total) / 100
  return round === 'up' ? Math.ceil(share) : Math.floor(share)
}

/** 25 for `25%`; undefined for anything else. */
export function percentOf(value: IntOrString): number | undefined {
  const digits = typeof value === 'string' ? /^([+-]?\d+)%$/.exec(value)?.[1] : undefined
  return digits === undefined ? undefined : Number(digits)
}

/** A port's number: itself, or what `named` knows of the name. */
export function portOf(value: IntOrString, named: (name: string) => number | undefined): number | undefined {
  return typeof value === 'number' ? value : named(value)
}
