import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { DeepReadonly, core } from '#api'
import { isStatus, resources } from '#api'
import type { NodeStorage } from '#controllers'
import { NoRoomError } from '#controllers'
import type { TestCluster } from './cluster.ts'
import { addNode, namespace, startTestCluster } from './cluster.ts'

// Binder, protection, ephemeral volumes, provisioner and scheduler with the real rights of each; only the nodes' disks are made up.

const only = ['persistentvolume-binder', 'pvc-protection', 'pv-protection', 'ephemeralvolume', 'local-path-provisioner', 'garbagecollector']
const { persistentVolumeClaims: claims, persistentVolumes: volumes, pods, storageClasses } = resources

/** Which volumes are on which node's disk; `full` has no room, `broken` does not answer. */
function testDisks() {
  const full = new Set<string>()
  const broken = new Set<string>()
  const present = new Map<string, string>()
  const storage: NodeStorage = {
    async provide(node, volume) {
      if (full.has(node)) throw new NoRoomError('1.0 GiB asked for, but only 0.5 GiB are free on the disk')
      if (broken.has(node)) throw new Error('the node does not answer')
      present.set(volume, node)
      return `/disk/${volume}`
    },
    async remove(node, volume) {
      if (broken.has(node)) throw new Error('the node does not answer')
      // it may be asked for twice
      if (present.has(volume)) assert.equal(present.get(volume), node)
      present.delete(volume)
    },
  }
  return { storage, full, broken, present }
}

