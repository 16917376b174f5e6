import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { StatusError, schemaOf } from '#api'
import type { ObjectSchema, Schema } from '#api'
import type { Step } from './record-histories.ts'
import { applyJsonPatch, applyMergePatch, applyServerSide, applyStrategicMergePatch, trackUpdate } from './index.ts'

interface Recorded {
  name: string
  apiVersion: string
  kind: string
  steps: (Step & { body: any; code: number; answer: any })[]
}

const histories = readFileSync(join(import.meta.dirname, 'testdata/histories.jsonl'), 'utf8')
  .trimEnd()
  .split('\n')
  .map((line) =>
    JSON.parse(line, (key, value) =>
      // Go of that time writes it in every nested metadata
      key === 'creationTimestamp' && value === null ? undefined : value,
    ),
  ) as Recorded[]

/** Structs and maps that the recorded release took as granular and that are atomic today. */
const granularThen = new Set(['v1.OwnerReference', 'v1.LocalObjectReference', 'v1.ObjectFieldSelector', 'nodeSelector'])

function asRecorded(schema: Schema, done = new Map<Schema, Schema>()): any {
  const known = done.get(schema)
  if (known) return known
  const copy: any = { ...schema }
  done.set(schema, copy)
  if (schema.type === 'list') copy.items = asRecorded(schema.items, done)
  if (schema.type !== 'object') return copy
  if (granularThen.has(schema.goName)) copy.mapType = undefined
  copy.fields = new Map(
    [...schema.fields.values()].map((field) => {
      const own = asRecorded(field.schema, done)
      const then = { ...field, schema: granularThen.has(field.name) ? { ...own, mapType: undefined } : own }
      if (schema.goName === 'v1.ServicePort' && field.name === 'protocol') then.default = undefined
      return [field.name, then]
    }),
  )
  return copy
}

describe('histories that a Kubernetes 1.20 API server recorded', () => {
  for (const { name, apiVersion, kind, steps } of histories)
    test(name, async (t) => {
      const schema: ObjectSchema = asRecorded(schemaOf(apiVersion, kind)!)
      let live: any
      for (const [i, step] of steps.entries()) {
        const { verb, manager, code, answer } = step
        await t.test(`${i}: ${verb} by ${manager}${step.subresource ? ` (${step.subresource})` : ''}`, () => check(schema, live, step))
        if (code < 300) live = answer
      }
    })
})

function check(schema: ObjectSchema, live: any, step: Recorded['steps'][number]): void {
  const { code, answer } = step
  let made: { object: any; managedFields: any }
  try {
    made = play(schema, live, step)
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    assert.equal(code, error.code, error.message)
    assert.equal(message(error.status), message(answer))
    assert.deepEqual(sortedCauses(error.status), sortedCauses(answer))
    return
  }
  // what the server refuses later is not for this code to refuse
  if (code >= 300) return assert.equal(answer.reason, 'Invalid', `expected ${code} ${answer.message}`)
  if (step.verb !== 'create' && step.verb !== 'update') assert.deepEqual(undefaulted(made.object), undefaulted(answer))
  assert.deepEqual(normalized(made.managedFields), normalized(answer.metadata.managedFields))
}

function play(schema: ObjectSchema, live: any, { verb, manager, force, subresource, body, code, answer }: Recorded['steps'][number]) {
  // a subresource made no manager of its own then
  const by = { schema, manager, now: '2026-01-01T00:00:00Z', ...(subresource ? { resetFields: {} } : {}) }
  if (verb === 'apply') return applyServerSide({ ...by, live, applied: body, force })
  const patched =
    verb === 'merge'
      ? applyMergePatch(live, body)
      : verb === 'json'
        ? applyJsonPatch(live, body)
        : verb === 'strategic'
          ? applyStrategicMergePatch(live, body, schema)
          : body
  const stored = code < 300 ? beforeAdmission(answer) : patched
  const updated = { ...stored, metadata: { ...stored.metadata, managedFields: patched.metadata.managedFields } }
  return { object: patched, managedFields: trackUpdate({ ...by, old: live, updated }) }
}

/** What admission adds to a pod nobody owned. */
function beforeAdmission(object: any): any {
  if (object.kind !== 'Pod') return object
  const spec = { ...object.spec }
  for (const field of ['priority', 'preemptionPolicy', 'serviceAccount', 'serviceAccountName']) delete spec[field]
  return { ...object, spec }
}

const sortedCauses = (status: any) => (status.details?.causes ?? []).map((c: any) => JSON.stringify(c)).sort()

/** Messages as the recorded release had them. */
const message = (status: any) => String(status.message).replace(/^(failed to create typed patch object) \([^)]*\)/, '$1')

function normalized(entries: any[] = []): unknown[] {
  return entries
    .map((entry) => JSON.stringify(sortKeys({ ...entry, time: undefined })))
    .sort()
    .map((text) => JSON.parse(text))
}

function sortKeys(value: any): any {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  )
}

/** What the server fills in after the patch does not count. */
function undefaulted(object: any): unknown {
  const { metadata, status: _, ...rest } = structuredClone(object)
  for (const field of ['managedFields', 'resourceVersion', 'generation', 'uid', 'creationTimestamp', 'selfLink']) delete metadata[field]
  return prune({ ...rest, metadata })
}

const defaults = new Set([
  'strategy',
  'revisionHistoryLimit',
  'progressDeadlineSeconds',
  'restartPolicy',
  'terminationGracePeriodSeconds',
  'dnsPolicy',
  'securityContext',
  'schedulerName',
  'terminationMessagePath',
  'terminationMessagePolicy',
  'imagePullPolicy',
  'resources',
  'protocol',
  'creationTimestamp',
  'clusterIP',
  'clusterIPs',
  'type',
  'sessionAffinity',
  'sessionAffinityConfig',
  'targetPort',
  'defaultMode',
  'replicas',
])

function prune(value: any): any {
  if (Array.isArray(value)) return value.map((item) => prune(item))
  if (typeof value !== 'object' || value === null) return value
  const result: any = {}
  for (const key of Object.keys(value).sort()) {
    if (defaults.has(key)) continue
    const own = prune(value[key])
    if (typeof own === 'object' && own !== null && Object.keys(own).length === 0) continue
    result[key] = own
  }
  return result
}
