import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, core, storage } from '#api'
import { manualClock } from '#base'
import type { Profile } from '../cycle.ts'
import { schedule } from '../cycle.ts'
import type { ClusterReader, CycleState, Node, Pod, VolumeWriter } from '../framework.ts'
import { ProvisioningRefused } from '../framework.ts'
import type { TestPod } from '../test-objects.ts'
import { noVolumes, testCluster, testNode, testPod, testReader } from '../test-objects.ts'
import { defaultPlugins } from './index.ts'

const profile = (reader: ClusterReader = testReader()): Profile => ({ plugins: defaultPlugins(reader, noVolumes), random: () => 0.99 })

interface Row {
  name: string
  pod: TestPod
  nodes: Node[]
  placed?: Record<string, Pod[]>
  reader?: Partial<ClusterReader>
  /** The node, or why there is none. */
  expect: string
}

const zone = (name: string, z: string) => testNode(name, { labels: { 'topology.kubernetes.io/zone': z } })
const ab = [testNode('a'), testNode('b')]
const app = { app: 'x' }
const selector = { matchLabels: app }
const near = (topologyKey: string): core.Affinity => ({
  podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: selector }] },
})
const apart = (topologyKey: string): core.Affinity => ({
  podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey, labelSelector: selector }] },
})
const spread = (topologyKey: string, maxSkew = 1, extra: Partial<core.TopologySpreadConstraint> = {}): core.TopologySpreadConstraint[] => [
  { topologyKey, maxSkew, whenUnsatisfiable: 'DoNotSchedule', labelSelector: selector, ...extra },
]
const nodeAffinity = (...matchExpressions: core.NodeSelectorRequirement[]): core.Affinity => ({
  nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions }] } },
})
const on = (name: string, options: TestPod = {}) => testPod(name, options)
const port = (hostPort: number, hostIP?: string, protocol?: 'TCP' | 'UDP'): TestPod => ({
  containers: [{ name: 'app', ports: [{ containerPort: 80, hostPort, ...(hostIP ? { hostIP } : {}), ...(protocol ? { protocol } : {}) }] }],
})

