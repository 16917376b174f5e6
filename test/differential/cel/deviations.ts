/** A difference from the reference that stays, with the reason. */
export interface CelDeviation {
  /** The expressions that it may be needed for; all when left out. */
  expression?: RegExp
  /** The difference as it is told: `cost: ours 1, theirs 2`. */
  difference: RegExp
  reason: string
}

export const deviations: readonly CelDeviation[] = [
  // faults of the reference
  { difference: /theirs "panic: runtime error/, reason: 'Estimates of optional elements of dyn panic upstream.' },
  {
    difference: /^(value|error|cost): /,
    expression: /\.sortBy\(|\bdyn\(b\) in |\{dyn\(b\):/,
    reason: 'An internal error upstream: keys that fail to be made, bytes that are looked for among keys.',
  },
  // what is decided earlier or later
  {
    difference: /^fault: ours undefined, theirs "invalid qualifier type: /,
    reason: 'A constant that cannot be an index is refused when it is used, upstream when the program is made.',
  },
  {
    difference: /^cost: ours 10000\d\d, theirs 10000\d\d$/,
    reason: 'Beyond the limit the evaluation ends with the step that passed it, upstream in the midst of it.',
  },
  {
    difference: /theirs "(no such overload|false)"$|^error: ours "no such overload", theirs undefined$/,
    expression: /^dyn\((int|1)\)\.(find|matches)\('e'\)$/,
    reason: 'Patterns that are constants are prepared upstream, and then the other argument’s type is looked at by another function.',
  },
  {
    difference: /theirs "list elements must be comparable"$/,
    expression: /^\[null\]\.sort/,
    reason: 'Of lists of types without an order upstream finds an overload for null all the same.',
  },
  // what Kubernetes' expressions have no use for
  {
    difference: /unsupported key type|^(cost|value): |theirs "\{1: \\"a\\", 1u: \\"b\\"\}"$/,
    expression: /^\{.*:|transformMapEntry\(k, v, \{v: k\}\)/,
    reason: 'Keys of maps are of the types that the language has for them and equal ones are one; upstream takes whatever Go can hash.',
  },
  { difference: /./, expression: /google\.protobuf\.\w+(\{|\.|$)/, reason: 'Messages of protobuf are not made: no object of the API is one.' },
]
