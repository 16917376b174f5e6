import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Claim, ClaimPlan, StorageClass, Volume } from './plan-claim.ts'
import { boundClaim, boundClaimStatus, planClaim, unboundClaimStatus } from './plan-claim.ts'
import type { TestClaim } from './test-objects.ts'
import { testClaim, testClaimRef, testClass, testVolume } from './test-objects.ts'

interface Row {
  name: string
  claim?: TestClaim
  volumes?: Volume[]
  classes?: StorageClass[]
  pods?: string[]
  /** The volume that it is bound to, or `action: note`. */
  expect: string
}

const brief = (plan: ClaimPlan): string => {
  if (plan.action === 'bind') return plan.volume.metadata.name
  if (plan.action === 'classify') return `classify: ${plan.storageClass}`
  return 'note' in plan && plan.note ? `${plan.action}: ${plan.note.type} ${plan.note.reason} ${plan.note.message}` : plan.action
}

function plan({ claim = {}, volumes = [], classes = [], pods = [] }: Row): ClaimPlan {
  return planClaim(testClaim(claim), {
    volume: (name) => volumes.find((v) => v.metadata.name === name),
    volumes: () => volumes,
    storageClass: (name) => classes.find((c) => c.metadata.name === name),
    storageClasses: () => classes,
    waitingPods: () => pods,
  })
}

const table = (rows: Row[]) => {
  for (const row of rows) test(row.name, () => assert.equal(brief(plan(row)), row.expect))
}
const nothing = 'wait: Normal FailedBinding no persistent volumes available for this claim and no storage class is set'
const done = { 'pv.kubernetes.io/bind-completed': 'yes' }
const waits = testClass('waits', { volumeBindingMode: 'WaitForFirstConsumer' })

describe('a claim that takes any volume', () =>
  table([
    { name: 'waits while there is none', expect: nothing },
    { name: 'gets the one that is free', volumes: [testVolume('pv')], expect: 'pv' },
    {
      name: 'gets the smallest that is large enough',
      volumes: [testVolume('s', { size: '500Mi' }), testVolume('l', { size: '3Gi' }), testVolume('m', { size: '2Gi' })],
      expect: 'm',
    },
    {
      name: 'rather gets one that can no more than it needs',
      volumes: [testVolume('any', { accessModes: ['ReadWriteOnce', 'ReadWriteMany'] }), testVolume('once', { size: '9Gi' })],
      expect: 'once',
    },
    { name: 'gets none that is too small', volumes: [testVolume('pv', { size: '1Mi' })], expect: nothing },
    { name: 'gets none without its access mode', claim: { accessModes: ['ReadWriteMany'] }, volumes: [testVolume('pv')], expect: nothing },
    { name: 'gets none of another class', volumes: [testVolume('pv', { storageClassName: 'fast' })], expect: nothing },
    { name: 'gets none of another volume mode', claim: { volumeMode: 'Block' }, volumes: [testVolume('pv')], expect: nothing },
    {
      name: 'gets one that its selector matches',
      claim: { selector: { matchLabels: { tier: 'gold' } } },
      volumes: [testVolume('a'), testVolume('b', { size: '5Gi', labels: { tier: 'gold' } })],
      expect: 'b',
    },
    { name: 'gets none that is released', volumes: [testVolume('pv', { phase: 'Released' })], expect: nothing },
    { name: 'gets none that nobody has looked at yet', volumes: [testVolume('pv', { phase: 'Pending' })], expect: nothing },
    { name: 'gets none that is about to go', volumes: [testVolume('pv', { leaving: true })], expect: nothing },
    {
      name: 'gets the one that is meant for it first',
      volumes: [testVolume('free'), testVolume('meant', { size: '9Gi', claimRef: testClaimRef() })],
      expect: 'meant',
    },
    {
      name: 'does not get the one that is meant for it if it is too small',
      volumes: [testVolume('meant', { size: '1Mi', claimRef: testClaimRef() })],
      expect: nothing,
    },
    {
      name: 'gets none that is meant for an earlier claim of its name',
      volumes: [testVolume('pv', { claimRef: testClaimRef('older') })],
      expect: nothing,
    },
    { name: 'is left alone when it is going', claim: { leaving: true }, volumes: [testVolume('pv')], expect: 'nothing' },
  ]))

