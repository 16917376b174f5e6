import type { core } from '#api'
import { milliValue, quantityValue, restartsAfterExit } from '#api'
import type { PendingResize } from './allocation.ts'
import type { ContainerHealth, Plan } from './plan.ts'
import { resizeNeeded } from './plan.ts'
import type { Pod, RoledContainer } from './names.ts'
import { containersOf } from './names.ts'
import { qosClass } from './qos.ts'
import { cpuQuota } from './resources.ts'
import type { ContainerRecord, PodRecord } from './records.ts'
import { latestByName } from './records.ts'
import { mayRestartAll, restartAllTrigger } from './restart-all.ts'

/** Why a container waits, e.g. `CrashLoopBackOff`. */
export interface WaitingReason {
  reason: string
  message?: string
}

export interface StatusInput {
  pod: Pod
  record: PodRecord
  /** Wall-clock milliseconds. */
  now: number
  /** The node's addresses, the primary one first. */
  nodeIPs: readonly string[]
  /** Containers that could not be started, or that wait for their restart. */
  waiting: ReadonlyMap<string, WaitingReason>
  health(record: ContainerRecord): ContainerHealth & { ready: boolean }
  plan: Pick<Plan, 'over' | 'initFailed'>
  /** The pod has to end: containers that never ran will not. */
  ending: boolean
  /** What became of the last change of the pod's resources. */
  resize?: { pending?: PendingResize | undefined; error?: string | undefined }
  /** The runtime can make read-only mounts so in depth. */
  recursiveReadOnly?: boolean
  /** Set when the kubelet itself failed the pod: `DeadlineExceeded`, `Evicted`, …; a pod that was `rejected` never had a container to tell of. */
  failure?: { reason: string; message: string; disruption?: { reason: string; message: string }; rejected?: boolean } | undefined
}

type Status = core.PodStatus
type ContainerStatus = core.ContainerStatus

/** The pod's status as its containers, its spec and its last status give it. Pure. */
export function podStatus(input: StatusInput): Status {
  const { pod, record, now, failure } = input
  const previous = pod.status ?? {}
  const all = containersOf(pod)
  const statuses = new Map(all.map((c) => [c.spec.name, containerStatus(input, c)]))
  const of = (roles: RoledContainer['role'][]) => all.filter((c) => roles.includes(c.role)).map((c) => statuses.get(c.spec.name)!)
  const initial = of(['init', 'sidecar'])
  const ephemeral = of(['ephemeral'])
  const computed = failure && (input.plan.over || record.containers.every((c) => c.state !== 'running')) ? 'Failed' : phase(input, all, statuses)
  const lasting = isTerminal(previous.phase) ? previous.phase! : computed
  const ips = podIPs(input)
  const status: Status = {
    ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    phase: lasting,
    conditions: [],
    ...(failure ? { reason: failure.reason, message: failure.message } : isTerminal(previous.phase) ? keepReason(previous) : {}),
    hostIP: input.nodeIPs[0],
    hostIPs: input.nodeIPs.map((ip) => ({ ip })),
    ...(ips.length > 0 ? { podIP: ips[0]!, podIPs: ips.map((ip) => ({ ip })) } : {}),
    startTime: previous.startTime ?? timestamp(now),
    ...(initial.length > 0 && !failure?.rejected ? { initContainerStatuses: initial } : {}),
    ...(failure?.rejected ? {} : { containerStatuses: of(['regular']) }),
    qosClass: previous.qosClass ?? qosClass(pod),
    ...(ephemeral.length > 0 ? { ephemeralContainerStatuses: ephemeral } : {}),
  }
  status.conditions = conditions(input, status, all, statuses)
  return status
}

const keepReason = (previous: Pod['status'] & {}) => ({
  ...(previous.reason ? { reason: previous.reason } : {}),
  ...(previous.message ? { message: previous.message } : {}),
})

export const isTerminal = (phase: string | undefined): boolean => phase === 'Succeeded' || phase === 'Failed'

/** RFC 3339 in whole seconds, as the API's times are. */
export function timestamp(millis: number): string {
  return new Date(millis).toISOString().replace(/\.\d+Z$/, 'Z')
}

function podIPs({ pod, record, nodeIPs }: StatusInput): string[] {
  if (pod.spec?.hostNetwork) return [...nodeIPs]
  const ready = record.sandboxes.find((s) => s.ready)
  if (ready && ready.ips.length > 0) return ready.ips
  // The address of a pod that is over stays in its status.
  return pod.status?.podIPs?.map((p) => p.ip ?? '').filter((ip) => ip !== '') ?? []
}

