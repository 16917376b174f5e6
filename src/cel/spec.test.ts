import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tests } from '@bufbuild/cel-spec/testdata/conformance.js'
import { createEnvironment } from './compile.ts'
import { CompileError, type Variables } from './environment.ts'
import { kubernetesLibraries } from './libraries/index.ts'
import { standardLibrary } from './libraries/standard.ts'
import type { Library, Overload } from './library.ts'
import { bindMacros } from './macros.ts'
import { parse } from './parser.ts'
import { plan } from './plan.ts'
import { printType } from './type-text.ts'
import { type CelType, types } from './types.ts'
import { CelError, Duration, TypeValue, Uint, type Value } from './values.ts'
import { listOf, mapOf } from './values/collections.ts'
import { equal } from './values/equality.ts'
import { show, typeName, typeOf } from './values/names.ts'
import { parseDuration, parseTimestamp } from './values/time.ts'

/** A test of the specification, as its JSON has it (cel-spec's `simple.proto`). */
interface SpecTest {
  name: string
  expr: string
  container?: string
  disableCheck?: boolean
  checkOnly?: boolean
  typeEnv?: { name: string; ident?: { type: SpecType }; function?: { overloads: SpecOverload[] } }[]
  bindings?: Record<string, { value: SpecValue }>
  value?: SpecValue
  typedResult?: { result?: SpecValue; deducedType: SpecType }
  evalError?: object
}

interface SpecOverload {
  overloadId: string
  params?: SpecType[]
  resultType: SpecType
  isInstanceFunction?: boolean
}

type SpecValue = Record<string, never>
type SpecType = Record<string, never>

/** Sections that need what Kubernetes' environment has not. */
const SKIPPED_SECTIONS: Readonly<Record<string, string>> = {
  block_ext: 'cel.block is what optimizers write, no user of Kubernetes can',
  encoders_ext: 'the library of encoders is not in Kubernetes',
  enums: 'enums are of protobuf messages',
  math_ext: 'the library math is not in Kubernetes',
  proto2: 'protobuf messages',
  proto2_ext: 'protobuf extensions',
  proto3: 'protobuf messages',
  wrappers: 'protobuf messages',
}

/** Tests that cel-go does not pass, and Kubernetes with it (cel-go's conformance/BUILD.bazel), or that Kubernetes' options change. */
const DIFFERENT: Readonly<Record<string, string>> = {
  'fields/qualified_identifier_resolution/map_key_float': 'cel-go takes any key',
  'fields/map_fields/map_bad_key_type_or_true': 'Kubernetes computes constants beforehand, and refuses this one',
  'fields/map_fields/map_bad_key_type_and_false': 'Kubernetes computes constants beforehand, and refuses this one',
  'fields/qualified_identifier_resolution/map_value_repeat_key': 'cel-go takes the last of equal keys',
  'fields/qualified_identifier_resolution/map_value_repeat_key_heterogeneous': 'cel-go takes the last of equal keys',
  'timestamps/duration_converters/get_milliseconds': 'cel-go counts all milliseconds of a duration',
  'optionals/optionals/map_present_key_invalid_field': 'Kubernetes leaves the option off that makes it an error to look for fields of a number',
  'optionals/optionals/map_null_entry_no_such_key': 'Kubernetes leaves the option off that makes it an error to look for fields of null',
  'fields/qualified_identifier_resolution/qualified_identifier_resolution_unchecked': 'Kubernetes checks all expressions',
  'namespace/namespace/self_eval_container_lookup_unchecked': 'Kubernetes checks all expressions',
  'type_deductions/legacy_nullable_types/null_assignable_to_abstract_parameter_candidate': 'cel-go takes the type of the second element',
  'string_ext/value_errors/indexof_out_of_range': 'cel-go finds nothing beyond the end',
  'string_ext/value_errors/lastindexof_out_of_range': 'cel-go finds nothing beyond the end',
  ...Object.fromEntries(
    [
      'NaN support for decimal',
      'NaN support for scientific notation',
      'default precision for scientific notation',
      'dyntype NaN/infinity support',
      'dyntype support for lists',
      'dyntype support for maps',
      'dyntype support for scientific notation',
      'list support for string',
      'map support (all key types)',
      'map support for string',
      'negative infinity support for decimal',
      'negative infinity support for fixed-point',
      'negative infinity support for scientific notation',
      'positive infinity support for decimal',
      'positive infinity support for fixed-point',
      'positive infinity support for scientific notation',
      'scientific notation formatting clause',
      'scientific notation formatting clause in a string variable',
    ].map((name) => [`string_ext/format/${name}`, 'Kubernetes has version 2 of the strings library, whose texts are other ones']),
  ),
}