describe('a claim that asks for a volume by name', () =>
  table([
    { name: 'waits until it is there', claim: { volumeName: 'pv' }, volumes: [testVolume('other')], expect: 'wait' },
    { name: 'gets it', claim: { volumeName: 'pv' }, volumes: [testVolume('other'), testVolume('pv')], expect: 'pv' },
    {
      name: 'does not get it from another claim',
      claim: { volumeName: 'pv' },
      volumes: [testVolume('pv', { claimRef: { ...testClaimRef(), name: 'other' } })],
      expect: 'wait: Warning FailedBinding volume "pv" already bound to a different claim.',
    },
    {
      name: 'does not get it when it is too small',
      claim: { volumeName: 'pv', size: '2Gi' },
      volumes: [testVolume('pv')],
      expect: 'wait: Warning VolumeMismatch Cannot bind to requested volume "pv": requested PV is too small',
    },
    {
      name: 'does not get it when it is of another class',
      claim: { volumeName: 'pv' },
      volumes: [testVolume('pv', { storageClassName: 'fast' })],
      expect: 'wait: Warning VolumeMismatch Cannot bind to requested volume "pv": storageClassName does not match',
    },
    {
      name: 'does not get it when its access modes do not do',
      claim: { volumeName: 'pv', accessModes: ['ReadOnlyMany'] },
      volumes: [testVolume('pv')],
      expect: 'wait: Warning VolumeMismatch Cannot bind to requested volume "pv": incompatible accessMode',
    },
    {
      name: 'does not get it when its mode is another',
      claim: { volumeName: 'pv', volumeMode: 'Block' },
      volumes: [testVolume('pv')],
      expect: 'wait: Warning VolumeMismatch Cannot bind to requested volume "pv": incompatible volumeMode',
    },
  ]))

describe('a claim with a class', () =>
  table([
    {
      name: 'has a volume made',
      claim: { storageClassName: 'fast' },
      classes: [testClass('fast')],
      expect:
        "provision: Normal ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    },
    {
      name: 'gets a free volume of that class before',
      claim: { storageClassName: 'fast' },
      classes: [testClass('fast')],
      volumes: [testVolume('pv', { storageClassName: 'fast' })],
      expect: 'pv',
    },
    {
      name: 'that is not there waits for it',
      claim: { storageClassName: 'fast' },
      expect: 'wait: Warning ProvisioningFailed storageclass.storage.k8s.io "fast" not found',
    },
    {
      name: 'that nobody provisions waits',
      claim: { storageClassName: 'fast' },
      classes: [testClass('fast', { provisioner: 'kubernetes.io/no-provisioner' })],
      expect: 'wait: Warning ProvisioningFailed no volume plugin matched name: kubernetes.io/no-provisioner',
    },
    {
      name: 'that waits for its pod gets nothing before, though a volume is free',
      claim: { storageClassName: 'waits' },
      classes: [waits],
      volumes: [testVolume('pv', { storageClassName: 'waits' })],
      expect: 'wait: Normal WaitForFirstConsumer waiting for first consumer to be created before binding',
    },
    {
      name: 'that waits for its pod names the pod',
      claim: { storageClassName: 'waits' },
      classes: [waits],
      pods: ['p'],
      expect: 'wait: Normal WaitForPodScheduled waiting for pod p to be scheduled',
    },
    {
      name: 'that waits for one of several pods names all',
      claim: { storageClassName: 'waits' },
      classes: [waits],
      pods: ['p', 'q'],
      expect: 'wait: Normal WaitForPodScheduled waiting for pods p,q to be scheduled',
    },
    {
      name: 'gets the volume that the scheduler kept for it',
      claim: { storageClassName: 'waits' },
      classes: [waits],
      volumes: [testVolume('kept', { storageClassName: 'waits', claimRef: testClaimRef('claim') })],
      expect: 'kept',
    },
    {
      name: 'has a volume made once its pod has a node',
      claim: { storageClassName: 'waits', annotations: { 'volume.kubernetes.io/selected-node': 'n' } },
      classes: [waits],
      expect:
        "provision: Normal ExternalProvisioning Waiting for a volume to be created either by the external provisioner 'example.com/disks' or manually by the system administrator. If volume creation is delayed, please verify that the provisioner is running and correctly registered.",
    },
    {
      name: 'that was none when it was made gets what has become the default',
      claim: { storageClassName: undefined },
      classes: [
        testClass('fast'),
        testClass('standard', { metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } }),
      ],
      expect: 'classify: standard',
    },
    {
      name: 'of none on purpose keeps it',
      classes: [testClass('standard', { metadata: { name: 'standard', annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } } })],
      expect: nothing,
    },
  ]))

