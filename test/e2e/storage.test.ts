import assert from 'node:assert/strict'
import { existsSync, lstatSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import type { apps, core } from '#api'
import { processesIn } from '../../src/cluster/local/cgroup.ts'
import { kubectlIn, kubectls } from './clients.ts'
import { testCluster } from './cluster.ts'
import { buildShellImage } from './web-image.ts'

// Claims of the default class on real nodes: where the data are, what they survive, and when they go.

const cluster = await testCluster('storage', '--nodes', '2')
after(() => cluster[Symbol.asyncDispose]())
const kubectl = kubectlIn(cluster, 'default')
before(() => buildShellImage(cluster))

const home = process.env['K8TS_HOME'] ?? '/var/lib/k8ts'
const nodes = ['node-1', 'node-2']
const disk = (node: string) => join(home, cluster.name, 'nodes', node, 'volumes')
const onDisk = (volume: string) => nodes.filter((node) => existsSync(join(disk(node), volume)))

const get = async <T>(...args: string[]) => JSON.parse(await kubectl('get', ...args, '-o', 'json')) as T
const volumeOf = async (claim: string) => (await get<core.PersistentVolumeClaim>('pvc', claim)).spec.volumeName!
const nodeOf = async (pod: string) => (await get<core.Pod>('pod', pod)).spec.nodeName!
const ready = (pod: string) => kubectl('wait', '--for=condition=Ready', `pod/${pod}`, '--timeout=120s')
const sh = (pod: string, script: string) => kubectl('exec', pod, '--', 'sh', '-c', script)
const gone = (...what: string[]) => kubectl('wait', '--for=delete', ...what, '--timeout=120s')

const claim = (name: string, spec: Partial<core.PersistentVolumeClaimSpec> = {}) => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '64Mi' } }, ...spec },
})
const container = (mount: Partial<core.VolumeMount> = {}, script = 'exec sleep 100000'): core.Container => ({
  name: 'c',
  image: 'localhost/shell:1',
  command: ['sh', '-c', script],
  volumeMounts: [{ name: 'data', mountPath: '/data', ...mount }],
})
const pod = (name: string, claimName: string, more: Partial<core.PodSpec> = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name },
  spec: {
    terminationGracePeriodSeconds: 0,
    containers: [container()],
    volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }],
    ...more,
  },
})
const manifest = (...items: object[]) => cluster.apply({ apiVersion: 'v1', kind: 'List', items })

