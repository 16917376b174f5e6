import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { DeepReadonly, apps } from '#api'
import { at, noon } from '../workload/test-pod.ts'
import type { Deployment, ReplicaSet } from './revision.ts'
import type { StatusInput } from './status.ts'
import { deploymentStatus, isComplete } from './status.ts'

type Status = DeepReadonly<apps.DeploymentStatus>

const deployment = (status: Status = {}, spec: Partial<apps.DeploymentSpec> = {}): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web', generation: 2 },
  spec: {
    replicas: 3,
    selector: {},
    template: {},
    progressDeadlineSeconds: 60,
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } },
    ...spec,
  },
  status,
})

const set = (name: string, replicas: number, available = replicas, status: Partial<apps.ReplicaSetStatus> = {}): ReplicaSet => ({
  apiVersion: 'apps/v1',
  kind: 'ReplicaSet',
  metadata: { name },
  spec: { replicas, selector: {} },
  status: { replicas, readyReplicas: available, availableReplicas: available, ...status },
})

const progressing = (reason: string, updatedSecondsAgo = 0, status = 'True') => ({
  type: 'Progressing',
  status,
  reason,
  message: 'before',
  lastUpdateTime: at(-updatedSecondsAgo),
  lastTransitionTime: at(-1000),
})

function result(input: Partial<StatusInput> & { deployment: Deployment }) {
  const { status, recheckAfter } = deploymentStatus({ newSet: undefined, oldSets: [], collisionCount: undefined, now: noon, rollout: true, ...input })
  const condition = (type: string) => status.conditions?.find((c) => c.type === type)
  const brief = (type: string) => condition(type) && `${condition(type)!.status} ${condition(type)!.reason}`
  return { status, recheckAfter, condition, available: brief('Available'), progressing: brief('Progressing'), failure: brief('ReplicaFailure') }
}

describe('the status of a deployment', () => {
  test('adds up the sets and leaves out zeroes', () => {
    const { status } = result({ deployment: deployment(), newSet: set('new', 2, 1), oldSets: [set('old', 2, 2)], collisionCount: 1 })
    const { conditions: _, ...counts } = status
    assert.deepEqual(counts, {
      observedGeneration: 2,
      replicas: 4,
      updatedReplicas: 2,
      readyReplicas: 3,
      availableReplicas: 3,
      unavailableReplicas: 1,
      collisionCount: 1,
    })
  })

  test('tells how many pods are leaving once all sets tell it', () => {
    const told = set('new', 2, 2, { terminatingReplicas: 1 })
    assert.equal(result({ deployment: deployment(), newSet: told }).status.terminatingReplicas, 1)
    assert.equal(result({ deployment: deployment(), newSet: told, oldSets: [set('old', 1)] }).status.terminatingReplicas, undefined)
  })

  test('is available as long as no more pods are missing than may be', () => {
    assert.equal(result({ deployment: deployment(), newSet: set('new', 3, 2) }).available, 'True MinimumReplicasAvailable')
    assert.equal(result({ deployment: deployment(), newSet: set('new', 3, 1) }).available, 'False MinimumReplicasUnavailable')
  })

  test('carries a set’s failure to make pods, the new set’s first', () => {
    const failing = (message: string) => ({ conditions: [{ type: 'ReplicaFailure', status: 'True', reason: 'FailedCreate', message }] })
    const both = result({ deployment: deployment(), newSet: set('new', 1, 0, failing('quota')), oldSets: [set('old', 1, 0, failing('other'))] })
    assert.equal(both.condition('ReplicaFailure')?.message, 'quota')
    assert.equal(
      result({ deployment: deployment(), newSet: set('new', 1), oldSets: [set('old', 1, 0, failing('other'))] }).failure,
      'True FailedCreate',
    )
    assert.equal(result({ deployment: deployment(both.status), newSet: set('new', 1) }).failure, undefined)
  })

  test('keeps the time of a condition that stays as it is', () => {
    const before = {
      type: 'Available',
      status: 'True',
      reason: 'MinimumReplicasAvailable',
      message: 'm',
      lastUpdateTime: at(-500),
      lastTransitionTime: at(-500),
    }
    assert.deepEqual(result({ deployment: deployment({ conditions: [before] }), newSet: set('new', 3) }).condition('Available'), before)
  })
})

