import type { Call, Comprehension, Expr, ListExpr, Literal, MapExpr, Parsed, Select, StructExpr } from './ast.ts'
import type { Checked, Reference } from './checked.ts'
import type { Overload } from './library.ts'
import { newIssues, newSource } from './source.ts'
import { describeType } from './type-text.ts'
import { type CelType, type TypeProvider, types } from './types.ts'
import { TypesTooLarge, isDyn, isExact, mostGeneral, newUnifier, objectType, parametersOf, replaceParameters, wellKnownName } from './unification.ts'
import { TypeValue, type Value } from './values.ts'

/** The names that expressions may use. */
export interface Declarations {
  variables: Readonly<Record<string, CelType>>
  constants: ReadonlyMap<string, { type: CelType; value: Value }>
  functions: ReadonlyMap<string, readonly Overload[]>
  types?: TypeProvider
  container: string
  /** Whether the elements of a literal list, and the keys and values of a literal map, must be of one type; otherwise they are `dyn` then. */
  homogeneous: boolean
}

/** Parts of a type; one of more is refused, since types may grow with the power of the depth of expressions. */
const largestType = 4096

interface Resolved {
  /** Whether it is a variable of the environment. */
  outer?: true
  name: string
  type: CelType
  value?: Value
}

/** Resolves the names of an expression and finds its types, as cel-go's checker does and with its messages. Throws CompileError. */
export const check = ({ source: text, expr, macroCalls }: Parsed, declarations: Declarations): Checked => {
  const source = newSource(text)
  const issues = newIssues(source)
  const found = new Map<number, CelType>()
  const references = new Map<number, Reference>()
  const mentions = new Set<string>()
  const unifier = newUnifier()
  const { container } = declarations
  /** Variables of comprehensions, the innermost last. */
  const scopes: Map<string, CelType>[] = []
  const sizes = new WeakMap<CelType, number>()

  const sizeOf = (type: CelType): number => {
    const parts = parametersOf(type)
    if (parts.length === 0) return 1
    const known = sizes.get(type)
    if (known !== undefined) return known
    const size = parts.reduce((sum, part) => sum + sizeOf(part), 1)
    sizes.set(type, size)
    return size
  }
  const setType = (e: Expr, type: CelType): void => {
    if (sizeOf(type) <= largestType) {
      found.set(e.id, type)
      return
    }
    issues.report(e.offset, `type of the expression has more than ${largestType} parts`)
    found.set(e.id, types.error)
  }
  const typeOf = (e: Expr): CelType => found.get(e.id) ?? types.error
  const assignable = (left: CelType, right: CelType): boolean => unifier.assignable([left], [right])
  const mismatch = (at: { offset: number }, expected: CelType, actual: CelType): void =>
    issues.report(at.offset, `expected type '${describeType(expected)}' but found '${describeType(actual)}'`)
  const undeclared = (e: Expr, name: string): void => {
    issues.report(e.offset, `undeclared reference to '${name}' (in container '${container}')`)
    setType(e, types.error)
  }

  /** The full names that a name may mean, the nearest first. */
  const candidates = (name: string): string[] => {
    if (name.startsWith('.')) return [name.slice(1)]
    const names: string[] = []
    for (let space = container; space !== ''; space = space.slice(0, Math.max(space.lastIndexOf('.'), 0))) names.push(`${space}.${name}`)
    return [...names, name]
  }
  const local = (name: string): CelType | undefined => scopes.findLast((scope) => scope.has(name))?.get(name)
  const global = (name: string): Resolved | undefined => {
    if (Object.hasOwn(declarations.variables, name)) return { outer: true, name, type: declarations.variables[name]! }
    const constant = declarations.constants.get(name)
    if (constant) return { name, ...constant }
    const type = declaredType(name)
    return type && { name, type: types.type(type), value: new TypeValue(type) }
  }
  const declaredType = (name: string): CelType | undefined => {
    const constant = declarations.constants.get(name)
    if (constant?.type.kind === 'type' && constant.type.of) return constant.type.of
    return declarations.types?.has(name) ? objectType(name) : undefined
  }
  /** What a name, or names with dots between, stand for; undefined where fields are selected of something. */
  const resolve = (name: string): Resolved | undefined => {
    const [first] = name.split('.', 1)
    const shadow = name.startsWith('.') ? local(name.slice(1).split('.', 1)[0]!) : local(first!)
    if (shadow && !name.startsWith('.')) return first === name ? { name, type: shadow } : undefined
    for (const candidate of candidates(name)) {
      const meant = global(candidate)
      if (meant) return shadow ? { ...meant, name: `.${meant.name}` } : meant
    }
    return undefined
  }
  const functionOf = (name: string): { name: string; overloads: readonly Overload[] } | undefined => {
    for (const candidate of candidates(name)) {
      const overloads = declarations.functions.get(candidate)
      if (overloads) return { name: candidate, overloads }
    }
    return undefined
  }

  const named = (e: Expr, { name, type, value, outer }: Resolved): Expr => {
    if (outer) mentions.add(name.replace(/^\./, ''))
    setType(e, type)
    references.set(e.id, value === undefined ? { kind: 'variable', name } : { kind: 'constant', name, value })
    return { kind: 'ident', id: e.id, offset: e.offset, name }
  }

  let place = 0
  const checkExpr = (e: Expr): Expr => {
    place = e.offset
    switch (e.kind) {
      case 'literal':
        setType(e, literalType(e.value))
        return e
      case 'ident': {
        const meant = resolve(e.name)
        if (meant) return named(e, meant)
        undeclared(e, e.name)
        return e
      }
      case 'select':
        return checkSelect(e)
      case 'call':
        return e.function === '_?._' ? checkOptionalSelect(e) : checkCall(e)
      case 'list':
        return checkList(e)
      case 'map':
        return checkMap(e)
      case 'struct':
        return checkStruct(e)
      case 'comprehension':
        return checkComprehension(e)
      default:
        throw new Error(e satisfies never)
    }
  }

  const checkSelect = (e: Select): Expr => {
    const name = qualifiedName(e)
    const meant = name === undefined ? undefined : resolve(name)
    if (meant) return named(e, meant)
    const operand = checkExpr(e.operand)
    const result = fieldType(e, operand, e.field, false)
    setType(e, e.testOnly ? types.bool : unifier.resolve(result))
    return { ...e, operand }
  }

  const checkOptionalSelect = (e: Call): Expr => {
    const [target, field] = e.args
    if (e.args.length !== 2 || e.target || field!.kind !== 'literal' || typeof field!.value !== 'string') {
      issues.report(e.offset, `unsupported optional field selection: incorrect signature. argument count: ${e.args.length}`)
      setType(e, types.error)
      return e
    }
    const operand = checkExpr(target!)
    setType(e, unifier.resolve(fieldType(e, operand, field!.value, true)))
    setType(field!, types.string)
    references.set(e.id, { kind: 'function', overloads: ['select_optional_field'] })
    return { ...e, args: [operand, field!] }
  }

  const fieldType = (e: Expr, operand: Expr, field: string, optional: boolean): CelType => {
    const operandType = unifier.resolve(typeOf(operand))
    const held = heldByOptional(operandType)
    const target = held ?? operandType
    const object = objectName(target)
    let result: CelType = types.error
    if (target.kind === 'map') result = target.value
    else if (object !== undefined) result = declaredField(e.offset, object, field) ?? types.error
    else if (target.kind === 'parameter') {
      assignable(types.dyn, target)
      result = types.dyn
    } else {
      if (!isDyn(target) && target.kind !== 'error') issues.report(e.offset, `type '${describeType(target)}' does not support field selection`)
      result = types.dyn
    }
    return held || optional ? types.optional(result) : result
  }

  const declaredField = (offset: number, type: string, field: string): CelType | undefined => {
    if (!declarations.types?.has(type)) {
      issues.report(offset, `unexpected failed resolution of '${type}'`)
      return undefined
    }
    const declared = declarations.types.field(type, field)
    if (!declared) issues.report(offset, `undefined field '${field}'`)
    return declared?.kind === 'object' ? objectType(declared.name) : declared
  }

  const checkCall = (e: Call): Expr => {
    const args = e.args.map(checkExpr)
    if (!e.target) {
      const declared = functionOf(e.function)
      if (!declared) {
        undeclared(e, e.function)
        return { ...e, args }
      }
      const call: Call = { ...e, function: declared.name, args }
      resolveOverload(call, declared)
      return call
    }
    // a.b.c() is a function of the name a.b.c, if there is one, or else c() of a.b.
    const space = qualifiedName(e.target)
    const inSpace = space === undefined ? undefined : functionOf(`${space}.${e.function}`)
    if (inSpace) {
      const call: Call = { kind: 'call', id: e.id, offset: e.offset, function: inSpace.name, args }
      resolveOverload(call, inSpace)
      return call
    }
    const call: Call = { ...e, target: checkExpr(e.target), args }
    const declared = functionOf(e.function)
    if (declared) resolveOverload(call, declared)
    else undeclared(e, e.function)
    return call
  }

  const resolveOverload = (call: Call, { name, overloads }: { name: string; overloads: readonly Overload[] }): void => {
    const given = [...(call.target ? [call.target] : []), ...call.args]
    const givenTypes = given.map(typeOf)
    const member = call.target !== undefined
    const fitting: string[] = []
    let result: CelType | undefined
    for (const overload of overloads) {
      if ((overload.member ?? false) !== member) continue
      if (name === '_&&_' || name === '_||_') {
        const wrong = given.filter((argument) => {
          const fits = assignable(typeOf(argument), types.bool)
          if (!fits) mismatch(argument, types.bool, typeOf(argument))
          return !fits
        })
        setType(call, wrong.length > 0 ? types.error : types.bool)
        if (wrong.length === 0) references.set(call.id, { kind: 'function', overloads: [overload.id] })
        return
      }
      const { parameters, result: declaredResult } = instance(overload)
      if (!unifier.assignable(givenTypes, parameters)) continue
      fitting.push(overload.id)
      const resolved = unifier.resolve(declaredResult)
      if (result === undefined) result = resolved
      else if (!isDyn(result) && !isExact(resolved, result)) result = types.dyn
    }
    if (result === undefined) {
      const [first, ...rest] = givenTypes.map((type) => describeType(unifier.resolve(type, true)))
      const applied = member ? `${first}.(${rest.join(', ')})` : `(${[first, ...rest].filter((type) => type !== undefined).join(', ')})`
      issues.report(call.offset, `found no matching overload for '${name}' applied to '${applied}'`)
      setType(call, types.error)
      return
    }
    setType(call, result)
    references.set(call.id, { kind: 'function', overloads: fitting })
  }

  /** The types of an overload with new parameters in place of its own. */
  const instance = (overload: Overload): { parameters: CelType[]; result: CelType } => {
    const fresh = new Map<string, CelType>()
    const renew = (type: CelType): CelType =>
      replaceParameters(type, ({ name }) => {
        const known = fresh.get(name) ?? unifier.fresh()
        fresh.set(name, known)
        return known
      })
    return { parameters: overload.parameters.map(renew), result: renew(overload.result) }
  }

  /** The common type of what was before and what comes now. */
  const join = (at: Expr, previous: CelType | undefined, current: CelType): CelType => {
    if (!previous) return current
    if (assignable(previous, current)) return mostGeneral(previous, current)
    if (!declarations.homogeneous) return types.dyn
    mismatch(at, previous, current)
    return types.error
  }
  const heldType = (at: Expr, type: CelType): CelType => {
    const held = heldByOptional(type)
    if (!held && !isDyn(type)) mismatch(at, types.optional(type), type)
    return held ?? type
  }

  const checkList = (e: ListExpr): Expr => {
    let common: CelType | undefined
    const optional = new Set(e.optional)
    const elements = e.elements.map((element, index) => {
      const checked = checkExpr(element)
      const type = typeOf(checked)
      common = join(element, common, optional.has(index) ? heldType(element, type) : type)
      return checked
    })
    setType(e, types.list(common ?? unifier.fresh()))
    return { ...e, elements }
  }

  const checkMap = (e: MapExpr): Expr => {
    let [keys, values]: (CelType | undefined)[] = []
    const entries = e.entries.map((entry) => {
      const key = checkExpr(entry.key)
      keys = join(entry.key, keys, typeOf(key))
      const value = checkExpr(entry.value)
      const type = typeOf(value)
      values = join(entry.value, values, entry.optional ? heldType(entry.value, type) : type)
      return { ...entry, key, value }
    })
    setType(e, types.map(keys ?? unifier.fresh(), values ?? unifier.fresh()))
    return { ...e, entries }
  }

  const checkStruct = (e: StructExpr): Expr => {
    const name = candidates(e.name).find((candidate) => declaredType(candidate))
    if (name === undefined) {
      undeclared(e, e.name)
      return e
    }
    const type = declaredType(name)!
    const message = type.kind === 'object' ? type.name : wellKnownName(type)
    if (message === undefined) issues.report(e.offset, `'${describeType(type)}' is not a message type`)
    setType(e, message === undefined ? types.error : type)
    const entries = e.entries.map((entry) => {
      const value = checkExpr(entry.value)
      const declared = declaredField(entry.offset, message ?? name, entry.field) ?? types.error
      const given = entry.optional ? heldType(entry.value, typeOf(value)) : typeOf(value)
      if (!assignable(declared, given)) {
        issues.report(
          entry.offset,
          `expected type of field '${entry.field}' is '${describeType(declared)}' but provided type is '${describeType(given)}'`,
        )
      }
      return { ...entry, value }
    })
    return { ...e, name, entries }
  }

  const checkComprehension = (e: Comprehension): Expr => {
    const range = checkExpr(e.range)
    const init = checkExpr(e.init)
    const rangeType = unifier.resolve(typeOf(range))
    const accumulated = typeOf(init)
    scopes.push(new Map([[e.accumulator, accumulated]]))
    const [first, second] = loopTypes(e, rangeType)
    const variables = new Map([[e.variable, first]])
    if (e.second !== undefined) variables.set(e.second, second)
    scopes.push(variables)
    const condition = checkExpr(e.condition)
    if (!assignable(types.bool, typeOf(condition))) mismatch(e.condition, types.bool, typeOf(condition))
    const step = checkExpr(e.step)
    if (!assignable(accumulated, typeOf(step))) mismatch(e.step, accumulated, typeOf(step))
    scopes.pop()
    const result = checkExpr(e.result)
    scopes.pop()
    setType(e, unifier.resolve(typeOf(result)))
    return { ...e, range, init, condition, step, result }
  }

  /** The types of a comprehension's variables: element, or index and element, of a list; key, or key and value, of a map. */
  const loopTypes = ({ range, second }: Comprehension, type: CelType): [CelType, CelType] => {
    switch (type.kind) {
      case 'list':
        return second === undefined ? [type.element, types.dyn] : [types.int, type.element]
      case 'map':
        return [type.key, type.value]
      case 'dyn':
      case 'error':
      case 'parameter':
        assignable(types.dyn, type)
        return [types.dyn, types.dyn]
      default:
        issues.report(range.offset, `expression of type '${describeType(type)}' cannot be range of a comprehension (must be list, map, or dynamic)`)
        return [types.error, types.error]
    }
  }

  /** Checks, then puts in place of the parameters in types what they turned out to stand for. */
  const checkAll = (): Expr | undefined => {
    try {
      const checked = checkExpr(expr)
      const final = new Map<CelType, CelType>()
      for (const [id, type] of found) {
        const known = final.get(type) ?? unifier.resolve(type, true)
        final.set(type, known)
        found.set(id, known)
      }
      return checked
    } catch (error) {
      if (!(error instanceof TypesTooLarge)) throw error
      issues.report(place, error.message)
      return undefined
    }
  }

  const checked = checkAll()
  issues.throwIfAny()
  return { source: text, expr: checked!, types: found, references, mentions, macroCalls }
}

const literalType = (value: Literal['value']): CelType => {
  if (value === null) return types.null
  switch (typeof value) {
    case 'boolean':
      return types.bool
    case 'bigint':
      return types.int
    case 'number':
      return types.double
    case 'string':
      return types.string
    default:
      return value instanceof Uint8Array ? types.bytes : types.uint
  }
}

/** `a.b.c` of selections, if the innermost operand is a name. */
const qualifiedName = (e: Expr): string | undefined => {
  const fields: string[] = []
  let at = e
  for (; at.kind === 'select' && !at.testOnly; at = at.operand) fields.push(at.field)
  return at.kind === 'ident' ? [at.name, ...fields.reverse()].join('.') : undefined
}

/** Kubernetes' own types are objects to cel-go, ones that nobody knows the fields of. */
const objectName = (type: CelType): string | undefined => {
  if (type.kind === 'object') return type.name
  return type.kind === 'opaque' && type.name.startsWith('kubernetes.') ? type.name : undefined
}

const heldByOptional = (type: CelType): CelType | undefined =>
  type.kind === 'opaque' && type.name === 'optional_type' ? type.parameters[0] : undefined