describe('a stateful set', () => {
  const set = (name: string, more: Partial<apps.StatefulSetSpec> = {}) => ({
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 2,
      podManagementPolicy: 'Parallel',
      selector: { matchLabels: { app: name } },
      template: {
        metadata: { labels: { app: name } },
        spec: {
          terminationGracePeriodSeconds: 0,
          // each start writes a line; the first one says whose data these are
          containers: [container({}, '[ -e /data/owner ] || hostname > /data/owner; echo start >> /data/starts; exec sleep 100000')],
        },
      },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claim('').spec }],
      ...more,
    },
  })
  const rolledOut = (name: string) => kubectl('rollout', 'status', `statefulset/${name}`, '--timeout=120s')
  const starts = async (name: string) => (await sh(name, 'cat /data/owner /data/starts')).trim().split('\n')
  const expectStarts = async (count: number) => {
    for (const name of ['db-0', 'db-1']) assert.deepEqual(await starts(name), [name, ...Array<string>(count).fill('start')])
  }

  /** After a start of the whole cluster: what is said of the pods may be old, what is on their disks is not. */
  const runsWith = async (count: number) => {
    const lines = () => Promise.all(['db-0', 'db-1'].map((name) => starts(name).catch(() => [])))
    await until(async () => (await lines()).every(({ length }) => length > count))
    await rolledOut('db')
    await expectStarts(count)
  }

  before(async () => {
    await manifest(set('db'))
    await rolledOut('db')
  })

  test('keeps its data when pods are deleted', async () => {
    await expectStarts(1)
    await kubectl('delete', 'pod', '-l', 'app=db')
    await rolledOut('db')
    await expectStarts(2)
  })

  test('keeps its data when processes are killed', async () => {
    for (const node of nodes)
      for (const pid of processesIn(`/k8ts-${cluster.name}/${node}`)) if (commandOf(pid).startsWith('sleep\x00100000')) process.kill(pid, 'SIGKILL')
    for (const name of ['db-0', 'db-1'])
      await kubectl('wait', `pod/${name}`, '--for=jsonpath={.status.containerStatuses[0].restartCount}=1', '--timeout=120s')
    await Promise.all(['db-0', 'db-1'].map(ready))
    await expectStarts(3)
  })

  test('keeps its data when it is scaled down and up', async () => {
    await kubectl('scale', 'statefulset/db', '--replicas=0')
    await gone('pod/db-0', 'pod/db-1')
    await kubectl('scale', 'statefulset/db', '--replicas=2')
    await rolledOut('db')
    await expectStarts(4)
  })

  test('keeps its data when all of the cluster is killed and started again', async () => {
    const places = await Promise.all(['db-0', 'db-1'].map(nodeOf))
    for (const pid of processesIn(`/k8ts-${cluster.name}`)) process.kill(pid, 'SIGKILL')
    await cluster.k8ts('up', '--name', cluster.name)
    await runsWith(5)
    assert.deepEqual(await Promise.all(['db-0', 'db-1'].map(nodeOf)), places)
  })

  test('keeps its data when the cluster is stopped and started', async () => {
    await cluster.k8ts('stop', '--name', cluster.name)
    assert.deepEqual(processesIn(`/k8ts-${cluster.name}`), [])
    await cluster.k8ts('start', '--name', cluster.name)
    await runsWith(6)
  })

  test('leaves its claims behind, and takes them up again', async () => {
    await kubectl('delete', 'statefulset', 'db')
    await gone('pod/db-0', 'pod/db-1')
    await manifest(set('db'))
    await rolledOut('db')
    await expectStarts(7)
    await kubectl('delete', 'statefulset', 'db')
    await kubectl('delete', 'pvc', '-l', 'app=db')
  })

  test('takes its claims along when it is told so', async () => {
    await manifest(set('tidy', { persistentVolumeClaimRetentionPolicy: { whenScaled: 'Delete', whenDeleted: 'Delete' } }))
    await rolledOut('tidy')
    const [first, second] = [await volumeOf('data-tidy-0'), await volumeOf('data-tidy-1')]
    await kubectl('scale', 'statefulset/tidy', '--replicas=1')
    await gone('pvc/data-tidy-1')
    await gone(`pv/${second}`)
    assert.deepEqual(onDisk(second), [])
    assert.equal(onDisk(first).length, 1)
    await kubectl('delete', 'statefulset', 'tidy')
    await gone('pvc/data-tidy-0')
    await gone(`pv/${first}`)
    assert.deepEqual(onDisk(first), [])
  })
})

