import { restartsAfterExit } from '#api'
import type { ContainerSpec, Pod, RoledContainer } from './names.ts'
import { containerHash, containersOf } from './names.ts'
import type { ContainerRecord, PodRecord, SandboxRecord } from './records.ts'
import { containerLimits } from './records.ts'
import { containerResources } from './resources.ts'
import { restartAllTrigger } from './restart-all.ts'

/** Why the pod has to end now, decided outside its containers: its deletion, a deadline, an eviction. */
export interface Ending {
  /** Seconds that containers get between the stop signal and the kill. */
  graceSeconds: number
  /** When the pod's whole grace is over, wall-clock milliseconds: who is stopped after others gets what is left. */
  until?: number
}

export interface PlanInput {
  pod: Pod
  record: PodRecord
  /** Wall-clock milliseconds. */
  now: number
  /** Set when the pod has to end now. */
  ending?: Ending | undefined
  /** The pod's volumes and cgroups are there. */
  prepared: boolean
  /** Names of the containers that are being started or stopped right now. */
  busy: ReadonlySet<string>
  /** What the probes say of a running container. */
  health(record: ContainerRecord): ContainerHealth
  /** When a container that failed last at the given time may be started again. */
  restartAllowedAt(container: string, failedAt: number): number
  /** When a container whose start failed (image, configuration) may be tried again; 0 where it did not fail. */
  retryStartAt(container: string): number
  /** When the sandbox may be tried again; 0 where it did not fail. */
  retrySandboxAt: number
}

export interface ContainerHealth {
  /** Its startup probe passed, or it has none; its postStart hook is over. */
  started: boolean
  /** A liveness or startup probe has failed for good. */
  failedProbe?: 'liveness' | 'startup'
}

export type KillReason = 'ending' | 'liveness' | 'startup' | 'changed' | 'resized' | 'sandboxGone' | 'podDone' | 'restartAll'

export type Action =
  | { type: 'prepare' }
  | { type: 'createSandbox'; attempt: number }
  | { type: 'stopSandbox'; sandbox: SandboxRecord }
  | { type: 'startContainer'; container: RoledContainer; sandbox: SandboxRecord; attempt: number; previous?: ContainerRecord }
  | { type: 'killContainer'; record: ContainerRecord; container?: RoledContainer; reason: KillReason; graceSeconds: number; until?: number }
  /** Its resources changed and are applied in place. */
  | { type: 'resizeContainer'; record: ContainerRecord; container: RoledContainer }
  /** Its restart waits: CrashLoopBackOff. */
  | { type: 'holdRestart'; container: RoledContainer; record: ContainerRecord; until: number }
  | { type: 'removeContainer'; record: ContainerRecord }
  | { type: 'removeSandbox'; sandbox: SandboxRecord }

export interface Plan {
  actions: Action[]
  /** When to plan again although nothing changed, wall-clock milliseconds. */
  again?: number
  /** No container runs and none will: the pod is over as far as the runtime goes. */
  over: boolean
  /** The pod fails although its containers' own states do not say so yet: an init container failed for good. */
  initFailed: boolean
}

/** How many dead attempts of a container are kept for their logs. */
const keptAttempts = 1

/** Decides what to do next for one pod. Pure: everything that it depends on is in its input. */
export function planPod(input: PlanInput): Plan {
  const plan = new Planning(input)
  plan.decide()
  return plan.result
}

const defaultGrace = 30

/** The grace that a pod's own spec gives its containers, seconds. */
export const ownGrace = (pod: Pod): number => pod.spec?.terminationGracePeriodSeconds ?? defaultGrace

/** Which resources a running container has otherwise than it should. */
export function resizeNeeded(pod: Pod, spec: ContainerSpec, { resources: now }: ContainerRecord): { cpu: boolean; memory: boolean } {
  if (!now) return { cpu: false, memory: false }
  const wanted = containerLimits(containerResources(pod, spec, 1))
  return { cpu: wanted.cpuShares !== now.cpuShares || wanted.cpuQuota !== now.cpuQuota, memory: wanted.memory !== now.memory }
}