function containerStatus(input: StatusInput, container: RoledContainer): ContainerStatus {
  const { spec, role } = container
  const { pod, record, waiting, health } = input
  const attempts = record.containers.filter((c) => c.name === spec.name)
  const [newest, older] = attempts
  const old = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
    ...(pod.status?.ephemeralContainerStatuses ?? []),
  ].find((s) => s.name === spec.name)
  if (!newest) return withoutRecord(input, container, old as ContainerStatus | undefined)
  const running = newest.state === 'running'
  const state = runtimeState(newest)
  const lastState = older && older.state !== 'created' ? runtimeState(older) : undefined
  const { started, ready } = running ? health(newest) : { started: false, ready: false }
  const done = role === 'init' && newest.state === 'exited' && newest.exitCode === 0
  const status: ContainerStatus = {
    name: spec.name,
    state,
    lastState: lastState ?? {},
    ready: role === 'init' ? done : role === 'ephemeral' ? false : running && ready,
    restartCount: newest.attempt,
    image: newest.image || (spec.image ?? ''),
    imageID: newest.imageID,
    containerID: `containerd://${newest.id}`,
    started: role === 'init' ? false : running && started,
    ...(running ? applied(spec, newest) : {}),
    ...mountStatuses(spec, input.recursiveReadOnly ?? false),
  }
  const reason = waiting.get(spec.name)
  // What waits to be started again is waiting; how it ended last moves to lastState.
  if (reason && !running && !done && !input.ending) {
    if (state.terminated) status.lastState = state
    status.state = { waiting: { ...reason } }
  }
  return status
}

/** A container's mounts; of those that are read-only, whether what is mounted below them is so, too (KEP-3857). */
function mountStatuses({ volumeMounts = [] }: RoledContainer['spec'], supported: boolean): Pick<ContainerStatus, 'volumeMounts'> {
  if (volumeMounts.length === 0) return {}
  return {
    volumeMounts: volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly = 'Disabled' }) => ({
      name,
      mountPath,
      ...(readOnly ? { readOnly, recursiveReadOnly: supported && recursiveReadOnly !== 'Disabled' ? 'Enabled' : 'Disabled' } : {}),
    })),
  }
}

/** The resources that a running container has, in the spec's own terms where they hold. */
function applied(spec: RoledContainer['spec'], { resources }: ContainerRecord): Pick<ContainerStatus, 'allocatedResources' | 'resources'> {
  const { requests, limits } = spec.resources ?? {}
  if (!requests && !limits) return {}
  const now = { ...limits }
  if (resources && limits?.cpu !== undefined && resources.cpuQuota !== Math.max(cpuQuota(milliValue(limits.cpu)), 0))
    now.cpu = `${Math.round(resources.cpuQuota / 100)}m`
  if (resources && limits?.memory !== undefined && resources.memory !== quantityValue(limits.memory)) now.memory = String(resources.memory)
  return {
    ...(requests ? { allocatedResources: { ...requests } } : {}),
    resources: { ...(limits ? { limits: now } : {}), ...(requests ? { requests: { ...requests } } : {}) },
  }
}