describe('a claim', () => {
  test('waits for its pod, is on that pod’s node, and draws other pods there', async () => {
    await manifest(claim('one'), claim('two'))
    await kubectl('wait', 'pvc/one', '--for=jsonpath={.status.phase}=Pending', '--timeout=120s')
    assert.match(
      await untilText(() => kubectl('describe', 'pvc', 'one'), /WaitForFirstConsumer/),
      /waiting for first consumer to be created before binding/,
    )
    const at = (node: string) => ({ nodeSelector: { 'kubernetes.io/hostname': node } })
    await manifest(pod('one', 'one', at('node-2')), pod('two', 'two', at('node-1')))
    await Promise.all(['one', 'two'].map(ready))
    assert.deepEqual(onDisk(await volumeOf('one')), ['node-2'])
    assert.deepEqual(onDisk(await volumeOf('two')), ['node-1'])
    await manifest(pod('one-more', 'one'), pod('two-more', 'two'))
    await Promise.all(['one-more', 'two-more'].map(ready))
    assert.deepEqual(await Promise.all(['one-more', 'two-more'].map(nodeOf)), ['node-2', 'node-1'])
    await sh('one', 'echo shared > /data/file')
    assert.equal(await sh('one-more', 'cat /data/file'), 'shared\n')

    // the volume is where the claim is: another node is out of the question
    await manifest(pod('elsewhere', 'one', at('node-1')))
    await kubectl('wait', 'pod/elsewhere', '--for=condition=PodScheduled=false', '--timeout=120s')
    const [condition] = (await get<core.Pod>('pod', 'elsewhere')).status!.conditions!.filter((c) => c.type === 'PodScheduled')
    assert.match(condition!.message!, /1 node\(s\) had volume node affinity conflict/)
    await kubectl('delete', 'pod', 'elsewhere', 'two', 'two-more')
  })

  test('stays while pods use it, and takes its data along then', async () => {
    const volume = await volumeOf('one')
    await kubectl('delete', 'pvc', 'one', '--wait=false')
    await kubectl('delete', 'pod', 'one')
    assert.match(await kubectl('get', 'pvc', 'one'), /Terminating/)
    assert.equal(await sh('one-more', 'cat /data/file'), 'shared\n')
    await kubectl('delete', 'pod', 'one-more')
    await gone('pvc/one', `pv/${volume}`)
    assert.deepEqual(onDisk(volume), [])
  })

  test('of a class that retains leaves its data, for a claim that asks for that volume', async () => {
    await manifest(
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'StorageClass',
        metadata: { name: 'keep' },
        provisioner: 'k8ts.dev/local-path',
        reclaimPolicy: 'Retain',
        volumeBindingMode: 'WaitForFirstConsumer',
      },
      claim('kept', { storageClassName: 'keep' }),
      pod('kept', 'kept'),
    )
    await ready('kept')
    await sh('kept', 'echo precious > /data/file')
    const volume = await volumeOf('kept')
    await kubectl('delete', 'pod', 'kept')
    await kubectl('delete', 'pvc', 'kept')
    await kubectl('wait', `pv/${volume}`, '--for=jsonpath={.status.phase}=Released', '--timeout=120s')
    await kubectl('patch', 'pv', volume, '--type=merge', '-p', '{"spec":{"claimRef":null}}')
    await manifest(claim('again', { storageClassName: 'keep', volumeName: volume }), pod('again', 'again'))
    await ready('again')
    assert.equal(await sh('again', 'cat /data/file'), 'precious\n')
    const [place] = onDisk(volume)
    await kubectl('delete', 'pod', 'again')
    await kubectl('delete', 'pvc', 'again')
    await kubectl('delete', 'pv', volume)
    assert.equal(readFileSync(join(disk(place!), volume, 'file'), 'utf8'), 'precious\n')
  })

  test('belongs to the pod’s group, also in parts and for reading only', async () => {
    const user = { runAsUser: 1000, runAsGroup: 1000, fsGroup: 2000 }
    await manifest(
      claim('grouped'),
      pod('grouped', 'grouped', {
        securityContext: user,
        containers: [container(), { ...container({ subPath: 'deep/er' }), name: 'part' }, { ...container({ readOnly: true }), name: 'reader' }],
      }),
    )
    await ready('grouped')
    const run = (name: string, script: string) => kubectl('exec', 'grouped', '-c', name, '--', 'sh', '-c', script)
    assert.equal(await run('c', 'echo own > /data/file; stat -c "%u %g" /data/file; stat -c "%g %a" /data'), '1000 2000\n2000 2777\n')
    assert.equal(await run('part', 'echo part > /data/file; ls /data'), 'file\n')
    assert.equal(await run('c', 'cat /data/deep/er/file'), 'part\n')
    assert.equal(await run('reader', 'cat /data/file'), 'own\n')
    await assert.rejects(run('reader', 'echo no > /data/file'), /Read-only file system/)
    const volume = await volumeOf('grouped')
    await manifest(pod('reading', 'grouped', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'grouped', readOnly: true } }] }))
    await ready('reading')
    await assert.rejects(sh('reading', 'echo no > /data/file'), /Read-only file system/)
    await kubectl('delete', 'pod', 'grouped', 'reading')
    await kubectl('delete', 'pvc', 'grouped')
    await gone(`pv/${volume}`)
  })

  test('that is deleted takes nothing along that its links lead to', async () => {
    await manifest(claim('links'), pod('links', 'links'))
    await ready('links')
    const volume = await volumeOf('links')
    const [node] = onDisk(volume)
    const outside = join(disk(node!), '..', 'outside-of-volumes')
    writeFileSync(outside, 'kept')
    await sh('links', 'mkdir -p /data/a/b; echo x > /data/a/b/c')
    // what a container could make
    symlinkSync('../../outside-of-volumes', join(disk(node!), volume, 'a/link'))
    symlinkSync('/', join(disk(node!), volume, 'a/root'))
    await kubectl('delete', 'pod', 'links')
    await kubectl('delete', 'pvc', 'links')
    await gone(`pv/${volume}`)
    assert.equal(readFileSync(outside, 'utf8'), 'kept')
    assert.ok(lstatSync('/etc').isDirectory())
    assert.deepEqual(
      readdirSync(disk(node!)).filter((name) => name.startsWith(volume)),
      [],
    )
  })

  test('that no node has room for says so', async () => {
    await manifest(claim('huge', { resources: { requests: { storage: '4Pi' } } }), pod('huge', 'huge'))
    const text = await untilText(() => kubectl('describe', 'pvc', 'huge'), /ProvisioningFailed/)
    assert.match(
      text,
      /failed to provision volume with StorageClass "standard": node "node-\d": 4194304.0 GiB asked for, but only [\d.]+ GiB are free on the disk/,
    )
    await untilText(() => kubectl('describe', 'pod', 'huge'), /2 node\(s\) did not have enough free storage/)
    await kubectl('delete', 'pod', 'huge')
    await kubectl('delete', 'pvc', 'huge')
  })

  test('grows when it is asked to', async () => {
    await manifest(claim('grows'), pod('grows', 'grows'))
    await ready('grows')
    await kubectl('patch', 'pvc', 'grows', '-p', '{"spec":{"resources":{"requests":{"storage":"128Mi"}}}}')
    await kubectl('wait', 'pvc/grows', '--for=jsonpath={.status.capacity.storage}=128Mi', '--timeout=120s')
    await kubectl('delete', 'pod', 'grows')
  })

  for (const { release, program, missing } of kubectls)
    test(`is shown by kubectl ${release}`, { skip: missing }, async () => {
      const run = kubectlIn(cluster, 'default', program)
      const volume = await volumeOf('grows')
      assert.match(
        await run('get', 'pvc', 'grows'),
        new RegExp(`^NAME +STATUS +VOLUME +CAPACITY +ACCESS MODES +STORAGECLASS.*\\ngrows +Bound +${volume} +128Mi +RWO +standard`),
      )
      assert.match(await run('get', 'pv', volume), new RegExp(`${volume} +128Mi +RWO +Delete +Bound +default/grows +standard`))
      assert.match(await run('get', 'storageclass'), /standard \(default\) +k8ts.dev\/local-path +Delete +WaitForFirstConsumer +true/)
      const described = await run('describe', 'pvc', 'grows')
      for (const part of [
        /StorageClass: +standard/,
        /Status: +Bound/,
        /Capacity: +128Mi/,
        /Access Modes: +RWO/,
        /ProvisioningSucceeded .* k8ts.dev\/local-path +Successfully provisioned volume pvc-/,
      ])
        assert.match(described, part)
      assert.match(
        await run('describe', 'pv', volume),
        /Source:\n +Type: +LocalVolume \(a persistent volume backed by local storage on a node\)\n +Path: +\//,
      )
    })
})

