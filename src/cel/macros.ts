import type { Expr } from './ast.ts'
import type { Macro } from './library.ts'
import type { MacroMaker } from './parser.ts'

/** The macros of the language definition: has, all, exists, exists_one, map, filter. (The name existsOne is one for two variables alone.) */
export const standardMacros: readonly Macro[] = [
  {
    name: 'has',
    member: false,
    arguments: 1,
    expand(make, _target, [argument]) {
      if (argument!.kind !== 'select') return make.fail(argument!, 'invalid argument to has() macro')
      return make.select(argument!.operand, argument!.field, true)
    },
  },
  quantifier('all', 1),
  quantifier('exists', 1),
  quantifier('exists_one', 1),
  {
    name: 'map',
    member: true,
    arguments: 2,
    expand: (make, range, [variable, transform]) => mapFold(make, range!, loopVariable(make, variable!, 'argument is not an identifier'), transform!),
  },
  {
    name: 'map',
    member: true,
    arguments: 3,
    expand: (make, range, [variable, filter, transform]) =>
      mapFold(make, range!, loopVariable(make, variable!, 'argument is not an identifier'), transform!, filter),
  },
  {
    name: 'filter',
    member: true,
    arguments: 2,
    expand: (make, range, [variable, filter]) =>
      mapFold(make, range!, loopVariable(make, variable!, 'argument is not an identifier'), variable!, filter),
  },
]

/** `cel.bind(name, value, expression)`. */
export const bindMacros: readonly Macro[] = [
  {
    name: 'bind',
    member: true,
    arguments: 3,
    expand(make, target, [variable, init, result]) {
      if (target?.kind !== 'ident' || target.name !== 'cel') return undefined
      if (variable!.kind !== 'ident') return make.fail(variable!, 'cel.bind() variable names must be simple identifiers')
      return bind(make, variable!.name, init!, result!)
    },
  },
]

/** `optional.optMap(name, expression)` and `optFlatMap`. */
export const optionalMacros: readonly Macro[] = [optionalMacro('optMap', true), optionalMacro('optFlatMap', false)]

/** Comprehensions of two variables: all, exists, existsOne, transformList, transformMap, transformMapEntry. */
export const twoVariableMacros: readonly Macro[] = [
  quantifier('all', 2),
  quantifier('exists', 2),
  quantifier('existsOne', 2),
  quantifier('exists_one', 2),
  ...transform(
    'transformList',
    (make) => make.list(),
    (make, _key, value) => make.call('_+_', make.ident(make.accumulator), make.list(value)),
  ),
  ...transform(
    'transformMap',
    (make) => make.map(),
    (make, key, value) => make.call('cel.@mapInsert', make.ident(make.accumulator), make.ident(key), value),
  ),
  ...transform(
    'transformMapEntry',
    (make) => make.map(),
    (make, _key, value) => make.call('cel.@mapInsert', make.ident(make.accumulator), value),
  ),
]

/** A comprehension that loops over nothing: the value of `init` has a name in `result`. */
function bind(make: MacroMaker, name: string, init: Expr, result: Expr): Expr {
  return make.fold({
    range: make.list(),
    variable: '#unused',
    accumulator: name,
    init,
    condition: make.literal(false),
    step: make.ident(name),
    result,
  })
}

function loopVariable(make: MacroMaker, argument: Expr, complaint: string): string {
  if (argument.kind !== 'ident') return make.fail(argument, complaint)
  return mayName(make, argument, argument.name)
}

function mayName(make: MacroMaker, argument: Expr, name: string): string {
  return name === make.accumulator || name === '__result__' ? make.fail(argument, 'iteration variable overwrites accumulator variable') : name
}