/** A container of which the runtime has nothing: not started yet, or gone. */
function withoutRecord(input: StatusInput, { spec, role }: RoledContainer, old: ContainerStatus | undefined): ContainerStatus {
  if (old?.state?.terminated) return { ...old, ready: role === 'init' && old.state.terminated.exitCode === 0, started: false }
  const gone = input.ending || input.plan.over
  const hadRun = old?.state?.running !== undefined || (old?.containerID ?? '') !== ''
  const blank = { ready: false, restartCount: old?.restartCount ?? 0, image: spec.image ?? '', imageID: old?.imageID ?? '', started: false }
  if (gone && hadRun) {
    const terminated = {
      exitCode: 137,
      reason: 'ContainerStatusUnknown',
      message: `The container could not be located when the pod was ${input.pod.metadata.deletionTimestamp ? 'deleted' : 'terminated'}`,
    }
    return { name: spec.name, state: { terminated }, lastState: {}, ...blank }
  }
  const hasInit = (input.pod.spec?.initContainers ?? []).length > 0
  const reason = input.waiting.get(spec.name) ?? { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' }
  return { name: spec.name, state: { waiting: { ...reason } }, lastState: old?.lastState ?? {}, ...blank }
}

function runtimeState(record: ContainerRecord): core.ContainerState {
  switch (record.state) {
    case 'running':
      return { running: { startedAt: timestamp(record.startedAt) } }
    case 'created':
      return { waiting: { reason: 'ContainerCreating' } }
    case 'exited':
      return {
        terminated: {
          exitCode: record.exitCode,
          ...(record.reason ? { reason: record.reason } : {}),
          ...(record.message ? { message: record.message } : {}),
          startedAt: timestamp(record.startedAt),
          finishedAt: timestamp(record.finishedAt),
          containerID: `containerd://${record.id}`,
        },
      }
    case 'unknown':
      return {
        terminated: { exitCode: 137, reason: 'ContainerStatusUnknown', message: 'The container could not be located when the pod was terminated' },
      }
  }
}

function phase(input: StatusInput, all: RoledContainer[], statuses: Map<string, ContainerStatus>): core.PodStatus['phase'] {
  const policy = input.pod.spec?.restartPolicy ?? 'Always'
  const again = returning(input)
  const counts = { waiting: 0, running: 0, stopped: 0, succeeded: 0 }
  let initializing = 0
  let sidecarsRunning = 0
  const mainBegan = all.some((c) => c.role === 'regular' && !statuses.get(c.spec.name)?.state?.waiting)
  for (const { spec, role } of all) {
    const { state, lastState, started } = statuses.get(spec.name)!
    if (role === 'sidecar') {
      if (state?.running) sidecarsRunning++
      if (!mainBegan && !(state?.running && started)) initializing++
    } else if (role === 'init') {
      if (!mainBegan && !(state?.terminated?.exitCode === 0)) initializing++
    } else if (role === 'regular') {
      if (state?.running) counts.running++
      else if (state?.terminated) {
        counts.stopped++
        if (state.terminated.exitCode === 0) counts.succeeded++
      } else if (lastState?.terminated) counts.stopped++
      else counts.waiting++
    }
  }
  if (input.plan.initFailed) return sidecarsRunning > 0 ? 'Pending' : 'Failed'
  const total = all.filter((c) => c.role === 'regular').length
  if (input.plan.over && (input.pod.metadata.deletionTimestamp !== undefined || input.ending)) {
    return counts.succeeded === total && total > 0 ? 'Succeeded' : 'Failed'
  }
  if (initializing > 0 || counts.waiting > 0) return 'Pending'
  if (counts.running > 0 || sidecarsRunning > 0) return 'Running'
  if (counts.stopped < total) return 'Pending'
  for (const { spec, role } of all) {
    if (role !== 'regular') continue
    const { state } = statuses.get(spec.name)!
    if (!state?.terminated || again(spec.name) || restartsAfterExit(spec, policy, state.terminated.exitCode)) return 'Running'
  }
  return counts.succeeded === counts.stopped ? 'Succeeded' : 'Failed'
}

/** Whether a container comes back because the exit of another, or its own, restarts all of them. */
function returning({ pod, record }: StatusInput): (container: string) => boolean {
  const trigger = restartAllTrigger(pod, record)
  if (!trigger) return () => false
  const latest = latestByName(record)
  return (name) => (latest.get(name)?.createdAt ?? 0) < trigger.finishedAt
}

/** True from the exit that restarts all containers until the first of them runs again; only pods with such a rule have it. */
function allRestarting({ pod, record }: StatusInput, phase: string | undefined): Verdict | undefined {
  if (!mayRestartAll(pod)) return undefined
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const trigger = restartAllTrigger(pod, record)
  if (!trigger || record.containers.some((c) => c.createdAt >= trigger.finishedAt)) return { status: 'False' }
  return { status: 'True', reason: 'RestartAllContainersStarted', message: 'container exited with restart policy rule' }
}

/** The conditions that the kubelet owns, in upstream's order; those of others are kept as they are. */
export const ownedConditions = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
  'PodScheduled',
  'AllContainersRestarting',
  'PodResizePending',
  'PodResizeInProgress',
] as const

