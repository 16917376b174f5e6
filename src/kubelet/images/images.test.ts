import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { core } from '#api'
import { manualClock, silentLogger } from '#base'
import { createFakeRuntime } from '../cri/index.ts'
import type { Pod, RoledContainer } from '../pod/names.ts'
import type { StartFailure } from '../pod/start-failure.ts'
import type { DockerAuths } from './credentials.ts'
import type { PullRecords } from './pull-records.ts'
import { credentialsFor, dockerAuths, registryOf, secretAuths } from './credentials.ts'
import { createImageCollector, planCollection } from './image-collector.ts'
import { imagePuller, withDefaultTag } from './image-puller.ts'

const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'ns', uid: 'u' }, spec: { containers: [] } } as unknown as Pod
const container = (image: string, imagePullPolicy?: core.PullPolicy): RoledContainer => ({
  spec: { name: 'app', image, ...(imagePullPolicy ? { imagePullPolicy } : {}) },
  role: 'regular',
})

function setup(images: string[], sources: DockerAuths[] = [], missing: string[] = [], records?: PullRecords) {
  const clock = manualClock()
  const said: string[] = []
  const runtime = createFakeRuntime({ clock, images })
  const events = { event: (_: unknown, __: string, reason: string, message: string) => void said.push(`${reason}: ${message}`) }
  const puller = imagePuller({ images: runtime, clock, events, credentials: async () => ({ sources, missing }), ...(records ? { records } : {}) })
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
  test('an image that somebody else pulled with credentials is asked for again', async () => {
    const used: unknown[] = []
    const t = setup(['a:1'], [], [], { mayUse: async () => false, pulled: async (_, __, auth) => void used.push(auth) })
    assert.equal(await t.reason(container('a:1')), 'present')
    assert.deepEqual([t.runtime.calls, used], [['pullImage a:1'], [undefined]])
    assert.equal(await t.reason(container('a:1', 'Never')), 'ErrImageNeverPull')
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

describe('pull credentials', () => {
  const secret = (type: string, key: string, content: object): core.Secret => ({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 's' } as core.Secret['metadata'],
    type,
    data: { [key]: Buffer.from(JSON.stringify(content)).toString('base64') },
  })
  const auth = (user: string) => ({ auth: Buffer.from(`${user}:secret`).toString('base64') })
  const users = (image: string, ...sources: DockerAuths[]) => credentialsFor(image, sources).map((each) => each.username)

  test('the registry is the first part of the name', () => {
    assert.deepEqual(['busybox', 'a/b', 'localhost/a', 'r.io:5000/a', 'r.io/a/b'].map(registryOf), [
      'docker.io',
      'docker.io',
      'localhost',
      'r.io:5000',
      'r.io',
    ])
  })

  const table: { name: string; entry: string; image: string; found: boolean }[] = [
    { name: 'an entry of the registry is used', entry: 'r.io', image: 'r.io/a:1', found: true },
    { name: 'an entry may be an address of the API', entry: 'https://r.io/v1/', image: 'r.io/a:1', found: true },
    { name: 'another registry’s is not used', entry: 'r.io.evil', image: 'r.io/a:1', found: false },
    { name: 'the port belongs to the registry', entry: 'localhost:5000', image: 'localhost:5000/app:1', found: true },
    { name: 'another port is another registry', entry: 'localhost:5000', image: 'localhost:50001/app:1', found: false },
    { name: 'without a port it is another registry', entry: 'localhost', image: 'localhost:5000/app:1', found: false },
    { name: 'a path leads the image’s', entry: 'localhost:5000/team', image: 'localhost:5000/team/app:1', found: true },
    { name: 'another path does not', entry: 'localhost:5000/other', image: 'localhost:5000/team/app:1', found: false },
    { name: 'a glob is one part of the host', entry: '*.r.io', image: 'eu.r.io/a', found: true },
    { name: 'a glob is not several parts', entry: '*.io', image: 'eu.r.io/a', found: false },
    { name: 'a part may hold a glob', entry: 'eu-*.r.io:5000', image: 'eu-west.r.io:5000/a', found: true },
    { name: 'a dot is no glob', entry: 'r.io', image: 'r-io/a', found: false },
    { name: 'docker’s own registry has many names', entry: 'https://index.docker.io/v1/', image: 'a', found: true },
    { name: 'docker’s own registry may be named', entry: 'docker.io', image: 'docker.io/library/a:1', found: true },
  ]
  for (const { name, entry, image, found } of table) test(name, () => assert.deepEqual(users(image, { [entry]: auth('joe') }), found ? ['joe'] : []))

  test('all that match are tried, the longer entry first, and those of the first secret before the second’s', () => {
    const first = { 'r.io': auth('a'), 'r.io/team': auth('b') }
    assert.deepEqual(users('r.io/team/a', first, { 'r.io/team/a': auth('c') }), ['b', 'a', 'c'])
  })
  test('the runtime is not told the server, whose images may be at another address of the node', () => {
    assert.deepEqual(credentialsFor('r.io/a', [{ 'r.io': auth('joe') }]), [{ username: 'joe', password: 'secret', identityToken: '' }])
  })
  test('a password may hold colons, and name and password may stand by themselves', () => {
    assert.deepEqual(
      credentialsFor('r.io/a', [{ 'r.io': { auth: Buffer.from('joe:a:b').toString('base64') } }, { 'r.io': { username: 'x', password: 'y' } }]).map(
        (each) => [each.username, each.password],
      ),
      [
        ['joe', 'a:b'],
        ['x', 'y'],
      ],
    )
  })
  test('secrets of both formats hold credentials', () => {
    assert.deepEqual(secretAuths(secret('kubernetes.io/dockerconfigjson', '.dockerconfigjson', { auths: { 'r.io': auth('joe') } })), {
      'r.io': auth('joe'),
    })
    assert.deepEqual(secretAuths(secret('kubernetes.io/dockercfg', '.dockercfg', { 'r.io': auth('joe') })), { 'r.io': auth('joe') })
    assert.deepEqual(secretAuths(secret('Opaque', '.dockerconfigjson', { auths: { 'r.io': auth('joe') } })), {})
  })
  test('what is no configuration holds none', () => {
    for (const text of ['', '{', 'null', '[]', '{"auths":null}', '{"auths":{"r.io":null}}']) assert.deepEqual(dockerAuths(text), {})
  })

  test('credentials are tried until one is right', async () => {
    const t = setup([], [{ 'r.io': auth('old') }, { 'r.io': auth('new') }])
    const asked: (string | undefined)[] = []
    const pull = t.runtime.pullImage.bind(t.runtime)
    t.runtime.pullImage = async (request, options) => {
      asked.push(request.auth?.username)
      if (request.auth?.username !== 'new') throw new Error('authorization failed')
      t.runtime.addImage('r.io/a:1')
      return pull(request, options)
    }
    assert.equal(await t.reason(container('r.io/a:1')), 'present')
    assert.deepEqual(asked, ['old', 'new'])
  })
  test('the last refusal is the reason', async () => {
    const t = setup([], [{ 'r.io': auth('old') }])
    t.runtime.pullImage = () => Promise.reject(new Error('authorization failed: no basic auth credentials'))
    assert.equal(await t.reason(container('r.io/a:1')), 'ErrImagePull')
    assert.match(t.said.join(), /Failed to pull image "r.io\/a:1": authorization failed: no basic auth credentials/)
    await assert.rejects(t.ensure(container('r.io/a:1')), {
      reason: 'ImagePullBackOff',
      message: 'Back-off pulling image "r.io/a:1": ErrImagePull: authorization failed: no basic auth credentials',
    })
    assert.equal(t.said.at(-1), 'BackOff: Back-off pulling image "r.io/a:1"')
  })
  test('a pull secret that does not exist is told, and the image pulled without it', async () => {
    const t = setup(['a:1'], [], ['gone', 'lost'])
    assert.equal(await t.reason(container('a:1', 'Always')), 'present')
    assert.match(t.said.join(), /FailedToRetrieveImagePullSecret: Unable to retrieve some image pull secrets \(gone, lost\)/)
  })
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
