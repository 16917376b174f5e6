import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type coordination, resources } from '#api'
import { type ManualClock, manualClock } from '#base'
import { type Client, TransportError, createClient } from '#client'
import { type TestServer, admin, startTestServer } from '../apiserver/test-server.ts'
import { type LeaseDecision, decideLease, microTime, runAsLeader } from './leader-election.ts'

const lease = (holderIdentity: string, leaseDurationSeconds = 15): coordination.Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l', namespace: 'kube-system' },
  spec: { holderIdentity, leaseDurationSeconds },
})

const rows: { name: string; lease: coordination.Lease | undefined; age: number; expect: LeaseDecision['do'] }[] = [
  { name: 'no lease is made', lease: undefined, age: 0, expect: 'create' },
  { name: 'our own is renewed', lease: lease('me'), age: 99_000, expect: 'renew' },
  { name: 'one that was given back is taken at once', lease: lease(''), age: 0, expect: 'take' },
  { name: "another's is waited for", lease: lease('other'), age: 15_000, expect: 'wait' },
  { name: "another's that was not renewed is taken", lease: lease('other'), age: 15_001, expect: 'take' },
]
for (const { name, lease, age, expect } of rows) test(name, () => assert.equal(decideLease({ lease, at: 0 }, 'me', age).do, expect))

test('lease times have microseconds', () => assert.equal(microTime(0), '1970-01-01T00:00:00.000000Z'))

interface Candidate {
  terms: string[]
  leading: boolean
  stop(): Promise<void>
}

/** Moves time in small steps, so that requests get their turns in between. */
async function pass(clock: ManualClock, ms: number): Promise<void> {
  for (let t = 0; t < ms; t += 500) {
    await clock.advance(500)
    for (let i = 0; i < 6; i++) await clock.advance(0)
  }
}

function candidate(identity: string, client: Client, clock: ManualClock, log: string[]): Candidate {
  const stop = new AbortController()
  const own: Candidate = { terms: [], leading: false, stop: async () => {} }
  const done = runAsLeader({ client, clock, identity, namespace: 'kube-system', name: 'l', signal: stop.signal, random: () => 0 }, async (signal) => {
    own.leading = true
    log.push(`${identity} leads`)
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    own.leading = false
    log.push(`${identity} ends`)
  })
  own.stop = async () => {
    stop.abort()
    await pass(clock, 500)
    await done
  }
  return own
}

function breakable(server: TestServer): { client: Client; broken: boolean } {
  const inner = server.server.transport(admin)
  const state = { client: undefined as unknown as Client, broken: false }
  state.client = createClient({
    ...inner,
    send: (request) => (state.broken ? Promise.reject(new TransportError('broken')) : inner.send(request)),
  })
  return state
}

test('one leads at a time; a lease that is given back is taken over at once', async () => {
  await using server = await startTestServer()
  const clock = manualClock()
  const log: string[] = []
  const a = candidate('a', server.client, clock, log)
  await pass(clock, 2000)
  const b = candidate('b', server.client, clock, log)
  await pass(clock, 60_000)
  assert.deepEqual(log, ['a leads'])
  await a.stop()
  await pass(clock, 3000)
  assert.deepEqual(log, ['a leads', 'a ends', 'b leads'])
  const { spec } = await server.client.resource(resources.leases).get('l', 'kube-system')
  assert.deepEqual([spec?.holderIdentity, spec?.leaseDurationSeconds, spec?.leaseTransitions], ['b', 15, 1])
  await b.stop()
  assert.equal((await server.client.resource(resources.leases).get('l', 'kube-system')).spec?.holderIdentity, '')
})

test('a leader that cannot renew stops before another can start, and leads again later', async () => {
  await using server = await startTestServer()
  const clock = manualClock()
  const log: string[] = []
  const connection = breakable(server)
  const a = candidate('a', connection.client, clock, log)
  await pass(clock, 2000)
  const b = candidate('b', server.client, clock, log)
  await pass(clock, 10_000)
  connection.broken = true
  await pass(clock, 11_000)
  assert.deepEqual(log, ['a leads', 'a ends'], 'the old leader has stopped, and nobody has taken over yet')
  await pass(clock, 10_000)
  assert.deepEqual(log, ['a leads', 'a ends', 'b leads'])
  connection.broken = false
  await b.stop()
  await pass(clock, 5000)
  assert.deepEqual(log, ['a leads', 'a ends', 'b leads', 'b ends', 'a leads'])
  await a.stop()
  assert.equal(clock.waiting, 0)
})