function conditions(input: StatusInput, status: Status, all: RoledContainer[], statuses: Map<string, ContainerStatus>): core.PodCondition[] {
  const { pod, record, failure } = input
  const over = isTerminal(status.phase)
  const sandboxReady = record.sandboxes.some((s) => s.ready && (s.hostNetwork || s.ips.length > 0))
  const truth = (value: boolean) => (value ? 'True' : 'False')
  const containersReady = readiness(all, statuses, status.phase)
  const list: core.PodCondition[] = [
    { type: 'PodReadyToStartContainers', status: truth(sandboxReady) },
    { type: 'Initialized', ...initialized(all, statuses, status.phase) },
    { type: 'Ready', ...(containersReady.status === 'True' ? gates(pod) : containersReady) },
    { type: 'ContainersReady', ...containersReady },
    { type: 'PodScheduled', status: 'True' },
  ]
  const restarting = allRestarting(input, status.phase)
  if (restarting) list.push({ type: 'AllContainersRestarting', ...restarting })
  if (!over) list.push(...resizing(input, all))
  if (failure?.disruption && over) list.push({ type: 'DisruptionTarget', status: 'True', ...failure.disruption })
  const previous = pod.status?.conditions ?? []
  const owned = list.map((condition) =>
    settle(
      condition,
      previous.find((p) => p.type === condition.type),
      status.observedGeneration,
      input.now,
    ),
  )
  const ours: readonly string[] = [...ownedConditions, ...list.map((c) => c.type)]
  const others = previous.filter((p) => !ours.includes(p.type))
  return [...owned, ...others.map((c) => ({ ...c }))]
}

/** A resize that waits, and one that is under way: gone when nothing is left of them. */
function resizing({ pod, record, resize }: StatusInput, all: RoledContainer[]): core.PodCondition[] {
  const list: core.PodCondition[] = []
  if (resize?.pending) list.push({ type: 'PodResizePending', status: 'True', ...resize.pending })
  const latest = latestByName(record)
  const underWay = all.some(({ spec }) => {
    const running = latest.get(spec.name)
    if (running?.state !== 'running') return false
    const { cpu, memory } = resizeNeeded(pod, spec, running)
    return cpu || memory
  })
  const { error } = resize ?? {}
  if (underWay) list.push({ type: 'PodResizeInProgress', status: 'True', ...(error ? { reason: 'Error', message: error } : {}) })
  return list
}

/** Keeps the time of a condition's last change. */
function settle(
  condition: core.PodCondition,
  previous: core.PodCondition | undefined,
  generation: number | undefined,
  now: number,
): core.PodCondition {
  const same = previous?.status === condition.status
  return {
    ...condition,
    ...(generation !== undefined ? { observedGeneration: generation } : {}),
    lastTransitionTime: (same ? previous?.lastTransitionTime : undefined) ?? timestamp(now),
  }
}

type Verdict = Pick<core.PodCondition, 'status' | 'reason' | 'message'>

function readiness(all: RoledContainer[], statuses: Map<string, ContainerStatus>, phase: string | undefined): Verdict {
  if (phase === 'Succeeded') return { status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { status: 'False', reason: 'PodFailed' }
  const unready = all
    .filter(({ spec, role }) => (role === 'regular' || role === 'sidecar') && !statuses.get(spec.name)?.ready)
    .map((c) => c.spec.name)
  if (unready.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ContainersNotReady', message: `containers with unready status: [${unready.join(' ')}]` }
}

function gates(pod: Pod): Verdict {
  const problems: string[] = []
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const condition = pod.status?.conditions?.find((c) => c.type === conditionType)
    if (!condition) problems.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`)
    else if (condition.status !== 'True') problems.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`)
  }
  if (problems.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ReadinessGatesNotReady', message: problems.join(', ') }
}

function initialized(all: RoledContainer[], statuses: Map<string, ContainerStatus>, phase: string | undefined): Verdict {
  if (phase === 'Succeeded') return { status: 'True', reason: 'PodCompleted' }
  const mainBegan = all.some((c) => c.role === 'regular' && (statuses.get(c.spec.name)?.containerID ?? '') !== '')
  if (mainBegan) return { status: 'True' }
  const incomplete = all
    .filter(({ spec, role }) => {
      const s = statuses.get(spec.name)
      return role === 'init' ? s?.state?.terminated?.exitCode !== 0 : role === 'sidecar' && !s?.started
    })
    .map((c) => c.spec.name)
  if (incomplete.length === 0) return { status: 'True' }
  return { status: 'False', reason: 'ContainersNotInitialized', message: `containers with incomplete status: [${incomplete.join(' ')}]` }
}
