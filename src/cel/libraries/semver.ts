import { goQuote } from '../go/quote.ts'
import type { Library, Overload } from '../library.ts'
import { type CelType, types } from '../types.ts'
import { CelError, Opaque, type Value } from '../values.ts'
import { estimates, estimatesReading, readsFirst } from './costs.ts'

export const semverType = types.opaque('kubernetes.Semver')

/** Major, minor and patch. */
type Numbers = readonly [bigint, bigint, bigint]

export class SemverValue extends Opaque {
  readonly type: CelType = semverType
  readonly numbers: Numbers
  /** Identifiers after `-`; a bigint where one is a number. */
  readonly prerelease: readonly (bigint | string)[]
  readonly build: readonly string[]

  constructor(numbers: Numbers, prerelease: readonly (bigint | string)[], build: readonly string[]) {
    super()
    this.numbers = numbers
    this.prerelease = prerelease
    this.build = build
  }

  /** What was built does not count. */
  override equals(other: Opaque): boolean {
    return other instanceof SemverValue && compare(this, other) === 0
  }

  override toString(): string {
    const part = (mark: string, identifiers: readonly unknown[]) => (identifiers.length === 0 ? '' : mark + identifiers.join('.'))
    return this.numbers.join('.') + part('-', this.prerelease) + part('+', this.build)
  }
}

/** The order of semver.org: a version before its release is less than the release. */
function compare(a: SemverValue, b: SemverValue): -1 | 0 | 1 {
  for (const [i, number] of a.numbers.entries()) if (number !== b.numbers[i]) return number > b.numbers[i]! ? 1 : -1
  const [x, y] = [a.prerelease, b.prerelease]
  if (x.length === 0 || y.length === 0) return x.length === y.length ? 0 : x.length === 0 ? 1 : -1
  for (let i = 0; i < x.length && i < y.length; i++) {
    const [p, q] = [x[i]!, y[i]!]
    if (p === q) continue
    // numbers come before words
    if (typeof p !== typeof q) return typeof p === 'bigint' ? -1 : 1
    return p > q ? 1 : -1
  }
  return x.length === y.length ? 0 : x.length < y.length ? -1 : 1
}

class SemverError extends Error {
  override name = 'SemverError'
}

const isNumeric = (text: string): boolean => /^[0-9]*$/.test(text)
const hasLeadingZeros = (text: string): boolean => text.length > 1 && text.startsWith('0')

function parse(text: string): SemverValue {
  if (text === '') throw new SemverError('Version string empty')
  const [major, minor, ...others] = text.split('.')
  if (others.length === 0) throw new SemverError('No Major.Minor.Patch elements found')
  const first = [numberOf('Major', major!), numberOf('Minor', minor!)] as const
  let rest = others.join('.')
  const plus = rest.indexOf('+')
  const build = plus < 0 ? [] : rest.slice(plus + 1).split('.')
  if (plus >= 0) rest = rest.slice(0, plus)
  const minus = rest.indexOf('-')
  const prerelease = minus < 0 ? [] : rest.slice(minus + 1).split('.')
  if (minus >= 0) rest = rest.slice(0, minus)
  const numbers = [...first, numberOf('Patch', rest)] as const
  const identifiers = prerelease.map(identifierOf)
  for (const word of build) {
    if (word === '') throw new SemverError('Build meta data is empty')
    if (!/^[0-9A-Za-z-]+$/.test(word)) throw new SemverError(`Invalid character(s) found in build meta data ${goQuote(word)}`)
  }
  return new SemverValue(numbers, identifiers, build)
}

function numberOf(part: 'Major' | 'Minor' | 'Patch', text: string): bigint {
  if (!isNumeric(text)) throw new SemverError(`Invalid character(s) found in ${part.toLowerCase()} number ${goQuote(text)}`)
  if (hasLeadingZeros(text)) throw new SemverError(`${part} number must not contain leading zeroes ${goQuote(text)}`)
  return uint64(text)
}

