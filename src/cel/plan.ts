import type { Call, Comprehension, Expr, ListExpr, Literal, MapExpr, Select, StructExpr } from './ast.ts'
import type { Checked, Plan, PlanScope } from './checked.ts'
import { CompileError } from './environment.ts'
import { type Frame, type Step, UNHASHABLE, charge, end, newFrame, run } from './frame.ts'
import { Optional } from './optional.ts'
import { type Attribute, isQualifier, path, qualify, resolve } from './plan-attributes.ts'
import { planCall, planMembership } from './plan-calls.ts'
import { fold } from './plan-folds.ts'
import { CelError, Duration, List, MapValue, Timestamp, Uint, type Value } from './values.ts'
import { EntryMap, MutableList, MutableMap, ObjectValue, listOf } from './values/collections.ts'
import { goTypeName, show } from './values/names.ts'

const LIST_COST = 10
const MAP_COST = 30
const STRUCT_COST = 40

/** Constant conversions are computed while planning (Kubernetes' OptOptimize). */
const CONVERSIONS = new Set(['bool', 'bytes', 'double', 'dyn', 'duration', 'int', 'string', 'timestamp', 'type', 'uint'])

/** A planned part: what is known already, a path that further selections may extend, or a step. */
type Part = { kind: 'constant'; value: Value } | { kind: 'attribute'; attribute: Attribute; test?: true } | { kind: 'step'; step: Step }

/** A variable of a comprehension; `init` computes it when it is first asked for. */
interface Local {
  slot: number
  init?: Step
}

type Locals = ReadonlyMap<string, Local>

/**
 * Makes closures of an expression, one for each part. Costs are counted as cel-go's CostTracker does under Kubernetes' options: a constant costs nothing,
 * a name and each selection 1 (the test of `has` nothing for its name), a call what its overload says, lists 10, maps 30, objects 40.
 */
export const plan: Plan = (checked, scope) => {
  const step = planned(checked, scope)
  return (variables, limits) => {
    const frame = newFrame(variables, limits)
    const value = run(step, frame)
    return { value, cost: frame.cost }
  }
}

function planned(checked: Checked, scope: PlanScope): Step {
  try {
    return new Planner(checked, scope).step(checked.expr, new Map())
  } catch (error) {
    if (error instanceof RangeError) throw new CompileError('expression nests too deeply', [])
    throw error
  }
}

class Planner {
  readonly #checked: Checked
  readonly #scope: PlanScope
  /** Variables by name, with the index that their value has in a frame. */
  readonly #names = new Map<string, number>()
  #slots = 0

  constructor(checked: Checked, scope: PlanScope) {
    this.#checked = checked
    this.#scope = scope
  }

  step(expr: Expr, locals: Locals): Step {
    return finish(this.part(expr, locals))
  }

  part(expr: Expr, locals: Locals): Part {
    switch (expr.kind) {
      case 'literal':
        return { kind: 'constant', value: literal(expr) }
      case 'ident':
        return this.#ident(expr.id, expr.name, locals)
      case 'select':
        return this.#select(expr, locals)
      case 'call':
        return this.#call(expr, locals)
      case 'list':
        return this.#list(expr, locals)
      case 'map':
        return this.#map(expr, locals)
      case 'struct':
        return { kind: 'step', step: this.#struct(expr, locals) }
      case 'comprehension':
        return { kind: 'step', step: this.#comprehension(expr, locals) }
    }
  }

  #ident(id: number, written: string, locals: Locals): Part {
    const reference = this.#checked.references.get(id)
    if (reference?.kind === 'constant') return { kind: 'constant', value: reference.value }
    const name = reference?.kind === 'variable' ? reference.name : written
    const local = locals.get(name)
    return { kind: 'attribute', attribute: path(local ? localVariable(local) : this.#variable(name.startsWith('.') ? name.slice(1) : name)) }
  }

  #variable(name: string): Step {
    let index = this.#names.get(name)
    if (index === undefined) this.#names.set(name, (index = this.#names.size))
    const at = index
    const unknown = new CelError(`no such attribute(s): ${name}`)
    return ({ known, variables }) => {
      const found = known[at]
      if (found !== undefined) return found
      const given = Object.hasOwn(variables, name) ? variables[name] : undefined
      const value = (typeof given === 'function' ? given() : given) ?? (given === undefined ? unknown : null)
      known[at] = value
      return value
    }
  }

  #select(expr: Select, locals: Locals): Part {
    const attribute = this.#attribute(this.part(expr.operand, locals))
    qualify(attribute, { key: expr.field, ...(expr.testOnly && { test: true }) })
    return { kind: 'attribute', attribute, ...(expr.testOnly && { test: true }) }
  }

  /** A part as one that selections can follow. */
  #attribute(part: Part): Attribute {
    return part.kind === 'attribute' && !part.test ? part.attribute : path(finish(part))
  }

