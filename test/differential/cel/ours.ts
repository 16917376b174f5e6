import type { CelType, Library, Overload, Program, Value } from '#cel'
import {
  CelError,
  CompileError,
  Duration,
  List,
  MapValue,
  Opaque,
  Timestamp,
  TypeValue,
  Uint,
  estimateCost,
  jsonValue,
  kubernetesEnvironment,
  kubernetesLibraries,
  printType,
  standardLibrary,
  types,
  unboundedCost,
} from '#cel'
import { authorizerType } from '../../../src/cel/libraries/authz.ts'
import { cidrType } from '../../../src/cel/libraries/cidr.ts'
import { FormatValue, formatType } from '../../../src/cel/libraries/format.ts'
import { ipType } from '../../../src/cel/libraries/ip.ts'
import { quantityType } from '../../../src/cel/libraries/quantity.ts'
import { semverType } from '../../../src/cel/libraries/semver.ts'
import { urlType } from '../../../src/cel/libraries/urls.ts'
import { Optional } from '../../../src/cel/optional.ts'
import type { Answer } from './answer.ts'
import { variables } from './variables.ts'

/** Kubernetes' limit for one expression (apiserver/pkg/apis/cel). */
const perCall = 1_000_000

const named: Readonly<Record<string, CelType>> = {
  'kubernetes.Quantity': quantityType,
  'net.IP': ipType,
  'net.CIDR': cidrType,
  'kubernetes.Semver': semverType,
  'kubernetes.URL': urlType,
  'kubernetes.NamedFormat': formatType,
  'kubernetes.authorization.Authorizer': authorizerType,
}

/** Reads `list(int)`, `map(string, dyn)`, `optional_type(int)` and names. */
export function typeNamed(text: string): CelType {
  const [, outer, inner = ''] = /^(list|map|optional_type)\((.*)\)$/.exec(text) ?? []
  if (outer === 'list') return types.list(typeNamed(inner))
  if (outer === 'optional_type') return types.optional(typeNamed(inner))
  if (outer === 'map') {
    const [key, value] = inner.split(/, (.*)/)
    return types.map(typeNamed(key!), typeNamed(value!))
  }
  return named[text] ?? (types as unknown as Record<string, CelType>)[text]!
}

const constants = kubernetesEnvironment()
const environment = kubernetesEnvironment({ variables: Object.fromEntries(variables.map(({ name, type }) => [name, typeNamed(type)])) })
const values: Record<string, Value> = {}
for (const variable of variables) {
  if ('json' in variable) values[variable.name] = jsonValue(variable.json)
  if ('expression' in variable) values[variable.name] = constants.compile(variable.expression).evaluate({}).value
}

export const functions = new Map<string, Overload[]>()
for (const library of [standardLibrary, ...kubernetesLibraries] satisfies Library[])
  for (const [name, overloads] of Object.entries(library.functions ?? {})) functions.set(name, [...(functions.get(name) ?? []), ...overloads])

/** What our environment makes of an expression, told as the reference tells it. */
export function ours(expression: string): Answer {
  let program: Program
  try {
    program = environment.compile(expression)
  } catch (error) {
    if (error instanceof CompileError)
      return error.issues.length > 0 ? { issues: error.message, cost: 0, least: 0 } : { fault: error.message, cost: 0, least: 0 }
    return { fault: error instanceof Error ? error.stack! : String(error), cost: 0, least: 0 }
  }
  try {
    const { min, max } = estimateCost(program.checked, { functions })
    const { value, cost } = program.evaluate(values, { cost: perCall })
    const answer = { type: printType(program.resultType), cost, least: Number(min), ...(max !== unboundedCost && { most: String(max) }) }
    return value instanceof CelError ? { ...answer, error: value.message } : { ...answer, value: written(value) }
  } catch (error) {
    return { fault: error instanceof Error ? error.stack! : String(error), cost: 0, least: 0 }
  }
}

function written(value: Value): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'bigint') return String(value)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return quoted(value)
  if (value instanceof Uint) return `${value.value}u`
  if (value instanceof Uint8Array) return `b"${Buffer.from(value).toString('base64')}"`
  if (value instanceof Timestamp) return `timestamp("${timestamp(value.nanoseconds)}")`
  if (value instanceof Duration) return `duration("${value.nanoseconds}ns")`
  if (value instanceof TypeValue) return `type(${printType(value.of)})`
  if (value instanceof Optional) return value.value === undefined ? 'optional.none()' : `optional.of(${written(value.value)})`
  if (value instanceof FormatValue) return `format(${quoted(value.format.name)})`
  if (value instanceof Opaque) {
    const name = printType(value.type)
    return `${/^(net|kubernetes)\./.test(name) ? name.replace(/.*\./, '').toLowerCase() : name}(${quoted(String(value))})`
  }
  if (value instanceof List) return `[${Array.from({ length: value.length }, (_, n) => written(value.at(n))).join(', ')}]`
  if (value instanceof MapValue) {
    const entries = Array.from(value.keys(), (key) => `${written(key)}: ${written(value.get(key)!)}`)
    return `{${entries.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))).join(', ')}}`
  }
  return `error ${value.message}`
}

const quoted = (text: string) => JSON.stringify(text.toWellFormed()).replace(/[\u2028\u2029]/g, (one) => `\\u${one.charCodeAt(0).toString(16)}`)

function number(value: number): string {
  const text = Object.is(value, -0) ? '-0' : String(value)
  return /^-?\d+$/.test(text) ? `${text}.0` : text
}

function timestamp(nanoseconds: bigint): string {
  const rest = ((nanoseconds % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n
  const seconds = new Date(Number((nanoseconds - rest) / 1_000_000n)).toISOString().slice(0, 19)
  const digits = String(rest).padStart(9, '0').replace(/0+$/, '')
  return `${seconds}${digits && `.${digits}`}Z`
}
