import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, core } from '#api'
import type { StorageClass } from '../persistentvolume/plan-claim.ts'
import type { TestClaim } from '../persistentvolume/test-objects.ts'
import { testClaim, testClaimRef, testClass, testVolume } from '../persistentvolume/test-objects.ts'
import { finalizer, planClaim, planVolume, provisioner, volumeOf } from './plan.ts'
import type { VolumePlan } from './plan.ts'

const node = (name: string, more: Partial<core.NodeSpec> = {}, ready = 'True'): DeepReadonly<core.Node> => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels: { 'kubernetes.io/hostname': `host-of-${name}` } },
  spec: more,
  status: { conditions: [{ type: 'Ready', status: ready as 'True' }] },
})
const waiting = testClass('standard', { provisioner, volumeBindingMode: 'WaitForFirstConsumer' })
const asked = { 'volume.kubernetes.io/storage-provisioner': provisioner }
const onNode = (name: string) => ({ ...asked, 'volume.kubernetes.io/selected-node': name })

describe('a claim', () => {
  const rows: { name: string; claim: TestClaim; storageClass?: StorageClass; nodes?: DeepReadonly<core.Node>[]; expect: string }[] = [
    { name: 'whose pod has a node gets a volume there', claim: { annotations: onNode('a') }, expect: 'provision a' },
    { name: 'whose pod has no node yet waits', claim: { annotations: asked }, expect: 'nothing' },
    { name: 'that the binder has not spoken for waits', claim: {}, expect: 'nothing' },
    { name: 'of another provisioner is none of ours', claim: { annotations: onNode('a') }, storageClass: testClass('standard'), expect: 'nothing' },
    { name: 'that is going gets nothing', claim: { annotations: onNode('a'), leaving: true }, expect: 'nothing' },
    { name: 'whose node is gone is handed back', claim: { annotations: onNode('z') }, expect: 'reschedule node "z" not found' },
    {
      name: 'that does not wait for a pod gets a volume on a node that is ready',
      claim: { annotations: asked },
      storageClass: { ...waiting, volumeBindingMode: 'Immediate' },
      nodes: [node('a', { unschedulable: true }), node('b', {}, 'False'), node('c')],
      expect: 'provision c',
    },
    {
      name: 'that does not wait for a pod gets a volume where its class allows it',
      claim: { annotations: asked },
      storageClass: {
        ...waiting,
        volumeBindingMode: 'Immediate',
        allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['host-of-b'] }] }],
      },
      nodes: [node('a'), node('b'), node('c')],
      expect: 'provision b',
    },
    {
      name: 'that does not wait for a pod has to wait for a node',
      claim: { annotations: asked },
      storageClass: { ...waiting, volumeBindingMode: 'Immediate' },
      nodes: [],
      expect: 'refuse no node is ready to have the volume',
    },
    {
      name: 'for several nodes is refused',
      claim: { annotations: onNode('a'), accessModes: ['ReadWriteOnce', 'ReadWriteMany'] },
      expect:
        'refuse access mode ReadWriteMany is not supported: a volume of k8ts.dev/local-path is on one node, use ReadWriteOnce or ReadWriteOncePod',
    },
    { name: 'for one pod is fine', claim: { annotations: onNode('a'), accessModes: ['ReadWriteOncePod'] }, expect: 'provision a' },
    {
      name: 'for a device is refused',
      claim: { annotations: onNode('a'), volumeMode: 'Block' },
      expect: 'refuse volumeMode Block is not supported by k8ts.dev/local-path',
    },
    {
      name: 'that chooses among volumes is refused',
      claim: { annotations: onNode('a'), selector: {} },
      expect: 'refuse claim.spec.selector is not supported for dynamic provisioning',
    },
    {
      name: 'with content is refused',
      claim: { annotations: onNode('a'), dataSource: { kind: 'PersistentVolumeClaim', name: 'other' } },
      expect: 'refuse k8ts.dev/local-path makes empty volumes only: dataSource and dataSourceRef are not supported',
    },
    {
      name: 'of a class with parameters is refused',
      claim: { annotations: onNode('a') },
      storageClass: { ...waiting, parameters: { path: '/etc' } },
      expect: 'refuse storage class parameter "path" is not known to k8ts.dev/local-path, which has none',
    },
    {
      name: 'of a class with mount options is refused',
      claim: { annotations: onNode('a') },
      storageClass: { ...waiting, mountOptions: ['ro'] },
      expect: 'refuse mountOptions of the storage class are not supported: k8ts.dev/local-path mounts nothing, its volumes are directories',
    },
  ]
  for (const { name, claim, storageClass = waiting, nodes = [node('a')], expect } of rows)
    test(name, () => {
      const plan = planClaim(testClaim({ storageClassName: 'standard', ...claim }), {
        storageClass: (n) => (n === 'standard' ? storageClass : undefined),
        node: (n) => nodes.find((each) => each.metadata.name === n),
        nodes: () => nodes,
        volume: () => undefined,
      })
      const what = plan.action === 'provision' ? plan.node.metadata.name : 'message' in plan ? plan.message : ''
      assert.equal(`${plan.action} ${what}`.trim(), expect)
    })

  const grown = (size: string, had: string, more: Partial<Parameters<typeof testVolume>[1]> = {}) => {
    const volume = testVolume('pv', {
      size: had,
      annotations: { 'pv.kubernetes.io/provisioned-by': provisioner },
      claimRef: testClaimRef('claim'),
      ...more,
    })
    const claim = testClaim({ volumeName: 'pv', size, status: { phase: 'Bound', capacity: { storage: had } } })
    const plan = planClaim(claim, { storageClass: () => waiting, node: () => undefined, nodes: () => [], volume: () => volume })
    return plan.action === 'grow' ? plan.bytes : plan.action
  }
  test('that asks for more grows by the difference', () => assert.equal(grown('3Gi', '1Gi'), 2 * 2 ** 30))
  test('that asks for what it has does not', () => assert.equal(grown('1Gi', '1Gi'), 'nothing'))
  test('on a volume of somebody else does not', () => assert.equal(grown('3Gi', '1Gi', { annotations: {} }), 'nothing'))
})