describe('the progress of a rollout', () => {
  interface Row {
    name: string
    before: Status
    spec?: Partial<apps.DeploymentSpec>
    newSet?: ReplicaSet
    oldSets?: ReplicaSet[]
    rollout?: boolean
    progress?: StatusInput['progress']
    expect: string | undefined
    recheckAfter?: number
  }
  const rows: Row[] = [
    {
      name: 'begins with the new set',
      before: {},
      newSet: set('new', 1, 0, { replicas: 0 }),
      progress: { status: 'True', reason: 'NewReplicaSetCreated', message: 'm' },
      expect: 'True NewReplicaSetCreated',
      recheckAfter: 61_000,
    },
    {
      name: 'goes on when pods of the new template come',
      before: { conditions: [progressing('NewReplicaSetCreated', 50)], replicas: 3 },
      newSet: set('new', 1, 0),
      oldSets: [set('old', 3)],
      expect: 'True ReplicaSetUpdated',
      recheckAfter: 61_000,
    },
    {
      name: 'is not renewed by a look at the same state',
      before: { conditions: [progressing('ReplicaSetUpdated', 50)], replicas: 4, updatedReplicas: 1, readyReplicas: 3, availableReplicas: 3 },
      newSet: set('new', 1, 0),
      oldSets: [set('old', 3)],
      expect: 'True ReplicaSetUpdated',
      recheckAfter: 11_000,
    },
    {
      name: 'is over when all pods are new and available',
      before: { conditions: [progressing('ReplicaSetUpdated', 50)] },
      newSet: set('new', 3),
      oldSets: [set('old', 0)],
      expect: 'True NewReplicaSetAvailable',
    },
    {
      name: 'has failed when nothing happened until the deadline',
      before: { conditions: [progressing('ReplicaSetUpdated', 61)], replicas: 4, updatedReplicas: 1, readyReplicas: 3, availableReplicas: 3 },
      newSet: set('new', 1, 0),
      oldSets: [set('old', 3)],
      expect: 'False ProgressDeadlineExceeded',
    },
    {
      name: 'stays failed',
      before: {
        conditions: [progressing('ProgressDeadlineExceeded', 1, 'False')],
        replicas: 4,
        updatedReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 3,
      },
      newSet: set('new', 1, 0),
      oldSets: [set('old', 3)],
      expect: 'False ProgressDeadlineExceeded',
    },
    {
      name: 'goes on after a failure when pods come after all',
      before: {
        conditions: [progressing('ProgressDeadlineExceeded', 100, 'False')],
        replicas: 4,
        updatedReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 3,
      },
      newSet: set('new', 1, 1),
      oldSets: [set('old', 3)],
      expect: 'True ReplicaSetUpdated',
      recheckAfter: 61_000,
    },
    {
      name: 'is not in question when a finished deployment loses and regains pods',
      before: { conditions: [progressing('NewReplicaSetAvailable', 500)], replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1 },
      newSet: set('new', 3, 2),
      expect: 'True NewReplicaSetAvailable',
    },
    {
      name: 'is not judged while only the size changes',
      before: { conditions: [progressing('ReplicaSetUpdated', 500)], replicas: 3 },
      newSet: set('new', 3, 2),
      rollout: false,
      expect: 'True ReplicaSetUpdated',
    },
    {
      name: 'is unknown while it is paused',
      before: { conditions: [progressing('ReplicaSetUpdated', 500)] },
      spec: { paused: true },
      rollout: false,
      expect: 'Unknown DeploymentPaused',
    },
    {
      name: 'stays failed in a pause',
      before: { conditions: [progressing('ProgressDeadlineExceeded', 500, 'False')] },
      spec: { paused: true },
      rollout: false,
      expect: 'False ProgressDeadlineExceeded',
    },
    {
      name: 'gets its whole time again after a pause',
      before: {
        conditions: [progressing('DeploymentPaused', 500, 'Unknown')],
        replicas: 4,
        updatedReplicas: 1,
        readyReplicas: 3,
        availableReplicas: 3,
      },
      newSet: set('new', 1, 0),
      oldSets: [set('old', 3)],
      expect: 'Unknown DeploymentResumed',
      recheckAfter: 61_000,
    },
    {
      name: 'is not told of a deployment without a deadline',
      before: { conditions: [progressing('ReplicaSetUpdated', 500)] },
      spec: { progressDeadlineSeconds: 2 ** 31 - 1 },
      newSet: set('new', 1, 0),
      expect: undefined,
    },
    {
      name: 'has failed when the set cannot be made',
      before: {},
      rollout: false,
      progress: { status: 'False', reason: 'ReplicaSetCreateError', message: 'm' },
      expect: 'False ReplicaSetCreateError',
    },
  ]
  for (const { name, before, spec, expect, recheckAfter, ...input } of rows)
    test(name, () => {
      const answer = result({ deployment: deployment(before, spec), ...input })
      assert.equal(answer.progressing, expect)
      assert.equal(answer.recheckAfter, recheckAfter)
    })

  test('is told by name', () => {
    assert.equal(
      result({ deployment: deployment(), newSet: set('new', 3) }).condition('Progressing')?.message,
      'ReplicaSet "new" has successfully progressed.',
    )
  })

  test('is complete when the sets tell so', () => {
    assert.equal(isComplete(deployment(), set('new', 3), [set('old', 0)]), true)
    assert.equal(isComplete(deployment(), set('new', 3, 2), []), false)
    assert.equal(isComplete(deployment(), set('new', 3), [set('old', 1)]), false)
  })
})
