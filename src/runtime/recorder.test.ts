import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type core, resources } from '#api'
import { manualClock } from '#base'
import { createClient } from '#client'
import { admin, startTestServer } from '../apiserver/test-server.ts'
import { createCorrelator, createEventRecorder } from './recorder.ts'

const event = (message: string, over: Partial<core.Event> = {}): core.Event => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: 'e', namespace: 'ns' },
  involvedObject: { kind: 'Pod', namespace: 'ns', name: 'p', uid: 'u' },
  type: 'Normal',
  reason: 'Started',
  message,
  firstTimestamp: 'T',
  ...over,
})

test('an equal event raises the count of the first', () => {
  const correlate = createCorrelator(() => 0)
  const first = correlate(event('a', { metadata: { name: 'first', namespace: 'ns' } }), 's')!
  const second = correlate(event('a', { metadata: { name: 'second', namespace: 'ns' } }), 's')!
  assert.deepEqual(
    [first.repeat, first.event.count ?? 1, second.repeat, second.event.count, second.event.metadata.name],
    [false, 1, true, 2, 'first'],
  )
  assert.equal(correlate(event('b'), 's')!.repeat, false)
  assert.equal(correlate(event('a', { reason: 'Other' }), 's')!.repeat, false)
})

test('many different messages about one thing are combined, until it has been quiet for ten minutes', () => {
  let now = 0
  const correlate = createCorrelator(() => now)
  for (let i = 0; i < 9; i++) assert.equal(correlate(event(`message ${i}`), 's')!.event.message, `message ${i}`)
  const tenth = correlate(event('message 9'), 's')!
  assert.deepEqual([tenth.repeat, tenth.event.message], [false, '(combined from similar events): message 9'])
  const next = correlate(event('message 10'), 's')!
  assert.deepEqual([next.repeat, next.event.count, next.event.message], [true, 2, '(combined from similar events): message 10'])
  now = 700_000
  assert.equal(correlate(event('message 11'), 's')!.event.message, 'message 11')
})

test('one object gets 25 events at once, then one every five minutes; others are not affected', () => {
  let now = 0
  const correlate = createCorrelator(() => now)
  const sent = Array.from({ length: 40 }, () => correlate(event('a'), 's')).filter((e) => e !== undefined)
  assert.equal(sent.length, 25)
  assert.ok(correlate(event('a', { involvedObject: { kind: 'Pod', name: 'other' } }), 's'))
  now = 300_000
  assert.ok(correlate(event('a'), 's'))
  assert.equal(correlate(event('a'), 's'), undefined)
})

test('events arrive at the server, repeated ones as a count', async () => {
  await using server = await startTestServer()
  const clock = manualClock(Date.UTC(2026, 0, 1))
  await using recorder = createEventRecorder({ client: createClient(server.server.transport(admin)), component: 'kubelet', host: 'n1', clock })
  const pod: core.Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'default', uid: 'u', resourceVersion: '7' },
    spec: { containers: [] },
  }
  recorder.event(pod, 'Normal', 'Started', 'Started container c', { fieldPath: 'spec.containers{c}' })
  await recorder.flush()
  await clock.advance(1000)
  recorder.event(pod, 'Normal', 'Started', 'Started container c', { fieldPath: 'spec.containers{c}' })
  await recorder.flush()
  const { items } = await server.client.resource(resources.events).list({ namespace: 'default' })
  assert.equal(items.length, 1)
  const written = items[0]!
  assert.match(written.metadata.name, /^p\.[0-9a-f]{16}$/)
  assert.deepEqual(
    { count: written.count, first: written.firstTimestamp, last: written.lastTimestamp, source: written.source, about: written.involvedObject },
    {
      count: 2,
      first: '2026-01-01T00:00:00Z',
      last: '2026-01-01T00:00:01Z',
      source: { component: 'kubelet', host: 'n1' },
      about: { kind: 'Pod', apiVersion: 'v1', name: 'p', namespace: 'default', uid: 'u', resourceVersion: '7', fieldPath: 'spec.containers{c}' },
    },
  )
  // one that has expired meanwhile is written anew
  await server.client.resource(resources.events).delete(written.metadata.name, 'default')
  recorder.event(pod, 'Normal', 'Started', 'Started container c', { fieldPath: 'spec.containers{c}' })
  await recorder.flush()
  assert.equal((await server.client.resource(resources.events).list({ namespace: 'default' })).items[0]!.count, 3)
})
