import type { Call, Comprehension, Expr, ListExpr, MapExpr } from './ast.ts'
import type { Checked } from './checked.ts'
import { type SizedArgument, estimateEquality, estimateStandard } from './cost-estimate-calls.ts'
import { add, exactly, multiply, scale, structCost, listCost, traversalFactor, union, unbounded, unknownSize } from './libraries/costs.ts'
import type { CallEstimate, Overload, SizeEstimate } from './library.ts'
import { type CelType, types } from './types.ts'
import { characters } from './values/size.ts'

/**
 * What may be known of the sizes that values have: of a variable's field, by the path to it. Steps are names of fields, `@items` and `@indices` of lists,
 * `@keys` and `@values` of maps; the first step is the variable. Without a path the type is all that there is.
 */
export type KnownSizes = (path: readonly string[] | undefined, type: CelType) => SizeEstimate | undefined

export interface EstimateOptions {
  /** All overloads of a function by its full name. */
  functions: ReadonlyMap<string, readonly Overload[]>
  sizes?: KnownSizes
}

/**
 * The least and the most that evaluations of an expression can cost, before any: cel-go's checker/cost.go with the options of Kubernetes (tests of
 * presence are free). 2⁶⁴−1 is without bound.
 */
export function estimateCost(checked: Checked, options: EstimateOptions): SizeEstimate {
  return new Estimator(checked, options).cost(checked.expr)
}

const free = exactly(0)
const one = exactly(1)
const mapCost = 30

/** Sizes of what is in a list or map: of keys (or places) and of values. */
interface EntrySizes {
  kind: 'list' | 'map'
  key: SizeEstimate
  value: SizeEstimate
}

const unionOfEntries = (a: EntrySizes | undefined, b: EntrySizes | undefined): EntrySizes | undefined =>
  a && b && { kind: a.kind, key: union(a.key, b.key), value: union(a.value, b.value) }

/** A variable of a comprehension. */
interface Local {
  path: readonly string[] | undefined
  size: SizeEstimate | undefined
  entries: EntrySizes | undefined
}

interface Node extends SizedArgument {
  expr: Expr
}

/** Expressions are as deep as the parser lets them be: recursion is no danger here. */
class Estimator {
  readonly #checked: Checked
  readonly #overloads = new Map<string, Overload>()
  readonly #sizes: KnownSizes
  /** By the ids of expressions. */
  readonly #paths = new Map<number, readonly string[]>()
  readonly #computed = new Map<number, SizeEstimate>()
  readonly #entries = new Map<number, EntrySizes>()
  readonly #locals = new Map<string, Local[]>()

  constructor(checked: Checked, { functions, sizes }: EstimateOptions) {
    this.#checked = checked
    this.#sizes = sizes ?? (() => undefined)
    for (const overloads of functions.values()) for (const overload of overloads) this.#overloads.set(overload.id, overload)
  }

  cost(expr: Expr): SizeEstimate {
    switch (expr.kind) {
      case 'literal':
        return free
      case 'ident': {
        const local = this.#local(expr.name)
        this.#setPath(expr, local ? local.path : [expr.name])
        return one
      }
      case 'select': {
        const sum = this.cost(expr.operand)
        if (expr.testOnly) return sum
        this.#setPath(expr, [...(this.#path(expr.operand) ?? []), expr.field])
        const { kind } = this.#type(expr.operand)
        return kind === 'map' || kind === 'object' || kind === 'parameter' ? add(sum, one) : sum
      }
      case 'call':
        return this.#call(expr)
      case 'list':
        return this.#list(expr)
      case 'map':
        return this.#map(expr)
      case 'struct':
        return expr.entries.reduce((sum, { value }) => add(sum, this.cost(value)), exactly(structCost))
      case 'comprehension':
        return isBind(expr) ? this.#bind(expr) : this.#comprehension(expr)
      default:
        return expr satisfies never
    }
  }

