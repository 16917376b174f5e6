import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DeepReadonly, core, storage } from '#api'
import type { ClusterReader, Pod } from '../framework.ts'
import { testCluster, testNode, testPod, testReader } from '../test-objects.ts'
import { nodeVolumeLimits } from './node-volume-limits.ts'

const driver = 'disks.example.com'
const meta = (name: string) => ({ name, namespace: 'default', uid: name })
const claim = (name: string, bound = true): core.PersistentVolumeClaim => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: meta(name),
  spec: { storageClassName: 'disks', ...(bound ? { volumeName: `pv-${name}` } : {}) },
})
const using = (name: string, ...claims: string[]) =>
  testPod(name, { volumes: claims.map((claimName, i) => ({ name: `v${i}`, persistentVolumeClaim: { claimName } })) })

function reader(limit: number | undefined, options: { local?: boolean; attached?: string[] } = {}): ClusterReader {
  const csi = (name: string) => ({ csi: { driver, volumeHandle: name } })
  return testReader({
    claim: (_, name) => (name.startsWith('no-') ? undefined : claim(name, !name.startsWith('new-'))),
    volume: (name) =>
      ({ apiVersion: 'v1', kind: 'PersistentVolume', metadata: { name }, spec: options.local ? {} : csi(name) }) as core.PersistentVolume,
    storageClass: (name) =>
      ({ apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata: { name }, provisioner: driver }) as DeepReadonly<storage.StorageClass>,
    csiNode: (name) => ({
      apiVersion: 'storage.k8s.io/v1',
      kind: 'CSINode',
      metadata: { name },
      spec: { drivers: [{ name: driver, nodeID: name, ...(limit === undefined ? {} : { allocatable: { count: limit } }) }] },
    }),
    attachments: () =>
      (options.attached ?? []).map((persistentVolumeName) => ({
        apiVersion: 'storage.k8s.io/v1',
        kind: 'VolumeAttachment',
        metadata: { name: persistentVolumeName },
        spec: { attacher: driver, nodeName: 'n', source: { persistentVolumeName } },
      })),
  })
}

const rows: { name: string; pod: Pod; there?: Pod[]; reader: ClusterReader; want: string | undefined }[] = [
  { name: 'a pod without volumes fits anywhere', pod: testPod('p'), reader: reader(0), want: undefined },
  { name: 'a volume fits as long as there is room', pod: using('p', 'a'), there: [using('o', 'b')], reader: reader(2), want: undefined },
  { name: 'a volume too many does not fit', pod: using('p', 'a'), there: [using('o', 'b')], reader: reader(1), want: 'unschedulable' },
  { name: 'all of the pod’s volumes count', pod: using('p', 'a', 'b'), reader: reader(1), want: 'unschedulable' },
  { name: 'a volume that is there already is no more', pod: using('p', 'a'), there: [using('o', 'a')], reader: reader(1), want: undefined },
  { name: 'what is attached without a pod counts', pod: using('p', 'a'), reader: reader(1, { attached: ['pv-b'] }), want: 'unschedulable' },
  { name: 'what is attached for this pod is no more', pod: using('p', 'a'), reader: reader(1, { attached: ['pv-a'] }), want: undefined },
  { name: 'a volume that is still to be made counts', pod: using('p', 'new-a'), there: [using('o', 'b')], reader: reader(1), want: 'unschedulable' },
  { name: 'a driver without a limit takes everything', pod: using('p', 'a'), there: [using('o', 'b')], reader: reader(undefined), want: undefined },
  { name: 'volumes of no driver do not count', pod: using('p', 'a', 'b'), reader: reader(1, { local: true }), want: undefined },
  { name: 'a claim that is not there keeps the pod waiting', pod: using('p', 'no-claim'), reader: reader(1), want: 'unresolvable' },
]
for (const { name, pod, there = [], reader: read, want } of rows)
  test(name, () => {
    const snapshot = testCluster([testNode('n')], { n: there })
    const plugin = nodeVolumeLimits(read)
    const state = new Map<string, unknown>()
    const first = plugin.preFilter!(state, pod, snapshot)
    const verdict = first === undefined ? plugin.filter!(state, pod, snapshot.nodes[0]!) : first === 'skip' ? undefined : first
    assert.equal(verdict && 'code' in verdict ? verdict.code : undefined, want)
  })
