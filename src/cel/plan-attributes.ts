import { listIndex } from './libraries/standard.ts'
import { goJsonName } from './json-values.ts'
import { goTypeName, show } from './values/names.ts'
import { type Frame, type Step, charge } from './frame.ts'
import { Optional, none } from './optional.ts'
import { CelError, List, MapValue, Uint, type Value } from './values.ts'

/**
 * A value and the path of selections into it, `a.b[c].?d`, as cel-go's attributes: they are resolved as one, and costs are counted by them. What a branch of
 * a conditional names directly costs nothing itself, only its selections do; a selection after a conditional is one in both branches.
 */
export type Attribute = Path | Choice

export interface Path {
  kind: 'path'
  base: Step
  qualifiers: Qualifier[]
}

export interface Choice {
  kind: 'choice'
  condition: Step
  truthy: Attribute
  falsy: Attribute
}

export interface Qualifier {
  /** A key that is known; else `by` computes it. */
  key?: Value
  by?: Step
  /** `by` is a path: what it finds is not made a value of CEL's own before it is refused. */
  found?: boolean
  /** `.?a`, `[?a]`. */
  optional?: boolean
  /** `has(…)`: says whether it is there. */
  test?: boolean
}

export const path = (base: Step): Path => ({ kind: 'path', base, qualifiers: [] })

export function qualify(attribute: Attribute, qualifier: Qualifier): void {
  if (attribute.kind === 'path') {
    attribute.qualifiers.push(qualifier)
    return
  }
  qualify(attribute.truthy, qualifier)
  qualify(attribute.falsy, qualifier)
}

const noSuchOverload = new CelError('no such overload')

/** The step that resolves an attribute, with the costs of its selections. */
export function resolve(attribute: Attribute): Step {
  if (attribute.kind === 'choice') {
    const { condition } = attribute
    const truthy = resolve(attribute.truthy)
    const falsy = resolve(attribute.falsy)
    return (frame) => {
      const value = condition(frame)
      if (value === true) return truthy(frame)
      if (value === false) return falsy(frame)
      return value instanceof CelError ? value : noSuchOverload
    }
  }
  const { base, qualifiers } = attribute
  if (qualifiers.length === 0) return base
  const keys = qualifiers.map(({ key }) => key)
  const plain = qualifiers.every(({ key, optional, test }) => key !== undefined && !optional && !test)
  if (plain && keys.every((key): key is string => typeof key === 'string')) return fieldsOf(base, keys, qualifiers)
  return (frame) => {
    const value = base(frame)
    return value instanceof CelError ? value : follow(frame, value, qualifiers)
  }
}

/** The most common path, names of fields alone. */
function fieldsOf(base: Step, names: readonly string[], qualifiers: readonly Qualifier[]): Step {
  const { length } = names
  return (frame) => {
    let value = base(frame)
    if (value instanceof CelError) return value
    if (value instanceof Optional) return follow(frame, value, qualifiers)
    for (let index = 0; index < length; index++) {
      charge(frame, 1)
      if (value instanceof MapValue) {
        const found: Value | undefined = value.get(names[index]!)
        if (found === undefined) return noSuchKey(names[index]!)
        value = found
        if (value instanceof CelError) return value
      } else return refused(value, names[index]!)
    }
    return value
  }
}

const noSuchKey = (key: Value) => new CelError(`no such key: ${show(key)}`)

function refused(value: Value, key: Value): CelError {
  if (value instanceof List) {
    const index = listIndex(key)
    return index instanceof CelError ? index : noSuchKey(key)
  }
  return noSuchKey(key)
}

function follow(frame: Frame, start: Value, qualifiers: readonly Qualifier[]): Value {
  let value: Value = start
  let optional = false
  if (value instanceof Optional) {
    if (value.value === undefined) return value
    value = value.value
    optional = true
  }
  for (const qualifier of qualifiers) {
    let key = qualifier.key
    if (key === undefined) {
      key = qualifier.by!(frame)
      if (key instanceof CelError || !isQualifier(key)) {
        if (!optional && !qualifier.optional) charge(frame, 1)
        return key instanceof CelError ? key : new CelError(`invalid qualifier type: ${(qualifier.found && goJsonName(key)) || goTypeName(key)}`)
      }
    }
    optional ||= qualifier.optional === true
    const found = select(value, key)
    if (found instanceof CelError) {
      if (!optional) charge(frame, 1)
      return found
    }
    if (optional) {
      if (found === undefined) return none
      charge(frame, 1)
      value = qualifier.test ? null : found
    } else if (qualifier.test) {
      charge(frame, 1)
      value = found !== undefined
    } else {
      charge(frame, 1)
      if (found === undefined) return missing(value, key)
      value = found
    }
  }
  return optional ? new Optional(value) : value
}

/** Whether something can be selected by a value; a value of another type is refused. */
export const isQualifier = (key: Value): boolean =>
  typeof key === 'string' || typeof key === 'bigint' || typeof key === 'boolean' || typeof key === 'number' || key instanceof Uint

/** What stands under a key; undefined where nothing does. */
function select(value: Value, key: Value): Value | undefined {
  if (value instanceof MapValue) return value.get(key)
  if (value instanceof List) {
    const index = listIndex(key)
    if (index instanceof CelError) return index
    return index >= 0 && index < value.length ? value.at(index) : undefined
  }
  return value instanceof CelError ? value : undefined
}

const missing = (value: Value, key: Value): CelError => (value instanceof List ? new CelError(`index out of bounds: ${show(key)}`) : noSuchKey(key))
