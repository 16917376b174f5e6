import type { apps, core, policy, storage } from '#api'
import { isStatus, resources } from '#api'
import type { Clock, Logger, Random } from '#base'
import { describeError, realClock } from '#base'
import type { ControllerContext } from '#runtime'
import type { Outcome } from './cycle.ts'
import { interestedPlugins, schedule } from './cycle.ts'
import type { ClusterEvent, ClusterReader, CycleState, Pod, SchedulerPlugin } from './framework.ts'
import { priorityOf } from './framework.ts'
import { awaitsVictims, planPreemption } from './preemption.ts'
import { defaultPlugins } from './plugins/index.ts'
import { SchedulingQueue } from './queue.ts'
import { ClusterState } from './snapshot.ts'

export interface SchedulerOptions {
  context: Pick<ControllerContext, 'client' | 'cache' | 'events' | 'clock' | 'log'>
  /** Pods with this `spec.schedulerName` are ours; `default-scheduler` when absent. */
  name?: string
  plugins?: (reader: ClusterReader) => SchedulerPlugin[]
  /** Breaks ties between equal nodes. */
  random?: Random
  /** Bindings on their way at the same time; 64 when absent. */
  maxBindings?: number
}

/** Gives pods their nodes until the signal aborts. */
export async function runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { context, name = 'default-scheduler', random = Math.random, maxBindings = 64 } = options
  const { client, events } = context
  const clock: Clock = context.clock ?? realClock
  const log: Logger = context.log.named('scheduler')
  const pods = context.cache<core.Pod>(resources.pods)
  const nodes = context.cache<core.Node>(resources.nodes)
  const budgets = context.cache<policy.PodDisruptionBudget>(resources.podDisruptionBudgets)
  const { reader, sources } = clusterReader(context)
  const plugins = (options.plugins ?? defaultPlugins)(reader)
  const state = new ClusterState()
  const queue = new SchedulingQueue({ clock, interested: interestedPlugins(plugins) })
  /** Pods that preemption promised a node. */
  const nominations = new Map<string, Pod>()
  const podClient = client.resource(resources.pods)
  let start = 0
  let binding = 0
  let freeSlot = () => {}

  const terminal = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

  function podChanged(pod: Pod, previous: Pod | undefined): void {
    const uid = pod.metadata.uid!
    if (terminal(pod)) return podGone(pod)
    if (pod.spec.nodeName) {
      const fresh = !state.isPlaced(uid)
      state.place(pod, pod.spec.nodeName)
      queue.done(uid)
      nominations.delete(uid)
      if (fresh) queue.event('podAdded')
      else if (previous && (previous.metadata.labels !== pod.metadata.labels || previous.spec !== pod.spec)) queue.event('podChanged')
      return
    }
    if (state.isPlaced(uid) || (pod.spec.schedulerName ?? name) !== name || pod.metadata.deletionTimestamp) {
      if (pod.metadata.deletionTimestamp) queue.remove(uid)
      return
    }
    if (pod.status?.nominatedNodeName) nominations.set(uid, pod)
    else nominations.delete(uid)
    if (plugins.some((plugin) => plugin.preEnqueue?.(pod))) return queue.remove(uid)
    queue.add(pod)
  }

  function podGone(pod: Pod): void {
    const uid = pod.metadata.uid!
    queue.remove(uid)
    nominations.delete(uid)
    if (!state.isPlaced(uid)) return
    state.displace(pod)
    queue.event('podGone')
  }

  await Promise.all([pods.ready(signal), nodes.ready(signal), budgets.ready(signal), ...sources.map(({ cache }) => cache.ready(signal))])
  const stops = [
    nodes.subscribe((event) => {
      if (event.type === 'deleted') return state.removeNode(event.object.metadata.name)
      state.setNode(event.object)
      if (event.type === 'added') queue.event('nodeAdded')
      else if (nodeMatters(event.object, event.previous)) queue.event('nodeChanged')
    }),
    pods.subscribe((event) =>
      event.type === 'deleted' ? podGone(event.object) : podChanged(event.object, event.type === 'updated' ? event.previous : undefined),
    ),
    ...sources.map(({ cache, event }) => cache.subscribe(() => queue.event(event))),
  ]
  signal.addEventListener('abort', () => queue.close(), { once: true })

  try {
    let sinceYield = clock.monotonic()
    while (!signal.aborted) {
      if (binding >= maxBindings) {
        await new Promise<void>((resolve) => (freeSlot = resolve))
        continue
      }
      const pod = queue.take()
      if (!pod) {
        await queue.waiting()
        continue
      }
      try {
        one(pod)
      } catch (error) {
        log.error('scheduling failed', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error })
        queue.failed(pod.metadata.uid!)
      }
      // a long queue must not keep everything else in the process waiting
      if (clock.monotonic() - sinceYield > 5) {
        await new Promise((resolve) => setImmediate(resolve))
        sinceYield = clock.monotonic()
      }
    }
  } finally {
    for (const stop of stops) stop()
    queue.close()
  }

  function one(pod: Pod): void {
    const uid = pod.metadata.uid!
    const nominated = (node: string) => (nominations.size === 0 ? [] : [...nominations.values()].filter((p) => p.status?.nominatedNodeName === node))
    const outcome = schedule(pod, state, { plugins, random }, start, nominated)
    if (outcome.result === 'fits') {
      start = (start + outcome.evaluated) % Math.max(state.nodes.length, 1)
      // it counts on its node from now on, whatever the API server says later
      state.place(pod, outcome.node)
      nominations.delete(uid)
      binding++
      void bind(pod, outcome.node, outcome.state).finally(() => {
        binding--
        freeSlot()
      })
      return
    }
    void refuse(pod, outcome).catch((error: unknown) => {
      if (!signal.aborted && !isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) log.warn('cannot report an unschedulable pod', { error })
    })
  }

  async function bind(pod: Pod, node: string, cycle: CycleState): Promise<void> {
    const { name: podName, namespace, uid } = pod.metadata
    try {
      for (const plugin of plugins) await plugin.preBind?.(cycle, pod, node, signal)
      await podClient.createSubresource(podName, namespace, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: podName, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      })
      queue.done(uid!)
      events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${podName} to ${node}`)
    } catch (error) {
      if (signal.aborted) return
      // the cache knows by now if the pod was bound after all, or is gone
      const current = pods.get(`${namespace}/${podName}`)
      if (current?.metadata.uid === uid && current?.spec.nodeName) return
      state.displace(pod)
      queue.event('podGone')
      if (isStatus(error, 'NotFound') || !current) return queue.remove(uid!)
      log.warn('binding failed', { pod: `${namespace}/${podName}`, node, error })
      events.event(pod, 'Warning', 'FailedScheduling', `binding rejected: ${describeError(error)}`)
      queue.failed(uid!)
    }
  }

  async function refuse(pod: Pod, outcome: Extract<Outcome, { result: 'unschedulable' }>): Promise<void> {
    let { message } = outcome
    let nominate: string | undefined
    if (outcome.prepared && !awaitsVictims(pod, state)) {
      const victims = planPreemption(pod, state, outcome.prepared, outcome.rejections, budgets.list())
      if (victims) {
        nominate = victims.node
        nominations.set(pod.metadata.uid!, { ...pod, status: { ...pod.status, nominatedNodeName: victims.node } })
        await evict(pod, victims.pods)
      } else message += ` preemption: ${noPreemption(outcome, state.nodes.length)}`
    }
    queue.rejected(pod.metadata.uid!, outcome.rejectedBy)
    events.event(pod, 'Warning', 'FailedScheduling', message)
    const known = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    if (known?.status === 'False' && known.message === message && !nominate) return
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: rfc3339(clock.now()),
    }
    await podClient.patch(
      pod.metadata.name,
      pod.metadata.namespace,
      'strategic',
      { metadata: { uid: pod.metadata.uid }, status: { conditions: [condition], ...(nominate ? { nominatedNodeName: nominate } : {}) } },
      { subresource: 'status', signal },
    )
  }

  async function evict(pod: Pod, victims: readonly Pod[]): Promise<void> {
    await Promise.all(
      victims.map(async (victim) => {
        const { name: victimName, namespace, uid } = victim.metadata
        const message = `${name}: preempting to accommodate a higher priority pod`
        const condition = {
          type: 'DisruptionTarget',
          status: 'True',
          reason: 'PreemptionByScheduler',
          message,
          lastTransitionTime: rfc3339(clock.now()),
        }
        try {
          await podClient.patch(
            victimName,
            namespace,
            'strategic',
            { metadata: { uid }, status: { conditions: [condition] } },
            { subresource: 'status', signal },
          )
          await podClient.delete(victimName, namespace, { preconditions: { uid: uid! }, signal })
        } catch (error) {
          if (!isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) throw error
        }
        events.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${victim.spec.nodeName ?? ''}`)
        log.info('preempted', { pod: `${namespace}/${victimName}`, by: `${pod.metadata.namespace}/${pod.metadata.name}`, priority: priorityOf(pod) })
      }),
    )
  }
}