class Planning {
  readonly result: Plan = { actions: [], over: false, initFailed: false }
  readonly #in: PlanInput
  readonly #containers: RoledContainer[]
  readonly #policy: string
  readonly #sandbox: SandboxRecord | undefined
  /** The exit since which the pod lives anew: what was created before it does not count. */
  readonly #restart: ContainerRecord | undefined

  constructor(input: PlanInput) {
    this.#in = input
    this.#containers = containersOf(input.pod)
    this.#policy = input.pod.spec?.restartPolicy ?? 'Always'
    const newest = input.record.sandboxes[0]
    this.#restart = restartAllTrigger(input.pod, input.record)
    this.#sandbox = newest?.ready && (newest.hostNetwork || newest.ips.length > 0) ? newest : undefined
  }

  decide(): void {
    const { record, ending } = this.#in
    if (ending) return this.#end(ending.graceSeconds, 'ending', ending.until)
    if (this.#finished()) return this.#end(ownGrace(this.#in.pod), 'podDone')
    if (!this.#in.prepared) this.result.actions.push({ type: 'prepare' })
    for (const sandbox of record.sandboxes) if (sandbox !== this.#sandbox) this.#retire(sandbox)
    if (!this.#sandbox) return this.#replaceSandbox()
    if (this.#in.prepared && !this.#endOldLife()) this.#advance(this.#sandbox)
    this.#collectDead()
  }

  /** The newest record of a container, of whichever life of the pod. */
  #last(name: string): ContainerRecord | undefined {
    return this.#in.record.containers.find((c) => c.name === name)
  }

  #newest(name: string): ContainerRecord | undefined {
    const last = this.#last(name)
    return last && this.#isOld(last) ? undefined : last
  }

  #isOld(record: ContainerRecord): boolean {
    return this.#restart !== undefined && record.createdAt < this.#restart.finishedAt
  }

  /** Stops what runs since before all containers had to restart, without its hooks; true as long as there is any. */
  #endOldLife(): boolean {
    const old = this.#in.record.containers.filter((c) => {
      const role = this.#containers.find(({ spec }) => spec.name === c.name)?.role
      return role !== 'ephemeral' && (c.state === 'running' || c.state === 'unknown') && this.#isOld(c)
    })
    for (const c of old) this.#kill(c, 'restartAll', 0)
    return old.length > 0
  }

  /** The newest record of a container in the sandbox of today. */
  #current(name: string): ContainerRecord | undefined {
    return this.#in.record.containers.find((c) => c.name === name && c.sandboxId === this.#sandbox?.id && !this.#isOld(c))
  }

  #regular(): RoledContainer[] {
    return this.#containers.filter((c) => c.role === 'regular')
  }

  /** Whether the container's rules and policy, or the pod's, want this exited container back. */
  #restarts({ role, spec }: RoledContainer, record: ContainerRecord): boolean {
    if (role === 'ephemeral') return false
    if (role === 'sidecar') return true
    if (record.state !== 'exited') return true
    if (role === 'init' && record.exitCode === 0) return false
    return restartsAfterExit(spec, this.#policy, record.exitCode)
  }

  /** Nothing is left to run: every regular container ended for good, or an init container failed for good. */
  #finished(): boolean {
    const { busy } = this.#in
    const endedForGood = (container: RoledContainer) => {
      const { name } = container.spec
      const record = this.#newest(name)
      return record?.state === 'exited' && !busy.has(name) && !this.#restarts(container, record) ? record : undefined
    }
    const init = this.#containers.filter((c) => c.role === 'init')
    if (init.some((c) => (endedForGood(c)?.exitCode ?? 0) !== 0)) {
      this.result.initFailed = true
      return true
    }
    return this.#regular().every((c) => endedForGood(c) !== undefined)
  }

  /** Stops everything: regular containers together, then sidecars one after the other in reverse order, then the sandboxes. */
  #end(graceSeconds: number, reason: KillReason, until?: number): void {
    const { record, busy } = this.#in
    const alive = record.containers.filter((c) => c.state === 'running' || c.state === 'unknown')
    const roleOf = (name: string) => this.#containers.find((c) => c.spec.name === name)
    const sidecars = alive.filter((c) => roleOf(c.name)?.role === 'sidecar')
    const others = alive.filter((c) => !sidecars.includes(c))
    const order = this.#containers.map((c) => c.spec.name)
    sidecars.sort((a, b) => order.indexOf(b.name) - order.indexOf(a.name))
    if (others.length > 0) for (const c of others) this.#kill(c, reason, graceSeconds)
    else for (const c of sidecars.slice(0, 1)) this.#kill(c, reason, graceSeconds, until)
    if (alive.length > 0 || busy.size > 0) return
    const ready = record.sandboxes.filter((s) => s.ready)
    for (const sandbox of ready) this.result.actions.push({ type: 'stopSandbox', sandbox })
    this.result.over = ready.length === 0
  }

  #kill(record: ContainerRecord, reason: KillReason, graceSeconds: number, until?: number): void {
    const container = this.#containers.find((c) => c.spec.name === record.name)
    this.result.actions.push({
      type: 'killContainer',
      record,
      ...(container ? { container } : {}),
      reason,
      graceSeconds,
      ...(until === undefined ? {} : { until }),
    })
  }

  /** Stops what a sandbox that is not today's still has, then the sandbox, and removes it once it holds no container. */
  #retire(sandbox: SandboxRecord): void {
    const inside = this.#in.record.containers.filter((c) => c.sandboxId === sandbox.id)
    const alive = inside.filter((c) => c.state === 'running' || c.state === 'unknown')
    for (const c of alive) this.#kill(c, 'sandboxGone', ownGrace(this.#in.pod))
    if (alive.length > 0) return
    if (sandbox.ready) this.result.actions.push({ type: 'stopSandbox', sandbox })
    else if (inside.length === 0 && sandbox !== this.#in.record.sandboxes[0]) this.result.actions.push({ type: 'removeSandbox', sandbox })
  }

  #replaceSandbox(): void {
    const { record, now, retrySandboxAt } = this.#in
    const alive = record.containers.some((c) => c.state === 'running' || c.state === 'unknown')
    if (alive || record.sandboxes.some((s) => s.ready)) return
    if (retrySandboxAt > now) return this.#again(retrySandboxAt)
    const newest = record.sandboxes[0]
    this.result.actions.push({ type: 'createSandbox', attempt: newest ? newest.attempt + 1 : 0 })
  }

  /** In a ready sandbox: init containers in order, then the regular ones; ephemeral ones whenever they come. */
  #advance(sandbox: SandboxRecord): void {
    for (const c of this.#containers) if (c.role === 'ephemeral' && !this.#last(c.spec.name)) this.#start(c, sandbox)
    if (!this.#initialize(sandbox)) return
    for (const c of this.#regular()) {
      this.#keep(c, sandbox)
      // A postStart hook holds back the containers after its own: people rely on it for ordering.
      if (c.spec.lifecycle?.postStart && (this.#in.busy.has(c.spec.name) || !this.#current(c.spec.name))) break
    }
  }

  /** Runs the init containers and sidecars; true when the regular containers may run. */
  #initialize(sandbox: SandboxRecord): boolean {
    const initial = this.#containers.filter((c) => c.role === 'init' || c.role === 'sidecar')
    const mainStarted = this.#regular().some((c) => this.#current(c.spec.name) !== undefined)
    for (const [i, c] of initial.entries()) {
      const record = this.#current(c.spec.name)
      const passed = mainStarted || initial.slice(i + 1).some((later) => this.#current(later.spec.name) !== undefined)
      if (c.role === 'sidecar') {
        this.#keep(c, sandbox)
        const up = record?.state === 'running' && !this.#in.busy.has(c.spec.name) && this.#in.health(record).started
        if (!up && !passed) return false
      } else if (!passed) {
        if (record?.state === 'exited' && record.exitCode === 0 && !this.#in.busy.has(c.spec.name)) continue
        if (record?.state !== 'running') this.#keep(c, sandbox)
        return false
      }
    }
    return true
  }

  /** Keeps one container as the spec wants it: starts, restarts or kills it. */
  #keep(container: RoledContainer, sandbox: SandboxRecord): void {
    const { spec, role } = container
    const { busy, health } = this.#in
    if (busy.has(spec.name)) return
    const record = this.#newest(spec.name)
    if (!record) return this.#start(container, sandbox, this.#last(spec.name))
    if (record.state === 'running') {
      const { failedProbe } = health(record)
      if (record.hash !== '' && record.hash !== containerHash(spec)) this.#kill(record, 'changed', ownGrace(this.#in.pod))
      else if (failedProbe) this.#kill(record, failedProbe, this.#probeGrace(spec, failedProbe))
      else this.#resize(record, container)
      return
    }
    // Nobody knows whether it still runs: make sure that it does not before another one starts.
    if (record.state === 'unknown') return this.#kill(record, 'sandboxGone', ownGrace(this.#in.pod))
    const elsewhere = record.sandboxId !== sandbox.id
    // In a new sandbox everything of the init phase runs again, whatever it came to in the old one.
    if (elsewhere && role === 'init') return this.#start(container, sandbox, record)
    if (this.#restarts(container, record)) this.#start(container, sandbox, record)
  }

  #resize(record: ContainerRecord, container: RoledContainer): void {
    const { spec } = container
    const { cpu, memory } = resizeNeeded(this.#in.pod, spec, record)
    if (!cpu && !memory) return
    const restarts = (name: string) => spec.resizePolicy?.some((p) => p.resourceName === name && p.restartPolicy === 'RestartContainer') ?? false
    if ((cpu && restarts('cpu')) || (memory && restarts('memory'))) this.#kill(record, 'resized', ownGrace(this.#in.pod))
    else this.result.actions.push({ type: 'resizeContainer', record, container })
  }

  #probeGrace(spec: ContainerSpec, probe: 'liveness' | 'startup'): number {
    const own = (probe === 'liveness' ? spec.livenessProbe : spec.startupProbe)?.terminationGracePeriodSeconds
    return own ?? ownGrace(this.#in.pod)
  }

  #start(container: RoledContainer, sandbox: SandboxRecord, previous?: ContainerRecord): void {
    const { now, busy, restartAllowedAt, retryStartAt } = this.#in
    const { name } = container.spec
    if (busy.has(name)) return
    const retryAt = retryStartAt(name)
    if (retryAt > now) return this.#again(retryAt)
    if (previous?.state === 'exited') {
      const until = restartAllowedAt(name, previous.finishedAt)
      if (until > now) {
        this.result.actions.push({ type: 'holdRestart', container, record: previous, until })
        return this.#again(until)
      }
    }
    const attempt = previous ? previous.attempt + 1 : 0
    this.result.actions.push({ type: 'startContainer', container, sandbox, attempt, ...(previous ? { previous } : {}) })
  }

  #again(at: number): void {
    this.result.again = Math.min(this.result.again ?? Number.POSITIVE_INFINITY, at)
  }

  /** Removes dead attempts beyond the newest and its predecessor, whose log `logs --previous` shows. */
  #collectDead(): void {
    const seen = new Map<string, number>()
    for (const c of this.#in.record.containers) {
      const n = seen.get(c.name) ?? 0
      seen.set(c.name, n + 1)
      // the exit that restarted all has to be known until everything else was replaced
      if (n > keptAttempts && c.state !== 'running' && c !== this.#restart) this.result.actions.push({ type: 'removeContainer', record: c })
    }
  }
}