describe('volumes', () => {
  let c: TestCluster
  const disks = testDisks()
  before(async () => void (c = await startTestCluster({ only, nodes: 2, disks: disks.storage })))
  after(() => c[Symbol.asyncDispose]())

  const claim = (name: string, spec: Partial<core.PersistentVolumeClaimSpec> = {}) =>
    c.create(claims, { metadata: { name }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec } })
  const volume = (name: string, spec: Partial<core.PersistentVolumeSpec> = {}) =>
    c.create(volumes, {
      metadata: { name },
      spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], storageClassName: 'manual', hostPath: { path: `/${name}` }, ...spec },
    })
  const pod = (name: string, more: Partial<core.PodSpec> = {}) =>
    c.create(pods, {
      metadata: { name },
      spec: { containers: [{ name: 'c', image: 'app' }], volumes: [{ name: 'v', persistentVolumeClaim: { claimName: name } }], ...more },
    })
  const bound = (name: string) => c.until(claims, name, (o) => o.status?.phase === 'Bound')
  const phase = (name: string, wanted: string) => c.until(volumes, name, (o) => o.status?.phase === wanted)
  const remove = (name: string) => c.client.resource(claims).delete(name, namespace)
  const removePod = async (name: string) => {
    await c.client.resource(pods).delete(name, namespace, { gracePeriodSeconds: 0 })
    await c.gone(pods, name)
  }

  test('a claim and a volume find each other, and the volume is released when the claim goes', async () => {
    await volume('free')
    await phase('free', 'Available')
    await claim('simple', { storageClassName: 'manual' })
    const { spec, status, metadata } = await bound('simple')
    assert.equal(spec.volumeName, 'free')
    assert.deepEqual(status, { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '1Gi' } })
    assert.deepEqual(metadata.finalizers, ['kubernetes.io/pvc-protection'])
    const held = await phase('free', 'Bound')
    assert.equal(held.spec.claimRef?.uid, metadata.uid)
    await remove('simple')
    await c.gone(claims, 'simple')
    await phase('free', 'Released')
    // a new claim of that name does not get the old one's data
    await claim('simple', { storageClassName: 'manual' })
    assert.match(await c.event('simple', 'ProvisioningFailed'), /storageclass.storage.k8s.io "manual" not found/)
    await remove('simple')
    // whoever looked through the data lets it go
    await c.client.resource(volumes).patch('free', undefined, 'merge', { spec: { claimRef: null } })
    await phase('free', 'Available')
    await c.client.resource(volumes).delete('free')
    await c.gone(volumes, 'free')
  })

  test('ten claims that come together get ten volumes', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `of-ten-${i}`)
    await Promise.all(names.flatMap((name) => [volume(name, { storageClassName: 'ten' }), claim(name, { storageClassName: 'ten' })]))
    const got = await Promise.all(names.map(bound))
    assert.equal(new Set(got.map((o) => o.spec.volumeName)).size, 10)
    await Promise.all(names.map((name) => remove(name)))
    await Promise.all(names.map((name) => phase(name, 'Released')))
  })

  test('a claim that names a volume gets that one, also when it comes first', async () => {
    await claim('named', { storageClassName: 'manual', volumeName: 'later' })
    await volume('later', { capacity: { storage: '3Gi' } })
    assert.deepEqual((await bound('named')).status?.capacity, { storage: '3Gi' })
  })

  test('a volume that is kept for a claim waits for it', async () => {
    await volume('kept', { claimRef: { namespace, name: 'awaited' } })
    await phase('kept', 'Available')
    await claim('awaited', { storageClassName: 'manual' })
    assert.equal((await bound('awaited')).spec.volumeName, 'kept')
  })

  test('a bound volume that is deleted stays until its claim is gone', async () => {
    await volume('protected')
    await claim('protecting', { storageClassName: 'manual', volumeName: 'protected' })
    await bound('protecting')
    await c.client.resource(volumes).delete('protected')
    assert.ok((await c.client.resource(volumes).get('protected')).metadata.deletionTimestamp)
    await remove('protecting')
    await c.gone(volumes, 'protected')
  })

  test('a claim whose volume was taken away by force is lost', async () => {
    await volume('torn')
    await claim('tearing', { storageClassName: 'manual', volumeName: 'torn' })
    await bound('tearing')
    await c.client.resource(volumes).patch('torn', undefined, 'merge', { metadata: { finalizers: null } })
    await c.client.resource(volumes).delete('torn')
    // the protection comes back as long as the volume is there
    await c.client
      .resource(volumes)
      .patch('torn', undefined, 'merge', { metadata: { finalizers: null } })
      .catch((error: unknown) => assert.ok(isStatus(error, 'NotFound')))
    await c.until(claims, 'tearing', (o) => o.status?.phase === 'Lost')
    assert.equal(await c.event('tearing', 'ClaimLost'), 'Bound claim has lost its PersistentVolume. Data on the volume is lost!')
  })

  test('a claim of the default class gets a directory on the node of its pod, and both go with it', async () => {
    const made = await claim('data')
    assert.equal(made.spec.storageClassName, 'standard')
    assert.equal(await c.event('data', 'WaitForFirstConsumer'), 'waiting for first consumer to be created before binding')
    await pod('data')
    const {
      spec: { nodeName },
    } = await c.until(pods, 'data', (o) => Boolean(o.spec.nodeName))
    const name = `pvc-${made.metadata.uid}`
    const own = await phase(name, 'Bound')
    assert.deepEqual(own.spec.local, { path: `/disk/${name}` })
    assert.equal(disks.present.get(name), nodeName)
    assert.equal(await c.event('data', 'ProvisioningSucceeded'), `Successfully provisioned volume ${name}`)

    // in use: it waits for the pod
    await remove('data')
    assert.ok(
      (await c.until(claims, 'data', (o) => Boolean(o.metadata.deletionTimestamp))).metadata.finalizers?.includes('kubernetes.io/pvc-protection'),
    )
    assert.ok(disks.present.has(name))
    await removePod('data')
    await c.gone(claims, 'data')
    await c.gone(volumes, name)
    assert.equal(disks.present.has(name), false)
  })

  test('a class that retains keeps the data, and the volume can be had again', async () => {
    await c.create(storageClasses, {
      metadata: { name: 'keeps' },
      provisioner: 'k8ts.dev/local-path',
      reclaimPolicy: 'Retain',
      volumeBindingMode: 'Immediate',
    })
    const { metadata } = await claim('kept-data', { storageClassName: 'keeps' })
    await bound('kept-data')
    const name = `pvc-${metadata.uid}`
    await remove('kept-data')
    await phase(name, 'Released')
    assert.ok(disks.present.has(name))
    await c.client.resource(volumes).patch(name, undefined, 'merge', { spec: { claimRef: null } })
    await claim('kept-again', { storageClassName: 'keeps', volumeName: name })
    await bound('kept-again')
    // deleting the object of a volume that is to be kept keeps the data
    await remove('kept-again')
    await phase(name, 'Released')
    await c.client.resource(volumes).delete(name)
    await c.gone(volumes, name)
    assert.ok(disks.present.has(name))
  })

  test('a volume that is deleted by hand takes its data along once its claim is gone', async () => {
    const { metadata } = await claim('by-hand', { storageClassName: 'standard' })
    await pod('by-hand')
    await bound('by-hand')
    const name = `pvc-${metadata.uid}`
    await c.client.resource(volumes).delete(name)
    await removePod('by-hand')
    assert.ok(disks.present.has(name))
    await remove('by-hand')
    await c.gone(volumes, name)
    assert.equal(disks.present.has(name), false)
  })

  test('a node without room passes the pod on to another', async () => {
    const full = 'node-1'
    disks.full.add(full)
    await Promise.all(
      ['r1', 'r2', 'r3', 'r4'].map(async (name) => {
        await claim(name)
        await pod(name)
        await c.until(pods, name, (o) => Boolean(o.spec.nodeName))
      }),
    )
    for (const o of await c.list(pods)) assert.equal(o.spec.nodeName, 'node-2')
    disks.full.delete(full)
    for (const name of ['r1', 'r2', 'r3', 'r4']) {
      await removePod(name)
      await remove(name)
      await c.gone(claims, name)
    }
  })

  test('a node that does not answer is asked again, and the user told', async () => {
    disks.broken.add('node-1').add('node-2')
    const { metadata } = await claim('patient')
    await pod('patient')
    assert.match(
      await c.event('patient', 'ProvisioningFailed'),
      /^failed to provision volume with StorageClass "standard": node "node-\d": the node does not answer$/,
    )
    disks.broken.clear()
    await bound('patient')
    disks.broken.add('node-1').add('node-2')
    await removePod('patient')
    await remove('patient')
    const name = `pvc-${metadata.uid}`
    await c.until(volumes, name, (o) => o.status?.phase === 'Released')
    assert.ok(disks.present.has(name))
    disks.broken.clear()
    await c.gone(volumes, name)
    assert.equal(disks.present.has(name), false)
  })

  test('a claim that cannot be served says why', async () => {
    await claim('shared', { accessModes: ['ReadWriteMany'] })
    await pod('shared')
    assert.match(
      await c.event('shared', 'ProvisioningFailed'),
      /access mode ReadWriteMany is not supported: a volume of k8ts.dev\/local-path is on one node/,
    )
    await removePod('shared')
  })

  test('a claim that grows gets more room', async () => {
    const { metadata } = await claim('growing')
    await pod('growing')
    await bound('growing')
    await c.client.resource(claims).patch('growing', namespace, 'merge', { spec: { resources: { requests: { storage: '4Gi' } } } })
    await c.until(claims, 'growing', (o) => o.status?.capacity?.storage === '4Gi')
    assert.deepEqual((await c.client.resource(volumes).get(`pvc-${metadata.uid}`)).spec.capacity, { storage: '4Gi' })
    await assert.rejects(
      c.client.resource(claims).patch('growing', namespace, 'merge', { spec: { resources: { requests: { storage: '2Gi' } } } }),
      /field can not be less than/,
    )
    await removePod('growing')
  })

  test('a volume for one pod keeps the second pod waiting', async () => {
    await claim('alone', { accessModes: ['ReadWriteOncePod'] })
    await pod('alone')
    await c.until(pods, 'alone', (o) => Boolean(o.spec.nodeName))
    await pod('second', { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'alone' } }] })
    assert.match(
      await c.event('second', 'FailedScheduling'),
      /node has pod using PersistentVolumeClaim with the same name and ReadWriteOncePod access mode/,
    )
    await removePod('alone')
    await c.until(pods, 'second', (o) => Boolean(o.spec.nodeName))
    await removePod('second')
  })

  test('a pod’s ephemeral volume comes and goes with the pod', async () => {
    const spec: core.PersistentVolumeClaimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
    const ephemeral = { volumeClaimTemplate: { metadata: { labels: { own: 'label' } } as never, spec } }
    await pod('scratch', { volumes: [{ name: 'tmp', ephemeral }] })
    const { metadata } = await bound('scratch-tmp')
    assert.deepEqual(metadata.labels, { own: 'label' })
    assert.equal(metadata.ownerReferences?.[0]?.name, 'scratch')
    await c.until(pods, 'scratch', (o) => Boolean(o.spec.nodeName))
    await removePod('scratch')
    await c.gone(claims, 'scratch-tmp')
    await c.gone(volumes, `pvc-${metadata.uid}`)

    await claim('other-tmp')
    await pod('other', { volumes: [{ name: 'tmp', ephemeral }] })
    const expected = `ephemeral volume tmp: PVC ${namespace}/other-tmp was not created for pod ${namespace}/other (pod is not owner)`
    assert.equal(await c.event('other', 'FailedBinding'), expected)
    await removePod('other')
  })

  test('a node that is gone took its disk along: its volumes do not stay for ever', async () => {
    await addNode(c.client, 'node-3')
    const { metadata } = await claim('on-three')
    await pod('on-three', { nodeSelector: { 'kubernetes.io/hostname': 'node-3' } })
    await bound('on-three')
    await c.until(pods, 'on-three', (o) => Boolean(o.spec.nodeName))
    await removePod('on-three')
    await c.client.resource(resources.nodes).delete('node-3')
    await remove('on-three')
    await c.gone(volumes, `pvc-${metadata.uid}`)
    assert.ok(disks.present.has(`pvc-${metadata.uid}`))
  })

  test('a claim without a class gets the default one that comes later', async () => {
    const all = c.client.resource(storageClasses)
    const mark = (value: string | null) =>
      all.patch('standard', undefined, 'merge', { metadata: { annotations: { 'storageclass.kubernetes.io/is-default-class': value } } })
    await mark(null)
    const made: DeepReadonly<core.PersistentVolumeClaim> = await claim('classless')
    assert.equal(made.spec.storageClassName, undefined)
    assert.equal(await c.event('classless', 'FailedBinding'), 'no persistent volumes available for this claim and no storage class is set')
    await mark('true')
    await c.until(claims, 'classless', (o) => o.spec.storageClassName === 'standard')
  })
})