function uint64(text: string): bigint {
  if (text === '') throw new SemverError('strconv.ParseUint: parsing "": invalid syntax')
  if (text.length > 20 || BigInt(text) >= 2n ** 64n) throw new SemverError(`strconv.ParseUint: parsing ${goQuote(text)}: value out of range`)
  return BigInt(text)
}

function identifierOf(text: string): bigint | string {
  if (text === '') throw new SemverError('Prerelease is empty')
  if (isNumeric(text)) {
    if (hasLeadingZeros(text)) throw new SemverError(`Numeric PreRelease version must not contain leading zeroes ${goQuote(text)}`)
    return uint64(text)
  }
  if (!/^[0-9A-Za-z-]+$/.test(text)) throw new SemverError(`Invalid character(s) found in prerelease ${goQuote(text)}`)
  return text
}

/** Takes a `v` from the front, zeros from the front of numbers, and puts zeros where numbers are missing. */
function normalize(text: string): string {
  const [major, minor, ...others] = (text.startsWith('v') ? text.slice(1) : text).split('.')
  const parts = [major!, minor, others.length > 0 ? others.join('.') : undefined]
    .filter((part) => part !== undefined)
    .map((part) => (Buffer.byteLength(part) > 1 ? part.replace(/^0*/, '').replace(/^(?![0-9])/, '0') : part))
  if (parts.length < 3) {
    if (/[+-]/.test(parts.at(-1)!)) throw new SemverError('short version cannot contain PreRelease/Build meta data')
    while (parts.length < 3) parts.push('0')
  }
  return parts.join('.')
}

export function parseSemver(text: string, normalized = false): SemverValue | CelError {
  try {
    return parse(normalized ? normalize(text) : text)
  } catch (error) {
    if (!(error instanceof SemverError)) throw error
    return new CelError(error.message)
  }
}

const accessor = (id: string, index: 0 | 1 | 2): Overload[] => [
  {
    id,
    parameters: [semverType],
    result: types.int,
    member: true,
    call: (value) => BigInt.asIntN(64, (value as SemverValue).numbers[index]),
    cost: () => 1,
    estimate: estimates(1),
  },
]

const comparison = (id: string, result: CelType, of: (order: -1 | 0 | 1) => Value): Overload[] => [
  {
    id,
    parameters: [semverType, semverType],
    result,
    member: true,
    call: (a, b) => of(compare(a as SemverValue, b as SemverValue)),
    cost: () => 1,
    estimate: estimates(1),
  },
]

const parsing = (id: string, result: CelType, of: (parsed: SemverValue | CelError) => Value, more: CelType[] = []): Overload => ({
  id,
  parameters: [types.string, ...more],
  result,
  call: (text, normalized) => of(parseSemver(text as string, normalized === true)),
  cost: readsFirst(),
  estimate: estimatesReading(),
})

/** `kubernetes.Semver`: versions as semver.org has them. */
export const semver: Library = {
  name: 'kubernetes.Semver',
  functions: {
    semver: [
      parsing('string_to_semver', semverType, (parsed) => parsed),
      parsing('string_bool_to_semver', semverType, (parsed) => parsed, [types.bool]),
    ],
    isSemver: [
      parsing('is_semver_string', types.bool, (parsed) => parsed instanceof SemverValue),
      parsing('is_semver_string_bool', types.bool, (parsed) => parsed instanceof SemverValue, [types.bool]),
    ],
    isGreaterThan: comparison('semver_is_greater_than', types.bool, (order) => order === 1),
    isLessThan: comparison('semver_is_less_than', types.bool, (order) => order === -1),
    compareTo: comparison('semver_compare_to', types.int, (order) => BigInt(order)),
    major: accessor('semver_major', 0),
    minor: accessor('semver_minor', 1),
    patch: accessor('semver_patch', 2),
  },
}
