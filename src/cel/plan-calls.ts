import { goTypeName, typeName, typeOf } from './values/names.ts'
import { type Step, UNHASHABLE, charge, end } from './frame.ts'
import type { Overload } from './library.ts'
import type { CelType } from './types.ts'
import { CelError, Duration, List, MapValue, Opaque, Timestamp, TypeValue, Uint, type Value } from './values.ts'

/**
 * Functions whose costs cel-go finds by the overload that the checker decided on: where several may be meant, each call of them costs 1. Kubernetes finds the
 * costs of its own functions by their names alone.
 */
const COSTED_BY_OVERLOAD = new Set(
  'startsWith endsWith bytes string @in _<_ _<=_ _>_ _>=_ _+_ matches contains sort @sortByAssociatedKeys'.split(' '),
)

type Guard = (value: Value) => boolean

/** Whether a value is of a parameter's type, as far as values know: of a list or map the first element tells (as in cel-go). */
function guard(type: CelType): Guard {
  switch (type.kind) {
    case 'bool':
      return (value) => typeof value === 'boolean'
    case 'int':
      return (value) => typeof value === 'bigint'
    case 'double':
      return (value) => typeof value === 'number'
    case 'string':
      return (value) => typeof value === 'string'
    case 'uint':
      return (value) => value instanceof Uint
    case 'bytes':
      return (value) => value instanceof Uint8Array
    case 'timestamp':
      return (value) => value instanceof Timestamp
    case 'duration':
      return (value) => value instanceof Duration
    case 'null':
      return (value) => value === null
    case 'type':
      return (value) => value instanceof TypeValue
    case 'wrapper': {
      const of = guard(type.of)
      return (value) => value === null || of(value)
    }
    case 'list': {
      const of = guard(type.element)
      return (value) => value instanceof List && (value.length === 0 || of(value.at(0)))
    }
    case 'map':
      return mapGuard(guard(type.key), guard(type.value))
    case 'object':
      return (value) => value instanceof MapValue
    case 'opaque':
      return (value) => value instanceof Opaque && typeName(value.type) === type.name
    default:
      return () => true
  }
}

const mapGuard = (key: Guard, value: Guard) => (map: Value) => {
  if (!(map instanceof MapValue)) return false
  for (const first of map.keys()) return key(first) && value(map.get(first)!)
  return true
}

interface Form {
  overload: Overload
  call: (...args: Value[]) => Value
  guards: Guard[]
  /** `call` was made for constants: then cel-go's message names no types. */
  prepared: boolean
}

export interface CallPlan {
  name: string
  /** Those that the checker left, in order. */
  overloads: readonly Overload[]
  args: readonly Step[]
  /** Values of those arguments that are constants. */
  constants: readonly (Value | undefined)[]
}

/** A call of any function whose arguments are all evaluated first. Returns the error by which an overload refuses its constants. */
export function planCall({ name, overloads, args, constants }: CallPlan): Step | CelError {
  const forms: Form[] = []
  for (const overload of overloads) {
    const prepared = overload.prepare?.(constants)
    if (prepared instanceof CelError) return prepared
    forms.push({
      overload,
      call: prepared ?? overload.call,
      guards: overload.unguarded ? [] : overload.parameters.map(guard),
      prepared: prepared !== undefined,
    })
  }
  const [first] = forms
  if (!first) return () => new CelError(`no such overload: ${name}`)
  const single = first.overload.unguarded === true || forms.length === 1
  const apply = single ? first.call : dispatch(name, forms)
  const guarded = single && first.guards.some((_, index) => first.overload.parameters[index]!.kind !== 'parameter') ? checkedCall(name, first) : apply
  const cost = costOf(name, forms)
  if (first.overload.foreseen && cost) return foreseen(args, guarded, cost)
  if (args.length === 1) return unary(args[0]!, guarded, cost)
  if (args.length === 2) return binary(args[0]!, args[1]!, guarded, cost)
  return variadic(args, guarded, cost)
}

