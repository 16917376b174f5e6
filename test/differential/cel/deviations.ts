/** A difference from the reference that stays, with the reason. */
export interface CelDeviation {
  /** The expressions that it may be needed for; all when left out. */
  expression?: RegExp
  /** The difference as it is told: `cost: ours 1, theirs 2`. */
  difference: RegExp
  reason: string
}

export const deviations: readonly CelDeviation[] = [
  { difference: /theirs "panic: runtime error/, reason: 'Estimates of optional elements of dyn panic upstream.' },
  {
    difference: /^(value|error|cost): /,
    expression: /\.sortBy\(|\bdyn\(b\) in |\{dyn\(b\):/,
    reason: 'An internal error upstream: keys that fail to be made, bytes that are looked for among keys.',
  },
  {
    difference: /theirs "list elements must be comparable"$/,
    expression: /^\[null\]\.sort/,
    reason: 'Of lists of types without an order upstream finds an overload for null all the same.',
  },
  {
    difference: /^fault: ours undefined, theirs "reference to undefined type: /,
    expression: /google\.protobuf\./,
    reason: 'To upstream the names of some messages are types that it then does not find when it makes a program.',
  },
]
