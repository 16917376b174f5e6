import type { StatusCause } from '#api'

/**
 * Field errors, worded as apimachinery's `field.Error` words them: clients and tests read these texts. A validator takes
 * the array it appends to, so that valid objects (the hot path) allocate nothing.
 */
export type Causes = StatusCause[]

export const required = (field: string, detail = ''): StatusCause => ({
  reason: 'FieldValueRequired',
  message: detail ? `Required value: ${detail}` : 'Required value',
  field,
})

export const invalid = (field: string, value: unknown, detail: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: detail ? `Invalid value: ${printed(value)}: ${detail}` : `Invalid value: ${printed(value)}`,
  field,
})

/** Like `invalid`, for values that say nothing, or too much, to be printed. */
export const invalidOmitted = (field: string, detail: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${detail}`,
  field,
})

/** `supported` is printed in the order given; upstream mostly gives it sorted. */
export const notSupported = (field: string, value: unknown, supported: readonly string[]): StatusCause => ({
  reason: 'FieldValueNotSupported',
  message: `Unsupported value: ${printed(value)}: supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}`,
  field,
})

export const duplicate = (field: string, value: unknown): StatusCause => ({
  reason: 'FieldValueDuplicate',
  message: `Duplicate value: ${printed(value)}`,
  field,
})

export const forbidden = (field: string, detail: string): StatusCause => ({ reason: 'FieldValueForbidden', message: `Forbidden: ${detail}`, field })

export const tooLong = (field: string, max: number): StatusCause => ({
  reason: 'FieldValueTooLong',
  message: `Too long: may not be more than ${max} bytes`,
  field,
})

export const tooMany = (field: string, actual: number, max: number): StatusCause => ({
  reason: 'FieldValueTooMany',
  message: `Too many: ${actual}: must have at most ${max} ${max === 1 ? 'item' : 'items'}`,
  field,
})

export const notFound = (field: string, value: unknown): StatusCause => ({
  reason: 'FieldValueNotFound',
  message: `Not found: ${printed(value)}`,
  field,
})

/** What the server itself did not foresee of an object. */
export const internal = (field: string, detail: string): StatusCause => ({ reason: 'InternalError', message: `Internal error: ${detail}`, field })

/** What was printed last: of a long list, each item may have a cause that shows all of it. */
let last: { value: object; text: string } | undefined

/** As Go prints it: JSON, in which what is absent is null. */
function printed(value: unknown): string {
  if (value === undefined) return 'null'
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (last?.value !== value) last = { value, text: shortened(JSON.stringify(value)) }
  return last.text
}

/** What is cut off anyway when causes are told. */
const longest = 10_000
const shortened = (text: string) => (text.length > longest ? text.slice(0, longest) : text)

/** Appends one `invalid` per message that a name check answers. */
export function invalidEach(causes: Causes, field: string, value: unknown, messages: readonly string[]): void {
  for (const message of messages) causes.push(invalid(field, value, message))
}

/** Requires `value` to be one of `supported`; an absent value is a missing one. */
export function oneOf(causes: Causes, field: string, value: string | undefined, supported: readonly string[], detail?: string): void {
  if (value === undefined || value === '') causes.push(required(field, detail))
  else if (!supported.includes(value)) causes.push(notSupported(field, value, supported))
}

/** Like `oneOf`, but an absent value is fine and an empty one is unsupported. */
export function optionalOneOf(causes: Causes, field: string, value: string | undefined, supported: readonly string[]): void {
  if (value !== undefined && !supported.includes(value)) causes.push(notSupported(field, value, supported))
}

export const notNegative = 'must be greater than or equal to 0'

export function nonNegative(causes: Causes, field: string, value: number | undefined): void {
  if (value !== undefined && value < 0) causes.push(invalid(field, value, notNegative))
}

export function positive(causes: Causes, field: string, value: number | undefined): void {
  if (value !== undefined && value <= 0) causes.push(invalid(field, value, 'must be greater than 0'))
}

/** apimachinery's ValidateImmutableField. */
export function immutable(causes: Causes, field: string, value: unknown, old: unknown): void {
  if (!same(value, old)) causes.push(invalid(field, value, 'field is immutable'))
}

/**
 * Deep equality as upstream's semantic equality sees the wire form: what is absent equals what is empty (nil and empty
 * maps, slices and strings are one).
 */
export function same(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || a === null || typeof b !== 'object' || b === null) return isEmpty(a) && isEmpty(b)
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    for (let i = 0; i < a.length; i++) if (!same(a[i], b[i])) return false
    return true
  }
  const x = a as Record<string, unknown>
  const y = b as Record<string, unknown>
  for (const key in x) if (!same(x[key], y[key])) return false
  for (const key in y) if (!(key in x) && !same(undefined, y[key])) return false
  return true
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return true
  if (typeof value !== 'object') return false
  for (const _ in value) return false
  return true
}