function pair(make: MacroMaker, first: Expr, second: Expr): { variable: string; second: string } {
  const complaint = 'argument must be a simple name'
  if (first.kind !== 'ident') return make.fail(first, complaint)
  if (second.kind !== 'ident') return make.fail(second, complaint)
  if (first.name === second.name) return make.fail(second, `duplicate variable name: ${first.name}`)
  return { variable: mayName(make, first, first.name), second: mayName(make, second, second.name) }
}

function quantifier(name: 'all' | 'exists' | 'exists_one' | 'existsOne', variables: 1 | 2): Macro {
  return {
    name,
    member: true,
    arguments: variables + 1,
    expand(make, range, args) {
      const names = variables === 2 ? pair(make, args[0]!, args[1]!) : { variable: loopVariable(make, args[0]!, 'argument must be a simple name') }
      const predicate = args[variables]!
      const accumulator = () => make.ident(make.accumulator)
      const rest = { range: range!, ...names, accumulator: make.accumulator }
      if (name === 'all') {
        const init = make.literal(true)
        const condition = make.call('@not_strictly_false', accumulator())
        const step = make.call('_&&_', accumulator(), predicate)
        return make.fold({ ...rest, init, condition, step, result: accumulator() })
      }
      if (name === 'exists') {
        const init = make.literal(false)
        const condition = make.call('@not_strictly_false', make.call('!_', accumulator()))
        const step = make.call('_||_', accumulator(), predicate)
        return make.fold({ ...rest, init, condition, step, result: accumulator() })
      }
      const init = make.literal(0n)
      const condition = make.literal(true)
      const step = make.call('_?_:_', predicate, make.call('_+_', accumulator(), make.literal(1n)), accumulator())
      return make.fold({ ...rest, init, condition, step, result: make.call('_==_', accumulator(), make.literal(1n)) })
    },
  }
}

/** Adds to a list the transform of each element for which the filter holds. */
function mapFold(make: MacroMaker, range: Expr, variable: string, transformed: Expr, filter?: Expr): Expr {
  const init = make.list()
  const condition = make.literal(true)
  const added = make.call('_+_', make.ident(make.accumulator), make.list(transformed))
  const step = filter ? make.call('_?_:_', filter, added, make.ident(make.accumulator)) : added
  return make.fold({ range, variable, accumulator: make.accumulator, init, condition, step, result: make.ident(make.accumulator) })
}

function transform(name: string, empty: (make: MacroMaker) => Expr, add: (make: MacroMaker, key: string, value: Expr) => Expr): Macro[] {
  const expand = (make: MacroMaker, range: Expr, args: Expr[]): Expr => {
    const names = pair(make, args[0]!, args[1]!)
    const filter = args.length === 4 ? args[2]! : undefined
    const added = add(make, names.variable, args.at(-1)!)
    const step = filter ? make.call('_?_:_', filter, added, make.ident(make.accumulator)) : added
    const init = empty(make)
    const condition = make.literal(true)
    return make.fold({ range, ...names, accumulator: make.accumulator, init, condition, step, result: make.ident(make.accumulator) })
  }
  return [3, 4].map((count) => ({ name, member: true, arguments: count, expand: (make, range, args) => expand(make, range!, args) }))
}

function optionalMacro(name: string, wraps: boolean): Macro {
  return {
    name,
    member: true,
    arguments: 2,
    expand(make, target, [variable, expression]) {
      if (variable!.kind !== 'ident') return make.fail(variable!, `${name}() variable name must be a simple identifier`)
      const simple = target!.kind === 'ident'
      // What is not a name is evaluated once, and has one.
      const targetName = target!.kind === 'ident' ? target!.name : '@target'
      const asked = simple ? target! : make.ident(targetName)
      const found = make.member(asked, 'hasValue')
      const inner = bind(make, variable!.name, make.member(make.ident(targetName, simple ? target : undefined), 'value'), expression!)
      const result = make.call('_?_:_', found, wraps ? make.call('optional.of', inner) : inner, make.call('optional.none'))
      return simple ? result : bind(make, targetName, target!, result)
    },
  }
}