/** The value that this environment cannot have: a protobuf message. */
class NeedsMessages extends Error {}

const MESSAGES = /TestAllTypes|NestedTestAllTypes|google\.protobuf\.(?!Timestamp\b|Duration\b)\w+|proto[23]/

const constants = standardLibrary.constants!

function value(spec: SpecValue): Value {
  const [[kind, given]] = Object.entries(spec) as unknown as [[string, any]]
  switch (kind) {
    case 'nullValue':
      return null
    case 'boolValue':
    case 'stringValue':
      return given
    case 'int64Value':
      return BigInt(given)
    case 'uint64Value':
      return new Uint(BigInt(given))
    case 'doubleValue':
      return Number(given)
    case 'bytesValue':
      return new Uint8Array(Buffer.from(given, 'base64'))
    case 'listValue':
      return listOf((given.values ?? []).map(value))
    case 'mapValue':
      return mapOf((given.entries ?? []).map((entry: { key: SpecValue; value: SpecValue }) => [value(entry.key), value(entry.value)]))
    case 'typeValue':
      return constants[given]?.value ?? new TypeValue(types.opaque(given))
    case 'objectValue':
      if (given['@type'] === 'type.googleapis.com/google.protobuf.Timestamp') return parseTimestamp(given.value) as Value
      if (given['@type'] === 'type.googleapis.com/google.protobuf.Duration') return new Duration(parseDuration(given.value)!)
  }
  throw new NeedsMessages(kind)
}

const PRIMITIVES: Readonly<Record<string, CelType>> = {
  BOOL: types.bool,
  INT64: types.int,
  UINT64: types.uint,
  DOUBLE: types.double,
  STRING: types.string,
  BYTES: types.bytes,
  TIMESTAMP: types.timestamp,
  DURATION: types.duration,
  ANY: types.any,
}

function type(spec: SpecType): CelType {
  const [[kind, given]] = Object.entries(spec) as unknown as [[string, any]]
  switch (kind) {
    case 'primitive':
    case 'wellKnown':
      return PRIMITIVES[given]!
    case 'wrapper':
      return types.wrapper(PRIMITIVES[given]!)
    case 'null':
    case 'dyn':
    case 'error':
      return types[kind]
    case 'listType':
      return types.list(given.elemType ? type(given.elemType) : types.dyn)
    case 'mapType':
      return types.map(type(given.keyType), type(given.valueType))
    case 'type':
      return types.type(Object.keys(given).length === 0 ? undefined : type(given))
    case 'abstractType':
      return types.opaque(given.name, ...(given.parameterTypes ?? []).map(type))
    case 'typeParam':
      return types.parameter(given)
    case 'messageType':
      if (given === 'google.protobuf.Timestamp') return types.timestamp
      if (given === 'google.protobuf.Duration') return types.duration
  }
  throw new NeedsMessages(kind)
}

const extensions: readonly Library[] = [standardLibrary, ...kubernetesLibraries, { name: 'bindings', macros: [...bindMacros] }]

function declared(spec: SpecTest): { variables: Record<string, CelType>; libraries: Library[] } {
  const variables: Record<string, CelType> = {}
  const functions: Record<string, Overload[]> = {}
  for (const { name, ident, function: declaration } of spec.typeEnv ?? []) {
    if (ident) variables[name] = type(ident.type)
    if (declaration) functions[name] = declaration.overloads.map(overload)
  }
  return { variables, libraries: [...extensions, { name: 'declared', functions }] }
}