const rows: Row[] = [
  { name: 'no node at all', pod: {}, nodes: [], expect: 'no nodes available to schedule pods' },

  {
    name: 'a cordoned node takes nothing',
    pod: {},
    nodes: [testNode('a', { unschedulable: true })],
    expect: '0/1 nodes are available: 1 node(s) were unschedulable.',
  },
  {
    name: 'a cordoned node takes who tolerates it',
    pod: { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' }] },
    nodes: [testNode('a', { unschedulable: true })],
    expect: 'a',
  },
  {
    name: 'a taint keeps out who does not tolerate it',
    pod: {},
    nodes: [testNode('a', { taints: [{ key: 'k', value: 'v', effect: 'NoSchedule' }] })],
    expect: '0/1 nodes are available: 1 node(s) had untolerated taint {k: v}.',
  },
  {
    name: 'a toleration by value lets in',
    pod: { tolerations: [{ key: 'k', value: 'v' }] },
    nodes: [testNode('a', { taints: [{ key: 'k', value: 'v', effect: 'NoExecute' }] })],
    expect: 'a',
  },
  {
    name: 'a soft taint is avoided',
    pod: {},
    nodes: [testNode('a', { taints: [{ key: 'k', effect: 'PreferNoSchedule' }] }), testNode('b')],
    expect: 'b',
  },

  {
    name: 'the node selector picks',
    pod: { nodeSelector: { disk: 'ssd' } },
    nodes: [testNode('a'), testNode('b', { labels: { disk: 'ssd' } })],
    expect: 'b',
  },
  {
    name: 'a selector that no node meets',
    pod: { nodeSelector: { disk: 'ssd' } },
    nodes: ab,
    expect: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
  },
  ...(
    [
      ['In', ['1', '2'], 'b'],
      ['NotIn', ['1', '2'], 'a'],
      ['Exists', undefined, 'b'],
      ['DoesNotExist', undefined, 'a'],
      ['Gt', ['1'], 'b'],
      ['Lt', ['3'], 'b'],
    ] as const
  ).map(([operator, values, expect]): Row => ({
    name: `required node affinity with ${operator}`,
    pod: { affinity: nodeAffinity({ key: 'n', operator, ...(values ? { values: [...values] } : {}) }) },
    nodes: [testNode('a'), testNode('b', { labels: { n: '2' } })],
    expect,
  })),
  {
    name: 'a node that is named by a field',
    pod: {
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
          },
        },
      },
    },
    nodes: ab,
    expect: 'b',
  },
  {
    name: 'only the named node is looked at',
    pod: {
      cpu: '9',
      affinity: {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: {
            nodeSelectorTerms: [{ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['b'] }] }],
          },
        },
      },
    },
    nodes: ab,
    expect: "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) didn't satisfy plugin(s) [NodeAffinity].",
  },
  {
    name: 'preferred node affinity adds up',
    pod: {
      affinity: {
        nodeAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 5, preference: { matchExpressions: [{ key: 'n', operator: 'Exists' }] } }],
        },
      },
    },
    nodes: [testNode('a'), testNode('b', { labels: { n: '' } })],
    expect: 'b',
  },

  { name: 'a host port is taken once', pod: port(80), nodes: ab, placed: { a: [on('p', port(80))] }, expect: 'b' },
  {
    name: 'a host port of another protocol is another',
    pod: port(80, undefined, 'UDP'),
    nodes: [testNode('a')],
    placed: { a: [on('p', port(80))] },
    expect: 'a',
  },
  {
    name: 'a host port at another address is another',
    pod: port(80, '10.0.0.1'),
    nodes: [testNode('a')],
    placed: { a: [on('p', port(80, '10.0.0.2'))] },
    expect: 'a',
  },
  {
    name: 'a host port at all addresses is all of them',
    pod: port(80),
    nodes: [testNode('a')],
    placed: { a: [on('p', port(80, '10.0.0.2'))] },
    expect: "0/1 nodes are available: 1 node(s) didn't have free ports for the requested pod ports.",
  },

  { name: 'what is asked for must be there', pod: { cpu: '3' }, nodes: ab, placed: { a: [on('p', { cpu: '2' })] }, expect: 'b' },
  {
    name: 'reasons are counted',
    pod: { cpu: '3', memory: '5Gi' },
    nodes: ab,
    placed: { a: [on('p', { cpu: '2' })], b: [on('q', { memory: '4Gi', cpu: '2' })] },
    expect: '0/2 nodes are available: 1 Insufficient memory, 2 Insufficient cpu.',
  },
  {
    name: 'extended resources count',
    pod: { containers: [{ name: 'app', resources: { requests: { 'x.io/gpu': '1' } } }] },
    nodes: [testNode('a'), testNode('b', { allocatable: { 'x.io/gpu': '1' } })],
    expect: 'b',
  },
  {
    name: 'so many pods and no more',
    pod: {},
    nodes: [testNode('a', { allocatable: { pods: '1' } })],
    placed: { a: [on('p')] },
    expect: '0/1 nodes are available: 1 Too many pods.',
  },
  { name: 'the emptier node is better', pod: { cpu: '1' }, nodes: ab, placed: { a: [on('p', { cpu: '1' })] }, expect: 'b' },
  {
    name: 'a node that has the image is better',
    pod: { containers: [{ name: 'app', image: 'big' }] },
    nodes: [testNode('a'), testNode('b', { images: [{ names: ['big:latest'], sizeBytes: 2 ** 30 }] })],
    expect: 'b',
  },

  {
    name: 'affinity: near pods that match',
    pod: { affinity: near('kubernetes.io/hostname') },
    nodes: ab,
    placed: { b: [on('p', { labels: app })] },
    expect: 'b',
  },
  {
    name: 'affinity: by zone',
    pod: { affinity: near('topology.kubernetes.io/zone') },
    nodes: [zone('a', '1'), zone('b', '2'), zone('c', '2')],
    placed: { b: [on('p', { labels: app, cpu: '4' })] },
    expect: 'c',
  },
  {
    name: 'affinity: the first of a group is let in',
    pod: { labels: app, affinity: near('kubernetes.io/hostname') },
    nodes: [testNode('a')],
    expect: 'a',
  },
  {
    name: 'affinity: nobody to be near to',
    pod: { affinity: near('kubernetes.io/hostname') },
    nodes: [testNode('a')],
    expect: "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  },
  {
    name: 'affinity: pods of other namespaces do not count',
    pod: { affinity: near('kubernetes.io/hostname') },
    nodes: [testNode('a')],
    placed: { a: [on('p', { labels: app, namespace: 'other' })] },
    expect: "0/1 nodes are available: 1 node(s) didn't match pod affinity rules.",
  },
  {
    name: 'affinity: namespaces by their labels',
    pod: {
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [
            { topologyKey: 'kubernetes.io/hostname', labelSelector: selector, namespaceSelector: { matchLabels: { team: 'a' } } },
          ],
        },
      },
    },
    nodes: ab,
    placed: { b: [on('p', { labels: app, namespace: 'other' })] },
    reader: { namespaceLabels: (name) => (name === 'other' ? { team: 'a' } : undefined) },
    expect: 'b',
  },
  {
    name: 'anti-affinity: away from pods that match',
    pod: { affinity: apart('kubernetes.io/hostname') },
    nodes: ab,
    placed: { a: [on('p', { labels: app })] },
    expect: 'b',
  },
  {
    name: 'anti-affinity: pods there keep others out',
    pod: { labels: app },
    nodes: ab,
    placed: { a: [on('p', { affinity: apart('kubernetes.io/hostname') })] },
    expect: 'b',
  },
  {
    name: 'anti-affinity: every domain is taken',
    pod: { labels: app, affinity: apart('topology.kubernetes.io/zone') },
    nodes: [zone('a', '1'), zone('b', '1')],
    placed: { a: [on('p', { labels: app })] },
    expect: "0/2 nodes are available: 2 node(s) didn't match pod anti-affinity rules.",
  },
  {
    name: 'preferred affinity draws, preferred anti-affinity repels',
    pod: {
      affinity: {
        podAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 10, podAffinityTerm: { topologyKey: 'kubernetes.io/hostname', labelSelector: selector } },
          ],
        },
      },
    },
    nodes: ab,
    placed: { b: [on('p', { labels: app })] },
    expect: 'b',
  },

  {
    name: 'spread: no domain gets ahead by more than the skew',
    pod: { labels: app, topologySpreadConstraints: spread('topology.kubernetes.io/zone') },
    nodes: [zone('a', '1'), zone('b', '2')],
    placed: { a: [on('p', { labels: app })], b: [on('heavy', { cpu: '3' })] },
    expect: 'b',
  },
  {
    name: 'spread: a node without the label is none',
    pod: { labels: app, topologySpreadConstraints: spread('rack') },
    nodes: [testNode('a')],
    expect: "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints (missing required label).",
  },
  {
    name: 'spread: fewer domains than asked for count as empty',
    pod: { labels: app, topologySpreadConstraints: spread('topology.kubernetes.io/zone', 1, { minDomains: 2 }) },
    nodes: [zone('a', '1')],
    placed: { a: [on('p', { labels: app })] },
    expect: "0/1 nodes are available: 1 node(s) didn't match pod topology spread constraints.",
  },
  {
    name: 'spread: pods that are leaving do not count',
    pod: { labels: app, topologySpreadConstraints: spread('kubernetes.io/hostname') },
    nodes: [testNode('a'), testNode('b')],
    placed: { a: [on('p', { labels: app, leaving: true })], b: [on('q', { cpu: '3' })] },
    expect: 'a',
  },
  {
    name: 'spread: nodes that the pod cannot have do not count',
    pod: { labels: app, nodeSelector: { x: 'y' }, topologySpreadConstraints: spread('topology.kubernetes.io/zone') },
    nodes: [zone('a', '1'), testNode('b', { labels: { x: 'y', 'topology.kubernetes.io/zone': '2' } })],
    placed: { b: [on('p', { labels: app })] },
    expect: 'b',
  },
  {
    name: 'spread: only the pod’s own revision counts when it says so',
    pod: { labels: { ...app, rev: '2' }, topologySpreadConstraints: spread('kubernetes.io/hostname', 1, { matchLabelKeys: ['rev'] }) },
    nodes: ab,
    placed: {
      a: [on('p', { labels: { ...app, rev: '1' } })],
      b: [on('q', { labels: { ...app, rev: '2' } }), on('r', { labels: { ...app, rev: '2' } })],
    },
    expect: 'a',
  },
  {
    name: 'pods of a service are spread over nodes, also of those without a zone',
    pod: { labels: app },
    nodes: ab,
    placed: { a: [on('p', { labels: app })], b: [on('q', { cpu: '200m' })] },
    reader: { services: () => [{ apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { selector: app } }] as never },
    expect: 'b',
  },
  {
    name: 'pods of a replica set are spread over nodes',
    pod: { labels: app, owner: { kind: 'ReplicaSet', name: 'rs' } },
    nodes: ab,
    placed: { a: [on('p', { labels: app })], b: [on('q', { cpu: '200m' })] },
    reader: { controllerSelector: (_, kind, name) => (kind === 'ReplicaSet' && name === 'rs' ? app : undefined) },
    expect: 'b',
  },
]

