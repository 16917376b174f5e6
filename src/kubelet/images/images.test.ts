import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { manualClock, silentLogger } from '#base'
import { createFakeRuntime } from '../cri/index.ts'
import type { Pod, RoledContainer } from '../pod/names.ts'
import type { StartFailure } from '../pod/start-failure.ts'
import { credentialsFor, registryOf } from './credentials.ts'
import { createImageCollector, planCollection } from './image-collector.ts'
import { imagePuller, withDefaultTag } from './image-puller.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [] } } as unknown as Pod
const container = (image: string, imagePullPolicy?: core.PullPolicy): RoledContainer => ({
  spec: { name: 'app', image, ...(imagePullPolicy ? { imagePullPolicy } : {}) },
  role: 'regular',
})

function setup(images: string[]) {
  const clock = manualClock()
  const said: string[] = []
  const runtime = createFakeRuntime({ clock, images })
  const events = { event: (_: unknown, __: string, reason: string, message: string) => void said.push(`${reason}: ${message}`) }
  const puller = imagePuller({ images: runtime, clock, events, pullSecrets: async () => [] })
  const ensure = (c: RoledContainer) => puller.ensure(pod, c, undefined, new AbortController().signal)
  const reason = (c: RoledContainer) =>
    ensure(c).then(
      () => 'present',
      (e: StartFailure) => e.reason,
    )
  return { clock, runtime, said, ensure, reason }
}

describe('pull policies', () => {
  test('an image that is there is used', async () => {
    const t = setup(['a:1'])
    assert.match((await t.ensure(container('a:1'))).ref, /^sha256:/)
    assert.deepEqual(t.runtime.calls, [])
    assert.deepEqual(t.said, ['Pulled: Container image "a:1" already present on machine'])
  })
  test('Always pulls what is there', async () => {
    const t = setup(['a:1'])
    await t.ensure(container('a:1', 'Always'))
    assert.deepEqual(t.runtime.calls, ['pullImage a:1'])
  })
  test('without a policy the tag latest is pulled', async () => {
    const t = setup(['a:latest'])
    await t.ensure(container('a'))
    assert.deepEqual(t.runtime.calls, ['pullImage a:latest'])
  })
  test('Never does not pull', async () => {
    const t = setup([])
    assert.equal(await t.reason(container('a:1', 'Never')), 'ErrImageNeverPull')
    assert.deepEqual(t.runtime.calls, [])
  })
  test('a name that is none is refused', async () => assert.equal(await setup([]).reason(container('a b!')), 'InvalidImageName'))
})

test('a failed pull is tried again after 10 s, then 20 s, and forgotten when it succeeds', async () => {
  const t = setup([])
  const c = container('a:1')
  assert.equal(await t.reason(c), 'ErrImagePull')
  assert.equal(await t.reason(c), 'ImagePullBackOff')
  await t.clock.advance(10_000)
  assert.equal(await t.reason(c), 'ErrImagePull')
  await t.clock.advance(10_000)
  assert.equal(await t.reason(c), 'ImagePullBackOff')
  await t.clock.advance(10_000)
  t.runtime.addImage('a:1')
  assert.equal(await t.reason(c), 'present')
})

test('a name without tag or digest means latest', () => {
  assert.deepEqual(['a', 'h:5000/a', 'a:1', 'a@sha256:00'].map(withDefaultTag), ['a:latest', 'h:5000/a:latest', 'a:1', 'a@sha256:00'])
})

describe('pull secrets', () => {
  const secret = (auths: object): core.Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' },
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  })
  const auth = Buffer.from('joe:secret').toString('base64')
  test('the registry is the first part of the name', () => {
    assert.deepEqual(['busybox', 'a/b', 'localhost/a', 'r.io:5000/a', 'r.io/a/b'].map(registryOf), [
      'docker.io',
      'docker.io',
      'localhost',
      'r.io:5000',
      'r.io',
    ])
  })
  test('the entry of the registry is used', () => {
    const found = credentialsFor('r.io/a:1', [secret({ 'x.io': { auth }, 'https://r.io/v1/': { auth } })])
    assert.deepEqual([found?.username, found?.password], ['joe', 'secret'])
  })
  test('the longer entry wins', () => {
    const found = credentialsFor('r.io/team/a', [secret({ 'r.io': { username: 'a', password: 'x' }, 'r.io/team': { username: 'b', password: 'y' } })])
    assert.equal(found?.username, 'b')
  })
  test('docker’s own registry has many names', () =>
    assert.equal(credentialsFor('a', [secret({ 'https://index.docker.io/v1/': { auth } })])?.username, 'joe'))
  test('another registry’s is not used', () => assert.equal(credentialsFor('r.io/a', [secret({ 'r.io.evil': { auth } })]), undefined))
})

describe('collection', () => {
  const image = (id: string, size: number, lastUsed: number, more = {}) => ({
    image: { id, size, pinned: false },
    inUse: false,
    firstSeen: 0,
    lastUsed,
    ...more,
  })
  test('takes the longest unused until enough is free', () => {
    const all = [image('new', 10, 900), image('old', 10, 100), image('older', 10, 50), image('used', 99, 0, { inUse: true })]
    assert.deepEqual(planCollection(all, 15, 10_000, 10), ['older', 'old'])
  })
  test('spares what is young or pinned', () => {
    const all = [image('young', 10, 0, { firstSeen: 9_999 }), image('pinned', 10, 0, { image: { id: 'pinned', size: 10, pinned: true } })]
    assert.deepEqual(planCollection(all, 15, 10_000, 10), [])
  })
  test('happens above the high mark alone', async () => {
    const clock = manualClock()
    const runtime = createFakeRuntime({ clock, images: ['a:1', 'b:1'] })
    let available = 20
    const collector = createImageCollector({
      runtime,
      clock,
      log: silentLogger,
      diskSpace: async () => ({ available: available * 2 ** 16, capacity: 100 * 2 ** 16 }),
    })
    await collector.collect()
    await clock.advance(180_000)
    await collector.collect()
    assert.equal((await runtime.listImages()).images.length, 2)
    available = 10
    await collector.collect()
    assert.equal((await runtime.listImages()).images.length, 1)
  })
})
