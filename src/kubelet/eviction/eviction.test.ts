import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import type { Pod } from '../pod/names.ts'
import { parseMeminfo } from './observe.ts'
import type { PodUsage } from './plan.ts'
import { localStorageViolation, planEviction } from './plan.ts'
import { crossed, thresholdValue } from './thresholds.ts'

const mib = 2 ** 20
const pod = (uid: string, request?: string, priority = 0, more: Partial<core.PodSpec> = {}): Pod =>
  ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: uid, namespace: 'ns', uid },
    spec: { priority, containers: [{ name: 'app', resources: request ? { requests: { memory: request } } : {} }], ...more },
  }) as unknown as Pod
const usage = (p: Pod, memory: number, disk = 0): PodUsage => ({ pod: p, memory: new Map([['app', memory * mib]]), disk })
const observed = { 'memory.available': { available: 50 * mib, capacity: 1000 * mib } }
const thresholds = { 'memory.available': '100Mi' }

test('thresholds are quantities or shares', () => {
  assert.equal(thresholdValue('100Mi', 1), 100 * mib)
  assert.equal(thresholdValue('10%', 500), 50)
  assert.throws(() => thresholdValue('much', 1), RangeError)
})

test('only what is watched and known can be crossed', () => {
  assert.deepEqual(crossed(thresholds, observed), ['memory.available'])
  assert.deepEqual(crossed({ 'memory.available': '10Mi', 'nodefs.available': '10%' }, observed), [])
})

describe('memory', () => {
  const rows: { name: string; pods: PodUsage[]; evicted: string | undefined }[] = [
    { name: 'who exceeds its request goes before who uses more', pods: [usage(pod('a', '500Mi'), 400), usage(pod('b', '10Mi'), 20)], evicted: 'b' },
    { name: 'lower priority goes first', pods: [usage(pod('a', undefined, 10), 400), usage(pod('b', undefined, 5), 20)], evicted: 'b' },
    { name: 'among equals the greatest excess goes', pods: [usage(pod('a'), 400), usage(pod('b'), 500)], evicted: 'b' },
    { name: 'critical pods stay', pods: [usage(pod('a', undefined, 2_000_000_000), 400)], evicted: undefined },
  ]
  for (const { name, pods, evicted } of rows) {
    test(name, () => assert.equal(planEviction({ signal: 'memory.available', thresholds, observed, pods })?.uid, evicted))
  }
  test('the message says what was used', () => {
    const { failure } = planEviction({ signal: 'memory.available', thresholds, observed, pods: [usage(pod('a'), 400)] })!
    assert.equal(failure.reason, 'Evicted')
    assert.equal(
      failure.message,
      'The node was low on resource: memory. Threshold quantity: 100Mi, available: 50Mi. ' +
        'Container app was using 400Mi, request is 0, has larger consumption of memory. ',
    )
    assert.equal(failure.disruption?.reason, 'TerminationByKubelet')
  })
})

describe('local storage', () => {
  const used = { emptyDirs: new Map([['v', 5 * mib]]), containers: new Map([['app', 3 * mib]]) }
  const limited = (limit: string): Pod =>
    pod('p', undefined, 0, { containers: [{ name: 'app', resources: { limits: { 'ephemeral-storage': limit } } }] })
  test('an emptyDir over its limit', () =>
    assert.equal(
      localStorageViolation(pod('p', undefined, 0, { volumes: [{ name: 'v', emptyDir: { sizeLimit: '1Mi' } }] }), used)?.message,
      'Usage of EmptyDir volume "v" exceeds the limit "1Mi". ',
    ))
  test('a pod over the sum of its containers’ limits', () =>
    assert.match(localStorageViolation(limited('4Mi'), used)?.message ?? '', /exceeds the total limit of containers 4Mi/))
  test('a pod within its limits', () => assert.equal(localStorageViolation(limited('40Mi'), used), undefined))
})

test('meminfo', () => {
  assert.deepEqual(parseMeminfo('MemTotal:  1000 kB\nMemAvailable:   10 kB\n'), { available: 10_240, capacity: 1_024_000 })
  assert.equal(parseMeminfo(''), undefined)
})