  #call(expr: Call, locals: Locals): Part {
    const args = (expr.target ? [expr.target, ...expr.args] : expr.args).map((arg) => this.part(arg, locals))
    const [first, second, third] = args
    switch (expr.function) {
      case '_&&_':
        return { kind: 'step', step: logical(finish(first!), finish(second!), false) }
      case '_||_':
        return { kind: 'step', step: logical(finish(first!), finish(second!), true) }
      case '@not_strictly_false':
        return { kind: 'step', step: notStrictlyFalse(finish(first!)) }
      case '_?_:_':
        return { kind: 'attribute', attribute: { kind: 'choice', condition: finish(first!), truthy: branch(second!), falsy: branch(third!) } }
      case '_[_]':
        return this.#index(first!, second!, false)
      case '_?._':
      case '_[?_]':
        return this.#index(first!, second!, true)
    }
    return this.#function(expr, args)
  }

  #function(expr: Call, args: readonly Part[]): Part {
    const { function: name } = expr
    const reference = this.#checked.references.get(expr.id)
    const ids = reference?.kind === 'function' ? reference.overloads : undefined
    if (ids?.length === 1 && ids[0] === 'optional_or_optional') return { kind: 'step', step: firstOf(args, false) }
    if (ids?.length === 1 && ids[0] === 'optional_orValue_value') return { kind: 'step', step: firstOf(args, true) }
    const declared = this.#scope.functions.get(name) ?? []
    const overloads = ids ? declared.filter(({ id }) => ids.includes(id)) : declared
    const list = name === '@in' && ids?.length === 1 && ids[0] === 'in_list' ? args[1] : undefined
    if (list?.kind === 'constant' && list.value instanceof List) {
      if (list.value.length === 0) return { kind: 'constant', value: false }
      const membership = planMembership(finish(args[0]!), list.value)
      if (membership) return { kind: 'step', step: membership }
    }
    const constants = args.map((part) => (part.kind === 'constant' ? part.value : undefined))
    const step = planCall({ name, overloads, args: args.map(finish), constants })
    if (step instanceof CelError) throw new CompileError(step.message, [])
    return CONVERSIONS.has(name) && args.length === 1 && args[0]!.kind === 'constant' ? computed(step) : { kind: 'step', step }
  }

  #index(operand: Part, index: Part, optional: boolean): Part {
    const attribute = this.#attribute(operand)
    if (index.kind === 'constant') {
      if (!isQualifier(index.value)) throw new CompileError(`invalid qualifier type: ${goTypeName(index.value)}`, [])
      qualify(attribute, { key: index.value, optional })
    } else if (index.kind === 'attribute' && !index.test) qualify(attribute, { by: resolve(index.attribute), found: true, optional })
    else qualify(attribute, { by: finish(index), optional })
    return { kind: 'attribute', attribute }
  }

  #list(expr: ListExpr, locals: Locals): Part {
    const parts = expr.elements.map((element) => this.part(element, locals))
    const optional = new Set(expr.optional)
    const steps = parts.map(finish)
    const collect = (frame: Frame): Value => {
      const items: Value[] = []
      for (let index = 0; index < steps.length; index++) {
        let value = steps[index]!(frame)
        if (value instanceof CelError) return value
        if (optional.has(index)) {
          if (!(value instanceof Optional)) return new CelError(`cannot initialize optional list element from non-optional value ${show(value)}`)
          if (value.value === undefined) continue
          value = value.value
        }
        items.push(value)
      }
      return listOf(items)
    }
    return parts.every(({ kind }) => kind === 'constant') ? computed(collect) : { kind: 'step', step: charging(collect, LIST_COST) }
  }

  #map(expr: MapExpr, locals: Locals): Part {
    const entries = expr.entries.map((entry) => ({
      key: this.part(entry.key, locals),
      value: this.part(entry.value, locals),
      optional: entry.optional === true,
    }))
    const steps = entries.map(({ key, value, optional }) => ({ key: finish(key), value: finish(value), optional }))
    const collect = (frame: Frame): Value => {
      const collected: [Value, Value][] = []
      for (const { key, value, optional } of steps) {
        const name = key(frame)
        if (name instanceof CelError) return name
        const entry = present(value(frame), optional, name)
        if (entry instanceof CelError) return entry
        if (name instanceof Uint8Array) end(UNHASHABLE)
        if (entry !== undefined) collected.push([name, entry])
      }
      return new EntryMap(collected)
    }
    return entries.every(({ key, value }) => key.kind === 'constant' && value.kind === 'constant')
      ? computed(collect)
      : { kind: 'step', step: charging(collect, MAP_COST) }
  }

  #struct(expr: StructExpr, locals: Locals): Step {
    const { types } = this.#scope
    const { name } = expr
    const steps = expr.entries.map((entry) => ({ field: entry.field, value: this.step(entry.value, locals), optional: entry.optional === true }))
    return charging((frame) => {
      const fields = new Map<string, Value>()
      for (const { field, value, optional } of steps) {
        const entry = present(value(frame), optional, field)
        if (entry instanceof CelError) return entry
        if (entry !== undefined) fields.set(field, entry)
      }
      if (name === 'google.protobuf.Timestamp' && fields.size === 0) return new Timestamp(0n)
      if (name === 'google.protobuf.Duration' && fields.size === 0) return new Duration(0n)
      return types?.create ? types.create(name, fields) : new ObjectValue(name, fields)
    }, STRUCT_COST)
  }

  #comprehension(expr: Comprehension, locals: Locals): Step {
    const range = this.step(expr.range, locals)
    const accumulator = { slot: this.#slots++, init: this.step(expr.init, locals) }
    const variable = this.#slots++
    const second = expr.second === undefined ? undefined : this.#slots++
    const loop = new Map(locals).set(expr.variable, { slot: variable })
    if (second !== undefined) loop.set(expr.second!, { slot: second })
    loop.set(expr.accumulator, accumulator)
    return fold({
      range,
      accumulator: accumulator.slot,
      variable,
      second,
      condition: this.step(expr.condition, loop),
      step: this.step(expr.step, loop),
      result: this.step(expr.result, new Map(locals).set(expr.accumulator, accumulator)),
    })
  }
}

