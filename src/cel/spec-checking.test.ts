import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { tests as checking } from '@bufbuild/cel-spec/testdata/checking.js'
import { tests as comprehension } from '@bufbuild/cel-spec/testdata/comprehension.js'
import { tests as conformance } from '@bufbuild/cel-spec/testdata/conformance.js'
import { tests as parsing } from '@bufbuild/cel-spec/testdata/parsing.js'
import type { SerializedIncrementalTest, SerializedIncrementalTestSuite } from '@bufbuild/cel-spec/testdata/tests.js'
import { KindAdorner, toDebugString } from '@bufbuild/cel-spec/testdata/to-debug-string.js'
import { getTestRegistry } from '@bufbuild/cel-spec/testdata/registry.js'
import { type DescExtension, type DescField, ScalarType } from '@bufbuild/protobuf'
import type { Expr } from './ast.ts'
import type { Checked } from './checked.ts'
import { check } from './checker.ts'
import { CompileError } from './environment.ts'
import type { Library, Overload } from './library.ts'
import { optionals } from './libraries/optionals.ts'
import { standardLibrary } from './libraries/standard.ts'
import { strings } from './libraries/strings.ts'
import { describeType } from './type-text.ts'
import { type CelType, type TypeProvider, types } from './types.ts'
import { objectType } from './unification.ts'
import type { Value } from './values.ts'
import { bindMacros, standardMacros } from './macros.ts'
import { parse } from './parser.ts'

/** An expression in the shape of the specification's messages, which the specification's own printer takes. */
const message = (e: Expr): unknown => {
  const of = (name: string, value: unknown) => ({ $typeName: 'cel.expr.Expr', id: BigInt(e.id), exprKind: { case: name, value } })
  const entry = (id: number, keyKind: unknown, value: Expr, optional: true | undefined) => ({
    $typeName: 'cel.expr.Expr.CreateStruct.Entry',
    id: BigInt(id),
    keyKind,
    value: message(value),
    optionalEntry: optional ?? false,
  })
  switch (e.kind) {
    case 'literal':
      return of('constExpr', { constantKind: constant(e.value) })
    case 'ident':
      return of('identExpr', { name: e.name })
    case 'select':
      return of('selectExpr', { operand: message(e.operand), field: e.field, testOnly: e.testOnly ?? false })
    case 'call':
      return of('callExpr', { ...(e.target && { target: message(e.target) }), function: e.function, args: e.args.map(message) })
    case 'list':
      return of('listExpr', { elements: e.elements.map(message) })
    case 'map':
      return of('structExpr', {
        messageName: '',
        entries: e.entries.map(({ id, key, value, optional }) => entry(id, { case: 'mapKey', value: message(key) }, value, optional)),
      })
    case 'struct':
      return of('structExpr', {
        messageName: e.name,
        entries: e.entries.map(({ id, field, value, optional }) => entry(id, { case: 'fieldKey', value: field }, value, optional)),
      })
    case 'comprehension':
      return of('comprehensionExpr', {
        iterVar: e.variable,
        iterRange: message(e.range),
        accuVar: e.accumulator,
        accuInit: message(e.init),
        loopCondition: message(e.condition),
        loopStep: message(e.step),
        result: message(e.result),
      })
    default:
      throw new Error(e satisfies never)
  }
}

const constant = (value: (Expr & { kind: 'literal' })['value']): { case: string; value: unknown } => {
  if (value === null) return { case: 'nullValue', value }
  if (value instanceof Uint8Array) return { case: 'bytesValue', value }
  if (typeof value === 'object') return { case: 'uint64Value', value: value.uint }
  const cases: Record<string, string> = { boolean: 'boolValue', bigint: 'int64Value', number: 'doubleValue', string: 'stringValue' }
  return { case: cases[typeof value]!, value }
}

const all = (suite: SerializedIncrementalTestSuite, path = suite.name): { name: string; data: SerializedIncrementalTest }[] => [
  ...(suite.tests ?? []).map((data) => ({ name: `${path}: ${data.original.name ?? ''} ${data.original.expr}`, data })),
  ...(suite.suites ?? []).flatMap((inner) => all(inner, `${path}/${inner.name}`)),
]

const suites = [parsing, checking, comprehension, conformance]
// The trees were recorded with the standard macros alone.

describe('expressions of the specification parse to its trees', () => {
  for (const { name, data } of suites.flatMap((suite) => all(suite))) {
    // cel-go's parser knows existsOne, Kubernetes' environment does not.
    if (data.ast === undefined || /^parsing.*existsOne/.test(name)) continue
    test(name, () => {
      const parsed = parse(data.original.expr, [{ macros: data.original['disableMacros'] ? [] : [...standardMacros] }])
      assert.equal(toDebugString(message(parsed.expr) as never, KindAdorner.singleton), data.ast)
    })
  }
})