describe('a pod', () => {
  test('has volumes that come and go with it', async () => {
    const ephemeral = { volumeClaimTemplate: { spec: claim('').spec } } as core.EphemeralVolumeSource
    await manifest(pod('scratch', '', { volumes: [{ name: 'data', ephemeral }] }))
    await ready('scratch')
    const volume = await volumeOf('scratch-data')
    assert.equal(onDisk(volume).length, 1)
    await kubectl('delete', 'pod', 'scratch')
    await gone('pvc/scratch-data', `pv/${volume}`)
    assert.deepEqual(onDisk(volume), [])
  })

  test('says in its node’s metrics how full its volumes are', async () => {
    await manifest(claim('measured'), pod('measured', 'measured'))
    await ready('measured')
    const node = await nodeOf('measured')
    const metrics = await kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/metrics`)
    assert.match(metrics, /^kubelet_volume_stats_capacity_bytes\{namespace="default",persistentvolumeclaim="measured"\} \d{6,}$/m)
    const summary = JSON.parse(await kubectl('get', '--raw', `/api/v1/nodes/${node}/proxy/stats/summary`)) as {
      pods: { podRef: { name: string }; volume?: { name: string; pvcRef: { name: string }; availableBytes: number }[] }[]
    }
    const [stats] = summary.pods.find((p) => p.podRef.name === 'measured')!.volume!
    assert.equal(stats!.pvcRef.name, 'measured')
    assert.ok(stats!.availableBytes > 0)
    await kubectl('delete', 'pod', 'measured')
  })

  test('waits for a claim that is not there, and is told of a device that it cannot have', async () => {
    await manifest(pod('early', 'late'))
    await untilText(() => kubectl('describe', 'pod', 'early'), /persistentvolumeclaim "late" not found/)
    await manifest(claim('late'))
    await ready('early')
    await kubectl('delete', 'pod', 'early')
    const raw = { ...container(), volumeMounts: [], volumeDevices: [{ name: 'data', devicePath: '/dev/raw' }] }
    await manifest(pod('raw', 'late', { containers: [raw] }))
    await untilText(() => kubectl('describe', 'pod', 'raw'), /FailedM.*volumeDevices are not supported by this node/)
    await kubectl('delete', 'pod', 'raw')
  })
})

describe('what a pod asks for beside its volumes', () => {
  const shell = (name: string, script: string, more: Partial<core.Container> = {}): core.Container => ({
    name,
    image: 'localhost/shell:1',
    command: ['sh', '-c', script],
    ...more,
  })
  const plain = (name: string, spec: Partial<core.PodSpec>) =>
    pod(name, '', { volumes: [{ name: 'data', emptyDir: {} }], restartPolicy: 'Never', ...spec })
  const ended = (name: string) => kubectl('wait', '--for=jsonpath={.status.phase}=Succeeded', `pod/${name}`, '--timeout=60s')
  const data = [{ name: 'data', mountPath: '/data' }]

  test('variables from a file, an image’s files, a name of its own and limits of the pod are what its container sees', async () => {
    const write = shell('write', `printf "# written\\nA='one two'\\n" > /data/my.env`, { volumeMounts: data })
    const fileKeyRef = { volumeName: 'data', path: 'my.env', key: 'A' }
    const look =
      'echo "$A"; ls -d /image/bin; touch /image/x 2>/dev/null || echo read-only; hostname; cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null; true'
    const volumeMounts = [{ name: 'image', mountPath: '/image' }]
    await manifest(
      plain('sees', {
        initContainers: [write],
        containers: [shell('c', look, { env: [{ name: 'A', valueFrom: { fileKeyRef } }], volumeMounts })],
        volumes: [
          { name: 'data', emptyDir: {} },
          { name: 'image', image: { reference: 'localhost/shell:1', pullPolicy: 'Never' } },
        ],
        hostnameOverride: 'other.name',
        resources: { limits: { memory: '96Mi' } },
      }),
    )
    await ended('sees')
    assert.deepEqual((await kubectl('logs', 'sees', '-c', 'c')).trim().split('\n'), [
      'one two',
      '/image/bin',
      'read-only',
      'other.name',
      String(96 * 2 ** 20),
    ])
  })

  test('its containers come back by their rules, alone or all together', async () => {
    const rule = (action: string, ...values: number[]) => [{ action, exitCodes: { operator: 'In', values } }]
    const once = (code: number) => `echo $0 >> /data/log; [ -e /data/${code} ] && exit 0; touch /data/${code}; exit ${code}`
    const restarts = (code: number, action: string) =>
      shell('c', once(code), { restartPolicy: 'Never', restartPolicyRules: rule(action, code), volumeMounts: data } as Partial<core.Container>)
    const first = shell('first', 'echo first >> /data/log', { volumeMounts: data })
    await manifest(
      plain('alone', { initContainers: [first], containers: [restarts(42, 'Restart')] }),
      plain('together', { initContainers: [first], containers: [restarts(43, 'RestartAllContainers')] }),
    )
    await Promise.all([ended('alone'), ended('together')])
    const counts = async (name: string) => {
      const { status } = await get<core.Pod>('pod', name)
      return [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map((c) => c.restartCount)
    }
    assert.deepEqual(
      [await counts('alone'), await counts('together')],
      [
        [0, 1],
        [1, 1],
      ],
    )
  })

  test('what this node cannot do is refused by name', async () => {
    await manifest(
      plain('users', { hostUsers: false }),
      plain('groups', { securityContext: { supplementalGroupsPolicy: 'Strict' } }),
      plain('elsewhere', { nodeName: 'node-1', nodeSelector: { no: 'such' } }),
    )
    await untilText(() => kubectl('get', 'events'), /FailedCreatePodSandBox.*runtime does not support user namespaces/)
    const reason = async (name: string) => (await get<core.Pod>('pod', name)).status?.reason
    await until(async () => (await reason('groups')) === 'SupplementalGroupsPolicyNotSupported' && (await reason('elsewhere')) === 'NodeAffinity')
    await kubectl('delete', 'pod', 'users', 'groups', 'elsewhere')
  })
})

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

async function until(condition: () => Promise<boolean>, timeoutMs = 120_000): Promise<void> {
  for (const end = Date.now() + timeoutMs; Date.now() < end; await new Promise((resolve) => setTimeout(resolve, 200))) if (await condition()) return
  assert.fail('it did not come to that in time')
}

/** What a command prints once it has this in it. */
async function untilText(print: () => Promise<string>, pattern: RegExp): Promise<string> {
  let text = ''
  await until(async () => pattern.test((text = await print()))).catch(() => assert.match(text, pattern))
  return text
}
