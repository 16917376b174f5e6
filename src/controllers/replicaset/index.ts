import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, Kind, Selector, apps, core } from '#api'
import { controllerOf, isStatus, objectKey, resources } from '#api'
import { describeError } from '#base'
import type { Controller, ControllerContext } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { inBatches } from '../workload/batches.ts'
import { byController, cachedSelector, candidatesFor, claim } from '../workload/claim.ts'
import type { Pod } from '../workload/pods.ts'
import { isNamespaceTerminating, podFromTemplate } from '../workload/pods.ts'
import { planReplicas, replicaStatus } from './plan.ts'

/** A ReplicaSet, or its ancestor, the ReplicationController: they differ in how the selector is written. */
type Replicator = apps.ReplicaSet | core.ReplicationController

interface Flavour<T extends Replicator> {
  name: string
  eventSource: string
  ref: Kind<T>
  selectorOf(object: DeepReadonly<T>): Selector
  /** Whether its status tells how many pods are on their way out. */
  countsTerminating: boolean
}

export const replicaSetController: Controller = replicator<apps.ReplicaSet>({
  name: 'replicaset',
  eventSource: 'replicaset-controller',
  ref: resources.replicaSets,
  selectorOf: (set) => cachedSelector(set.spec.selector),
  countsTerminating: true,
})

export const replicationController: Controller = replicator<core.ReplicationController>({
  name: 'replicationcontroller',
  eventSource: 'replication-controller',
  ref: resources.replicationControllers,
  selectorOf: (rc) => selectorOfMap(rc.spec.selector ?? {}),
  countsTerminating: false,
})

const asLabelSelector = new WeakMap<object, { matchLabels: Readonly<Record<string, string>> }>()

function selectorOfMap(matchLabels: Readonly<Record<string, string>>): Selector {
  let selector = asLabelSelector.get(matchLabels)
  if (!selector) asLabelSelector.set(matchLabels, (selector = { matchLabels }))
  return cachedSelector(selector)
}

/** Keeps as many pods as asked for. */
function replicator<T extends Replicator>({ name, eventSource, ref, selectorOf, countsTerminating }: Flavour<T>): Controller {
  return {
    name,
    eventSource,
    setup: (context: ControllerContext) => {
      const sets = context.cache<T>(ref, byController)
      const pods = context.cache<core.Pod>(resources.pods, byController)
      const expectations = createExpectations<core.Pod>(pods)
      const podClient = context.client.resource(resources.pods)
      const setClient = context.client.resource<T>(ref)

      async function reconcile(key: string): Promise<{ requeueAfter: number } | void> {
        const set = sets.get(key)
        if (!set) return expectations.forget(key)
        const mine = await claim<core.Pod>({
          owner: set,
          selector: selectorOf(set),
          candidates: candidatesFor(pods, set),
          client: podClient,
          current: () => setClient.get(set.metadata.name, set.metadata.namespace),
          isAdoptable: (pod) => pod.status?.phase !== 'Succeeded' && pod.status?.phase !== 'Failed',
        })
        const changed = expectations.satisfied(key) && !set.metadata.deletionTimestamp ? await change(key, set, mine) : undefined
        const { status, recheckAfter } = replicaStatus({
          generation: set.metadata.generation,
          minReadySeconds: set.spec.minReadySeconds ?? 0,
          templateLabels: set.spec.template?.metadata?.labels ?? {},
          pods: mine,
          previous: set.status as DeepReadonly<apps.ReplicaSetStatus> | undefined,
          ...(changed?.failure ? { failure: changed.failure } : {}),
          countsTerminating,
          now: context.clock.now(),
        })
        if (!isDeepStrictEqual({ ...status }, { replicas: 0, ...set.status }))
          await setClient.updateStatus({ ...set, status } as unknown as DeepReadonly<T>)
        if (changed?.error) throw changed.error
        if (recheckAfter !== undefined) return { requeueAfter: recheckAfter }
      }

      async function change(key: string, set: DeepReadonly<T>, mine: readonly Pod[]) {
        const plan = planReplicas(set.spec.replicas ?? 1, mine, () => siblingsOf(set, mine))
        const template = set.spec.template!
        const { error } = await inBatches(plan.create, async () => {
          const pod = await podClient.create(podFromTemplate(template, set))
          expectations.created(key, pod)
          context.events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
        })
        if (error !== undefined) {
          if (isNamespaceTerminating(error)) return undefined
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

      /** Pods of all sets of one deployment: a scale-down takes them from nodes that have more of them. */
      function siblingsOf(set: DeepReadonly<T>, mine: readonly Pod[]): readonly Pod[] {
        const owner = controllerOf(set as DeepReadonly<apps.ReplicaSet>)
        if (!owner) return mine
        return sets.byIndex('controller', owner.uid).flatMap((sibling) => pods.byIndex('controller', sibling.metadata.uid!))
      }

      const orphans = mapped(pods, (pod) => {
        if (controllerOf(pod)) return []
        return sets
          .list(pod.metadata.namespace)
          .filter((set) => selectorOf(set).matches(pod.metadata.labels))
          .map((set) => objectKey(set as DeepReadonly<apps.ReplicaSet>))
      })
      return { reconcile, watches: [primary(sets), owned(pods, ref.kind), orphans] }
    },
  }
}
