import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, discovery } from '#api'
import { manualClock } from '#base'
import { createCache } from '#runtime'
import { isWithdrawnFirst, withdrawn } from './withdrawal.ts'

const service = (selector?: Record<string, string>, namespace = 'ns') => ({ metadata: { name: 's', namespace }, spec: { selector } }) as core.Service
const pod = (change: { deleted?: boolean; ready?: boolean; preStop?: boolean } = {}) =>
  ({
    metadata: {
      name: 'p',
      namespace: 'ns',
      uid: 'u',
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
  ['with little grace there is no time', pod(), [service({ app: 'web' })], 1, false],
]
for (const [name, given, services, grace, waits] of rows) test(name, () => assert.equal(isWithdrawnFirst(given, services, grace), waits))

const slice = (resourceVersion: string, conditions: discovery.EndpointConditions, uid = 'u') =>
  ({
    metadata: { name: 'web-1', namespace: 'ns', uid: 's', resourceVersion },
    endpoints: [{ addresses: ['10.64.0.1'], targetRef: { kind: 'Pod', uid }, conditions }],
  }) as unknown as discovery.EndpointSlice

async function waiting(first: discovery.EndpointSlice) {
  const clock = manualClock()
  const { cache, writer } = createCache<discovery.EndpointSlice>()
  writer.replace([first], '1')
  let over = false
  void withdrawn(pod(), cache, clock).then(() => (over = true))
  await clock.advance(0)
  return { clock, writer, over: () => over }
}

test('the wait ends a moment after the slices no longer lead to the pod', async () => {
  const { clock, writer, over } = await waiting(slice('1', { ready: true }))
  await clock.advance(1000)
  assert.equal(over(), false)
  writer.put(slice('2', { ready: true, serving: true }))
  await clock.advance(200)
  assert.equal(over(), false)
  writer.put(slice('3', { ready: false, serving: true, terminating: true }))
  await clock.advance(10)
  assert.equal(over(), false, 'others must have time to act on it')
  await clock.advance(300)
  assert.equal(over(), true)
})

test('it is short where slices lead elsewhere, and a service that publishes pods that are not ready does not prolong it', async () => {
  for (const first of [slice('1', { ready: true }, 'other'), slice('1', { ready: true, terminating: true })]) {
    const { clock, over } = await waiting(first)
    await clock.advance(300)
    assert.equal(over(), true)
  }
})

test('it ends without word from the control plane', async () => {
  const { clock, over } = await waiting(slice('1', { ready: true }))
  await clock.advance(1500)
  assert.equal(over(), false)
  await clock.advance(1000)
  assert.equal(over(), true)
})
