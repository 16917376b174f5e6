import { isDeepStrictEqual } from 'node:util'
import type { apps, core } from '#api'
import { controllerOf, isStatus, objectKey, resources } from '#api'
import { Backoff, describeError } from '#base'
import type { Controller, Watch } from '#runtime'
import { createExpectations, mapped, owned, primary } from '#runtime'
import { inBatches } from '../workload/batches.ts'
import { byController, cachedSelector, candidatesFor, claim } from '../workload/claim.ts'
import { templateHash } from '../workload/hash.ts'
import type { HistoryOptions, Revision } from '../workload/history.ts'
import { applyHistory, planHistory, truncateHistory } from '../workload/history.ts'
import { isNamespaceTerminating } from '../workload/pods.ts'
import type { Pod } from '../workload/pods.ts'
import type { DaemonSet, DaemonSetPlan, Node } from './plan.ts'
import { daemonSetStatus, hashLabel, planDaemonSet } from './plan.ts'
import { daemonPod } from './pod.ts'

type Settled = { requeueAfter: number } | void

/** Keeps one pod on every node that is to have one, and replaces them node by node when the template changes. */
export const daemonSetController = (options: HistoryOptions = {}): Controller => ({
  name: 'daemonset',
  eventSource: 'daemonset-controller',
  setup: ({ client, cache, clock, events }) => {
    const sets = cache<apps.DaemonSet>(resources.daemonSets)
    const nodes = cache<core.Node>(resources.nodes)
    const pods = cache<core.Pod>(resources.pods, byController)
    const revisions = cache<apps.ControllerRevision>(resources.controllerRevisions, byController)
    const setClient = client.resource(resources.daemonSets)
    const podClient = client.resource(resources.pods)
    const revisionClient = client.resource(resources.controllerRevisions)
    const expectations = createExpectations<core.Pod>(pods)
    /** A pod that keeps failing on a node is not made again and again. */
    const backoff = new Backoff({ initial: 1000, max: 15 * 60_000 })
    const waits = new Map<string, number>()

    async function reconcile(key: string): Promise<Settled> {
      const set = sets.get(key)
      if (!set) return expectations.forget(key)
      const selector = cachedSelector(set.spec.selector)
      if (selector.empty)
        return events.event(set, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
      if (set.metadata.deletionTimestamp) return
      const current = () => setClient.get(set.metadata.name, set.metadata.namespace)
      const history = await claim<apps.ControllerRevision>({
        owner: set,
        selector,
        candidates: candidatesFor(revisions, set),
        client: revisionClient,
        current,
      })
      const found = await currentRevision(set, history)
      if (!found) return collide(set)
      const { revision, old } = found
      const hash = revision.metadata.labels?.[hashLabel] ?? ''
      const mine = await claim<core.Pod>({ owner: set, selector, candidates: candidatesFor(pods, set), client: podClient, current })
      const state = { set, nodes: nodes.list(), pods: mine, hash, now: clock.now() }
      if (!expectations.satisfied(key)) {
        await writeStatus(set, daemonSetStatus(state, false).status)
        return { requeueAfter: 1000 }
      }
      const { again, error } = await apply(key, set, hash, planDaemonSet(state))
      await truncateHistory(revisionClient, old, set.spec.revisionHistoryLimit ?? 10, (r) =>
        mine.some((pod) => pod.metadata.labels?.[hashLabel] === r.metadata.labels?.[hashLabel]),
      )
      const { status, recheckAfter } = daemonSetStatus(state, true)
      await writeStatus(set, status)
      if (error !== undefined) throw error
      const next = Math.min(again ?? Infinity, recheckAfter ?? Infinity)
      if (Number.isFinite(next)) return { requeueAfter: next }
    }

    async function currentRevision(
      set: DaemonSet,
      history: readonly Revision[],
    ): Promise<{ revision: Revision; old: readonly Revision[] } | undefined> {
      const { template } = set.spec
      const plan = planHistory(history, template)
      const hash = templateHash(template, set.status?.collisionCount)
      const labels = { ...template.metadata?.labels, [hashLabel]: hash }
      const revision = await applyHistory(revisionClient, plan, { owner: set, name: `${set.metadata.name}-${hash}`, labels, template, options })
      return revision && { revision, old: plan.old }
    }

    async function collide(set: DaemonSet): Promise<void> {
      await writeStatus(set, { ...(set.status as apps.DaemonSetStatus), collisionCount: (set.status?.collisionCount ?? 0) + 1 })
    }

    async function apply(key: string, set: DaemonSet, hash: string, plan: DaemonSetPlan): Promise<{ again?: number; error?: unknown }> {
      const { deletions, again } = holdBack(set, plan)
      const creating = await inBatches(plan.create.length, async (i) => {
        const pod = await podClient.create(daemonPod(set, plan.create[i]!, hash))
        expectations.created(key, pod)
        events.event(set, 'Normal', 'SuccessfulCreate', `Created pod: ${pod.metadata.name}`)
      })
      const results = await Promise.allSettled(deletions.map((pod) => remove(key, set, pod)))
      if (creating.error !== undefined && isNamespaceTerminating(creating.error)) return {}
      if (creating.error !== undefined) events.event(set, 'Warning', 'FailedCreate', `Error creating: ${describeError(creating.error)}`)
      const error = creating.error ?? results.find((r) => r.status === 'rejected')?.reason
      return { ...(again === undefined ? {} : { again }), ...(error === undefined ? {} : { error }) }
    }

    /** The deletions that may be done now: a pod that failed again and again stays a while, so that its node is left in peace. */
    function holdBack(set: DaemonSet, plan: DaemonSetPlan): { deletions: Pod[]; again?: number } {
      let again: number | undefined
      const now = clock.monotonic()
      const held = new Set<Pod>()
      for (const pod of plan.ended) {
        const { namespace, name } = pod.metadata
        const node = pod.spec.nodeName ?? ''
        if (pod.status?.phase === 'Succeeded') {
          events.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded daemon pod ${namespace}/${name} on node ${node}, will try to delete it`)
          continue
        }
        const place = `${set.metadata.uid}/${node}`
        const until = waits.get(place) ?? 0
        if (until > now) {
          held.add(pod)
          again = Math.min(again ?? Infinity, until - now)
          continue
        }
        for (const [other, end] of waits)
          if (now - end > forgetAfter) {
            waits.delete(other)
            backoff.reset(other)
          }
        waits.set(place, now + backoff.next(place))
        events.event(set, 'Warning', 'FailedDaemonPod', `Found failed daemon pod ${namespace}/${name} on node ${node}, will try to kill it`)
      }
      return { deletions: plan.delete.filter((pod) => !held.has(pod)), ...(again === undefined ? {} : { again }) }
    }

    async function remove(key: string, set: DaemonSet, pod: Pod): Promise<void> {
      try {
        await podClient.delete(pod.metadata.name, pod.metadata.namespace, { preconditions: { uid: pod.metadata.uid! } })
        events.event(set, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`)
      } catch (error) {
        if (!isStatus(error, 'NotFound')) {
          events.event(set, 'Warning', 'FailedDelete', `Error deleting: ${describeError(error)}`)
          throw error
        }
      }
      expectations.deleted(key, pod)
    }

    async function writeStatus(set: DaemonSet, status: apps.DaemonSetStatus): Promise<void> {
      if (!isDeepStrictEqual(status, set.status)) await setClient.updateStatus({ ...set, status } as DaemonSet)
    }

    const all = () => sets.list().map(objectKey)
    /** A node's heartbeat means nothing to a daemon set; that it comes, goes, or is labelled or tainted does. */
    const onNodes: Watch = {
      ready: (signal) => nodes.ready(signal),
      subscribe: (enqueue) =>
        nodes.subscribe((event) => {
          if (event.type === 'updated' && !isPlacedAnew(event.object, event.previous)) return
          for (const key of all()) enqueue(key)
        }),
    }
    const orphans = mapped(pods, (pod) =>
      controllerOf(pod)
        ? []
        : sets
            .list(pod.metadata.namespace)
            .filter((set) => cachedSelector(set.spec.selector).matches(pod.metadata.labels))
            .map(objectKey),
    )
    return { reconcile, watches: [primary(sets), owned(pods, 'DaemonSet'), owned(revisions, 'DaemonSet'), orphans, onNodes] }
  },
})

/** Milliseconds after which failures on a node are forgotten. */
const forgetAfter = 30 * 60_000

const isPlacedAnew = (node: Node, previous: Node) =>
  !isDeepStrictEqual(node.metadata.labels, previous.metadata.labels) || !isDeepStrictEqual(node.spec?.taints, previous.spec?.taints)