const overload = ({ overloadId, params = [], resultType, isInstanceFunction }: SpecOverload): Overload => ({
  id: overloadId,
  parameters: params.map(type),
  result: type(resultType),
  ...(isInstanceFunction && { member: true }),
  call: () => new CelError(`no such overload: ${overloadId}`),
})

function bindings(spec: SpecTest): Variables {
  return Object.fromEntries(Object.entries(spec.bindings ?? {}).map(([name, bound]) => [name, value(bound.value)]))
}

/** Evaluates without a check, as tests of what the checker would refuse ask. */
function unchecked(spec: SpecTest, libraries: readonly Library[]): Value {
  const functions = new Map<string, Overload[]>()
  for (const library of libraries) {
    for (const [name, overloads] of Object.entries(library.functions ?? {})) functions.set(name, [...(functions.get(name) ?? []), ...overloads])
  }
  const types = Object.fromEntries(Object.entries(constants).map(([name, constant]) => [name, constant.value]))
  return plan(
    { ...parse(spec.expr, libraries), types: new Map(), references: new Map(), mentions: new Set() },
    { functions },
  )({ ...types, ...bindings(spec) }).value
}

function fault(spec: SpecTest): string | undefined {
  const { variables, libraries } = declared(spec)
  const wanted = spec.value ?? spec.typedResult?.result
  const expected = wanted ? value(wanted) : true
  let found: Value
  if (spec.disableCheck) found = unchecked(spec, libraries)
  else {
    const program = createEnvironment({ libraries, variables, strict: false, ...(spec.container && { container: spec.container }) }).compile(
      spec.expr,
    )
    const deduced = spec.typedResult && printType(type(spec.typedResult.deducedType))
    if (deduced !== undefined && printType(program.resultType) !== deduced) return `has type ${printType(program.resultType)} rather than ${deduced}`
    if (spec.checkOnly) return undefined
    found = program.evaluate(bindings(spec)).value
  }
  if (spec.evalError) return found instanceof CelError ? undefined : `is ${show(found)} rather than an error`
  return same(found, expected) ? undefined : `is ${show(found)} rather than ${show(expected)}`
}

const same = (found: Value, expected: Value) =>
  (equal(found, expected) || (Number.isNaN(found) && Number.isNaN(expected))) && typeName(typeOf(found)) === typeName(typeOf(expected))

function check(spec: SpecTest): string | undefined {
  try {
    return fault(spec)
  } catch (error) {
    if (error instanceof NeedsMessages) throw error
    // constants are computed while planning, so their errors come with the compilation
    if (spec.evalError && error instanceof CompileError && error.issues.length === 0) return undefined
    return `fails: ${(error as Error).message}`
  }
}

let passed = 0
let messages = 0

for (const section of tests.suites ?? []) {
  const reason = SKIPPED_SECTIONS[section.name]
  test(`the specification's section ${section.name}`, { skip: reason }, () => {
    const faults: string[] = []
    for (const part of section.suites ?? []) {
      for (const { original } of part.tests ?? []) {
        const spec = original as unknown as SpecTest
        const name = `${section.name}/${part.name}/${spec.name}`
        if (DIFFERENT[name] !== undefined) continue
        if (MESSAGES.test(spec.expr) || MESSAGES.test(`${spec.container ?? ''}.${spec.expr}`)) {
          messages++
          continue
        }
        try {
          const wrong = check(spec)
          if (wrong === undefined) passed++
          else faults.push(`${name}: ${spec.expr} ${wrong}`)
        } catch (error) {
          if (!(error instanceof NeedsMessages)) throw error
          messages++
        }
      }
    }
    assert.deepEqual(faults, [])
  })
}

test('most of the specification is tested', (t) => {
  t.diagnostic(`${passed} tests pass, ${messages} need protobuf messages, ${Object.keys(DIFFERENT).length} are different in cel-go`)
  assert.ok(passed > 1300)
})