describe('a volume', () => {
  const made = volumeOf(
    testClaim({ size: '2Gi', uid: '1b213809-dd90-40b2-9405-10dc5f6321b0' }),
    node('a'),
    { ...waiting, reclaimPolicy: 'Delete' },
    '/volumes/x',
  )

  test('is on its node, for its claim, and named after it', () => {
    assert.equal(made.metadata.name, 'pvc-1b213809-dd90-40b2-9405-10dc5f6321b0')
    assert.deepEqual(made.spec.local, { path: '/volumes/x' })
    assert.equal(made.spec.claimRef?.uid, '1b213809-dd90-40b2-9405-10dc5f6321b0')
    assert.deepEqual(made.spec.capacity, { storage: '2Gi' })
    assert.deepEqual(made.spec.nodeAffinity?.required?.nodeSelectorTerms[0]?.matchExpressions, [
      { key: 'kubernetes.io/hostname', operator: 'In', values: ['host-of-a'] },
    ])
  })

  const rows: {
    name: string
    phase: core.PersistentVolumePhase
    leaving?: boolean
    keep?: boolean
    finalizers?: string[]
    foreign?: boolean
    expect: VolumePlan
  }[] = [
    { name: 'in use stays', phase: 'Bound', expect: { action: 'nothing' } },
    { name: 'that was released goes with its data', phase: 'Released', expect: { action: 'delete', hostname: 'host-of-a' } },
    { name: 'that is to be kept stays', phase: 'Released', keep: true, expect: { action: 'nothing' } },
    { name: 'of another provisioner is none of ours', phase: 'Released', foreign: true, expect: { action: 'nothing' } },
    {
      name: 'that is deleted while a claim has it stays',
      phase: 'Bound',
      leaving: true,
      finalizers: ['kubernetes.io/pv-protection', finalizer],
      expect: { action: 'nothing' },
    },
    {
      name: 'that is deleted and free goes with its data',
      phase: 'Released',
      leaving: true,
      finalizers: [finalizer],
      expect: { action: 'delete', hostname: 'host-of-a' },
    },
    {
      name: 'that is deleted and whose data are to be kept goes without them',
      phase: 'Released',
      leaving: true,
      keep: true,
      finalizers: [finalizer],
      expect: { action: 'release' },
    },
    { name: 'whose data are gone already needs nothing', phase: 'Released', leaving: true, finalizers: [], expect: { action: 'nothing' } },
  ]
  for (const { name, phase, leaving, keep, finalizers = [finalizer], foreign, expect } of rows)
    test(name, () => {
      const { metadata, spec } = made
      const volume = {
        ...made,
        metadata: { ...metadata, finalizers, ...(leaving ? { deletionTimestamp: 'x' } : {}), ...(foreign ? { annotations: {} } : {}) },
        spec: keep ? { ...spec, persistentVolumeReclaimPolicy: 'Retain' as const } : spec,
        status: { phase },
      }
      assert.deepEqual(planVolume(volume), expect)
    })
})