describe('the default plugins', () => {
  for (const row of rows)
    test(row.name, () => {
      const outcome = schedule(testPod('pod', row.pod), testCluster(row.nodes, row.placed), profile(testReader(row.reader)), 0, () => undefined)
      assert.equal(outcome.result === 'fits' ? outcome.node : outcome.message, row.expect)
    })

  test('a pod with scheduling gates is not looked at', () => {
    const gate = profile().plugins.find((p) => p.name === 'SchedulingGates')!
    assert.deepEqual(gate.preEnqueue!(testPod('p', { schedulingGates: [{ name: 'a' }, { name: 'b' }] }))?.reasons, [
      'waiting for scheduling gates: [a b]',
    ])
    assert.equal(gate.preEnqueue!(testPod('p')), undefined)
  })
})

describe('volumes', () => {
  type Claim = DeepReadonly<core.PersistentVolumeClaim>
  const claim = (
    options: {
      volumeName?: string
      prebound?: boolean
      storageClassName?: string
      phase?: string
      leaving?: boolean
      selected?: string
      owner?: string
      mode?: core.PersistentVolumeAccessMode
    } = {},
  ): Claim => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: 'data',
      namespace: 'default',
      uid: 'claim',
      ...(options.leaving ? { deletionTimestamp: 'x' } : {}),
      annotations: {
        ...(options.volumeName && !options.prebound ? { 'pv.kubernetes.io/bind-completed': 'yes' } : {}),
        ...(options.selected ? { 'volume.kubernetes.io/selected-node': options.selected } : {}),
      },
      ...(options.owner ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: options.owner, controller: true }] } : {}),
    },
    spec: {
      accessModes: [options.mode ?? 'ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      ...(options.volumeName ? { volumeName: options.volumeName } : {}),
      ...(options.storageClassName ? { storageClassName: options.storageClassName } : {}),
    },
    status: { phase: (options.phase ?? 'Pending') as never },
  })
  const volume = (name: string, node: string, size = '1Gi'): DeepReadonly<core.PersistentVolume> => ({
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name },
    spec: {
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      storageClassName: 'local',
      nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }] } },
    },
    status: { phase: 'Available' },
  })
  const storageClass = (name: string): DeepReadonly<storage.StorageClass> | undefined =>
    name === 'now'
      ? { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner: 'x', volumeBindingMode: 'Immediate' }
      : {
          apiVersion: 'storage.k8s.io/v1',
          kind: 'StorageClass',
          metadata: { name },
          provisioner: name === 'local' ? 'kubernetes.io/no-provisioner' : 'x',
          volumeBindingMode: 'WaitForFirstConsumer',
          ...(name === 'zonal' ? { allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['b'] }] }] } : {}),
        }
  const pod = testPod('p', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'data' } }] })

  for (const { name, found, volumes = [], expect } of [
    { name: 'a claim that is not there', found: undefined, expect: '0/2 nodes are available: persistentvolumeclaim "data" not found.' },
    {
      name: 'a claim that is going',
      found: claim({ leaving: true }),
      expect: '0/2 nodes are available: persistentvolumeclaim "data" is being deleted.',
    },
    {
      name: 'a claim that waits for its volume',
      found: claim({ storageClassName: 'now' }),
      expect: '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
    },
    { name: 'a volume that only one node reaches', found: claim({ volumeName: 'pv' }), volumes: [volume('pv', 'b')], expect: 'b' },
    {
      name: 'a volume that no node reaches',
      found: claim({ volumeName: 'pv' }),
      volumes: [volume('pv', 'z')],
      expect: '0/2 nodes are available: 2 node(s) had volume node affinity conflict.',
    },
    { name: 'a volume that waits on a node', found: claim({ storageClassName: 'local' }), volumes: [volume('pv', 'b')], expect: 'b' },
    {
      name: 'no volume that is large enough',
      found: claim({ storageClassName: 'local' }),
      volumes: [volume('pv', 'b', '1Mi')],
      expect: "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    },
    { name: 'a volume that can be made where the class allows', found: claim({ storageClassName: 'zonal' }), expect: 'b' },
    { name: 'a volume that is being made on a node', found: claim({ storageClassName: 'wait', selected: 'b' }), expect: 'b' },
    {
      name: 'a volume that is being made on a node that is gone',
      found: claim({ storageClassName: 'wait', selected: 'z' }),
      expect: "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    },
    {
      name: 'a claim that asks for a volume by name and has not got it yet',
      found: claim({ volumeName: 'pv', prebound: true, storageClassName: 'wait' }),
      volumes: [volume('pv', 'a')],
      expect: '0/2 nodes are available: pod has unbound immediate PersistentVolumeClaims.',
    },
    {
      name: 'a claim whose volume is lost',
      found: claim({ volumeName: 'pv', phase: 'Lost' }),
      expect: '0/2 nodes are available: persistentvolumeclaim "data" bound to non-existent persistentvolume "pv".',
    },
    {
      name: 'a bound volume that is not there',
      found: claim({ volumeName: 'pv' }),
      expect: '0/2 nodes are available: 2 node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s).',
    },
  ] as { name: string; found: Claim | undefined; volumes?: DeepReadonly<core.PersistentVolume>[]; expect: string }[])
    test(name, () => {
      const reader = testReader({
        claim: () => found,
        storageClass,
        volumes: () => volumes,
        volume: (n) => volumes.find((v) => v.metadata.name === n),
      })
      const outcome = schedule(pod, testCluster(ab), profile(reader), 0, () => undefined)
      assert.equal(outcome.result === 'fits' ? outcome.node : outcome.message, expect)
    })

  test('are bound to the pod’s node before the pod is', async () => {
    for (const [className, volumes, expect] of [
      ['local', [volume('large', 'a', '9Gi'), volume('small', 'a')], ['reserve small', 'wait 1']],
      ['wait', [], ['annotate {"volume.kubernetes.io/selected-node":"a"}', 'wait 1']],
    ] as const) {
      const done: string[] = []
      const writer: VolumeWriter = {
        annotate: (c, annotations) => (done.push(`annotate ${JSON.stringify(annotations)}`), Promise.resolve(c)),
        reserve: (v) => Promise.resolve(void done.push(`reserve ${v.metadata.name}`)),
        untilBound: (claims) => Promise.resolve(void done.push(`wait ${claims.length}`)),
      }
      const reader = testReader({
        claim: () => claim({ storageClassName: className }),
        storageClass,
        volumes: () => volumes,
        node: (n) => testNode(n),
      })
      const plugins = defaultPlugins(reader, writer)
      const outcome = schedule(pod, testCluster([testNode('a')]), { plugins, random: Math.random }, 0, () => undefined)
      assert.equal(outcome.result, 'fits')
      for (const plugin of plugins)
        if (outcome.result === 'fits') await plugin.preBind?.(outcome.state, pod, outcome.node, new AbortController().signal)
      assert.deepEqual(done, expect)
    }
  })

  test('that go with their pod are waited for, and are nobody else’s', () => {
    const ephemeral = testPod('p', { volumes: [{ name: 'data', ephemeral: { volumeClaimTemplate: { spec: {} } } }] })
    const message = (found: Claim | undefined) => {
      const outcome = schedule(ephemeral, testCluster(ab), profile(testReader({ claim: () => found, storageClass })), 0, () => undefined)
      return outcome.result === 'fits' ? 'fits' : outcome.message
    }
    assert.equal(message(undefined), '0/2 nodes are available: waiting for ephemeral volume controller to create the persistentvolumeclaim "p-data".')
    assert.equal(
      message(claim({ storageClassName: 'wait', owner: 'somebody' })),
      '0/2 nodes are available: PVC default/p-data was not created for pod default/p (pod is not owner).',
    )
    assert.equal(message(claim({ storageClassName: 'wait', owner: 'uid-p' })), 'fits')
  })

  test('that were decided on count before the API server has said so', async () => {
    const claims: Record<string, Claim> = {}
    for (const name of ['one', 'two', 'shared']) {
      const made = claim({ storageClassName: name === 'shared' ? 'wait' : 'local' })
      claims[name] = { ...made, metadata: { ...made.metadata, name, uid: name } }
    }
    const bound = Promise.withResolvers<void>()
    const writer: VolumeWriter = { ...noVolumes, untilBound: () => bound.promise }
    const reader = testReader({
      claim: (_, name) => claims[name],
      storageClass,
      volumes: () => [volume('only', 'a')],
      node: (n) => testNode(n),
    })
    const plugins = defaultPlugins(reader, writer)
    const ask = (name: string) => {
      const asking = testPod(`of-${name}`, { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }] })
      return { asking, outcome: schedule(asking, testCluster(ab), { plugins, random: () => 0.99 }, 0, () => undefined) }
    }
    const running: Promise<void>[] = []
    for (const name of ['one', 'shared']) {
      const { asking, outcome } = ask(name)
      assert.equal(outcome.result, 'fits')
      if (outcome.result === 'fits')
        for (const plugin of plugins) running.push(plugin.preBind?.(outcome.state, asking, 'a', new AbortController().signal) ?? Promise.resolve())
    }
    const { outcome: refused } = ask('two')
    assert.equal(
      refused.result === 'unschedulable' && refused.message,
      "0/2 nodes are available: 2 node(s) didn't find available persistent volumes to bind.",
    )
    const { outcome: sharing } = ask('shared')
    assert.equal(sharing.result === 'fits' && sharing.node, 'a')
    bound.resolve()
    await Promise.all(running)
  })

  test('that a node has no room for are looked for elsewhere, for a while', async () => {
    const clock = manualClock()
    const found = claim({ storageClassName: 'wait' })
    const writer: VolumeWriter = { ...noVolumes, untilBound: () => Promise.reject(new ProvisioningRefused(found)) }
    const reader = testReader({ claim: () => found, storageClass, node: (n) => testNode(n) })
    const plugins = defaultPlugins(reader, writer, clock)
    const ask = (nodes = ab) => schedule(pod, testCluster(nodes), { plugins, random: () => 0.99 }, 0, () => undefined)
    const outcome = ask()
    assert.equal(outcome.result === 'fits' && outcome.node, 'a')
    const binder = plugins.find((p) => p.name === 'VolumeBinding')!
    const bind = (node: string) => binder.preBind!((outcome as { state: CycleState }).state, pod, node, new AbortController().signal)
    await assert.rejects(bind('a'), /^Error: running PreBind plugin "VolumeBinding": binding volumes: provisioning failed for PVC "data"$/)
    const next = ask()
    assert.equal(next.result === 'fits' && next.node, 'b')
    await assert.rejects(bind('b'))
    const none = ask()
    assert.equal(none.result === 'unschedulable' && none.message, '0/2 nodes are available: 2 node(s) did not have enough free storage.')
    await clock.advance(60_000)
    assert.equal(ask().result, 'fits')
  })

  test('for one pod of the cluster are refused to a second, unless the first may be pushed out', () => {
    const reader = testReader({
      claim: () => claim({ volumeName: 'pv', mode: 'ReadWriteOncePod' }),
      volume: () => ({ ...volume('pv', 'a'), spec: { ...volume('pv', 'a').spec, nodeAffinity: undefined } }) as never,
    })
    const user = testPod('user', { volumes: pod.spec.volumes })
    const stranger = testPod('stranger', { namespace: 'other', volumes: pod.spec.volumes })
    const outcome = (placed: Pod[]) => schedule(pod, testCluster(ab, { a: placed }), profile(reader), 0, () => undefined)
    const refused = outcome([user])
    assert.equal(
      refused.result === 'unschedulable' && refused.message,
      '0/2 nodes are available: 2 node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode.',
    )
    assert.equal(refused.result === 'unschedulable' && refused.rejections.get('a')?.code, 'unschedulable')
    assert.equal(outcome([stranger]).result, 'fits')
  })

  test('with a zone draw their pod there', () => {
    const zoned = (zone: string) => {
      const plain = volume('pv', 'a')
      return { ...plain, metadata: { name: 'pv', labels: { 'topology.kubernetes.io/zone': zone } }, spec: { ...plain.spec, nodeAffinity: undefined } }
    }
    const nodes = [
      testNode('a', { labels: { 'topology.kubernetes.io/zone': 'east' } }),
      testNode('b', { labels: { 'failure-domain.beta.kubernetes.io/zone': 'west' } }),
    ]
    const outcome = (zone: string) => {
      const reader = testReader({ claim: () => claim({ volumeName: 'pv' }), volume: () => zoned(zone) as never })
      const result = schedule(pod, testCluster(nodes), profile(reader), 0, () => undefined)
      return result.result === 'fits' ? result.node : result.message
    }
    assert.equal(outcome('east'), 'a')
    assert.equal(outcome('west'), 'b')
    assert.equal(outcome('north__west'), 'b')
    assert.equal(outcome('north'), '0/2 nodes are available: 2 node(s) had no available volume zone.')
  })
})
