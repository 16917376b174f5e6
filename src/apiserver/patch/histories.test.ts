import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
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

const recorded = (file: string) => readFileSync(join(import.meta.dirname, 'testdata', file))
const histories = [recorded('histories.jsonl'), gunzipSync(recorded('random-histories.jsonl.gz'))]
  .flatMap((bytes) => bytes.toString().trimEnd().split('\n'))
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
      const granular = granularThen.has(field.name) || (schema.goName === 'v1.ServiceSpec' && field.name === 'selector')
      const then = { ...field, schema: granular ? { ...own, mapType: undefined } : own }
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
        // the server looks for the object before anything else
        if (!live && code === 404) continue
        if (live && answeredOtherwiseSince(live, step)) {
          live = answer
          continue
        }
        await t.test(`${i}: ${verb} by ${manager}${step.subresource ? ` (${step.subresource})` : ''}`, () => check(schema, live, step))
        if (code < 300) live = answer
      }
    })
})

/** Mistakes of the recorded release that are put right. */
function answeredOtherwiseSince(live: any, { verb, body, code }: Recorded['steps'][number]): boolean {
  if (code >= 300) return false
  // what was to be deleted from a list that was not there was put into it
  if (verb === 'strategic') return body.metadata?.['$deleteFromPrimitiveList/finalizers'] !== undefined && !live.metadata.finalizers
  // a copy of what was not there was null
  return verb === 'json' && body.some(({ op }: any, i: number) => op === 'copy' && /move|remove/.test(body[i - 1]?.op ?? ''))
}

function check(schema: ObjectSchema, live: any, step: Recorded['steps'][number]): void {
  const { code, answer } = step
  let made: { object: any; managedFields: any }
  try {
    made = play(schema, live, step)
  } catch (error) {
    assert.ok(error instanceof StatusError, String(error))
    assert.equal(code, error.code, error.message)
    // of several conflicts that release named some by another's path (it reused the memory), but not how many there are with whom
    const shown = error.code === 409 && message(error.status) !== message(answer) ? withoutPaths : (status: any) => status
    assert.equal(message(shown(error.status)), message(shown(answer)))
    assert.deepEqual(sortedCauses(shown(error.status)), sortedCauses(shown(answer)))
    return
  }
  // in the meantime, lists in which two items have one key are taken as they are
  if (code === 500 && String(answer.message).includes('duplicate entries for key')) return
  // what the server refuses later is not for this code to refuse
  if (code >= 300) return assert.equal(answer.reason, 'Invalid', `expected ${code} ${answer.message}`)
  // where an applier's items go among those of others has changed since: their order is compared by apply.test.ts
  const compared = step.verb === 'apply' ? sortedItems : (value: unknown) => value
  if (step.verb !== 'create' && step.verb !== 'update')
    assert.deepEqual(compared(undefaulted(made.object)), compared(undefaulted(live ? answer : beforeAdmission(answer))))
  assert.deepEqual(normalized(made.managedFields), normalized(answer.metadata.managedFields))
}

function play(schema: ObjectSchema, live: any, { verb, manager, force, body, code, answer }: Recorded['steps'][number]) {
  // a subresource made no manager of its own then, and no endpoint left fields out
  const by = { schema, manager, now: '2026-01-01T00:00:00Z', ...(verb === 'create' ? {} : { resetFields: {} }) }
  if (verb === 'apply') return applyServerSide({ ...by, live, applied: body, force })
  const patched =
    verb === 'merge'
      ? applyMergePatch(live, body)
      : verb === 'json'
        ? applyJsonPatch(live, body)
        : verb === 'strategic'
          ? applyStrategicMergePatch(live, body, schema)
          : body
  const stored = code < 300 ? (live ? answer : beforeAllocation(beforeAdmission(answer))) : patched
  const updated = { ...stored, metadata: { ...stored.metadata, managedFields: patched.metadata.managedFields } }
  return { object: patched, managedFields: trackUpdate({ ...by, old: live, updated }) }
}

/** What admission adds to a pod nobody owned. */
function beforeAdmission(object: any): any {
  if (object.kind !== 'Pod') return object
  const spec = { ...object.spec }
  for (const field of ['priority', 'preemptionPolicy', 'serviceAccount', 'serviceAccountName']) delete spec[field]
  spec.tolerations = spec.tolerations?.filter(({ key }: any) => !key?.startsWith('node.kubernetes.io/'))
  if (spec.tolerations?.length === 0) delete spec.tolerations
  return { ...object, spec }
}

function sortedItems(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedItems).sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, sortedItems(child)]))
}

/** Without what a service gets when it is stored. */
function beforeAllocation(object: any): any {
  if (object.kind !== 'Service') return object
  const { clusterIP: _, clusterIPs: __, ...spec } = object.spec
  return { ...object, spec }
}

const withoutPaths = (status: any) => ({
  message: status.message.replace(/^- .*/gm, '-'),
  details: { causes: status.details.causes.map(({ message: text }: any) => ({ message: text })) },
})

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
  'enableServiceLinks',
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
