import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, Kind, Selector, apps, core } from '#api'
import { isStatus, objectKey, resources, selectorFromLabelSelector } from '#api'
import { describeError } from '#base'
import type { Controller, ControllerContext } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { inBatches } from '../workload/batches.ts'
import { claim } from '../workload/claim.ts'
import type { Pod } from '../workload/pods.ts'
import { podFromTemplate } from '../workload/pods.ts'
import { planReplicas, replicaStatus } from './plan.ts'

/** A ReplicaSet, or its ancestor, the ReplicationController: they differ in how the selector is written. */
type Replicator = apps.ReplicaSet | core.ReplicationController

interface Flavour<T extends Replicator> {
  name: string
  ref: Kind<T>
  selectorOf(object: DeepReadonly<T>): Selector
}

export const replicaSetController: Controller = replicator<apps.ReplicaSet>({
  name: 'replicaset',
  ref: resources.replicaSets,
  selectorOf: (set) => selectorFromLabelSelector(set.spec.selector),
})

export const replicationController: Controller = replicator<core.ReplicationController>({
  name: 'replicationcontroller',
  ref: resources.replicationControllers,
  selectorOf: (rc) => selectorFromLabelSelector({ matchLabels: rc.spec.selector ?? {} }),
})

/** Keeps as many pods as asked for. */
function replicator<T extends Replicator>({ name, ref, selectorOf }: Flavour<T>): Controller {
  return {
    name,
    setup: (context: ControllerContext) => {
      const sets = context.cache<T>(ref)
      const pods = context.cache<core.Pod>(resources.pods)
      const expectations = createExpectations<core.Pod>(pods)
      const podClient = context.client.resource(resources.pods)
      const setClient = context.client.resource<T>(ref)

      async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
        const set = sets.get(key)
        if (!set) return expectations.forget(key)
        const inNamespace = pods.list(set.metadata.namespace)
        const mine = await claim<core.Pod>(
          set,
          selectorOf(set),
          inNamespace,
          podClient,
          (pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
        )
        const changed = expectations.satisfied(key) && !set.metadata.deletionTimestamp ? await change(key, set, mine, inNamespace) : undefined
        const { status, recheckAfter } = replicaStatus({
          generation: set.metadata.generation,
          minReadySeconds: set.spec.minReadySeconds ?? 0,
          templateLabels: set.spec.template?.metadata?.labels ?? {},
          pods: mine,
          previous: set.status as DeepReadonly<apps.ReplicaSetStatus> | undefined,
          ...(changed?.failure ? { failure: changed.failure } : {}),
          now: context.clock.now(),
        })
        if (!isDeepStrictEqual({ ...status }, { replicas: 0, ...set.status }))
          await setClient.updateStatus({ ...set, status } as unknown as DeepReadonly<T>)
        if (changed?.error) throw changed.error
        if (recheckAfter !== undefined) return { requeueAfter: recheckAfter }
      }

      async function change(key: string, set: DeepReadonly<T>, mine: readonly Pod[], inNamespace: readonly Pod[]) {
        const plan = planReplicas(set.spec.replicas ?? 1, mine, siblingsOf(set, mine, inNamespace))
        const template = set.spec.template!
        const { error } = await inBatches(plan.create, async () => {
          const pod = await podClient.create(podFromTemplate(template, set))
          expectations.created(key, pod)
          context.events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
        })
        if (error !== undefined) {
          // a namespace that is going away needs no more pods
          if (isStatus(error) && error.status.details?.causes?.some((c) => c.reason === 'NamespaceTerminating')) return undefined
          const message = describeError(error)
          context.events.event(set, 'Warning', 'FailedCreate', `Error creating: ${message}`)
          return { failure: { reason: 'FailedCreate' as const, message }, error }
        }
        const deletions = await Promise.allSettled(
          plan.delete.map(async (pod) => {
            try {
              await podClient.delete(pod.metadata.name, pod.metadata.namespace, { preconditions: { uid: pod.metadata.uid! } })
            } catch (failure) {
              if (!isStatus(failure, 'NotFound')) throw failure
            }
            expectations.deleted(key, pod)
            context.events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
          }),
        )
        const failed = deletions.find((d) => d.status === 'rejected')
        if (!failed) return undefined
        const message = describeError(failed.reason)
        context.events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${message}`)
        return { failure: { reason: 'FailedDelete' as const, message }, error: failed.reason as unknown }
      }

      const orphans = mapped(pods, (pod) => {
        if (pod.metadata.ownerReferences?.some((o) => o.controller)) return []
        return sets
          .list(pod.metadata.namespace)
          .filter((set) => selectorOf(set).matches(pod.metadata.labels))
          .map((set) => objectKey(set as DeepReadonly<apps.ReplicaSet>))
      })
      return { reconcile, watches: [primary(sets), owned(pods, ref.kind), orphans] }
    },
  }

  /** Pods of all sets of one deployment: a scale-down takes them from nodes that have more of them. */
  function siblingsOf(set: DeepReadonly<T>, mine: readonly Pod[], inNamespace: readonly Pod[]): readonly Pod[] {
    const owner = set.metadata.ownerReferences?.find((o) => o.controller)
    if (!owner) return mine
    const { 'pod-template-hash': _, ...labels } = set.spec.template?.metadata?.labels ?? {}
    const selector = selectorFromLabelSelector({ matchLabels: labels })
    return inNamespace.filter((pod) => selector.matches(pod.metadata.labels))
  }
}
