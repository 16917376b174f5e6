import { type CelType, types } from './types.ts'

/** Names of protocol buffers' own types that are types of the language. */
const wellKnown: ReadonlyMap<string, CelType> = new Map<string, CelType>([
  ['google.protobuf.BoolValue', types.wrapper(types.bool)],
  ['google.protobuf.BytesValue', types.wrapper(types.bytes)],
  ['google.protobuf.DoubleValue', types.wrapper(types.double)],
  ['google.protobuf.FloatValue', types.wrapper(types.double)],
  ['google.protobuf.Int64Value', types.wrapper(types.int)],
  ['google.protobuf.Int32Value', types.wrapper(types.int)],
  ['google.protobuf.UInt64Value', types.wrapper(types.uint)],
  ['google.protobuf.UInt32Value', types.wrapper(types.uint)],
  ['google.protobuf.StringValue', types.wrapper(types.string)],
  ['google.protobuf.Any', types.any],
  ['google.protobuf.Duration', types.duration],
  ['google.protobuf.Timestamp', types.timestamp],
  ['google.protobuf.ListValue', types.list(types.dyn)],
  ['google.protobuf.NullValue', types.null],
  ['google.protobuf.Struct', types.map(types.string, types.dyn)],
  ['google.protobuf.Value', types.dyn],
])

/** The type of an object, which for protocol buffers' own types is another than an object. */
export const objectType = (name: string): CelType => wellKnown.get(name) ?? types.object(name)

/** The name by which a literal of a well-known type is made; undefined for types that have no such name. */
export const wellKnownName = (type: CelType): string | undefined => {
  for (const [name, known] of wellKnown) {
    if (name !== 'google.protobuf.FloatValue' && !name.endsWith('Int32Value') && known.kind === type.kind && isExact(known, type, true)) return name
  }
  return undefined
}

export const isDyn = ({ kind }: CelType): boolean => kind === 'dyn' || kind === 'any'
const isDynOrError = (type: CelType): boolean => isDyn(type) || type.kind === 'error'

/** The parts of a type: of a list its element, of a map its key and value. */
export const parametersOf = (type: CelType): readonly CelType[] => {
  switch (type.kind) {
    case 'list':
      return [type.element]
    case 'map':
      return [type.key, type.value]
    case 'opaque':
      return type.parameters
    case 'type':
      return type.of ? [type.of] : []
    default:
      return []
  }
}

const nameOf = (type: CelType): string | undefined => ('name' in type ? type.name : undefined)
const unwrap = (type: CelType): CelType => (type.kind === 'wrapper' ? type.of : type)

/** Whether two types are the same, where a wrapper is the same as what it wraps, unless `wrappersDiffer`. */
export const isExact = (left: CelType, right: CelType, wrappersDiffer = false): boolean => {
  if (left === right) return true
  const [a, b] = wrappersDiffer && (left.kind === 'wrapper') !== (right.kind === 'wrapper') ? [left, right] : [unwrap(left), unwrap(right)]
  if (a.kind !== b.kind || nameOf(a) !== nameOf(b)) return false
  const [first, second] = [parametersOf(a), parametersOf(b)]
  return first.length === second.length && first.every((type, index) => isExact(type, second[index]!))
}

/** Whether the left type says no more than the right: `dyn` and parameters say the least. */
const isEqualOrLessSpecific = (left: CelType, right: CelType): boolean => {
  if (left === right) return true
  if (isDyn(left) || left.kind === 'parameter') return true
  if (isDyn(right) || right.kind === 'parameter') return false
  const [a, b] = [unwrap(left), unwrap(right)]
  if (a.kind !== b.kind) return false
  if (a.kind === 'type') return true
  if (a.kind !== 'list' && a.kind !== 'map' && a.kind !== 'opaque') return isExact(a, b)
  const [first, second] = [parametersOf(a), parametersOf(b)]
  return nameOf(a) === nameOf(b) && first.length === second.length && first.every((type, index) => isEqualOrLessSpecific(type, second[index]!))
}

/** The more general of two types that unify. */
export const mostGeneral = (left: CelType, right: CelType): CelType => (isEqualOrLessSpecific(left, right) ? left : right)

const isNullable = ({ kind }: CelType): boolean =>
  kind === 'opaque' || kind === 'object' || kind === 'any' || kind === 'duration' || kind === 'timestamp' || kind === 'wrapper' || kind === 'null'

/**
 * A type with each of its parameters replaced, where there is something to put in its place. Parts that stay the same are shared. `count` is called for
 * each part.
 */
export const replaceParameters = (type: CelType, replace: (parameter: CelType & { kind: 'parameter' }) => CelType, count?: () => void): CelType => {
  count?.()
  switch (type.kind) {
    case 'parameter':
      return replace(type)
    case 'list': {
      const element = replaceParameters(type.element, replace, count)
      return element === type.element ? type : types.list(element)
    }
    case 'map': {
      const [key, value] = [replaceParameters(type.key, replace, count), replaceParameters(type.value, replace, count)]
      return key === type.key && value === type.value ? type : types.map(key, value)
    }
    case 'opaque': {
      const parameters = type.parameters.map((part) => replaceParameters(part, replace, count))
      return parameters.every((part, index) => part === type.parameters[index]) ? type : types.opaque(type.name, ...parameters)
    }
    case 'type': {
      if (!type.of) return type
      const of = replaceParameters(type.of, replace, count)
      return of === type.of ? type : types.type(of)
    }
    default:
      return type
  }
}

