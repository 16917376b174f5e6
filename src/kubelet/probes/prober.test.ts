import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { manualClock, silentLogger } from '#base'
import { createFakeRuntime } from '../cri/index.ts'
import type { Pod } from '../pod/names.ts'
import type { ContainerRecord, PodRecord } from '../pod/records.ts'
import type { ProbeResult } from './probe.ts'
import { createProber } from './prober.ts'

const success: ProbeResult = { outcome: 'success', output: '' }
const failure: ProbeResult = { outcome: 'failure', output: 'no' }

function setup(probes: Partial<core.Container>, answer: () => ProbeResult = () => success) {
  const clock = manualClock()
  const said: string[] = []
  let attempts = 0
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'ns', uid: 'u' },
    spec: { containers: [{ name: 'app', ...probes }] },
  } as unknown as Pod
  const running = { id: 'c', name: 'app', state: 'running', startedAt: clock.now() } as ContainerRecord
  const record: PodRecord = { uid: 'u', name: 'p', namespace: 'ns', sandboxes: [], containers: [running] }
  const prober = createProber({
    runtime: createFakeRuntime({ clock }),
    clock,
    log: silentLogger,
    events: { event: (_, __, reason, message) => void said.push(`${reason}: ${message}`) },
    onChange: () => prober.sync(pod, record, '10.0.0.1', false),
    probe: async () => {
      attempts++
      return answer()
    },
  })
  prober.sync(pod, record, '10.0.0.1', false)
  return { clock, prober, said, pod, record, running, attempts: () => attempts, health: () => prober.health(running) }
}

const http = { httpGet: { port: 80 }, periodSeconds: 10 }

describe('probes', () => {
  test('a container without probes is started and ready', () => assert.deepEqual(setup({}).health(), { started: true, ready: true }))

  test('readiness begins as false and follows the first success at once', async () => {
    const t = setup({ readinessProbe: http })
    assert.equal(t.health().ready, false)
    await t.clock.advance(0)
    assert.equal(t.health().ready, true)
  })

  test('a container that needs a moment is ready soon after, without counting the early misses', async () => {
    let up = false
    const t = setup({ readinessProbe: http }, () => (up ? success : failure))
    await t.clock.advance(250)
    up = true
    await t.clock.advance(200)
    assert.equal(t.health().ready, true)
    assert.deepEqual(t.said, [])
  })

  test('it turns unready after as many failures as the threshold, and one by one they are told', async () => {
    let up = true
    const t = setup({ readinessProbe: { ...http, failureThreshold: 2 } }, () => (up ? success : failure))
    await t.clock.advance(1)
    up = false
    await t.clock.advance(10_000)
    assert.equal(t.health().ready, true)
    await t.clock.advance(10_000)
    assert.equal(t.health().ready, false)
    assert.deepEqual(t.said, ['Unhealthy: Readiness probe failed: no', 'Unhealthy: Readiness probe failed: no'])
  })

  test('an initial delay is kept', async () => {
    const t = setup({ readinessProbe: { ...http, initialDelaySeconds: 5 } })
    await t.clock.advance(4_999)
    assert.equal(t.attempts(), 0)
    await t.clock.advance(1)
    assert.equal(t.attempts(), 1)
  })

  test('liveness fails for good at its threshold, and is asked no more', async () => {
    const t = setup({ livenessProbe: { ...http, failureThreshold: 3 } }, () => failure)
    await t.clock.advance(0)
    await t.clock.advance(10_000)
    assert.equal(t.health().failedProbe, undefined)
    await t.clock.advance(10_000)
    assert.equal(t.health().failedProbe, 'liveness')
    await t.clock.advance(60_000)
    assert.equal(t.attempts(), 3)
  })

  test('neither of the others runs before the startup probe has passed', async () => {
    let up = false
    const t = setup({ startupProbe: { ...http, periodSeconds: 1, failureThreshold: 30 }, livenessProbe: http, readinessProbe: http }, () =>
      up ? success : failure,
    )
    await t.clock.advance(5_000)
    assert.deepEqual(t.health(), { started: false, ready: false })
    up = true
    await t.clock.advance(1_000)
    assert.deepEqual(t.health(), { started: true, ready: true })
  })

  test('a startup probe that never passes fails the container', async () => {
    const t = setup({ startupProbe: { ...http, periodSeconds: 1, failureThreshold: 3 } }, () => failure)
    await t.clock.advance(0)
    await t.clock.advance(5_000)
    assert.equal(t.health().failedProbe, 'startup')
  })

  test('a probe that cannot be made says nothing about the container', async () => {
    const t = setup({ livenessProbe: { ...http, failureThreshold: 1 } }, () => ({ outcome: 'error', output: 'no runtime' }))
    await t.clock.advance(30_000)
    assert.equal(t.health().failedProbe, undefined)
    assert.equal(t.said[0], 'Unhealthy: Liveness probe errored and resulted in unknown state: no runtime')
  })

  test('a container that is gone is not probed', async () => {
    const t = setup({ livenessProbe: http })
    await t.clock.advance(1)
    t.prober.sync(t.pod, { ...t.record, containers: [] }, '10.0.0.1', false)
    await t.clock.advance(60_000)
    assert.equal(t.attempts(), 1)
    assert.equal(t.prober.active, 0)
  })

  test('a pod that ends is no longer killed by its probes, but still asked whether it is ready', async () => {
    const t = setup({ livenessProbe: { ...http, failureThreshold: 1 }, readinessProbe: http })
    await t.clock.advance(1)
    t.prober.sync(t.pod, t.record, '10.0.0.1', true)
    const before = t.attempts()
    await t.clock.advance(10_000)
    assert.equal(t.attempts(), before + 1)
  })
})