function literal(expr: Literal): Value {
  const { value } = expr
  return typeof value === 'object' && value !== null && 'uint' in value ? new Uint(value.uint) : value
}

/** What a comprehension starts to collect into is filled in place. */
function growing(value: Value): Value {
  if (value instanceof List && value.length === 0) return new MutableList()
  return value instanceof MapValue && value.size === 0 && value.type === undefined ? new MutableMap() : value
}

function localVariable({ slot, init }: Local): Step {
  if (!init) return ({ slots }) => slots[slot]!
  return (frame) => {
    const found = frame.slots[slot]
    if (found !== undefined) return found
    const value = growing(init(frame))
    frame.slots[slot] = value
    return value
  }
}

/** The step of a part on its own: here a path costs 1 beside its selections; a conditional does not. */
function finish(part: Part): Step {
  if (part.kind === 'step') return part.step
  if (part.kind === 'constant') {
    const { value } = part
    return () => value
  }
  const { attribute, test } = part
  const step = resolve(attribute)
  if (test) return attribute.kind === 'choice' ? rebated(presence(step)) : presence(step)
  if (attribute.kind === 'choice') return step
  return (frame) => {
    const value = step(frame)
    charge(frame, 1)
    return value
  }
}

/** What the test of a conditional's field costs: cel-go takes back the 1 of a name here too, which a conditional has not. */
const rebated =
  (step: Step): Step =>
  (frame) => {
    const value = step(frame)
    // below 0 its unsigned count starts from above again, which is beyond any limit
    if (frame.cost === 0) charge(frame, 2 ** 64)
    else frame.cost--
    return value
  }

const presence =
  (step: Step): Step =>
  (frame) => {
    const value = step(frame)
    return value instanceof Optional ? value.value !== undefined : value
  }

const branch = (part: Part): Attribute => {
  if (part.kind !== 'attribute') return path(finish(part))
  return part.test ? path(presence(resolve(part.attribute))) : part.attribute
}

/** What can be computed while planning. */
function computed(step: Step): Part {
  const value = run(step, newFrame({}, undefined))
  if (value instanceof CelError) throw new CompileError(value.message, [])
  return { kind: 'constant', value }
}

const charging =
  (step: Step, cost: number): Step =>
  (frame) => {
    const value = step(frame)
    charge(frame, cost)
    return value
  }

const noSuchOverload = new CelError('no such overload')

/** `&&`, `||`: the deciding value decides on whichever side it stands; else an error is the result, the left one first. */
const logical =
  (left: Step, right: Step, deciding: boolean): Step =>
  (frame) => {
    const a = left(frame)
    if (a === deciding) return deciding
    const b = right(frame)
    if (b === deciding) return deciding
    if (typeof a !== 'boolean') return a instanceof CelError ? a : noSuchOverload
    if (typeof b !== 'boolean') return b instanceof CelError ? b : noSuchOverload
    return !deciding
  }

const notStrictlyFalse =
  (step: Step): Step =>
  (frame) => {
    const value = step(frame)
    charge(frame, 1)
    return typeof value === 'boolean' ? value : true
  }

/** `a.or(b)`, `a.orValue(b)`: b is evaluated only where a has no value. */
function firstOf(args: readonly Part[], unwrap: boolean): Step {
  const [left, right] = args.map(finish) as [Step, Step]
  return (frame) => {
    const value = left(frame)
    if (value instanceof Optional) {
      if (value.value === undefined) return right(frame)
      return unwrap ? value.value : value
    }
    return value instanceof CelError ? value : noSuchOverload
  }
}

/** The value of an entry; undefined for an optional one without a value. */
function present(value: Value, optional: boolean, name: Value): Value | undefined {
  if (!optional || value instanceof CelError) return value
  if (value instanceof Optional) return value.value
  return new CelError(`cannot initialize optional entry '${show(name)}' from non-optional value ${show(value)}`)
}
