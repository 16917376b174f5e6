import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject } from '#api'
import type { DeleteOptions } from './delete.ts'
import { checkDeleteOptions, deletion } from './deletion.ts'
import type { ResourceStrategy } from './strategy.ts'

const now = Date.UTC(2026, 0, 1, 12)
const graceful: ResourceStrategy = { gracePeriodSeconds: (_, asked) => asked ?? 30 }

interface Row {
  name: string
  metadata?: Partial<KubeObject['metadata']>
  options?: DeleteOptions
  strategy?: ResourceStrategy
  resource?: string
  spec?: object
  /** Action, deletionTimestamp, grace period, finalizers, generation. */
  plan: string
}

const rows: Row[] = [
  { name: 'an object without more goes at once', plan: 'remove' },
  { name: 'one with a finalizer is marked', metadata: { finalizers: ['x/y'] }, plan: 'mark 12:00:00 0 x/y' },
  { name: 'foreground adds its finalizer', options: { propagationPolicy: 'Foreground' }, plan: 'mark 12:00:00 0 foregroundDeletion' },
  { name: 'orphan adds its finalizer', options: { propagationPolicy: 'Orphan' }, plan: 'mark 12:00:00 0 orphan' },
  { name: 'orphanDependents is the old orphan', options: { orphanDependents: true }, plan: 'mark 12:00:00 0 orphan' },
  { name: 'background takes the others away', metadata: { finalizers: ['orphan'] }, options: { propagationPolicy: 'Background' }, plan: 'remove' },
  {
    name: 'the finalizer that is there decides without a policy',
    metadata: { finalizers: ['foregroundDeletion'] },
    plan: 'mark 12:00:00 0 foregroundDeletion',
  },
  { name: 'a kind may orphan by default', strategy: { defaultPropagation: 'Orphan' }, plan: 'mark 12:00:00 0 orphan' },
  { name: 'marking counts as a generation', metadata: { finalizers: ['x/y'], generation: 4 }, plan: 'mark 12:00:00 0 x/y 5' },
  {
    name: 'a second delete keeps the time',
    metadata: { finalizers: ['x/y'], generation: 5, deletionTimestamp: '2026-01-01T11:00:00Z', deletionGracePeriodSeconds: 0 },
    plan: 'mark 11:00:00 0 x/y 5',
  },
  { name: 'a pod gets its grace period', strategy: graceful, plan: 'mark 12:00:30 30 -' },
  { name: 'a shorter one when asked', strategy: graceful, options: { gracePeriodSeconds: 5 }, plan: 'mark 12:00:05 5 -' },
  { name: 'no grace is at once', strategy: graceful, options: { gracePeriodSeconds: 0 }, plan: 'remove 12:00:00 0 -' },
  {
    name: 'no grace waits for finalizers',
    strategy: graceful,
    options: { gracePeriodSeconds: 0 },
    metadata: { finalizers: ['x/y'] },
    plan: 'mark 12:00:00 0 x/y',
  },
  {
    name: 'a deletion under way is left alone',
    strategy: graceful,
    metadata: { deletionTimestamp: '2026-01-01T12:00:20Z', deletionGracePeriodSeconds: 30 },
    plan: 'nothing',
  },
  {
    name: 'a longer grace period changes nothing',
    strategy: graceful,
    metadata: { deletionTimestamp: '2026-01-01T12:00:20Z', deletionGracePeriodSeconds: 30 },
    options: { gracePeriodSeconds: 60 },
    plan: 'nothing',
  },
  {
    name: 'a deletion under way can be sped up',
    strategy: graceful,
    metadata: { deletionTimestamp: '2026-01-01T12:00:20Z', deletionGracePeriodSeconds: 30 },
    options: { gracePeriodSeconds: 10 },
    plan: 'mark 12:00:00 10 -',
  },
  {
    name: 'what has no grace left goes',
    strategy: graceful,
    metadata: { deletionTimestamp: '2026-01-01T11:00:00Z', deletionGracePeriodSeconds: 0 },
    plan: 'remove',
  },
  {
    name: 'a namespace is marked without a grace period',
    resource: 'namespaces',
    spec: { finalizers: ['kubernetes'] },
    plan: 'mark 12:00:00 - - Terminating',
  },
  {
    name: 'a terminating namespace waits for its finalizer',
    resource: 'namespaces',
    spec: { finalizers: ['kubernetes'] },
    metadata: { deletionTimestamp: '2026-01-01T11:00:00Z' },
    plan: 'nothing',
  },
  { name: 'an emptied one goes', resource: 'namespaces', spec: {}, metadata: { deletionTimestamp: '2026-01-01T11:00:00Z' }, plan: 'remove' },
]

for (const { name, metadata, options = {}, strategy = {}, resource = 'things', spec, plan } of rows)
  test(name, () => {
    const old = { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'a', resourceVersion: '7', ...metadata }, ...(spec ? { spec } : {}) }
    const decided = deletion(old, resource, strategy, options, now)
    const shown: unknown[] = [decided.action]
    if (decided.action !== 'nothing' && decided.object) {
      const { metadata: m, status } = decided.object as KubeObject & { status?: { phase?: string } }
      shown.push(m.deletionTimestamp?.slice(11, 19), m.deletionGracePeriodSeconds ?? '-', m.finalizers?.join(',') ?? '-')
      if (m.generation) shown.push(m.generation)
      if (status?.phase) shown.push(status.phase)
    }
    assert.equal(shown.join(' '), plan)
    assert.equal(old.metadata.resourceVersion, '7', 'the stored object is shared and stays as it is')
  })

test('options that contradict each other are refused', () => {
  assert.throws(
    () => checkDeleteOptions({ propagationPolicy: 'Orphan', orphanDependents: true }),
    /orphanDependents and deletionPropagation cannot be both set/,
  )
  assert.throws(
    () => checkDeleteOptions({ propagationPolicy: 'Foo' }),
    /Unsupported value: "Foo": supported values: "Foreground", "Background", "Orphan", "nil"/,
  )
  assert.throws(() => checkDeleteOptions({ dryRun: ['None'] }), /Unsupported value: \["None"\]/)
  assert.doesNotThrow(() => checkDeleteOptions({ propagationPolicy: 'Foreground', gracePeriodSeconds: 1, dryRun: ['All'] }))
})