/** Types of protocol buffers' messages in the specification's tests; cel-go's own tests have older names for them. */
const registry = getTestRegistry()
const older = /\bgoogle\.expr\.proto([23])\.test\b/
const messages: TypeProvider = {
  has: (name) => registry.getMessage(newName(name)) !== undefined,
  fields: (name) => registry.getMessage(newName(name))?.fields.map((field) => field.name) ?? [],
  field(name, fieldName) {
    const found = registry.getMessage(newName(name))?.fields.find((candidate) => candidate.name === fieldName)
    const extension = found ?? registry.getExtension(fieldName)
    return extension && fieldType(extension, name)
  },
}
const newName = (name: string): string => name.replace(older, 'cel.expr.conformance.proto$1')

const scalars: Record<number, CelType> = {
  [ScalarType.DOUBLE]: types.double,
  [ScalarType.FLOAT]: types.double,
  [ScalarType.UINT32]: types.uint,
  [ScalarType.UINT64]: types.uint,
  [ScalarType.FIXED32]: types.uint,
  [ScalarType.FIXED64]: types.uint,
  [ScalarType.BOOL]: types.bool,
  [ScalarType.STRING]: types.string,
  [ScalarType.BYTES]: types.bytes,
}
const scalar = (type: ScalarType): CelType => scalars[type] ?? types.int

const fieldType = (field: DescField | DescExtension, holder: string): CelType => {
  const single = (kind: typeof field): CelType => {
    if (!kind.message) return kind.enum ? types.int : scalar(kind.scalar!)
    const { typeName } = kind.message
    return objectType(older.test(holder) ? typeName.replace(/^cel\.expr\.conformance\.proto([23])\b/, 'google.expr.proto$1.test') : typeName)
  }
  switch (field.fieldKind) {
    case 'list':
      return types.list(single(field))
    case 'map':
      return types.map(scalar(field.mapKey), single(field))
    default:
      return single(field)
  }
}

const enums = (): Record<string, { type: CelType; value: Value }> => {
  const constants: Record<string, { type: CelType; value: Value }> = {}
  for (const desc of registry) {
    if (desc.kind !== 'enum') continue
    for (const { name, number } of desc.values) {
      const constant = { type: types.int, value: BigInt(number) }
      constants[`${desc.typeName}.${name}`] = constant
      constants[`${desc.typeName.replace(/^cel\.expr\.conformance\.proto([23])\b/, 'google.expr.proto$1.test')}.${name}`] = constant
    }
  }
  return constants
}

/** Names that cel-go's tests of its checker declare. */
const checkerNames: Record<string, CelType> = {
  is: types.string,
  ii: types.int,
  iu: types.uint,
  iz: types.bool,
  ib: types.bytes,
  id: types.double,
  ix: types.null,
}
const checkerFunctions: Record<string, Overload[]> = {
  fg_s: [{ id: 'fg_s_0', parameters: [], result: types.string, call: () => '' }],
  fi_s_s: [{ id: 'fi_s_s_0', parameters: [types.string], result: types.string, member: true, call: () => '' }],
}

type Json = Record<string, unknown>

/** A type as the JSON form of `checked.proto` has it. */
const celType = (json: Json): CelType => {
  const primitives: Record<string, CelType> = {
    INT64: types.int,
    UINT64: types.uint,
    BOOL: types.bool,
    DOUBLE: types.double,
    STRING: types.string,
    BYTES: types.bytes,
  }
  if ('primitive' in json) return primitives[json['primitive'] as string]!
  if ('wrapper' in json) return types.wrapper(primitives[json['wrapper'] as string]!)
  if ('messageType' in json) return objectType(json['messageType'] as string)
  if ('wellKnown' in json) return { ANY: types.any, TIMESTAMP: types.timestamp, DURATION: types.duration }[json['wellKnown'] as 'ANY']!
  if ('listType' in json) return types.list(celType((json['listType'] as Json)['elemType'] as Json))
  if ('mapType' in json) {
    const { keyType, valueType } = json['mapType'] as Record<string, Json>
    return types.map(celType(keyType!), celType(valueType!))
  }
  if ('null' in json) return types.null
  if ('type' in json) return types.type(celType(json['type'] as Json))
  if ('typeParam' in json) return types.parameter(json['typeParam'] as string)
  if ('abstractType' in json) {
    const { name, parameterTypes = [] } = json['abstractType'] as { name: string; parameterTypes?: Json[] }
    return types.opaque(name, ...parameterTypes.map(celType))
  }
  return types.dyn
}

