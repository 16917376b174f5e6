import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import type { Pod } from './names.ts'
import { qosClass } from './qos.ts'
import { containerResources, cpuQuota, cpuShares, oomScoreAdj, podCgroupLimits } from './resources.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { goDuration } from './start-failure.ts'
import { sharesToWeight } from '../cgroups/hierarchy.ts'

const res = (requests?: Record<string, string>, limits?: Record<string, string>): core.Container => ({
  name: 'c',
  resources: { ...(requests ? { requests } : {}), ...(limits ? { limits } : {}) },
})
const pod = (...containers: core.Container[]): Pod =>
  ({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' }, spec: { containers } }) as unknown as Pod
const gib = 2 ** 30

test('shares and quota follow the amount of cpu within the kernel’s bounds', () => {
  assert.deepEqual([0, 1, 250, 1000, 500_000].map(cpuShares), [2, 2, 256, 1024, 262_144])
  assert.deepEqual([0, 5, 100, 1500].map(cpuQuota), [-1, 1000, 10_000, 150_000])
  assert.deepEqual([2, 1024, 262_144].map(sharesToWeight), [1, 39, 10_000])
})

describe('quality of service', () => {
  const rows: [string, Pod, string][] = [
    ['nothing asked for is BestEffort', pod(res()), 'BestEffort'],
    ['limits alone are Guaranteed', pod(res(undefined, { cpu: '1', memory: '1Gi' })), 'Guaranteed'],
    ['equal requests and limits are Guaranteed', pod(res({ cpu: '1000m', memory: '1Gi' }, { cpu: '1', memory: '1024Mi' })), 'Guaranteed'],
    ['one container without limits makes it Burstable', pod(res(undefined, { cpu: '1', memory: '1Gi' }), res()), 'Burstable'],
    ['a request is Burstable', pod(res({ cpu: '1m' })), 'Burstable'],
    ['zero is nothing', pod(res({ cpu: '0' })), 'BestEffort'],
  ]
  for (const [name, p, is] of rows) test(name, () => assert.equal(qosClass(p), is))
})

test('the score by which the kernel kills follows class and share of memory', () => {
  const score = (c: core.Container) => oomScoreAdj(pod(c), c, 10 * gib)
  assert.equal(score(res()), 1000)
  assert.equal(score(res(undefined, { cpu: '1', memory: '1Gi' })), -997)
  assert.equal(score(res({ memory: '1Gi' })), 900)
  assert.equal(score(res({ cpu: '1' })), 999)
  assert.equal(score(res({ memory: '10Gi' })), 3)
})

test('a limit without a request is the request too', () => {
  const c = res(undefined, { cpu: '500m', memory: '64Mi' })
  assert.deepEqual(containerResources(pod(c, res()), c, gib), {
    cpuShares: 512,
    cpuPeriod: 100_000,
    cpuQuota: 50_000,
    memoryLimitInBytes: 64 * 2 ** 20,
    oomScoreAdj: 999,
  })
})

test('the pod’s cgroup is limited only when every container is', () => {
  const limited = res({ cpu: '100m' }, { cpu: '200m', memory: '64Mi' })
  assert.deepEqual(podCgroupLimits(pod(limited, limited)), { cpuShares: 204, cpuQuota: 40_000, memory: 128 * 2 ** 20 })
  assert.deepEqual(podCgroupLimits(pod(limited, res({ cpu: '100m' }))), { cpuShares: 204, cpuQuota: -1, memory: -1 })
})

test('back-off begins with the second failure, doubles, and is forgotten after a long run', () => {
  const backoff = new RestartBackoff()
  const delays: number[] = []
  let now = 0
  for (let i = 0; i < 8; i++) {
    const failed = now
    now = backoff.allowedAt('c', failed)
    delays.push((now - failed) / 1000)
    backoff.attempt('c', failed, now)
  }
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300])
  const later = now + 601_000
  assert.equal(backoff.allowedAt('c', later), later)
})

test('durations read as Go prints them', () => {
  assert.deepEqual([0, 250, 10_000, 80_000, 300_000, 3_600_000].map(goDuration), ['0s', '250ms', '10s', '1m20s', '5m0s', '1h0m0s'])
})

describe('resources of the pod as a whole', () => {
  const whole = (resources: core.ResourceRequirements, ...containers: core.Container[]): Pod => {
    const plain = pod(...containers)
    return { ...plain, spec: { ...plain.spec!, resources } }
  }
  const both = { requests: { cpu: '1', memory: '2Gi' }, limits: { cpu: '2', memory: '4Gi' } }

  test('limit its cgroup whatever the containers say', () => {
    assert.deepEqual(podCgroupLimits(whole(both, res(), res({ cpu: '100m' }))), { cpuShares: 1024, cpuQuota: 200_000, memory: 4 * gib })
  })
  test('limit the containers that have no limit of their own', () => {
    const own = res({ cpu: '100m' }, { memory: '1Gi' })
    const p = whole(both, own, res())
    const limitsOf = ({ cpuShares: shares, cpuQuota: quota, memoryLimitInBytes }: ReturnType<typeof containerResources>) => [
      shares,
      quota,
      memoryLimitInBytes,
    ]
    assert.deepEqual(limitsOf(containerResources(p, own, 10 * gib)), [102, 200_000, gib])
    assert.deepEqual(limitsOf(containerResources(p, res(), 10 * gib)), [2, 200_000, 4 * gib])
  })
  test('share out the memory that no container asked for', () => {
    const own = res({ memory: '1Gi' })
    const p = whole(both, own, res())
    assert.deepEqual(
      [own, res()].map((c) => oomScoreAdj(p, c, 10 * gib)),
      [850, 950],
    )
  })
  test('decide the quality of service alone', () => {
    const limits = { cpu: '1', memory: '1Gi' }
    assert.equal(qosClass(whole({ requests: limits, limits }, res({ cpu: '100m' }))), 'Guaranteed')
    assert.equal(qosClass(whole(both, res())), 'Burstable')
  })
})