function costOf(name: string, forms: readonly Form[]): Cost {
  const { cost } = forms[0]!.overload
  if (forms.length === 1 || !cost) return cost
  return COSTED_BY_OVERLOAD.has(name) ? undefined : (args, result) => cost(args, result, true)
}

const noSuchOverload = (name: string, args: readonly Value[]) =>
  new CelError(`no such overload: ${name}(${args.map((arg) => typeName(typeOf(arg))).join(', ')})`)

function checkedCall(name: string, { call, guards, prepared }: Form): Form['call'] {
  const refuse = prepared ? () => new CelError('no such overload') : (args: readonly Value[]) => noSuchOverload(name, args)
  const [first, second] = guards
  if (guards.length === 1) return (a) => (first!(a!) ? call(a!) : refuse([a!]))
  if (guards.length === 2) return (a, b) => (first!(a!) && second!(b!) ? call(a!, b!) : refuse([a!, b!]))
  return (...args) => (guards.every((holds, index) => holds(args[index]!)) ? call(...args) : refuse(args))
}

/** Tries the overloads in turn by the types that the values have. */
const dispatch =
  (name: string, forms: readonly Form[]) =>
  (...args: Value[]) => {
    for (const { call, guards } of forms) {
      if (guards.length === args.length && guards.every((holds, index) => holds(args[index]!))) return call(...args)
    }
    return noSuchOverload(name, args)
  }

type Cost = Overload['cost']

/** A call whose last argument was computed counts, even where that is an error; one that ended before does not. */
function unary(argument: Step, call: Form['call'], cost: Cost): Step {
  return (frame) => {
    const value = argument(frame)
    const result = value instanceof CelError ? value : call(value)
    charge(frame, cost === undefined ? 1 : cost([value], result))
    return result
  }
}

function binary(left: Step, right: Step, call: Form['call'], cost: Cost): Step {
  return (frame) => {
    const a = left(frame)
    if (a instanceof CelError) return a
    const b = right(frame)
    const result = b instanceof CelError ? b : call(a, b)
    charge(frame, cost === undefined ? 1 : cost([a, b], result))
    return result
  }
}

function variadic(args: readonly Step[], call: Form['call'], cost: Cost): Step {
  return (frame) => {
    const values: Value[] = []
    let failed: CelError | undefined
    for (const step of args) {
      const value = step(frame)
      values.push(value)
      if (value instanceof CelError) {
        failed = value
        break
      }
    }
    const result = failed ?? call(...values)
    if (values.length === args.length) charge(frame, cost === undefined ? 1 : cost(values, result))
    return result
  }
}

/** Like the others, but what the call costs is counted before it is done. */
function foreseen(args: readonly Step[], call: Form['call'], cost: NonNullable<Cost>): Step {
  return (frame) => {
    const values: Value[] = []
    for (const step of args) {
      const value = step(frame)
      values.push(value)
      if (value instanceof CelError && values.length < args.length) return value
    }
    charge(frame, cost(values, null))
    const last = values.at(-1)!
    return last instanceof CelError ? last : call(...values)
  }
}

/** `e in [constants]`: asked of a set, at no cost. Undefined where the constants are not all simple. */
export function planMembership(element: Step, list: List): Step | undefined {
  const members = new Set<unknown>()
  for (let index = 0; index < list.length; index++) {
    const value = list.at(index)
    if (typeof value === 'number' && Number.isInteger(value)) members.add(BigInt(value))
    else if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'bigint' || typeof value === 'number') members.add(value)
    else if (value instanceof Uint) members.add(value.value)
    else return undefined
  }
  return (frame) => {
    const value = element(frame)
    switch (typeof value) {
      case 'number':
        return !Number.isNaN(value) && members.has(Number.isInteger(value) ? BigInt(value) : value)
      case 'object':
        if (value instanceof CelError) return value
        if (value instanceof Uint8Array) end(UNHASHABLE)
        return value instanceof Uint && members.has(value.value)
      default:
        return members.has(value)
    }
  }
}

export const notIterable = (range: Value, pairs: boolean): CelError =>
  new CelError(pairs ? `unsupported comprehension range type: ${goTypeName(range)}` : `got '${goTypeName(range)}', expected iterable type`)
