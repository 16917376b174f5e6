import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { StatusError, schemaOf } from '#api'
import type { ObjectSchema } from '#api'
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
  .map((line) => JSON.parse(line)) as Recorded[]

describe('histories that an API server of the libraries of Kubernetes 1.36 recorded', () => {
  for (const { name, apiVersion, kind, steps } of histories)
    test(name, async (t) => {
      const schema: ObjectSchema = schemaOf(apiVersion, kind)!
      let live: any
      for (const [i, step] of steps.entries()) {
        const { verb, manager, code, answer } = step
        // the server looks for the object before anything else
        if (!live && code === 404) continue
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
    assert.equal(error.status.message, answer.message)
    assert.deepEqual(sortedCauses(error.status), sortedCauses(answer))
    return
  }
  // what the server refuses later is not for this code to refuse
  if (code >= 300) return assert.equal(answer.reason, 'Invalid', `expected ${code} ${answer.message}`)
  if (step.verb !== 'create' && step.verb !== 'update') assert.deepEqual(undefaulted(made.object), undefaulted(answer))
  assert.deepEqual(normalized(made.managedFields), normalized(answer.metadata.managedFields))
}

function play(schema: ObjectSchema, live: any, { verb, manager, force, subresource = '', body, code, answer }: Recorded['steps'][number]) {
  const by = { schema, manager, now: '2026-01-01T00:00:00Z', subresource }
  if (verb === 'apply') return applyServerSide({ ...by, live, applied: body, force })
  const patched =
    verb === 'merge'
      ? applyMergePatch(live, body)
      : verb === 'json'
        ? applyJsonPatch(live, body)
        : verb === 'strategic'
          ? applyStrategicMergePatch(live, body, schema)
          : body
  const stored = code < 300 ? answer : patched
  const updated = { ...stored, metadata: { ...stored.metadata, managedFields: patched.metadata.managedFields } }
  return { object: patched, managedFields: trackUpdate({ ...by, old: live, updated }) }
}

const sortedCauses = (status: any) => (status.details?.causes ?? []).map((c: any) => JSON.stringify(c)).sort()

function normalized(entries: any[] = []): unknown[] {
  return entries
    .map((entry) => JSON.stringify({ ...entry, time: entry.time && 'some' }))
    .sort()
    .map((text) => JSON.parse(text))
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
  'internalTrafficPolicy',
])

function prune(value: any): any {
  if (Array.isArray(value)) return value.map((item) => prune(item))
  if (typeof value !== 'object' || value === null) return value
  const result: any = {}
  for (const key of Object.keys(value).sort()) {
    if (defaults.has(key)) continue
    const own = prune(value[key])
    // decoding takes it for what is not there
    if (own === null) continue
    if (typeof own === 'object' && own !== null && Object.keys(own).length === 0) continue
    result[key] = own
  }
  return result
}
