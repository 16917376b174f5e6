import { isDeepStrictEqual } from 'node:util'
import { type DeepReadonly, type core, formatTime, isStatus, objectKey, resources, splitKey, withCondition } from '#api'
import type { Controller, Watch } from '#runtime'
import { evictAfter, noExecute } from './eviction-plan.ts'

/** Deletes pods that do not tolerate the NoExecute taints of their node, or only for some time. */
export const taintEvictionController: Controller = {
  name: 'taint-eviction',
  concurrency: 8,
  setup({ client, clock, events, cache }) {
    const nodes = cache(resources.nodes)
    const pods = cache(resources.pods, { nodeName: (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []) })
    const api = client.resource(resources.pods)
    // since when a pod has been running out of time, by uid: the taints need not say when they came
    const since = new Map<string, { key: string; at: number }>()

    async function reconcile(key: string, signal: AbortSignal) {
      const pod = pods.get(key)
      if (
        !pod?.metadata.uid ||
        !pod.spec.nodeName ||
        pod.metadata.deletionTimestamp ||
        pod.status?.phase === 'Succeeded' ||
        pod.status?.phase === 'Failed'
      )
        return forget(key, pod)
      const taints = noExecute(nodes.get(pod.spec.nodeName))
      const after = taints.length === 0 ? undefined : evictAfter(taints, pod.spec.tolerations ?? [])
      if (after === undefined) {
        if (since.has(pod.metadata.uid)) events.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${key}`)
        return forget(key, pod)
      }
      const { uid } = pod.metadata
      const known = since.get(uid) ?? { key, at: startOf(taints) }
      since.set(uid, known)
      const left = known.at + after - clock.now()
      if (left > 0) return { requeueAfter: left }
      events.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${key}`)
      await evict(pod, signal)
      forget(key, pod)
    }

    /** When the youngest taint came; now, where a taint does not say. */
    function startOf(taints: readonly DeepReadonly<core.Taint>[]): number {
      const now = clock.now()
      return Math.min(now, Math.max(...taints.map((t) => (t.timeAdded ? Date.parse(t.timeAdded) : now))))
    }

    function forget(key: string, pod: DeepReadonly<core.Pod> | undefined): void {
      if (pod?.metadata.uid) return void since.delete(pod.metadata.uid)
      for (const [uid, entry] of since) if (entry.key === key) since.delete(uid)
    }

    async function evict(pod: DeepReadonly<core.Pod>, signal: AbortSignal): Promise<void> {
      const { namespace, name } = splitKey(objectKey(pod))
      const condition: core.PodCondition = {
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'DeletionByTaintManager',
        message: 'Taint manager: deleting due to NoExecute taint',
      }
      const conditions = withCondition<core.PodCondition>(
        pod.status?.conditions as core.PodCondition[] | undefined,
        condition,
        formatTime(clock.now()),
      )
      try {
        if (conditions !== pod.status?.conditions)
          await api.patch(name, namespace, 'strategic', { status: { conditions } }, { subresource: 'status', signal })
        await api.delete(name, namespace, { preconditions: { uid: pod.metadata.uid }, signal })
      } catch (error) {
        if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
      }
    }

    const podChanges: Watch = {
      ready: (signal) => pods.ready(signal),
      subscribe: (enqueue) =>
        pods.subscribe((event) => {
          const { object } = event
          if (event.type === 'updated') {
            const { previous } = event
            const relevant =
              previous.spec.nodeName !== object.spec.nodeName ||
              previous.metadata.uid !== object.metadata.uid ||
              previous.metadata.deletionTimestamp !== object.metadata.deletionTimestamp ||
              previous.spec.tolerations !== object.spec.tolerations
            if (!relevant) return
          }
          if (object.spec.nodeName) enqueue(objectKey(object))
        }),
    }
    const nodeChanges: Watch = {
      ready: (signal) => nodes.ready(signal),
      subscribe: (enqueue) =>
        nodes.subscribe((event) => {
          const before = event.type === 'updated' ? noExecute(event.previous) : []
          if (isDeepStrictEqual(before, noExecute(event.object))) return
          for (const pod of pods.byIndex('nodeName', event.object.metadata.name)) enqueue(objectKey(pod))
        }),
    }
    return { reconcile, watches: [podChanges, nodeChanges] }
  },
}
