import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { EventRecorder } from '#runtime'
import type { core } from '#api'
import type { PodCgroups } from '../cgroups/pod-cgroups.ts'
import type { Prober } from '../probes/prober.ts'
import type { PendingResize } from './allocation.ts'
import { givenBefore, sameResources, withResources } from './allocation.ts'
import type { Pod, RoledContainer } from './names.ts'
import { containersOf, fieldPath, podDescription } from './names.ts'
import type { Action, Ending, Plan } from './plan.ts'
import { ownGrace, planPod } from './plan.ts'
import type { PodOperations } from './pod-operations.ts'
import type { RecordCache } from './record-cache.ts'
import type { ContainerRecord, PodRecord } from './records.ts'
import { emptyRecord } from './records.ts'
import { RestartBackoff } from './restart-backoff.ts'
import { SandboxFailure, StartFailure, goDuration } from './start-failure.ts'
import type { StatusInput, WaitingReason } from './status.ts'
import { isTerminal, ownedConditions, podStatus } from './status.ts'
import type { StatusSender } from './status-sender.ts'

export interface PodWorkerOptions {
  pod: Pod
  records: RecordCache
  operations: PodOperations
  prober: Prober
  statuses: StatusSender
  cgroups: PodCgroups
  events: EventRecorder
  clock: Clock
  log: Logger
  nodeIPs: readonly string[]
  /** Why the node cannot give a pod what it wants; undefined when it can. */
  pendingResize(pod: Pod, given: Pod): PendingResize | undefined
  /** The runtime can make read-only mounts so in depth. */
  recursiveReadOnly?(): boolean
  /** Called once, when nothing of the pod is left on the node. */
  onGone(uid: string): void
}

/** The kubelet gives up on a pod: its status becomes Failed with this reason. */
export type PodFailure = NonNullable<StatusInput['failure']> & { graceSeconds?: number }

/** Drives one pod, from its first appearance to the end of everything that it left on the node. */
export interface PodWorker {
  readonly pod: Pod
  /** The pod with the resources that it has been given, which may be others than it wants now. */
  readonly given: Pod
  /** No container of the pod runs and none will. */
  readonly over: boolean
  readonly status: core.PodStatus | undefined
  /** The pod as the API has it now. */
  update(pod: Pod): void
  /** The pod is no longer in the API. */
  removed(): void
  /** Ends the pod as Failed; the first failure counts. */
  fail(failure: PodFailure): void
  /** Others of the node's pods changed: a resize that was put off may be possible. */
  retryResize(): void
  /** Looks again; calls while one is due already count as one. */
  wake(): void
  /** Something that failed for want of it may have come: tries again without waiting for the back-off. */
  retry(): void
  /** Stops working; containers stay as they are. Resolves when nothing is under way. */
  stop(): Promise<void>
}

/** What is busy besides containers, under names that no container can have. */
const sandboxWork = '@sandbox'
const prepareWork = '@prepare'

/** How long after a failure a step is tried again where nothing better is known, milliseconds. */
const firstRetry = 500
const maxRetry = 30_000
/** For starts that fail by their configuration. */
const configRetry = 10_000