/** Steps that finding the types of an expression may take, and parts that a type may have whose parameters are replaced. */
const mostSteps = 10_000_000
const largestResolved = 16_384

/** Types grow with the power of the depth of expressions; this says that they are too large to go on. */
export class TypesTooLarge extends Error {
  constructor() {
    super('types of the expression are too large')
  }
}

/** What the parameters of types stand for, as far as the checker knows. Its functions throw TypesTooLarge. */
export interface Unifier {
  /** A parameter that stands for nothing yet. */
  fresh(): CelType
  /** Whether values of the left types may stand where the right ones are asked for; if so, parameters stand for what that takes. */
  assignable(left: readonly CelType[], right: readonly CelType[]): boolean
  /** The type with its parameters replaced by what they stand for; those that stand for nothing are `dyn` if `final`. */
  resolve(type: CelType, final?: boolean): CelType
}

export const newUnifier = (): Unifier => {
  const bindings = new Map<string, CelType>()
  /** What to put back when the types do not fit after all. */
  const journal: [name: string, before: CelType | undefined][] = []
  let count = 0
  let steps = 0
  let resolved = 0

  const step = (): void => {
    if (++steps > mostSteps) throw new TypesTooLarge()
  }
  const bind = (parameter: CelType & { kind: 'parameter' }, type: CelType): void => {
    journal.push([parameter.name, bindings.get(parameter.name)])
    bindings.set(parameter.name, type)
  }
  const rollBack = (): void => {
    for (const [name, before] of journal.reverse()) {
      if (before) bindings.set(name, before)
      else bindings.delete(name)
    }
  }

  /** Whether a parameter is nowhere in a type: otherwise it would stand for something that has itself in it. */
  const isFreeOf = (type: CelType, parameter: CelType & { kind: 'parameter' }): boolean => {
    step()
    if (type.kind === 'parameter') {
      if (type.name === parameter.name) return false
      const bound = bindings.get(type.name)
      return !bound || isFreeOf(bound, parameter)
    }
    return parametersOf(type).every((part) => isFreeOf(part, parameter))
  }

  /** Whether a parameter may stand for a type; `bound` when it already stands for something. */
  const mayStandFor = (type: CelType, parameter: CelType & { kind: 'parameter' }): { valid: boolean; bound: boolean } => {
    if (isExact(type, parameter)) return { valid: true, bound: true }
    const bound = bindings.get(parameter.name)
    if (!bound) {
      if (!isFreeOf(type, parameter)) return { valid: false, bound: false }
      bind(parameter, type)
      return { valid: true, bound: false }
    }
    if (isExact(type, bound)) return { valid: true, bound: true }
    if (!fits(type, bound)) return { valid: false, bound: true }
    const general = mostGeneral(type, bound)
    if (isFreeOf(general, parameter)) bind(parameter, general)
    return { valid: true, bound: true }
  }

  const fits = (left: CelType, right: CelType): boolean => {
    step()
    if (left === right) return true
    if (right.kind === 'parameter') {
      const { valid, bound } = mayStandFor(left, right)
      if (valid || bound) return valid
    }
    if (left.kind === 'parameter') return mayStandFor(right, left).valid
    if (isDynOrError(left) || isDynOrError(right)) return true
    if (left.kind === 'null') return isNullable(right)
    if (right.kind === 'null') return isNullable(left)
    const [a, b] = [unwrap(left), unwrap(right)]
    if (a.kind !== b.kind) return false
    switch (a.kind) {
      case 'type':
        return true
      case 'list':
      case 'map':
      case 'opaque':
        return nameOf(a) === nameOf(b) && allFit(parametersOf(a), parametersOf(b))
      default:
        return nameOf(a) === nameOf(b)
    }
  }
  const allFit = (left: readonly CelType[], right: readonly CelType[]): boolean =>
    left.length === right.length && left.every((type, index) => fits(type, right[index]!))

  const part = (): void => {
    step()
    if (++resolved > largestResolved) throw new TypesTooLarge()
  }
  const resolvePart = (type: CelType, final: boolean): CelType =>
    replaceParameters(
      type,
      (parameter) => {
        const bound = bindings.get(parameter.name)
        if (bound) return resolvePart(bound, final)
        return final ? types.dyn : parameter
      },
      part,
    )

  return {
    fresh: () => types.parameter(`_var${count++}`),
    assignable(left, right) {
      const fit = allFit(left, right)
      if (!fit) rollBack()
      journal.length = 0
      return fit
    },
    resolve(type, final = false) {
      resolved = 0
      return resolvePart(type, final)
    },
  }
}
