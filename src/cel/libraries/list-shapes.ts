import type { CallEstimate, EstimatedArgument, Library, Macro, Overload, SizeEstimate } from '../library.ts'
import { printType } from '../type-text.ts'
import { type CelType, types } from '../types.ts'
import { CelError, List, type Value } from '../values.ts'
import { listOf } from '../values/collections.ts'
import { compare, equal } from '../values/equality.ts'
import { typeName, typeOf } from '../values/names.ts'
import { sizeOf } from '../values/size.ts'
import { add, exactly, listCost, multiply, scale, traversalFactor, unbounded } from './costs.ts'
import { limitElements } from './limits.ts'
import { comparable } from './lists.ts'

const t = types.parameter('T')
const listOfT = types.list(t)
const listOfDyn = types.list(types.dyn)

/** One for the call, and what a new list costs, with `factor` for each of `size`. */
const allocating = (factor: number, size: number): number => Math.trunc(size * (factor < 0 ? 1 : factor)) + 1 + listCost
const allocatingEstimate = (factor: number, size: SizeEstimate): CallEstimate => ({
  cost: add(add(scale(size, factor), exactly(listCost)), exactly(1)),
  result: size,
})

const costOfResult: NonNullable<Overload['cost']> = (_, result) => allocating(1, sizeOf(result))

/** Each element is compared with each. */
function selfCompareCost(list: Value): number {
  // a value that no overload takes is charged for too
  if (!(list instanceof List)) return 1
  const { length } = list
  if (length === 0) return allocating(2, 0)
  const first = list.at(0)
  const isText = typeof first === 'string' || first instanceof Uint8Array
  return allocating(isText ? 2 + traversalFactor : 2, length * length)
}
const selfCompareEstimate = (list: EstimatedArgument, element: CelType): CallEstimate =>
  allocatingEstimate(element.kind === 'string' || element.kind === 'bytes' ? 2 + traversalFactor : 2, multiply(list.size, list.size))

/** A literal int, but nothing below zero. */
function literalOf({ literal }: EstimatedArgument, otherwise: bigint): bigint {
  if (typeof literal !== 'bigint') return otherwise
  return literal < 0n ? 0n : literal
}

function slice(list: List, start: bigint, end: bigint): Value {
  const wrong = (why: string) => new CelError(`cannot slice(${start}, ${end}), ${why}`)
  if (start < 0n || end < 0n) return wrong('negative indexes not supported')
  if (start > end) return wrong('start index must be less than or equal to end index')
  if (BigInt(list.length) < end) return wrong(`list is length ${list.length}`)
  const from = Number(start)
  return listOf(Array.from({ length: Number(end) - from }, (_, i) => list.at(from + i)))
}

function flatten(list: List, depth: bigint): Value {
  if (depth < 0n) return new CelError('level must be non-negative')
  const flat: Value[] = []
  // lists within lists, from the outermost, each with the place that is next
  const open: { list: List; next: number }[] = [{ list, next: 0 }]
  for (let top = open.at(-1); top !== undefined; top = open.at(-1)) {
    if (top.next === top.list.length) {
      open.pop()
      continue
    }
    const value = top.list.at(top.next++)
    if (value instanceof List && BigInt(open.length) <= depth) open.push({ list: value, next: 0 })
    else limitElements(flat.push(value))
  }
  return listOf(flat)
}

function sortBy(list: List, keys: List): Value {
  if (list.length !== keys.length) {
    return new CelError(
      `@sortByAssociatedKeys() expected a list of the same size as the associated keys list, but got ${list.length} and ${keys.length} elements respectively`,
    )
  }
  if (list.length === 0) return list
  const values = Array.from({ length: keys.length }, (_, i) => ({ key: keys.at(i), value: list.at(i) }))
  const first = values[0]!.key
  if (!isComparable(first)) return new CelError('list elements must be comparable')
  const type = typeName(typeOf(first))
  if (values.length > 1 && values.some(({ key }) => typeName(typeOf(key)) !== type)) return new CelError('list elements must have the same type')
  const sorted = values.toSorted((a, b) => {
    const order = compare(a.key, b.key)
    return typeof order === 'number' ? order : 0
  })
  return listOf(sorted.map(({ value }) => value))
}

const isComparable = (value: Value): boolean => comparable.some(([, type]) => type.kind === typeOf(value).kind)

function distinct(list: List): Value {
  const unique: Value[] = []
  for (let i = 0; i < list.length; i++) {
    const value = list.at(i)
    if (!unique.some((other) => equal(value, other))) unique.push(value)
  }
  return listOf(unique)
}

/** 0, 1, 2 … without a place in memory for each. */
class RangeList extends List {
  readonly length: number
  constructor(length: number) {
    super()
    this.length = length
  }
  override at(index: number): Value {
    return BigInt(index)
  }
}

const longestRange = 1_000_000n

function range(size: bigint): Value {
  if (size < 0n) return new CelError(`lists.range: size must be non-negative, got ${size}`)
  if (size > longestRange) return new CelError(`lists.range: size ${size} exceeds maximum allowed (${longestRange})`)
  return new RangeList(Number(size))
}

