import { isDeepStrictEqual } from 'node:util'
import type { core, policy } from '#api'
import { formatTime, isStatus, resources } from '#api'
import type { Clock, Logger, Random } from '#base'
import { describeError, realClock } from '#base'
import type { ControllerContext } from '#runtime'
import { clusterAccess } from './cluster.ts'
import type { Outcome } from './cycle.ts'
import { interestedPlugins, schedule } from './cycle.ts'
import type { ClusterReader, CycleState, Node, Pod, SchedulerPlugin, VolumeWriter } from './framework.ts'
import { priorityOf } from './framework.ts'
import { Nominations } from './nominations.ts'
import { defaultPlugins } from './plugins/index.ts'
import { awaitsVictims, planPreemption } from './preemption.ts'
import { SchedulingQueue } from './queue.ts'
import { requestOf } from './resources.ts'
import { ClusterState } from './snapshot.ts'

export interface SchedulerOptions {
  context: Pick<ControllerContext, 'client' | 'cache' | 'events' | 'clock' | 'log'>
  /** Pods with this `spec.schedulerName` are ours; `default-scheduler` when absent. */
  name?: string
  plugins?: (reader: ClusterReader, writer: VolumeWriter, clock: Clock) => SchedulerPlugin[]
  /** Breaks ties between equal nodes. */
  random?: Random
  /** Bindings on their way at the same time; 64 when absent. */
  maxBindings?: number
}

/** Milliseconds of scheduling without a pause: a long queue must not keep everything else in the process waiting. */
const slice = 5