export function createPodWorker(options: PodWorkerOptions): PodWorker {
  const { records, operations, prober, statuses, cgroups, events, clock, log, onGone } = options
  const uid = options.pod.metadata.uid ?? ''
  let pod = options.pod
  let given = givenBefore(pod)
  let pending: PendingResize | undefined
  let resizeError: string | undefined
  let gone = false
  let failure: PodFailure | undefined
  let status: core.PodStatus | undefined
  let prepared = false
  let over = false
  let tornDown = false
  let finished = false
  let scheduled = false
  let cancelTimer = () => {}
  const stopping = new AbortController()
  const tasks = new Map<string, Promise<void>>()
  const busy = new Map<string, AbortController>()
  const waiting = new Map<string, WaitingReason>()
  const retryAt = new Map<string, number>()
  const failures = new Map<string, number>()
  const held = new Map<string, string>()
  const restarts = new RestartBackoff()

  function wake(): void {
    if (scheduled || finished || stopping.signal.aborted) return
    scheduled = true
    queueMicrotask(() => {
      scheduled = false
      if (!finished && !stopping.signal.aborted) step()
    })
  }

  /** Gives the pod what it wants, where the node can. */
  function allocate(): void {
    pending = sameResources(pod, given) ? undefined : options.pendingResize(pod, given)
    if (pending) return
    const whole = JSON.stringify(pod.spec?.resources) !== JSON.stringify(given.spec?.resources)
    given = pod
    // limits of the pod as a whole are its cgroup's, whether or not any container's change
    if (whole && prepared) run('cgroup:', undefined, () => cgroups.ensure(given))
  }
  allocate()

  const record = (): PodRecord => records.get(uid) ?? emptyRecord(uid, pod.metadata.namespace ?? '', pod.metadata.name)

  function ending(): Ending | undefined {
    if (pod.metadata.deletionTimestamp) {
      const asked = pod.metadata.deletionGracePeriodSeconds ?? ownGrace(pod)
      return { graceSeconds: gone ? Math.min(asked, 1) : asked, until: Date.parse(pod.metadata.deletionTimestamp) }
    }
    if (gone) return { graceSeconds: 1 }
    if (failure) return { graceSeconds: failure.graceSeconds ?? ownGrace(pod) }
    if (isTerminal(pod.status?.phase) || isTerminal(status?.phase)) return { graceSeconds: ownGrace(pod) }
    return undefined
  }

  function step(): void {
    cancelTimer()
    const now = clock.now()
    const deadline = activeDeadline(now)
    const end = ending()
    if (end) for (const controller of busy.values()) controller.abort()
    const current = record()
    prober.sync(pod, current, podIP(), end !== undefined)
    const plan = planPod({
      pod: withResources(pod, given),
      record: current,
      now,
      ending: end,
      prepared,
      busy: new Set(busy.keys()),
      health: (c) => prober.health(c),
      restartAllowedAt: (name, failedAt) => restarts.allowedAt(name, failedAt),
      retryStartAt: (name) => retryAt.get(name) ?? 0,
      retrySandboxAt: retryAt.get(sandboxWork) ?? 0,
    })
    over = plan.over
    for (const action of plan.actions) if (action.type === 'holdRestart') hold(action)
    report(plan, current, end !== undefined, now)
    for (const action of plan.actions) launch(action)
    if (plan.over) finish()
    const again = Math.min(plan.again ?? Number.POSITIVE_INFINITY, deadline ?? Number.POSITIVE_INFINITY, ...pendingRetries(now))
    if (Number.isFinite(again) && !finished) cancelTimer = clock.schedule(Math.max(again - now, 1), wake)
  }

  /** Held-back steps of the worker's own; those of containers and the sandbox come with the plan. */
  const pendingRetries = (now: number) => [...retryAt].filter(([key, at]) => key.includes(':') && at > now).map(([, at]) => at)

  function activeDeadline(now: number): number | undefined {
    const seconds = pod.spec?.activeDeadlineSeconds
    const start = pod.status?.startTime ?? status?.startTime
    if (seconds === undefined || start === undefined || over || failure) return undefined
    const at = Date.parse(start) + seconds * 1000
    if (at > now) return at
    const message = 'Pod was active on the node longer than the specified deadline'
    events.event(pod as core.Pod, 'Normal', 'DeadlineExceeded', message)
    failure = { reason: 'DeadlineExceeded', message }
    return undefined
  }

  function podIP(): string {
    if (pod.spec?.hostNetwork) return options.nodeIPs[0] ?? ''
    return record().sandboxes.find((s) => s.ready)?.ips[0] ?? ''
  }

  function report(plan: Plan, current: PodRecord, isEnding: boolean, now: number): void {
    status = podStatus({
      pod: withResources(status ? { ...pod, status: remembered(pod, status) } : pod, given),
      resize: { pending, error: resizeError },
      recursiveReadOnly: options.recursiveReadOnly?.() ?? false,
      record: current,
      now,
      nodeIPs: options.nodeIPs,
      waiting,
      health: (c) => {
        const health = prober.health(c)
        // Until its postStart hook is over a container is not started, whatever its probes say.
        return busy.has(c.name) && hasPostStart(c.name) ? { ...health, started: false, ready: false } : health
      },
      plan,
      ending: isEnding,
      failure,
    })
    if (!gone) statuses.set(pod, status)
  }

  const hasPostStart = (name: string) => containersOf(pod).some((c) => c.spec.name === name && c.spec.lifecycle?.postStart !== undefined)

  function hold({ container, record: dead, until }: Extract<Action, { type: 'holdRestart' }>): void {
    const { name } = container.spec
    const delay = goDuration(restarts.delay(name))
    waiting.set(name, { reason: 'CrashLoopBackOff', message: `back-off ${delay} restarting failed container=${name} pod=${podDescription(pod)}` })
    if (held.get(name) === dead.id) return
    held.set(name, dead.id)
    log.debug('container waits for its restart', { pod: podDescription(pod), container: name, until: new Date(until).toISOString() })
    const message = `Back-off restarting failed container ${name} in pod ${podDescription(pod)}`
    events.event(pod as core.Pod, 'Warning', 'BackOff', message, { fieldPath: fieldPath(container) })
  }

  function launch(action: Action): void {
    switch (action.type) {
      case 'prepare':
        return run('prepare:', prepareWork, (signal) => prepare(signal))
      case 'createSandbox':
        return run(sandboxWork, sandboxWork, (signal) => createSandbox(action.attempt, signal))
      case 'startContainer':
        return run(`start:${action.container.spec.name}`, action.container.spec.name, (signal) => start(action, signal))
      case 'killContainer':
        return run(`kill:${action.record.id}:${action.graceSeconds}`, undefined, () => operations.kill(pod, action, podIP()))
      case 'resizeContainer':
        return run(`resize:${action.record.id}`, undefined, () => resize(action))
      case 'stopSandbox':
        return run(`stop:${action.sandbox.id}`, undefined, () => operations.stopSandbox(pod, action.sandbox))
      case 'removeContainer':
        return run(`remove:${action.record.id}`, undefined, () => operations.removeContainer(action.record))
      case 'removeSandbox':
        return run(`remove:${action.sandbox.id}`, undefined, () => operations.removeSandbox(action.sandbox))
      case 'holdRestart':
        return
    }
  }

  /** Runs a step under a key that keeps it from running twice; `work` names what it makes busy. Looks again when it is over. */
  function run(key: string, work: string | undefined, task: (signal: AbortSignal) => Promise<void>): void {
    if (tasks.has(key) || (retryAt.get(key) ?? 0) > clock.now()) return
    const controller = new AbortController()
    if (work) busy.set(work, controller)
    const signal = AbortSignal.any([controller.signal, stopping.signal])
    const done = task(signal)
      .then(() => {
        failures.delete(key)
        retryAt.delete(key)
      })
      .catch((error: unknown) => {
        if (signal.aborted) return
        const n = failures.get(key) ?? 0
        failures.set(key, n + 1)
        retryAt.set(key, clock.now() + Math.min(firstRetry * 2 ** n, maxRetry))
        // Once can be a race with the runtime's own clean-up; that it stays so is news.
        log[n === 0 ? 'info' : 'warn']('a step of a pod failed', {
          pod: podDescription(pod),
          step: key,
          error: error instanceof Error ? error.message : String(error),
        })
      })
      .finally(() => {
        tasks.delete(key)
        if (work && busy.get(work) === controller) busy.delete(work)
        wake()
      })
    tasks.set(key, done)
  }

  async function resize({ record: running, container }: Extract<Action, { type: 'resizeContainer' }>): Promise<void> {
    try {
      await operations.resize(withResources(pod, given), running, container)
      resizeError = undefined
    } catch (error) {
      resizeError = describeError(error)
      throw error
    }
  }

  async function prepare(signal: AbortSignal): Promise<void> {
    try {
      await operations.prepare(withResources(pod, given), signal)
      prepared = true
    } catch (error) {
      if (signal.aborted) return
      for (const message of messagesOf(error)) events.event(pod as core.Pod, 'Warning', 'FailedMount', message)
      throw error
    }
  }

  async function createSandbox(attempt: number, signal: AbortSignal): Promise<void> {
    const before = record().sandboxes[0]
    if (before && before.attempt + 1 === attempt && record().containers.length > 0) {
      events.event(pod as core.Pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    }
    try {
      await operations.createSandbox(pod, attempt, signal)
    } catch (error) {
      const reason = error instanceof SandboxFailure ? error.reason : 'FailedCreatePodSandBox'
      const what = reason === 'FailedCreatePodSandBox' ? 'Failed to create pod sandbox' : 'Failed to prepare dynamic resources'
      if (!signal.aborted) events.event(pod as core.Pod, 'Warning', reason, `${what}: ${describeError(error)}`)
      throw error
    }
  }

  async function start(action: Extract<Action, { type: 'startContainer' }>, signal: AbortSignal): Promise<void> {
    const { container, previous } = action
    const { name } = container.spec
    if (previous?.state === 'exited') restarts.attempt(name, previous.finishedAt, clock.now())
    try {
      await operations.start(withResources(pod, given), action, podIP(), signal)
      waiting.delete(name)
      retryAt.delete(name)
    } catch (error) {
      if (signal.aborted) return
      const failed = error instanceof StartFailure ? error : new StartFailure('CreateContainerError', describeError(error), { cause: error })
      sayFailed(container, failed)
      waiting.set(name, { reason: failed.reason, message: failed.message })
      // A container that was started and ended is a matter of its restart policy, not of a retry.
      const began = record().containers.some((c) => c.name === name && c.attempt === action.attempt && c.state === 'exited')
      retryAt.set(name, began ? 0 : (failed.retryAt ?? clock.now() + configRetry))
    }
  }

  function sayFailed(container: RoledContainer, failed: StartFailure): void {
    const images = ['ErrImagePull', 'ImagePullBackOff', 'ErrImageNeverPull', 'InvalidImageName', 'ImageInspectError']
    const message = images.includes(failed.reason) ? `Error: ${failed.reason}` : `Error: ${failed.message}`
    events.event(pod as core.Pod, 'Warning', 'Failed', message, { fieldPath: fieldPath(container) })
  }

  /** Nothing runs any more: gives back what the pod held, and lets it go when it is deleted. */
  function finish(): void {
    if (!tornDown) {
      return run('tearDown:', undefined, async () => {
        await operations.tearDown(pod)
        await cgroups.remove(pod)
        tornDown = true
        prepared = false
      })
    }
    if (gone) {
      return run('cleanUp:', undefined, async () => {
        await operations.cleanUp(pod, record())
        finished = true
        cancelTimer()
        prober.drop(uid)
        statuses.forget(uid)
        onGone(uid)
      })
    }
    if (pod.metadata.deletionTimestamp) {
      run('delete:', undefined, async (signal) => {
        await statuses.flush(uid)
        await operations.deleteFromApi(pod, signal)
        // The deletion comes back as an event; until then nothing is left to do.
        gone = true
      })
    }
  }

  return {
    get pod() {
      return pod
    },
    get given() {
      return withResources(pod, given)
    },
    get over() {
      return over
    },
    get status() {
      return status
    },
    update(next) {
      if (finished) return
      if (next.spec !== pod.spec || next.metadata !== pod.metadata) {
        if (prepared && metadataDiffers(pod, next)) run('refresh:', undefined, (signal) => operations.refresh(next, signal))
      }
      pod = next
      allocate()
      wake()
    },
    retryResize() {
      if (pending?.reason !== 'Deferred') return
      allocate()
      if (!pending) wake()
    },
    removed() {
      gone = true
      wake()
    },
    fail(reason) {
      failure ??= reason
      wake()
    },
    wake,
    retry() {
      for (const key of [...waiting.keys(), 'prepare:']) {
        const reason = waiting.get(key)?.reason
        if (key === 'prepare:' || reason === 'CreateContainerConfigError') retryAt.delete(key)
      }
      wake()
    },
    async stop() {
      stopping.abort()
      cancelTimer()
      await Promise.all(tasks.values())
      prober.drop(uid)
    },
  }
}

const metadataDiffers = (a: Pod, b: Pod) =>
  JSON.stringify([a.metadata.labels, a.metadata.annotations]) !== JSON.stringify([b.metadata.labels, b.metadata.annotations])

const messagesOf = (error: unknown): string[] => {
  const listed = (error as { failures?: { message: string }[] }).failures
  return listed ? listed.map((f) => f.message) : [describeError(error)]
}

/** Our own last word on what is ours, which the API may not have echoed yet, and the API's on the rest. */
function remembered(pod: Pod, last: core.PodStatus): core.PodStatus {
  const owned: readonly string[] = ownedConditions
  const others = (pod.status?.conditions ?? []).filter((c) => !owned.includes(c.type))
  const mine = (last.conditions ?? []).filter((c) => owned.includes(c.type))
  return { ...(pod.status as core.PodStatus | undefined), ...last, conditions: [...mine, ...others.map((c) => ({ ...c }))] }
}

export type { ContainerRecord }
