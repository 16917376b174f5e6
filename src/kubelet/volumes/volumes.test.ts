import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
  mkdirSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, it } from 'node:test'
import { manualClock, silentLogger } from '#base'
import type { Client } from '#client'
import type { core } from '#api'
import { errors } from '#api'
import type { ObjectSource } from '../env/object-source.ts'
import { writePayload } from './atomic-writer.ts'
import { containerMounts, isRecursivelyReadOnly } from './container-mounts.ts'
import { checkHostPath } from './host-path.ts'
import type { Mounter } from './mounter.ts'
import { mountPoints } from './mounter.ts'
import { commonUser } from './ownership.ts'
import { hollowVolumes, podVolumes } from './pod-volumes.ts'

const root = process.getuid?.() === 0
let rootDir: string
before(() => (rootDir = mkdtempSync(join(tmpdir(), 'k8ts-volumes-'))))
after(() => rmSync(rootDir, { recursive: true, force: true }))

function fakeMounter(): Mounter & { points: string[]; calls: string[] } {
  const points: string[] = []
  const calls: string[] = []
  return {
    points,
    calls,
    async tmpfs(dir, options) {
      points.push(dir)
      calls.push(`tmpfs ${options.join(',')}`)
    },
    async bind(source, target) {
      points.push(target)
      calls.push(`bind ${readlinkSync(source)}`)
    },
    async unmount(path) {
      points.splice(points.indexOf(path), 1)
    },
    async below(dir) {
      return points.filter((p) => p === dir || p.startsWith(`${dir}/`)).reverse()
    },
  }
}

function fakeObjects() {
  const objects = new Map<string, any>()
  const listeners = new Set<(change: any) => void>()
  const source: ObjectSource = {
    async get(kind: string, namespace: string, name: string) {
      const object = objects.get(`${kind}/${namespace}/${name}`)
      if (!object) throw errors.notFound({ group: '', resource: kind.toLowerCase() }, name)
      return object
    },
    retain() {},
    release() {},
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async [Symbol.asyncDispose]() {},
  }
  return { objects, source, tell: (podUids: string[]) => listeners.forEach((l) => l({ podUids })) }
}

function setup(answers: { token?: () => object; get?: (resource: string, name: string) => any } = {}) {
  const { objects, source, tell } = fakeObjects()
  const mounter = fakeMounter()
  const unmountedImages: string[] = []
  const clock = manualClock()
  const client = {
    resource: (ref: { resource: string }) => ({
      createSubresource: async () => answers.token!(),
      get: async (name: string) => answers.get!(ref.resource, name),
    }),
  } as unknown as Client
  const volumes = podVolumes({
    rootDir,
    client,
    objects: source,
    clock,
    log: silentLogger,
    allocatable: () => ({ cpu: '4', memory: '8Gi' }),
    mounter,
    images: { mountImage: async () => {}, unmountImage: async (target) => void unmountedImages.push(target) },
  })
  return { objects, tell, mounter, clock, volumes, unmountedImages }
}

let uid = 0
function podWith(volumes: core.Volume[], extra: Partial<core.PodSpec> = {}, labels: Record<string, string> = {}): core.Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: `uid-${++uid}`, labels },
    spec: { containers: [{ name: 'c', volumeMounts: volumes.map((v) => ({ name: v.name, mountPath: `/mnt/${v.name}` })) }], volumes, ...extra },
  }
}
const signal = new AbortController().signal