  #list(expr: ListExpr): SizeEstimate {
    let sum = exactly(listCost)
    let size: SizeEstimate | undefined
    for (const element of expr.elements) {
      sum = add(sum, this.cost(element))
      const known = this.#sizeOf(element)
      size = size ? union(size, known) : known
    }
    this.#entries.set(expr.id, { kind: 'list', key: one, value: size ?? free })
    return sum
  }

  #map(expr: MapExpr): SizeEstimate {
    let sum = exactly(mapCost)
    let sizes: { key: SizeEstimate; value: SizeEstimate } | undefined
    for (const { key, value } of expr.entries) {
      sum = add(add(sum, this.cost(key)), this.cost(value))
      const known = { key: this.#sizeOf(key), value: this.#sizeOf(value) }
      sizes = sizes ? { key: union(sizes.key, known.key), value: union(sizes.value, known.value) } : known
    }
    this.#entries.set(expr.id, { kind: 'map', key: free, value: free, ...sizes })
    return sum
  }

  #comprehension(expr: Comprehension): SizeEstimate {
    let sum = add(this.cost(expr.range), this.cost(expr.init))
    this.#pushBound(expr.accumulator, expr.init)
    const { variable, second } = expr
    if (second === undefined) {
      this.#pushElement(variable, expr.range, this.#containerOf(expr.range) === 'list' ? 'value' : 'key')
    } else {
      this.#pushElement(variable, expr.range, 'key')
      this.#pushElement(second, expr.range, 'value')
    }
    const condition = this.cost(expr.condition)
    const step = this.cost(expr.step)
    this.#pop(variable)
    if (second !== undefined) this.#pop(second)
    sum = add(sum, this.cost(expr.result))
    this.#pop(expr.accumulator)
    const count = this.#sizeOf(expr.range)
    sum = add(sum, multiply(count, add(step, condition)))
    if (expr.init.kind === 'literal') {
      this.#setSize(expr, this.#size(expr.init))
    } else if (expr.init.kind === 'list' || expr.init.kind === 'map') {
      this.#setSize(expr, count)
      this.#setEntries(expr, this.#entriesOf(expr.step))
    }
    return sum
  }

  #bind(expr: Comprehension): SizeEstimate {
    let sum = add(this.cost(expr.range), this.cost(expr.init))
    this.#pushBound(expr.accumulator, expr.init)
    sum = add(sum, this.cost(expr.result))
    this.#pop(expr.accumulator)
    this.#copy(expr, expr.result)
    return sum
  }

  #call(expr: Call): SizeEstimate {
    if (expr.function === 'dyn' && expr.args.length === 1) {
      const sum = add(one, this.cost(expr.args[0]!))
      this.#copy(expr, expr.args[0]!)
      return sum
    }
    const costs = expr.args.map((arg) => this.cost(arg))
    const nodes = expr.args.map((arg) => this.#node(arg))
    const reference = this.#checked.references.get(expr.id)
    if (reference?.kind !== 'function' || reference.overloads.length === 0) return free
    const target = expr.target && { cost: this.cost(expr.target), node: this.#node(expr.target) }
    // a range that covers what all overloads say
    let cost: SizeEstimate | undefined
    let size: SizeEstimate | undefined
    for (const id of reference.overloads) {
      const estimate = this.#overload(expr, id, target?.node, nodes, costs)
      cost = cost ? union(cost, estimate.cost) : estimate.cost
      if (estimate.result) size = size ? union(size, estimate.result) : estimate.result
      if ((id === 'index_list' || id === 'index_map') && expr.args.length > 0) {
        size = this.#entriesOf(expr.args[0]!)?.value
        this.#setPath(expr, [...(this.#path(expr.args[0]!) ?? []), id === 'index_list' ? '@items' : '@values'])
      }
      size ??= this.#size(expr)
    }
    this.#setSize(expr, size)
    return target ? add(target.cost, cost!) : cost!
  }

  #overload(expr: Call, id: string, target: Node | undefined, args: readonly Node[], costs: readonly SizeEstimate[]): CallEstimate {
    const sum = costs.reduce(add, free)
    const all = target ? [target, ...args] : args
    const estimate = this.#overloads.get(id)?.estimate?.(all) ?? estimateEquality(expr.function, args) ?? estimateStandard(id, all)
    if (estimate) return { ...estimate, cost: add(estimate.cost, sum) }
    switch (id) {
      case 'logical_and':
      case 'logical_or':
        // the left side may decide
        return { cost: { min: costs[0]!.min, max: add(costs[0]!, costs[1]!).max } }
      case 'conditional':
        this.#setEntries(expr, unionOfEntries(this.#entriesOf(expr.args[1]!), this.#entriesOf(expr.args[2]!)))
        return { cost: add(costs[0]!, union(costs[1]!, costs[2]!)), result: union(args[1]!.size, args[2]!.size) }
      case 'add_list':
      case 'add_string':
      case 'add_bytes': {
        this.#setEntries(expr, unionOfEntries(this.#entriesOf(expr.args[0]!), this.#entriesOf(expr.args[1]!)))
        const result = add(args[0]!.size, args[1]!.size)
        return { cost: add(id === 'add_list' ? one : scale(result, traversalFactor), sum), result }
      }
      default:
        return { cost: add(one, sum) }
    }
  }

  #node(expr: Expr): Node {
    const type = this.#type(expr)
    const path = this.#path(expr)
    // accumulators have no place in the declared types
    const known = path !== undefined && isAccumulator(path[0]) ? undefined : path
    const size = this.#size(expr)
    return {
      expr,
      type,
      size: size ?? unknownSize,
      sized: size !== undefined,
      element: () => (type.kind === 'list' ? (this.#sizes(known && [...known, '@items'], type.element) ?? unknownSize) : unknownSize),
      ...(expr.kind === 'literal' && { literal: expr.value }),
    }
  }

  /** The size, as far as the expression, the declared types or the type alone tell it. */
  #size(expr: Expr): SizeEstimate | undefined {
    const computed = this.#computed.get(expr.id) ?? sizeOfLiteral(expr)
    if (computed) return computed
    const type = this.#type(expr)
    const known = this.#sizes(this.#path(expr), type)
    if (known) {
      this.#computed.set(expr.id, known)
      return known
    }
    if (isScalar(type)) return one
    return expr.kind === 'ident' ? this.#local(expr.name)?.size : undefined
  }

  #sizeOf(expr: Expr): SizeEstimate {
    return this.#size(expr) ?? unknownSize
  }

  #setSize(expr: Expr, size: SizeEstimate | undefined): void {
    if (size) this.#computed.set(expr.id, size)
  }

  #entriesOf(expr: Expr): EntrySizes | undefined {
    return this.#entries.get(expr.id) ?? (expr.kind === 'ident' ? this.#local(expr.name)?.entries : undefined)
  }

  #setEntries(expr: Expr, entries: EntrySizes | undefined): void {
    if (entries) this.#entries.set(expr.id, entries)
  }

  #copy(to: Expr, from: Expr): void {
    this.#setSize(to, this.#size(from))
    this.#setEntries(to, this.#entriesOf(from))
  }

  #type(expr: Expr): CelType {
    return this.#checked.types.get(expr.id) ?? types.dyn
  }

  #path(expr: Expr): readonly string[] | undefined {
    const local = expr.kind === 'ident' ? this.#local(expr.name) : undefined
    return local ? local.path : this.#paths.get(expr.id)
  }

  #setPath(expr: Expr, path: readonly string[] | undefined): void {
    if (path) this.#paths.set(expr.id, path)
  }

  #local(name: string): Local | undefined {
    return this.#locals.get(name)?.at(-1)
  }

  #push(name: string, local: Local): void {
    const stack = this.#locals.get(name)
    if (stack) stack.push(local)
    else this.#locals.set(name, [local])
  }

  #pop(name: string): void {
    this.#locals.get(name)?.pop()
  }

  #pushBound(name: string, init: Expr): void {
    this.#push(name, { path: this.#path(init), size: this.#size(init), entries: this.#entriesOf(init) })
  }

  #containerOf(range: Expr): 'list' | 'map' {
    const kind = this.#entriesOf(range)?.kind ?? this.#type(range).kind
    return kind === 'list' ? 'list' : 'map'
  }

  #pushElement(name: string, range: Expr, part: 'key' | 'value'): void {
    const isList = this.#containerOf(range) === 'list'
    const step = part === 'key' ? (isList ? '@indices' : '@keys') : isList ? '@items' : '@values'
    this.#push(name, { path: [...(this.#path(range) ?? []), step], size: this.#entriesOf(range)?.[part], entries: undefined })
  }
}

const isAccumulator = (name: string | undefined): boolean => name === '__result__' || name === '@result'

/** A comprehension that only names a value: `cel.bind`. */
function isBind({ range, condition, accumulator }: Comprehension): boolean {
  return (
    range.kind === 'list' && range.elements.length === 0 && condition.kind === 'literal' && condition.value === false && accumulator !== '__result__'
  )
}

function sizeOfLiteral(expr: Expr): SizeEstimate | undefined {
  switch (expr.kind) {
    case 'list':
      return exactly(expr.elements.length)
    case 'map':
      return exactly(expr.entries.length)
    case 'literal': {
      const { value } = expr
      if (typeof value === 'string') return exactly(characters(value))
      return exactly(value instanceof Uint8Array ? value.length : 1)
    }
    default:
      return undefined
  }
}

const scalars: ReadonlySet<CelType['kind']> = new Set(['bool', 'double', 'duration', 'int', 'timestamp', 'uint'])

function isScalar(type: CelType): boolean {
  if (type.kind === 'opaque' && type.name === 'optional_type') return type.parameters[0] !== undefined && isScalar(type.parameters[0])
  return scalars.has(type.kind)
}

export { unbounded as unboundedCost }
