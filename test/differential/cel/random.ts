import type { CelType, Overload } from '#cel'
import { types } from '#cel'
import type { Chooser } from '../../random.ts'
import { mutatedText } from '../../random.ts'
import { functions, typeNamed } from './ours.ts'
import { variables } from './variables.ts'

const infix: Readonly<Record<string, string>> = { '_+_': '+', '_-_': '-', '_*_': '*', '_/_': '/', '_%_': '%', '_==_': '==', '_!=_': '!=', '_<_': '<', '_<=_': '<=', '_>_': '>', '_>=_': '>=', '_&&_': '&&', '_||_': '||', '@in': 'in', 'in': 'in', '_in_': 'in' } // prettier-ignore

/** Texts that some function makes something of. */
const words = ['', 'a', 'é𝒳', 'seven', '1', '-1.5', 'true', '10.0.0.1', '10.0.0.0/8', '::1', '2001:db8::/32', '1Gi', '100m', '1.2.3-rc.1', 'v1.2', 'https://u@h:8/p?q=1#f', '2026-01-02T03:04:05Z', '1h2m3.5s', '^[a-z]+$', '[', 'a|b', '%s-%d', '%.2f', 'UTC', 'America/New_York', 'dns1123Label', 'uuid', 'a,b,c', ' x '] // prettier-ignore

const literals: Readonly<Record<string, (c: Chooser) => string>> = {
  null: () => 'null',
  bool: (c) => c.one(['true', 'false']),
  int: (c) => c.one(['0', '1', '-1', '2', '3', '7', '100', '9223372036854775807', '-9223372036854775808']),
  uint: (c) => c.one(['0u', '1u', '3u', '18446744073709551615u']),
  double: (c) => c.one(['0.0', '1.0', '-1.5', '2.5', '1e308', '0.1', "double('NaN')"]),
  string: (c) => `'${c.one(words)}'`,
  bytes: (c) => c.one(["b''", "b'a'", "b'\\xff'"]),
  timestamp: (c) => c.one(["timestamp('2026-02-03T04:05:06Z')", 'timestamp(0)', 't']),
  duration: (c) => c.one(["duration('1s')", "duration('-1h1ms')", 'r']),
  dyn: (c) => c.one(['dyn(1)', "dyn('a')", 'dyn(2.5)', 'dyn(null)', 'object', 'object.spec', 'object.spec.replicas', 'object.metadata.name', 'params.list', 'params.data', 'object.nope', 'missing']), // prettier-ignore
  type: (c) => c.one(['int', 'string', 'type(i)', 'list', 'net.IP']),
}

const simple = ['bool', 'int', 'uint', 'double', 'string', 'bytes', 'timestamp', 'duration', 'dyn', 'null'] as const

interface Scope {
  c: Chooser
  /** What is left of the expression's size. */
  depth: number
  names: { name: string; type: CelType }[]
}

const declared = variables.map(({ name, type }) => ({ name, type: typeNamed(type) }))
const overloads = [...functions].flatMap(([name, forms]) => forms.map((overload) => ({ name, overload })))

/** An expression that is well typed for the most part, of any type. */
export function randomExpression(c: Chooser): string {
  let text = expression({ c, depth: 1 + c.below(5), names: [] }, someType(c))
  while (c.chance(0.15)) text = mutatedText(text, c)
  // half of a pair does not reach the reference as it is
  return text.slice(0, 2000).toWellFormed()
}

function someType(c: Chooser, depth = 0): CelType {
  if (depth < 2 && c.chance(0.25)) return types.list(someType(c, depth + 1))
  if (depth < 2 && c.chance(0.1)) return types.map(types[c.one(['string', 'int'] as const)], someType(c, depth + 1))
  if (depth < 1 && c.chance(0.1)) return types.optional(someType(c, depth + 1))
  return types[c.one(simple)]
}

