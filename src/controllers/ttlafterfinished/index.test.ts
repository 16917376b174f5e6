import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { batch } from '#api'
import { expiresAt } from './index.ts'

const job = (ttl: number | undefined, condition?: batch.JobCondition): batch.Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name: 'j' },
  spec: { ttlSecondsAfterFinished: ttl, template: { spec: { containers: [] } } },
  status: { conditions: condition ? [condition] : [] },
})
const done: batch.JobCondition = { type: 'Complete', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z' }

const rows: { name: string; job: batch.Job; expect: number | undefined }[] = [
  { name: 'a job that runs stays', job: job(10), expect: undefined },
  { name: 'a job without a time to live stays', job: job(undefined, done), expect: undefined },
  { name: 'a complete job goes after its time', job: job(10, done), expect: Date.UTC(2026, 0, 1, 0, 0, 10) },
  { name: 'a failed job goes as well', job: job(0, { ...done, type: 'Failed' }), expect: Date.UTC(2026, 0, 1) },
  { name: 'a suspended job is not finished', job: job(0, { ...done, type: 'Suspended' }), expect: undefined },
]
for (const { name, job, expect } of rows) test(name, () => assert.equal(expiresAt(job), expect))