class ReversedList extends List {
  readonly length: number
  readonly list: List
  constructor(list: List) {
    super()
    this.list = list
    this.length = list.length
  }
  override at(index: number): Value {
    return this.list.at(this.length - 1 - index)
  }
}

const flattening = (id: string, more: CelType[], list: CelType, result: CelType): Overload => ({
  id,
  parameters: [list, ...more],
  result,
  member: true,
  // lists that turn out to be flat already are taken as well
  unguarded: true,
  call: (value, depth) => {
    if (value instanceof List && (depth === undefined || typeof depth === 'bigint')) return flatten(value, depth ?? 1n)
    return new CelError(`no such overload: ${printType(typeOf(value!))}.flatten(${depth === undefined ? '' : printType(typeOf(depth))})`)
  },
  cost: ([value, depth]) => allocating(typeof depth === 'bigint' ? Number(depth) : 1, sizeOf(value!)),
  estimate: ([value, depth]) => allocatingEstimate(depth === undefined ? 1 : Number(literalOf(depth, unbounded)), value!.size),
})

const input = '@__sortBy_input__'
const sortable = new Set(['list', 'select', 'ident', 'comprehension', 'call'])

/** `list.sortBy(x, key)` sorts by the keys that a map over the list makes; the list is evaluated once. */
const sortByMacro: Macro = {
  name: 'sortBy',
  member: true,
  arguments: 2,
  expand: (make, target, [variable, key]) => {
    if (!sortable.has(target!.kind)) {
      return make.fail(target!, 'sortBy can only be applied to a list, identifier, comprehension, call or select expression')
    }
    if (variable?.kind !== 'ident') return make.fail(variable ?? target!, 'argument is not an identifier')
    const { accumulator } = make
    if (variable.name === accumulator) return make.fail(variable, 'iteration variable overwrites accumulator variable')
    const keys = make.fold({
      range: make.ident(input),
      variable: variable.name,
      accumulator,
      init: make.list(),
      condition: make.literal(true),
      step: make.call('_+_', make.ident(accumulator), make.list(key!)),
      result: make.ident(accumulator),
    })
    return make.fold({
      range: make.list(),
      variable: '#unused',
      accumulator: input,
      init: target!,
      condition: make.literal(false),
      step: make.ident(input),
      result: make.member(make.ident(input), '@sortByAssociatedKeys', keys),
    })
  },
}

/** `cel.lib.ext.lists`, its third version: lists of another shape. */
export const listShapes: Library = {
  name: 'cel.lib.ext.lists',
  macros: [sortByMacro],
  functions: {
    slice: [
      {
        id: 'list_slice',
        parameters: [listOfT, types.int, types.int],
        result: listOfT,
        member: true,
        call: (list, start, end) => slice(list as List, start as bigint, end as bigint),
        cost: costOfResult,
        estimate: ([list, start, end]) => {
          // unsigned, as upstream subtracts
          const size = BigInt.asUintN(64, literalOf(end!, list!.size.max) - literalOf(start!, 0n))
          return allocatingEstimate(1, exactly(size))
        },
      },
    ],
    flatten: [flattening('list_flatten', [], types.list(listOfT), listOfT), flattening('list_flatten_int', [types.int], listOfDyn, listOfDyn)],
    sort: comparable.map(([, type]) => ({
      id: `list_${typeName(type)}_sort`,
      parameters: [types.list(type)],
      result: types.list(type),
      member: true,
      call: (list) => sortBy(list as List, list as List),
      cost: ([list]) => selfCompareCost(list!),
      estimate: ([list]) => selfCompareEstimate(list!, type),
    })),
    '@sortByAssociatedKeys': comparable.map(([, type]) => ({
      id: `list_${typeName(type)}_sortByAssociatedKeys`,
      parameters: [listOfT, types.list(type)],
      result: listOfT,
      member: true,
      call: (list, keys) => sortBy(list as List, keys as List),
      cost: ([, keys]) => selfCompareCost(keys!),
      estimate: ([, keys]) => selfCompareEstimate(keys!, type),
    })),
    'lists.range': [
      {
        id: 'lists_range',
        parameters: [types.int],
        result: types.list(types.int),
        call: (size) => range(size as bigint),
        cost: costOfResult,
        estimate: ([size]) => allocatingEstimate(1, exactly(literalOf(size!, unbounded))),
      },
    ],
    reverse: [
      {
        id: 'list_reverse',
        parameters: [listOfT],
        result: listOfT,
        member: true,
        call: (list) => new ReversedList(list as List),
        cost: costOfResult,
        estimate: ([list]) => allocatingEstimate(1, list!.size),
      },
    ],
    distinct: [
      {
        id: 'list_distinct',
        parameters: [listOfT],
        result: listOfT,
        member: true,
        call: (list) => distinct(list as List),
        foreseen: true,
        cost: ([list]) => selfCompareCost(list!),
        estimate: ([list]) => selfCompareEstimate(list!, list!.type.kind === 'list' ? list!.type.element : types.dyn),
      },
    ],
  },
}