function expression(scope: Scope, wanted: CelType): string {
  const { c } = scope
  // now and then what is not wanted
  const type = c.chance(0.03) ? someType(c) : wanted
  if (scope.depth <= 0) return leaf(scope, type)
  const inner = { ...scope, depth: scope.depth - 1 }
  const kind = c.below(20)
  if (kind < 2) return leaf(scope, type)
  if (kind === 2) return `(${expression(inner, types.bool)} ? ${expression(inner, type)} : ${expression(inner, type)})`
  if (kind === 3) return `${expression(inner, types.list(type))}[${c.one(['0', '1', '-1', 'i'])}]`
  if (kind === 4) return `${expression(inner, types.optional(type))}.orValue(${expression(inner, type)})`
  if (kind === 5 && type.kind !== 'dyn') return expression(inner, types.dyn)
  if (kind < 9) {
    const made = macro(inner, type)
    if (made !== undefined) return made
  }
  return call(inner, type) ?? leaf(scope, type)
}

function leaf(scope: Scope, type: CelType): string {
  const { c } = scope
  const fitting = [...scope.names, ...scope.names, ...declared].filter((one) => same(one.type, type))
  if (fitting.length > 0 && c.chance(0.6)) return c.one(fitting).name
  const inner = { ...scope, depth: 0 }
  switch (type.kind) {
    case 'list':
      return `[${Array.from({ length: c.below(4) }, () => leaf(inner, type.element)).join(', ')}]`
    case 'map':
      return c.chance(0.2) ? '{}' : `{${leaf(inner, type.key)}: ${leaf(inner, type.value)}}`
    case 'opaque':
      if (type.name === 'optional_type') return c.chance(0.3) ? 'optional.none()' : `optional.of(${leaf(inner, type.parameters[0]!)})`
      return fitting.length > 0 ? c.one(fitting).name : 'missing'
    default:
      return (literals[type.kind] ?? literals['dyn']!)(c)
  }
}

const fresh = (scope: Scope) => scope.c.one(['x', 'y', 'z', 'e', 'i'])

function macro(scope: Scope, type: CelType): string | undefined {
  const { c } = scope
  const element = someType(c, 1)
  const list = () => expression(scope, types.list(element))
  const name = fresh(scope)
  const within = (of: CelType, more: Scope['names'] = []) => expression({ ...scope, names: [...scope.names, { name, type: element }, ...more] }, of)
  const both: Scope['names'] = [{ name: 'k', type: types.int }]
  if (type.kind === 'bool') {
    const two = c.chance(0.25)
    if (c.chance(0.1)) return `has(${c.one(['object.spec', 'object.nope', 'm.one', 'params.data.max', 'object.spec.template.x'])})`
    const [one, ones] = two ? [`k, ${name}`, both] : [name, []]
    return `${list()}.${c.one(two ? ['all', 'exists', 'existsOne'] : ['all', 'exists', 'exists_one'])}(${one}, ${within(types.bool, ones)})`
  }
  if (type.kind === 'list') {
    if (c.chance(0.2))
      return `${expression(scope, type)}.filter(${name}, ${expression({ ...scope, names: [...scope.names, { name, type: type.element }] }, types.bool)})`
    if (c.chance(0.2)) return `${list()}.transformList(k, ${name}, ${within(type.element, both)})`
    if (c.chance(0.1))
      return `${expression(scope, type)}.sortBy(${name}, ${expression({ ...scope, names: [...scope.names, { name, type: type.element }] }, types.int)})`
    return `${list()}.map(${name}, ${c.chance(0.2) ? `${within(types.bool)}, ` : ''}${within(type.element)})`
  }
  if (type.kind === 'map' && type.key.kind === 'int') return `${list()}.transformMap(k, ${name}, ${within(type.value, both)})`
  if (type.kind === 'opaque' && type.name === 'optional_type')
    return `${expression(scope, types.optional(element))}.optMap(${name}, ${within(type.parameters[0]!)})`
  return undefined
}

function call(scope: Scope, type: CelType): string | undefined {
  const { c } = scope
  for (let attempt = 0; attempt < 12; attempt++) {
    const { name, overload } = c.one(overloads)
    const bound = new Map<string, CelType>()
    if (!unify(overload.result, type, bound)) continue
    if (name === '_[_]' && overload.parameters[0]?.kind === 'map') bound.set('A', types[c.one(['string', 'int', 'bool'] as const)])
    const args = overload.parameters.map((parameter) => expression(scope, substituted(parameter, bound, c)))
    const text = written(name, overload, args)
    if (text !== undefined) return text
  }
  return undefined
}