/** Gives pods their nodes until the signal aborts. */
export async function runScheduler(options: SchedulerOptions, signal: AbortSignal): Promise<void> {
  const { context, name = 'default-scheduler', random = Math.random, maxBindings = 64 } = options
  const { client, events } = context
  const clock: Clock = context.clock ?? realClock
  const log: Logger = context.log.named('scheduler')
  const pods = context.cache<core.Pod>(resources.pods)
  const nodes = context.cache<core.Node>(resources.nodes)
  const budgets = context.cache<policy.PodDisruptionBudget>(resources.podDisruptionBudgets)
  const { reader, writer, sources } = clusterAccess(context)
  const plugins = (options.plugins ?? defaultPlugins)(reader, writer, clock)
  const preBinders = plugins.filter((plugin) => plugin.preBind)
  const preEnqueuers = plugins.filter((plugin) => plugin.preEnqueue)
  const state = new ClusterState()
  const queue = new SchedulingQueue({ clock, interested: interestedPlugins(plugins) })
  const nominations = new Nominations()
  const nominated = (node: string) => nominations.on(node)
  const podClient = client.resource(resources.pods)
  let start = 0
  let binding = 0
  let freeSlot = () => {}

  function podChanged(pod: Pod, previous: Pod | undefined): void {
    const uid = pod.metadata.uid!
    if (isFinished(pod)) return podGone(pod)
    if (pod.spec.nodeName) {
      const fresh = !state.isPlaced(uid)
      state.place(pod, pod.spec.nodeName)
      queue.remove(uid)
      nominations.delete(uid)
      if (fresh) queue.event('podAdded')
      else if (previous?.spec.nodeName && podMatters(pod, previous)) queue.event('podChanged')
      return
    }
    if (pod.metadata.deletionTimestamp) return queue.remove(uid)
    if (state.isPlaced(uid) || (pod.spec.schedulerName ?? name) !== name) return
    // a promise that was just made is not in the pod's status yet
    if (pod.status?.nominatedNodeName || !queue.has(uid)) nominations.set(pod)
    if (preEnqueuers.some((plugin) => plugin.preEnqueue!(pod))) return queue.remove(uid)
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

  await Promise.all([pods, nodes, budgets, ...sources].map((cache) => cache.ready(signal)))
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
    ...sources.flatMap(({ event, subscribe }) => (event ? [subscribe(() => queue.event(event))] : [])),
  ]
  const onAbort = () => {
    queue.close()
    freeSlot()
  }
  signal.addEventListener('abort', onAbort, { once: true })

  try {
    let sinceYield = clock.monotonic()
    while (!signal.aborted) {
      if (binding >= maxBindings) {
        await new Promise<void>((resolve) => (freeSlot = resolve))
        sinceYield = clock.monotonic()
        continue
      }
      const pod = queue.take()
      if (!pod) {
        await queue.waiting()
        sinceYield = clock.monotonic()
        continue
      }
      try {
        one(pod)
      } catch (error) {
        log.error('scheduling failed', { pod: `${pod.metadata.namespace}/${pod.metadata.name}`, error })
        queue.failed(pod.metadata.uid!)
      }
      if (clock.monotonic() - sinceYield > slice) {
        await new Promise((resolve) => setImmediate(resolve))
        sinceYield = clock.monotonic()
      }
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    for (const stop of stops) stop()
    queue.close()
  }

  function one(pod: Pod): void {
    const outcome = schedule(pod, state, { plugins, random }, start, nominated)
    if (outcome.result === 'unschedulable') {
      refuse(pod, outcome).catch((error: unknown) => {
        if (!signal.aborted && !isStatus(error, 'NotFound') && !isStatus(error, 'Conflict')) log.warn('cannot report an unschedulable pod', { error })
      })
      return
    }
    start = (start + outcome.evaluated) % Math.max(state.nodes.length, 1)
    // it counts on its node from now on, whatever the API server says later
    state.place(pod, outcome.node)
    nominations.delete(pod.metadata.uid!)
    queue.event('podAdded')
    binding++
    void bind(pod, outcome.node, outcome.state).finally(() => {
      binding--
      freeSlot()
    })
  }

  async function bind(pod: Pod, node: string, cycle: CycleState): Promise<void> {
    const { name: podName, namespace, uid } = pod.metadata
    try {
      await prepareBinding(pod, node, cycle)
      await podClient.createSubresource(podName, namespace, 'binding', {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name: podName, namespace, uid },
        target: { apiVersion: 'v1', kind: 'Node', name: node },
      })
      queue.remove(uid!)
      events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${namespace}/${podName} to ${node}`)
    } catch (error) {
      if (signal.aborted) return
      // the cache may know by now that the pod was bound after all, or is gone
      const current = pods.get(`${namespace}/${podName}`)
      if (current?.metadata.uid === uid && current?.spec.nodeName) return
      state.displace(pod)
      queue.event('podGone')
      if (isStatus(error, 'NotFound') || current?.metadata.uid !== uid) return queue.remove(uid!)
      log.warn('binding failed', { pod: `${namespace}/${podName}`, node, error })
      events.event(pod, 'Warning', 'FailedScheduling', `binding rejected: ${describeError(error)}`)
      queue.failed(uid!, current)
    }
  }

  /** What has to be there before the pod may start; it may take minutes (a volume), in which others are bound. */
  async function prepareBinding(pod: Pod, node: string, cycle: CycleState): Promise<void> {
    if (preBinders.length === 0) return
    binding--
    freeSlot()
    try {
      for (const plugin of preBinders) await plugin.preBind!(cycle, pod, node, signal)
    } finally {
      binding++
    }
  }

  async function refuse(pod: Pod, outcome: Extract<Outcome, { result: 'unschedulable' }>): Promise<void> {
    const uid = pod.metadata.uid!
    let { message } = outcome
    let nominate: string | undefined
    const waits = awaitsVictims(pod, nominations.nodeOf(uid), state)
    try {
      if (!waits) {
        const victims =
          outcome.prepared &&
          planPreemption(pod, state, outcome.prepared, outcome.rejections, budgets.list(), nominated, Math.floor(random() * state.nodes.length))
        if (victims) {
          nominate = victims.node
          await takeBackLesserPromises(pod, victims.node)
          nominations.set(pod, victims.node)
          await evict(pod, victims.pods)
        } else if (state.nodes.length > 0) message += ` preemption: ${noPreemption(pod, outcome, state.nodes.length)}`
      }
    } finally {
      queue.rejected(uid, outcome.rejectedBy)
    }
    events.event(pod, 'Warning', 'FailedScheduling', message)
    const known = pod.status?.conditions?.find((c) => c.type === 'PodScheduled')
    if (known?.status === 'False' && known.reason === 'Unschedulable' && known.message === message && !nominate) return
    const now = formatTime(clock.now())
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastProbeTime: null,
      lastTransitionTime: known?.status === 'False' ? known.lastTransitionTime : now,
    }
    await writePodStatus(pod, { conditions: [condition], ...(nominate ? { nominatedNodeName: nominate } : {}) })
  }

  async function writePodStatus({ metadata: { name: podName, namespace, uid } }: Pod, status: object): Promise<void> {
    await podClient.patch(podName, namespace, 'strategic', { metadata: { uid }, status }, { subresource: 'status', signal })
  }

  /** Less important pods that were promised this node look for another. */
  async function takeBackLesserPromises(pod: Pod, node: string): Promise<void> {
    for (const other of nominations.on(node) ?? []) {
      if (priorityOf(other) >= priorityOf(pod)) continue
      nominations.delete(other.metadata.uid!)
      await writePodStatus(other, { nominatedNodeName: null }).catch((error: unknown) => log.debug('cannot take back a nomination', { error }))
    }
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
          lastTransitionTime: formatTime(clock.now()),
        }
        try {
          await writePodStatus(victim, { conditions: [condition] })
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

const isFinished = (pod: Pod) => pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

function noPreemption(pod: Pod, outcome: Extract<Outcome, { result: 'unschedulable' }>, total: number): string {
  if (pod.spec.preemptionPolicy === 'Never') return 'not eligible due to preemptionPolicy=Never.'
  const possible = [...outcome.rejections.values()].filter((r) => r.code === 'unschedulable').length
  const parts = []
  if (possible > 0) parts.push(`${possible} No preemption victims found for incoming pod`)
  if (total - possible > 0) parts.push(`${total - possible} Preemption is not helpful for scheduling`)
  return `0/${total} nodes are available: ${parts.join(', ')}.`
}

/** Whether a placed pod's change may let another fit: its status is written often, which by itself means nothing. */
function podMatters(pod: Pod, previous: Pod): boolean {
  return (
    !isDeepStrictEqual(pod.metadata.labels, previous.metadata.labels) || !isDeepStrictEqual(requestOf(pod).requests, requestOf(previous).requests)
  )
}

/** Whether a node's change may make room: its status is written every few seconds, which by itself means nothing. */
function nodeMatters(node: Node, previous: Node): boolean {
  return (
    node.spec?.unschedulable !== previous.spec?.unschedulable ||
    !isDeepStrictEqual(node.spec?.taints, previous.spec?.taints) ||
    !isDeepStrictEqual(node.metadata.labels, previous.metadata.labels) ||
    !isDeepStrictEqual(node.status?.allocatable, previous.status?.allocatable)
  )
}
