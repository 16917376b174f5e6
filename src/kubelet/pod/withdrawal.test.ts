import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { withdrawalTime } from './withdrawal.ts'

const service = (selector?: Record<string, string>, namespace = 'ns') => ({ metadata: { name: 's', namespace }, spec: { selector } }) as core.Service
const pod = (change: { deleted?: boolean; ready?: boolean; preStop?: boolean } = {}) =>
  ({
    metadata: {
      name: 'p',
      namespace: 'ns',
      labels: { app: 'web', v: '1' },
      ...(change.deleted === false ? {} : { deletionTimestamp: '2026-01-01T00:00:00Z' }),
    },
    spec: { containers: [{ name: 'c', ...(change.preStop ? { lifecycle: { preStop: { sleep: { seconds: 1 } } } } : {}) }] },
    status: { conditions: [{ type: 'Ready', status: change.ready === false ? 'False' : 'True' }] },
  }) as unknown as core.Pod

const rows: [name: string, pod: core.Pod, services: core.Service[], grace: number, waits: boolean][] = [
  ['a deleted pod that a service leads to serves a moment longer', pod(), [service({ app: 'web' })], 30, true],
  ['one that no service leads to is stopped at once', pod(), [service({ app: 'db' }), service(), service({})], 30, false],
  ['so is one whose service is in another namespace', pod(), [service({ app: 'web' }, 'other')], 30, false],
  ['one that is not ready has no requests', pod({ ready: false }), [service({ app: 'web' })], 30, false],
  ['one that is not deleted is restarted at once', pod({ deleted: false }), [service({ app: 'web' })], 30, false],
  ['a preStop hook is delay enough', pod({ preStop: true }), [service({ app: 'web' })], 30, false],
  ['without grace there is no time', pod(), [service({ app: 'web' })], 0, false],
]
for (const [name, given, services, grace, waits] of rows) test(name, () => assert.equal(withdrawalTime(given, services, grace) > 0, waits))
