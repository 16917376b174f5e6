import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Claim, Volume } from './plan-claim.ts'
import type { VolumePlan } from './plan-volume.ts'
import { boundVolume, planVolume, unboundVolume } from './plan-volume.ts'
import { testClaim, testClaimRef, testVolume } from './test-objects.ts'

const bound = { claimRef: testClaimRef('claim'), phase: 'Bound' as const }
const byController = { 'pv.kubernetes.io/bound-by-controller': 'yes' }
const provisioned = { 'pv.kubernetes.io/provisioned-by': 'example.com/disks' }
const done = { 'pv.kubernetes.io/bind-completed': 'yes' }

const rows: { name: string; volume: Volume; claim?: Claim; expect: VolumePlan }[] = [
  { name: 'a volume without a claim is free', volume: testVolume('pv', { phase: 'Pending' }), expect: { phase: 'Available' } },
  {
    name: 'a volume that is meant for a claim waits for it',
    volume: testVolume('pv', { claimRef: testClaimRef() }),
    claim: testClaim(),
    expect: { phase: 'Available', lookAtClaim: true },
  },
  { name: 'a volume whose claim is gone is released', volume: testVolume('pv', bound), expect: { phase: 'Released' } },
  {
    name: 'a volume whose claim was made again is released: the new one is another',
    volume: testVolume('pv', bound),
    claim: testClaim({ uid: 'newer' }),
    expect: { phase: 'Released' },
  },
  {
    name: 'a released volume that was provisioned is left to its provisioner',
    volume: testVolume('pv', { ...bound, annotations: provisioned, persistentVolumeReclaimPolicy: 'Delete' }),
    expect: { phase: 'Released' },
  },
  {
    name: 'a released volume that nobody provisioned cannot be deleted',
    volume: testVolume('pv', { ...bound, persistentVolumeReclaimPolicy: 'Delete' }),
    expect: {
      phase: 'Failed',
      message: 'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched',
      note: {
        type: 'Warning',
        reason: 'VolumeFailedDelete',
        message: 'error getting deleter volume plugin for volume "pv": no deletable volume plugin matched',
      },
    },
  },
  {
    name: 'volumes are not recycled',
    volume: testVolume('pv', { ...bound, persistentVolumeReclaimPolicy: 'Recycle' }),
    expect: {
      phase: 'Failed',
      message: 'No recycler plugin found for the volume!',
      note: { type: 'Warning', reason: 'VolumeFailedRecycle', message: 'No recycler plugin found for the volume!' },
    },
  },
  { name: 'what failed is not released again', volume: testVolume('pv', { ...bound, phase: 'Failed' }), expect: {} },
  { name: 'a claim that does not know its volume yet is told', volume: testVolume('pv', bound), claim: testClaim(), expect: { lookAtClaim: true } },
  {
    name: 'a claim for another kind of volume is not told',
    volume: testVolume('pv', bound),
    claim: testClaim({ volumeMode: 'Block' }),
    expect: {
      note: {
        type: 'Warning',
        reason: 'VolumeMismatch',
        message: 'Cannot bind PersistentVolume to requested PersistentVolumeClaim "data" due to incompatible volumeMode.',
      },
    },
  },
  {
    name: 'a volume and a claim that know each other are bound',
    volume: testVolume('pv', bound),
    claim: testClaim({ volumeName: 'pv', annotations: done }),
    expect: { phase: 'Bound', lookAtClaim: false },
  },
  {
    name: 'a binding that was cut off is finished',
    volume: testVolume('pv', bound),
    claim: testClaim({ volumeName: 'pv' }),
    expect: { phase: 'Bound', lookAtClaim: true },
  },
  {
    name: 'a volume that was chosen for a claim which took another is free again',
    volume: testVolume('pv', { ...bound, annotations: byController }),
    claim: testClaim({ volumeName: 'other', annotations: done }),
    expect: { phase: 'Available', unbind: 'all' },
  },
  {
    name: 'a volume that somebody kept for a claim which took another stays kept for that name',
    volume: testVolume('pv', bound),
    claim: testClaim({ volumeName: 'other', annotations: done }),
    expect: { phase: 'Available', unbind: 'uid' },
  },
  {
    name: 'a volume that was made for a claim which took another goes',
    volume: testVolume('pv', { ...bound, annotations: { ...byController, ...provisioned }, persistentVolumeReclaimPolicy: 'Delete' }),
    claim: testClaim({ volumeName: 'other', annotations: done }),
    expect: { phase: 'Released' },
  },
]
for (const { name, volume, claim, expect } of rows) test(name, () => assert.deepEqual(planVolume(volume, claim), expect))

test('a volume that is chosen for a claim says so, and which claim it is', () => {
  const free = testVolume('pv')
  const taken = boundVolume(free, testClaim())
  assert.deepEqual(taken.metadata.annotations, byController)
  assert.deepEqual(taken.spec.claimRef, { ...testClaimRef('claim'), resourceVersion: '7' })
  assert.equal(boundVolume(taken, testClaim()), taken)
  assert.deepEqual(unboundVolume(taken, 'all').spec, free.spec)
  assert.deepEqual(unboundVolume(taken, 'all').metadata.annotations, {})
})

test('a volume that was kept for a claim learns which one it is, and can forget that', () => {
  const kept = testVolume('pv', { claimRef: testClaimRef() })
  const taken = boundVolume(kept, testClaim())
  assert.equal(taken.metadata.annotations?.['pv.kubernetes.io/bound-by-controller'], undefined)
  assert.equal(taken.spec.claimRef?.uid, 'claim')
  assert.equal(unboundVolume(taken, 'uid').spec.claimRef?.uid, undefined)
  assert.equal(unboundVolume(taken, 'uid').spec.claimRef?.name, 'data')
})