function written(name: string, overload: Overload, args: string[]): string | undefined {
  const sign = infix[name]
  if (sign !== undefined) return `(${args.join(` ${sign} `)})`
  if (name === '!_') return `!${args[0]}`
  if (name === '-_') return `-(${args[0]})`
  if (name === '_[_]') return `${args[0]}[${args[1]}]`
  if (name === '_[?_]') return `${args[0]}[?${args[1]}]`
  if (name === '_?_:_') return `(${args[0]} ? ${args[1]} : ${args[2]})`
  if (!/^[a-zA-Z][a-zA-Z0-9_.]*$/.test(name)) return undefined
  return overload.member ? `${args[0]}.${name}(${args.slice(1).join(', ')})` : `${name}(${args.join(', ')})`
}

function same(a: CelType, b: CelType): boolean {
  if (a.kind !== b.kind) return false
  if (a.kind === 'list' && b.kind === 'list') return same(a.element, b.element)
  if (a.kind === 'map' && b.kind === 'map') return same(a.key, b.key) && same(a.value, b.value)
  if (a.kind === 'opaque' && b.kind === 'opaque') return a.name === b.name && a.parameters.every((one, n) => same(one, b.parameters[n]!))
  return true
}

/** Whether a form's result may be the type that is wanted; binds its parameters. */
function unify(form: CelType, wanted: CelType, bound: Map<string, CelType>): boolean {
  if (form.kind === 'parameter') {
    const known = bound.get(form.name)
    if (known !== undefined) return same(known, wanted)
    bound.set(form.name, wanted)
    return true
  }
  if (form.kind === 'list' && wanted.kind === 'list') return unify(form.element, wanted.element, bound)
  if (form.kind === 'map' && wanted.kind === 'map') return unify(form.key, wanted.key, bound) && unify(form.value, wanted.value, bound)
  if (form.kind === 'opaque' && wanted.kind === 'opaque')
    return form.name === wanted.name && form.parameters.every((one, n) => unify(one, wanted.parameters[n]!, bound))
  return same(form, wanted)
}

function substituted(type: CelType, bound: Map<string, CelType>, c: Chooser): CelType {
  switch (type.kind) {
    case 'parameter': {
      const known = bound.get(type.name) ?? someType(c, 1)
      bound.set(type.name, known)
      return known
    }
    case 'list':
      return types.list(substituted(type.element, bound, c))
    case 'map':
      // other keys than the language's
      if (type.key.kind === 'parameter' && !bound.has(type.key.name)) bound.set(type.key.name, types[c.one(['string', 'int', 'bool'] as const)])
      return types.map(substituted(type.key, bound, c), substituted(type.value, bound, c))
    case 'opaque':
      return types.opaque(type.name, ...type.parameters.map((one) => substituted(one, bound, c)))
    default:
      return type
  }
}

const tokens = ['a', 'b', 's', 'i', 'l', 'm', 'object', 'x', 'in', 'true', 'false', 'null', '1', '2u', '1.5', '.5', '0x1', "'a'", 'b"c"', "r'\\'", '"""q"""', '+', '-', '*', '/', '%', '!', '&&', '||', '?', ':', ',', '.', '(', ')', '[', ']', '{', '}', '==', '!=', '<', '<=', '>', '>=', '`z`', 'has(', '.all(x,', '.map(x,', '.?', '[?', '{?', ' ', '\n', '//c\n', 'for', '@', '|', '&', '=', '#', '"', "'", '\\', '$', 'é', '😀', '`', '-1', '--', '1e', '\t', 'size(', '.f(', 'optional.of(', 'Foo{', 'a.b{', '{"k":1}', 'cel.bind(x,', '.exists(', '"\\q"', "'\\u00'", 'dyn('] // prettier-ignore

/** Tokens in a row that is hardly ever an expression: for what is said of it, and how the parser finds its way back. */
export const randomTokens = (c: Chooser): string => Array.from({ length: 1 + c.below(14) }, () => c.one(tokens) + (c.chance(0.3) ? ' ' : '')).join('')