describe('volumes of a pod', () => {
  it('hold the keys of a config map and follow its changes in one step', async () => {
    const { objects, tell, volumes } = setup()
    objects.set('ConfigMap/shop/settings', { data: { color: 'blue', size: 'XL' }, binaryData: { raw: 'AAEC' } })
    const pod = podWith([{ name: 'config', configMap: { name: 'settings', defaultMode: 0o640 } }])
    const { hostPath, readOnly } = (await volumes.mount(pod, signal)).get('config')!
    assert.equal(hostPath, join(rootDir, 'pods', pod.metadata.uid!, 'volumes/kubernetes.io~configmap/config'))
    assert.equal(readOnly, true)
    assert.equal(readFileSync(join(hostPath, 'color'), 'utf8'), 'blue')
    assert.deepEqual([...readFileSync(join(hostPath, 'raw'))], [0, 1, 2])
    assert.equal(readlinkSync(join(hostPath, 'color')), '..data/color')
    assert.equal(statSync(join(hostPath, 'color')).mode & 0o777, 0o640)
    const version = readlinkSync(join(hostPath, '..data'))

    objects.set('ConfigMap/shop/settings', { data: { color: 'red', shape: 'round' } })
    tell([pod.metadata.uid!])
    await volumes.refresh(pod.metadata.uid!)
    assert.equal(readFileSync(join(hostPath, 'color'), 'utf8'), 'red')
    assert.deepEqual(
      readdirSync(hostPath)
        .filter((n) => !n.startsWith('..'))
        .sort(),
      ['color', 'shape'],
    )
    assert.notEqual(readlinkSync(join(hostPath, '..data')), version)
    assert.ok(!existsSync(join(hostPath, version)))

    await volumes.unmount(pod.metadata.uid!)
    assert.ok(!existsSync(hostPath))
    await volumes[Symbol.asyncDispose]()
  })

  it('put chosen keys at their paths with their modes', async () => {
    const { objects, volumes } = setup()
    objects.set('Secret/shop/db', { data: { password: Buffer.from('pw').toString('base64'), user: '' } })
    const pod = podWith([{ name: 's', secret: { secretName: 'db', defaultMode: 0o400, items: [{ key: 'password', path: 'a/b/pw', mode: 0o600 }] } }])
    const { hostPath } = (await volumes.mount(pod, signal)).get('s')!
    assert.equal(readFileSync(join(hostPath, 'a/b/pw'), 'utf8'), 'pw')
    assert.equal(statSync(join(hostPath, 'a/b/pw')).mode & 0o777, 0o600)
    assert.equal(statSync(hostPath).mode & 0o777, 0o777)
    await volumes.unmount(pod.metadata.uid!)
    assert.ok(!existsSync(hostPath))
  })

  it('stand on one memory file system of the node where they must not touch the disk', async () => {
    const { objects, volumes, mounter } = setup()
    objects.set('Secret/shop/db', { data: { password: '' } })
    const secret = (name: string) => podWith([{ name, secret: { secretName: 'db' } }])
    const pods = [secret('a'), secret('b')]
    const paths = await Promise.all(pods.map(async (pod) => [...(await volumes.mount(pod, signal)).values()][0]!.hostPath))
    assert.deepEqual([mounter.calls, mounter.points], [['tmpfs mode=0755'], [join(rootDir, 'memory')]])
    assert.ok(paths.every((path) => path.startsWith(join(rootDir, 'memory/'))))
    for (const pod of pods) await volumes.unmount(pod.metadata.uid!)
    assert.deepEqual([readdirSync(join(rootDir, 'memory')), mounter.points], [[], [join(rootDir, 'memory')]], 'others may still need it')
  })

  const failing: [string, core.Volume, string][] = [
    [
      'a config map that does not exist',
      { name: 'v', configMap: { name: 'nope' } },
      'MountVolume.SetUp failed for volume "v" : configmap "nope" not found',
    ],
    [
      'a secret that does not exist',
      { name: 'v', secret: { secretName: 'nope' } },
      'MountVolume.SetUp failed for volume "v" : secret "nope" not found',
    ],
    [
      'a key that does not exist',
      { name: 'v', configMap: { name: 'settings', items: [{ key: 'z', path: 'z' }] } },
      'MountVolume.SetUp failed for volume "v" : configmap references non-existent config key: z',
    ],
    [
      'a secret key that does not exist',
      { name: 'v', secret: { secretName: 'db', items: [{ key: 'z', path: 'z' }] } },
      'MountVolume.SetUp failed for volume "v" : references non-existent secret key: z',
    ],
    [
      'a path out of the volume',
      { name: 'v', configMap: { name: 'settings', items: [{ key: 'color', path: 'a/../../z' }] } },
      `MountVolume.SetUp failed for volume "v" : invalid path: must not contain '..': a/../../z`,
    ],
    [
      'a type that nobody knows',
      { name: 'v', nfs: { server: 'x', path: '/y' } },
      'MountVolume.SetUp failed for volume "v" : no volume plugin matched: volumes of type nfs are not supported by this node',
    ],
    [
      'an unknown medium',
      { name: 'v', emptyDir: { medium: 'HugePages' } },
      'MountVolume.SetUp failed for volume "v" : unknown storage medium "HugePages"',
    ],
  ]
  for (const [name, volume, message] of failing)
    it(`are refused for ${name}`, async () => {
      const { objects, volumes } = setup()
      objects.set('ConfigMap/shop/settings', { data: { color: 'blue' } })
      objects.set('Secret/shop/db', { data: {} })
      await assert.rejects(volumes.mount(podWith([volume]), signal), { message, reason: 'FailedMount' })
    })

  it('are empty for optional sources that do not exist', async () => {
    const { volumes } = setup()
    const mounted = await volumes.mount(podWith([{ name: 'v', secret: { secretName: 'nope', optional: true } }]), signal)
    assert.deepEqual(
      readdirSync(mounted.get('v')!.hostPath).filter((n) => !n.startsWith('..')),
      [],
    )
  })

  it('that no container mounts are left alone', async () => {
    const { volumes } = setup()
    const pod = podWith([{ name: 'v', secret: { secretName: 'nope' } }])
    pod.spec.containers[0]!.volumeMounts = []
    assert.equal((await volumes.mount(pod, signal)).size, 0)
  })

  it('tell labels and resources, and follow a change of the labels', async () => {
    const { volumes } = setup()
    const items = [
      { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
      { path: 'cpu', resourceFieldRef: { containerName: 'c', resource: 'limits.cpu', divisor: '1m' } },
    ]
    const pod = podWith([{ name: 'd', downwardAPI: { items } }], {}, { app: 'a' })
    const { hostPath } = (await volumes.mount(pod, signal)).get('d')!
    assert.equal(readFileSync(join(hostPath, 'labels'), 'utf8'), 'app="a"')
    assert.equal(readFileSync(join(hostPath, 'cpu'), 'utf8'), '4000')
    await volumes.mount({ ...pod, metadata: { ...pod.metadata, labels: { app: 'b' } } }, signal)
    assert.equal(readFileSync(join(hostPath, 'labels'), 'utf8'), 'app="b"')
  })

  it('get a token, and a new one at 80 % of its life', async () => {
    let issued = 0
    const env = setup({
      token: () => ({ status: { token: `token-${++issued}`, expirationTimestamp: new Date(env.clock.now() + 1_000_000).toISOString() } }),
    })
    const sources = [{ serviceAccountToken: { path: 'token', expirationSeconds: 1000 } }]
    const pod = podWith([{ name: 't', projected: { sources, defaultMode: 0o644 } }], { securityContext: { runAsUser: root ? 1234 : undefined } })
    const { hostPath } = (await env.volumes.mount(pod, signal)).get('t')!
    const token = () => readFileSync(join(hostPath, 'token'), 'utf8')
    assert.equal(token(), 'token-1')
    if (root) assert.deepEqual([statSync(join(hostPath, 'token')).uid, statSync(join(hostPath, 'token')).mode & 0o777], [1234, 0o600])
    await env.clock.advance(799_000)
    await env.volumes.refresh(pod.metadata.uid!)
    assert.equal(token(), 'token-1')
    await env.clock.advance(2_000)
    await env.volumes.refresh(pod.metadata.uid!)
    assert.equal(token(), 'token-2')
    await env.volumes.unmount(pod.metadata.uid!)
    assert.equal(env.clock.waiting, 0)
  })

  it('of an emptyDir keep their content when mounted again', async () => {
    const { volumes } = setup()
    const pod = podWith([{ name: 'e', emptyDir: {} }])
    const { hostPath } = (await volumes.mount(pod, signal)).get('e')!
    assert.equal(statSync(hostPath).mode & 0o777, 0o777)
    writeFileSync(join(hostPath, 'f'), 'x')
    await setup().volumes.mount(pod, signal)
    assert.ok(existsSync(join(hostPath, 'f')))
  })

  it('of an emptyDir in memory are limited by size and by the containers', async () => {
    const { volumes, mounter } = setup()
    const pod = podWith([{ name: 'e', emptyDir: { medium: 'Memory', sizeLimit: '1Gi' } }])
    pod.spec.containers[0]!.resources = { limits: { memory: '64Mi' } }
    await volumes.mount(pod, signal)
    assert.deepEqual(
      mounter.calls,
      [`size=${64 * 2 ** 20}`].map((o) => `tmpfs ${o}`),
    )
  })

  it('that are images have a place that is only read, and are given back with it', async () => {
    const { volumes, unmountedImages } = setup()
    const pod = podWith([{ name: 'content', image: { reference: 'content:1' } }])
    const { hostPath, readOnly } = (await volumes.mount(pod, signal)).get('content')!
    assert.deepEqual([existsSync(hostPath), readOnly], [true, true])
    await volumes.unmount(pod.metadata.uid!)
    assert.deepEqual([unmountedImages, existsSync(hostPath)], [[hostPath], false])
    await volumes[Symbol.asyncDispose]()
  })

  it('belong to the fsGroup', { skip: !root }, async () => {
    const { objects, volumes } = setup()
    objects.set('ConfigMap/shop/settings', { data: { color: 'blue' } })
    const pod = podWith(
      [
        { name: 'e', emptyDir: {} },
        { name: 'c', configMap: { name: 'settings', defaultMode: 0o400 } },
      ],
      { securityContext: { fsGroup: 4321 } },
    )
    const mounted = await volumes.mount(pod, signal)
    const dir = statSync(mounted.get('e')!.hostPath)
    assert.deepEqual([dir.gid, dir.mode & 0o7777], [4321, 0o2777])
    const file = statSync(join(mounted.get('c')!.hostPath, 'color'))
    assert.deepEqual([file.gid, file.mode & 0o7777], [4321, 0o440])
  })

  it('of a claim are the bound volume, of a type that is known', async () => {
    const path = join(rootDir, 'pv')
    mkdirSync(path, { recursive: true })
    let spec: object = { local: { path }, claimRef: { uid: 'c1' } }
    let status = { phase: 'Bound' }
    const { volumes } = setup({
      get: (resource) =>
        resource === 'persistentvolumes' ? { metadata: { name: 'pv1' }, spec } : { metadata: { uid: 'c1' }, spec: { volumeName: 'pv1' }, status },
    })
    const claim = { name: 'p', persistentVolumeClaim: { claimName: 'data' } }
    const pod = podWith([claim])
    assert.equal((await volumes.mount(pod, signal)).get('p')!.hostPath, path)
    const mounted = { hostPath: path, readOnly: undefined, claim: { namespace: 'shop', name: 'data' } }
    assert.deepEqual(volumes.mounted(), [{ podUid: pod.metadata.uid, name: 'p', volume: mounted }])
    await volumes.unmount(pod.metadata.uid!)
    assert.deepEqual(volumes.mounted(), [])
    const readOnly = podWith([{ name: 'p', persistentVolumeClaim: { claimName: 'data', readOnly: true } }])
    assert.equal((await volumes.mount(readOnly, signal)).get('p')!.readOnly, true)
    // unmounting leaves what is the volume's
    assert.ok(existsSync(path))
    spec = { nfs: { server: 'x', path: '/' }, capacity: {}, claimRef: { uid: 'c1' } }
    await assert.rejects(volumes.mount(podWith([claim]), signal), /PersistentVolume "pv1" is of type nfs, which this node does not support/)
    const refused = (pattern: RegExp, asking = claim) => assert.rejects(volumes.mount(podWith([asking]), signal), pattern)
    spec = { local: { path }, claimRef: { uid: 'older' } }
    await refused(/error processing PVC shop\/data: PV pv1 is bound to another claim/)
    spec = { local: { path }, claimRef: { uid: 'c1' }, volumeMode: 'Block' }
    await refused(/volume p has volumeMode Block, but is specified in volumeMounts/)
    spec = { local: { path: join(path, 'no') }, claimRef: { uid: 'c1' } }
    await refused(/local volume path ".*\/no" of PersistentVolume "pv1" does not exist/)
    writeFileSync(join(path, 'file'), '')
    spec = { local: { path: join(path, 'file') }, claimRef: { uid: 'c1' } }
    await refused(/is not a directory: devices have to be mounted on the node first/)
    status = { phase: 'Pending' }
    await refused(/error processing PVC shop\/data: PVC is not bound/)
    await refused(/PVC shop\/web-e was not created for pod shop\/web \(pod is not owner\)/, { name: 'e', ephemeral: {} } as never)
  })

  it('are no devices', async () => {
    const { volumes } = setup()
    const pod = podWith([])
    pod.spec.containers[0]!.volumeDevices = [{ name: 'raw', devicePath: '/dev/raw' }]
    await assert.rejects(
      volumes.mount(pod, signal),
      /^VolumeMountError: MapVolume.SetUpDevice failed for volume "raw" : volumeDevices are not supported by this node/,
    )
  })

  it('of pods that are gone are cleaned up', async () => {
    const { volumes } = setup()
    const [gone, kept] = [podWith([{ name: 'e', emptyDir: {} }]), podWith([{ name: 'e', emptyDir: {} }])]
    await volumes.mount(gone, signal)
    await volumes.mount(kept, signal)
    const all = new Set(readdirSync(join(rootDir, 'pods')))
    all.delete(gone.metadata.uid!)
    await volumes.cleanupOrphans(all)
    assert.ok(!existsSync(join(rootDir, 'pods', gone.metadata.uid!)))
    assert.ok(existsSync(join(rootDir, 'pods', kept.metadata.uid!)))
  })
})

describe('volumes of a hollow node', () => {
  it('are there without being anywhere', async () => {
    const pod = podWith([{ name: 'v', secret: { secretName: 'nope' } }])
    pod.spec.containers[0]!.volumeMounts![0]!.subPath = 'x'
    const mounted = await hollowVolumes().mount(pod, signal)
    const [mount] = await containerMounts({ pod, container: pod.spec.containers[0]!, mounted, environment: [], rootDir })
    assert.equal(mount!.containerPath, '/mnt/v')
  })
})

describe('mounts of a container', () => {
  const prepare = () => {
    const volume = mkdtempSync(join(rootDir, 'vol-'))
    mkdirSync(join(volume, 'dir'))
    writeFileSync(join(volume, 'file'), 'x')
    symlinkSync('file', join(volume, 'inside'))
    symlinkSync('/etc', join(volume, 'outside'))
    const mounter = fakeMounter()
    const run = (mount: Partial<core.VolumeMount>, readOnly?: boolean) =>
      containerMounts({
        pod: podWith([]),
        container: { name: 'c', volumeMounts: [{ name: 'v', mountPath: '/data', ...mount }] },
        mounted: new Map([['v', { hostPath: volume, readOnly }]]),
        environment: [{ key: 'WHO', value: 'dir' }],
        rootDir,
        mounter,
      })
    return { volume, mounter, run }
  }
  it('are the volumes at their paths', async () => {
    const { volume, run } = prepare()
    assert.deepEqual(await run({ mountPath: 'rel', readOnly: true, mountPropagation: 'HostToContainer' }), [
      { hostPath: volume, containerPath: '/rel', readonly: true, propagation: 'PROPAGATION_HOST_TO_CONTAINER' },
    ])
    assert.equal((await run({}, true))[0]!.readonly, true)
  })
  const rows: [string, Partial<core.VolumeMount>, string][] = [
    ['a directory', { subPath: 'dir' }, 'dir'],
    ['a file', { subPath: 'file' }, 'file'],
    ['what a link inside the volume means', { subPath: 'inside' }, 'file'],
    ['a directory that is made for it', { subPath: 'new/deep' }, 'new/deep'],
    ['a path with variables', { subPathExpr: '$(WHO)' }, 'dir'],
  ]
  for (const [name, mount, expected] of rows)
    it(`of a subPath are ${name}`, async () => {
      const { volume, mounter, run } = prepare()
      const [made] = await run(mount)
      assert.match(made!.hostPath, /volume-subpaths\/v\/c\/0$/)
      assert.deepEqual(mounter.calls, [`bind ${join(volume, expected)}`])
      assert.equal(lstatSync(made!.hostPath).isDirectory(), expected !== 'file')
    })
  const refused: [string, Partial<core.VolumeMount>, RegExp][] = [
    ['leads out by a link', { subPath: 'outside' }, /failed to prepare subPath for volumeMount "v" of container "c"/],
    ['leads out by a link to something new', { subPath: 'outside/k8ts-new' }, /failed to prepare subPath/],
    ['goes up', { subPath: '../x' }, /must not contain '\.\.'/],
    ['is absolute', { subPath: '/x' }, /must not be an absolute path/],
    ['uses an unknown variable', { subPathExpr: '$(NOBODY)' }, /missing value for "NOBODY"/],
  ]
  for (const [name, mount, message] of refused) it(`are refused when the subPath ${name}`, () => assert.rejects(prepare().run(mount), message))
})

describe('recursive read-only mounts', () => {
  const mount = (readOnly: boolean, recursiveReadOnly?: string) => ({
    name: 'v',
    mountPath: '/v',
    readOnly,
    ...(recursiveReadOnly ? { recursiveReadOnly } : {}),
  })
  const rows: { name: string; mount: core.VolumeMount; supported: boolean; want: boolean | RegExp }[] = [
    { name: 'are not what is not asked for', mount: mount(true), supported: true, want: false },
    { name: 'are what the runtime can', mount: mount(true, 'Enabled'), supported: true, want: true },
    { name: 'are refused where it cannot', mount: mount(true, 'Enabled'), supported: false, want: /volume "v" requested recursive read-only mode/ },
    { name: 'are given up where that is allowed', mount: mount(true, 'IfPossible'), supported: false, want: false },
  ]
  for (const row of rows)
    it(row.name, () => {
      if (row.want instanceof RegExp) assert.throws(() => isRecursivelyReadOnly(row.mount, row.supported), row.want)
      else assert.equal(isRecursivelyReadOnly(row.mount, row.supported), row.want)
    })
})

describe('hostPath types', () => {
  it('are checked, and made where they ask for it', async () => {
    const dir = mkdtempSync(join(rootDir, 'host-'))
    await checkHostPath({ path: join(dir, 'any') })
    await checkHostPath({ path: join(dir, 'd'), type: 'DirectoryOrCreate' })
    await checkHostPath({ path: join(dir, 'd'), type: 'Directory' })
    await checkHostPath({ path: join(dir, 'f'), type: 'FileOrCreate' })
    await checkHostPath({ path: '/dev/null', type: 'CharDevice' })
    await assert.rejects(checkHostPath({ path: join(dir, 'f'), type: 'Directory' }), {
      message: `hostPath type check failed: ${join(dir, 'f')} is not a directory`,
    })
    await assert.rejects(checkHostPath({ path: join(dir, 'no'), type: 'Socket' }), /is not a socket file/)
    await assert.rejects(checkHostPath({ path: dir, type: 'Door' as 'File' }), /Door is an invalid volume type/)
  })
})

describe('payload files', () => {
  it('are written once while the content stays', async () => {
    const dir = mkdtempSync(join(rootDir, 'payload-'))
    const payload = new Map([['a', { data: Buffer.from('1'), mode: 0o644 }]])
    let prepared = 0
    const prepare = async () => void prepared++
    await writePayload(dir, payload, prepare)
    await writePayload(dir, payload, prepare)
    assert.equal(prepared, 1)
    // what a crash left behind goes with the next write
    mkdirSync(join(dir, '..2020_01_01.x'))
    await writePayload(dir, new Map([['b', { data: Buffer.from('2'), mode: 0o644 }]]), prepare)
    assert.ok(!existsSync(join(dir, '..2020_01_01.x')))
    assert.ok(!existsSync(join(dir, 'a')))
    assert.equal(readdirSync(dir).length, 3)
  })
})

describe('small decisions', () => {
  it('find the mount points of a mountinfo table', () =>
    assert.deepEqual(mountPoints('36 35 98:0 / /mnt/a\\040b rw - ext3 /dev/root rw\n37 36 0:1 / /x rw - tmpfs tmpfs rw\n'), ['/mnt/a b', '/x']))
  it('find the user that all containers share', () => {
    const pod = podWith([], { securityContext: { runAsUser: 5 } })
    assert.equal(commonUser(pod), 5)
    pod.spec.initContainers = [{ name: 'i', securityContext: { runAsUser: 6 } }]
    assert.equal(commonUser(pod), undefined)
  })
})