describe('a bound claim', () =>
  table([
    {
      name: 'stays so',
      claim: { annotations: done, volumeName: 'pv' },
      volumes: [testVolume('pv', { claimRef: testClaimRef('claim'), phase: 'Bound' })],
      expect: 'pv',
    },
    { name: 'takes its volume back when that forgot it', claim: { annotations: done, volumeName: 'pv' }, volumes: [testVolume('pv')], expect: 'pv' },
    {
      name: 'is lost with its volume',
      claim: { annotations: done, volumeName: 'pv' },
      expect: 'lose: Warning ClaimLost Bound claim has lost its PersistentVolume. Data on the volume is lost!',
    },
    {
      name: 'is lost when it does not say which volume it has',
      claim: { annotations: done },
      expect: 'lose: Warning ClaimLost Bound claim has lost reference to PersistentVolume. Data on the volume is lost!',
    },
    {
      name: 'is lost when its volume is another claim’s',
      claim: { annotations: done, volumeName: 'pv' },
      volumes: [testVolume('pv', { claimRef: testClaimRef('other') })],
      expect: 'lose: Warning ClaimMisbound Two claims are bound to the same volume, this one is bound incorrectly',
    },
  ]))

describe('what is written', () => {
  const volume = testVolume('pv', { size: '5Gi' })
  const annotations = (claim: Claim) => claim.metadata.annotations

  test('a claim for which a volume was chosen says so', () => {
    assert.deepEqual(annotations(boundClaim(testClaim(), volume)), { 'pv.kubernetes.io/bound-by-controller': 'yes', ...done })
    assert.equal(boundClaim(testClaim(), volume).spec.volumeName, 'pv')
  })
  test('a claim that asked for the volume does not', () => assert.deepEqual(annotations(boundClaim(testClaim({ volumeName: 'pv' }), volume)), done))
  test('a claim that is bound already is the same object', () => {
    const bound = boundClaim(testClaim(), volume)
    assert.equal(boundClaim(bound, volume), bound)
  })
  test('its capacity is that of the volume when it is bound, and nobody’s business here afterwards', () => {
    const status = boundClaimStatus(testClaim(), volume)
    assert.deepEqual(status, { phase: 'Bound', accessModes: ['ReadWriteOnce'], capacity: { storage: '5Gi' } })
    assert.deepEqual(boundClaimStatus(testClaim({ status: status as never }), testVolume('pv', { size: '9Gi' })).capacity, { storage: '5Gi' })
  })
  test('a claim without a volume has no capacity', () => {
    const claim = testClaim({ status: { phase: 'Bound', capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], conditions: [] } })
    assert.deepEqual(unboundClaimStatus(claim, 'Lost'), { phase: 'Lost', conditions: [] })
  })
})
