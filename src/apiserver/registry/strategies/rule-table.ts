import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import type { WriteContext } from '../strategy.ts'
import { validateObjectMeta } from '../validation/object-meta.ts'
import { strategies } from './index.ts'

// Tables of rules for tests: each row changes an object that is valid, and says what is wrong then.

type Anything = KubeObject & Record<string, any>
type Change = (object: any) => void

/** The title, what is changed, and what is wrong then: `field: message`, or just how it begins. Patterns are for long values. */
export type Rule = [title: string, change: Change, ...causes: (string | RegExp)[]]

export const context = {
  request: { user: { username: 'jane', uid: 'u1', groups: ['dev'] }, verb: 'update', path: '' },
  now: '2026-01-01T00:00:00Z',
  dryRun: false,
} as unknown as WriteContext

interface Cause {
  field?: string
  message?: string
}
const text = ({ field, message }: Cause) => `${field}: ${message}`

function hold(causes: readonly Cause[], expected: readonly (string | RegExp)[]): void {
  const found = causes.map(text)
  assert.equal(found.length, expected.length, `causes: ${JSON.stringify(found, null, 1)}`)
  for (const one of expected)
    assert.ok(
      found.some((cause) => (typeof one === 'string' ? cause.startsWith(one) : one.test(cause))),
      `${String(one)} is not among ${JSON.stringify(found, null, 1)}`,
    )
}

const copy = (key: string, base: object): Anything => {
  const object = structuredClone({ apiVersion: 'v1', kind: 'X', ...base }) as Anything
  object.metadata = Object.assign({ name: 'x', namespace: 'default', uid: 'uid', generation: 1 }, object.metadata)
  if (clusterWide.has(key)) delete object.metadata.namespace
  return object
}
const clusterWide = new Set([
  'apiregistration.k8s.io/apiservices',
  'certificates.k8s.io/certificatesigningrequests',
  'flowcontrol.apiserver.k8s.io/flowschemas',
  'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations',
  'node.k8s.io/runtimeclasses',
  'rbac.authorization.k8s.io/clusterrolebindings',
  'rbac.authorization.k8s.io/clusterroles',
  'scheduling.k8s.io/priorityclasses',
])

/** As a create leaves it, with the causes against it. */
export function created(key: string, base: object, change: Change = () => {}): { object: Anything; causes: Cause[] } {
  const object = copy(key, base)
  change(object)
  const strategy = strategies[key]!
  strategy.default?.(object)
  strategy.prepareForCreate?.(object, context)
  const causes: Cause[] = validateObjectMeta(object.metadata, {
    namespaced: !clusterWide.has(key),
    ...(strategy.validateName ? { name: strategy.validateName } : {}),
    looseFinalizers: true,
  })
  causes.push(...(strategy.validate?.(object) ?? []), ...(strategy.validateCreate?.(object) ?? []))
  return { object, causes }
}

function stored(key: string, base: object, before: Change): Anything {
  const { object, causes } = created(key, base)
  assert.deepEqual(causes.map(text), [], 'the object that rows start from is valid')
  before(object)
  return freeze(object)
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner)
    Object.freeze(value)
  }
  return value
}

export function testCreates(key: string, base: object, rules: readonly Rule[]): void {
  for (const [title, change, ...causes] of rules) test(`create ${key}: ${title}`, () => hold(created(key, base, change).causes, causes))
}

export interface UpdateTable {
  /** What has become of the stored object since it was created. */
  before?: Change
  /** Of the main resource when absent. */
  subresource?: 'status' | 'approval'
}

export function updated(key: string, old: Anything, change: Change, subresource?: string): { object: Anything; causes: Cause[] } {
  const object = structuredClone(old) as Anything
  change(object)
  const strategy = strategies[key]!
  const request = { ...context, request: { ...context.request, resource: { subresource: subresource ?? '' } } } as WriteContext
  strategy.default?.(object)
  if (subresource) {
    strategy.prepareForStatusUpdate?.(object, old, request)
    return { object, causes: strategy.validateStatusUpdate?.(object, old, undefined, subresource) ?? [] }
  }
  strategy.prepareForUpdate?.(object, old, request)
  return { object, causes: [...(strategy.validate?.(object, undefined, old) ?? []), ...(strategy.validateUpdate?.(object, old) ?? [])] }
}

export function testUpdates(key: string, base: object, { before = () => {}, subresource }: UpdateTable, rules: readonly Rule[]): void {
  for (const [title, change, ...causes] of rules)
    test(`update ${key}${subresource ? `/${subresource}` : ''}: ${title}`, () => {
      const old = stored(key, base, before)
      hold(updated(key, old, change, subresource).causes, causes)
    })
}

/** The title, what is changed, and the warnings of a create, or of an update from the base where `update`. */
export type WarningRow = [title: string, on: 'create' | 'update', change: Change, ...warnings: string[]]

export function testWarnings(key: string, base: object, rows: readonly WarningRow[]): void {
  for (const [title, on, change, ...warnings] of rows)
    test(`warnings of ${key}: ${title}`, () => {
      const strategy = strategies[key]!
      const old = stored(key, base, () => {})
      if (on === 'create') assert.deepEqual(strategy.warnings?.(created(key, base, change).object), warnings)
      else assert.deepEqual(strategy.warnings?.(updated(key, old, change).object, old), warnings)
    })
}