/** Comparisons of numbers of two types: the specification's results were recorded without them. */
const crossType = /^(less|greater)(_equals)?_(int64|uint64|double)_(int64|uint64|double)$/

interface Declaration {
  name: string
  ident?: { type: Json }
  function?: { overloads: { overloadId: string; params?: Json[]; resultType: Json; isInstanceFunction?: boolean }[] }
}

/** Whether a result was recorded with limits that are not Kubernetes', without syntax that it has, or with a library that it has not. */
const recordedOtherwise = (name: string, error: string): boolean =>
  /unsupported syntax|exceeded|could not parse|error during formatting|out of range|too many arguments|'existsOne'|'wrapper\(int\)' is not a type/.test(
    error,
  ) ||
  /^conformance\/(math_ext|block_ext|proto2_ext|encoders_ext)/.test(name) ||
  // Of messages in a group the registry knows no fields; comparisons within comprehensions were recorded with all types; optMap was another macro.
  /nestedgroup|^parsing.*existsOne|optMap|reverse|== optional_type|lists\.filter\(x, x > 1\.5\)/.test(name)

const extensions = (name: string, checkedAst: string): Library[] => [
  ...(/optional/.test(checkedAst) ? [optionals] : []),
  ...(/string_ext|^comprehensions/.test(name) ? [strings] : []),
  ...(/bind|^comprehensions/.test(name) ? [{ name: 'bind', macros: [...bindMacros] }] : []),
]

/** Adds to each part its type and what it refers to, as cel-go prints checked expressions. */
const semantic = ({ types: found, references }: Checked) => ({
  GetMetadata(context: unknown) {
    const { $typeName, id, exprKind } = context as { $typeName: string; id: bigint; exprKind: { case: string; value: { messageName?: string } } }
    if ($typeName !== 'cel.expr.Expr') return ''
    const type = found.get(Number(id))
    const reference = references.get(Number(id))
    const name = exprKind.case === 'structExpr' && exprKind.value.messageName ? `^${exprKind.value.messageName}` : ''
    const meaning = reference?.kind === 'function' ? `^${[...reference.overloads].sort().join('|')}` : reference ? `^${reference.name}` : name
    return (type ? `~${describeType(type)}` : '') + meaning
  },
})

describe('expressions of the specification have its types and references', () => {
  for (const { name, data } of suites.flatMap((suite) => all(suite))) {
    const { original, checkedAst, error } = data
    if ((checkedAst === undefined && error === undefined) || original['disableMacros'] || recordedOtherwise(name, error ?? '')) continue
    const declared = (original['typeEnv'] ?? []) as unknown as Declaration[]
    test(name, () => {
      const variables: Record<string, CelType> = name.startsWith('checking') ? { ...checkerNames } : {}
      const functions: Record<string, Overload[]> = name.startsWith('checking') ? { ...checkerFunctions } : {}
      for (const declaration of declared) {
        if (declaration.ident) variables[declaration.name] = celType(declaration.ident.type)
        if (declaration.function) {
          functions[declaration.name] = declaration.function.overloads.map(({ overloadId, params = [], resultType, isInstanceFunction }) => ({
            id: overloadId,
            parameters: params.map(celType),
            result: celType(resultType),
            ...(isInstanceFunction && { member: true as const }),
            call: () => null,
          }))
        }
      }
      const all: Library[] = [standardLibrary, ...extensions(name, checkedAst ?? ''), { name: 'declared', functions, constants: enums() }]
      const merged = new Map<string, Overload[]>()
      for (const library of all)
        for (const [key, overloads] of Object.entries(library.functions ?? {}))
          merged.set(key, [...(merged.get(key) ?? []), ...overloads.filter(({ id }) => !crossType.test(id))])
      const declarations = {
        variables,
        functions: merged,
        constants: new Map(all.flatMap(({ constants }) => Object.entries(constants ?? {}))),
        types: messages,
        container: (original['container'] as string | undefined) ?? '',
        homogeneous: false,
      }
      let got: string
      try {
        const checked = check(parse(original.expr, all), declarations)
        got = toDebugString(message(checked.expr) as never, semantic(checked))
      } catch (failure) {
        if (!(failure instanceof CompileError)) throw failure
        got = failure.message
      }
      assert.equal(got, checkedAst ?? error!.replaceAll(/^ERROR: [^:]*:/gmu, 'ERROR: <input>:'))
    })
  }
})