const rfc3339 = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

function noPreemption(outcome: Extract<Outcome, { result: 'unschedulable' }>, total: number): string {
  const never = [...outcome.rejections.values()].filter((r) => r.code === 'unresolvable').length
  const parts = []
  if (total - never > 0) parts.push(`${total - never} No preemption victims found for incoming pod`)
  if (never > 0) parts.push(`${never} Preemption is not helpful for scheduling`)
  return `0/${total} nodes are available${parts.length > 0 ? `: ${parts.join(', ')}` : ''}.`
}

/** Whether a node's change may make room: its status is written every few seconds, which by itself means nothing. */
function nodeMatters(node: Parameters<ClusterState['setNode']>[0], previous: Parameters<ClusterState['setNode']>[0]): boolean {
  const relevant = (n: typeof node) => JSON.stringify([n.spec?.unschedulable, n.spec?.taints, n.metadata.labels, n.status?.allocatable])
  return relevant(node) !== relevant(previous)
}

function clusterReader(context: Pick<ControllerContext, 'cache'>): {
  reader: ClusterReader
  sources: { cache: Pick<ReturnType<typeof context.cache>, 'ready'> & { subscribe(fn: () => void): () => void }; event: ClusterEvent }[]
} {
  const services = context.cache<core.Service>(resources.services)
  const replicaSets = context.cache<apps.ReplicaSet>(resources.replicaSets)
  const namespaces = context.cache<core.Namespace>(resources.namespaces)
  const claims = context.cache<core.PersistentVolumeClaim>(resources.persistentVolumeClaims)
  const volumes = context.cache<core.PersistentVolume>(resources.persistentVolumes)
  const classes = context.cache<storage.StorageClass>(resources.storageClasses)
  return {
    reader: {
      services: (namespace) => services.list(namespace),
      replicaSet: (namespace, name) => replicaSets.get(`${namespace}/${name}`),
      namespaceLabels: (name) => namespaces.get(name)?.metadata.labels,
      namespaces: () => namespaces.list(),
      claim: (namespace, name) => claims.get(`${namespace}/${name}`),
      volume: (name) => volumes.get(name),
      bindingMode: (name) => classes.get(name)?.volumeBindingMode,
    },
    sources: [
      { cache: services, event: 'serviceChanged' },
      { cache: replicaSets, event: 'serviceChanged' },
      { cache: namespaces, event: 'podChanged' },
      { cache: claims, event: 'volumeChanged' },
      { cache: volumes, event: 'volumeChanged' },
      { cache: classes, event: 'volumeChanged' },
    ],
  }
}
