import { type Regexp, RegexpError, compileRegexp } from '../go/regexp.ts'
import type { CallEstimate, EstimatedArgument, Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, type Value } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { sizeOf } from '../values/size.ts'
import { add, exactly, matching, multiply, regexFactor, scale, traversalFactor } from './costs.ts'

function compile(pattern: string): Regexp | CelError {
  try {
    return compileRegexp(pattern)
  } catch (error) {
    if (!(error instanceof RegexpError)) throw error
    return new CelError(`Illegal regex: ${error.message}`)
  }
}

function estimate([text, pattern]: readonly EstimatedArgument[]): CallEstimate {
  const reading = scale(add(text!.size, exactly(1)), traversalFactor)
  return { cost: multiply(reading, scale(pattern!.size, regexFactor)), result: { min: 0n, max: text!.size.max } }
}

/** A constant pattern is compiled once, and refuses the expression where it is wrong. */
function overload(id: string, more: CelType[], result: CelType, apply: (regexp: Regexp, text: string, rest: Value | undefined) => Value): Overload {
  return {
    id,
    parameters: [types.string, types.string, ...more],
    result,
    member: true,
    call: (text, pattern, rest) => {
      const regexp = compile(pattern as string)
      return regexp instanceof CelError ? regexp : apply(regexp, text as string, rest)
    },
    prepare: ([, pattern]) => {
      if (typeof pattern !== 'string') return undefined
      const regexp = compile(pattern)
      if (regexp instanceof CelError) return new CelError(regexp.message.slice('Illegal regex: '.length))
      return (text, _pattern, rest) => apply(regexp, text as string, rest)
    },
    cost: ([text, pattern]) => matching(sizeOf(text!), sizeOf(pattern!)),
    foreseen: true,
    estimate,
  }
}

const limitOf = (limit: Value | undefined): number => (limit === undefined || (limit as bigint) < 0n ? Infinity : Number(limit))

/** `kubernetes.regex`: what of a text a regular expression (RE2) matches. */
export const regex: Library = {
  name: 'kubernetes.regex',
  functions: {
    find: [overload('string_find_string', [], types.string, (regexp, text) => regexp.find(text) ?? '')],
    findAll: [
      overload('string_find_all_string', [], types.list(types.string), (regexp, text) => listOf(regexp.findAll(text))),
      overload('string_find_all_string_int', [types.int], types.list(types.string), (regexp, text, limit) =>
        listOf(regexp.findAll(text, limitOf(limit))),
      ),
    ],
  },
}
