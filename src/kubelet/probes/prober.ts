import type { Clock, Logger } from '#base'
import type { EventRecorder } from '#runtime'
import type { DeepReadonly, core } from '#api'
import type { RuntimeService } from '../cri/index.ts'
import type { ContainerHealth } from '../pod/plan.ts'
import type { Pod, RoledContainer } from '../pod/names.ts'
import { containersOf, fieldPath } from '../pod/names.ts'
import type { ContainerRecord, PodRecord } from '../pod/records.ts'
import type { ProbeResult } from './probe.ts'
import { runProbe } from './probe.ts'

export type ProbeType = 'startup' | 'readiness' | 'liveness'

export interface ProberOptions {
  runtime: Pick<RuntimeService, 'execSync'>
  clock: Clock
  log: Logger
  events: EventRecorder
  /** Called with the pod's uid when what `health` says has changed. */
  onChange(podUid: string): void
  /** Replaces the network and the runtime in tests. */
  probe?: typeof runProbe
}

/**
 * Probes the running containers of the node's pods. Readiness starts as false and liveness as true; while a startup probe has not passed, the
 * container is not started and neither of the others runs.
 */
export interface Prober {
  /** Starts and stops probes, so that they fit what runs now. */
  sync(pod: Pod, record: PodRecord, podIP: string, ending: boolean): void
  health(record: ContainerRecord): ContainerHealth & { ready: boolean }
  drop(podUid: string): void
  /** Sizes, for metrics. */
  readonly active: number
}

interface ContainerProbes {
  podUid: string
  results: { startup?: boolean; readiness?: boolean; liveness?: boolean }
  /** Types that the container has a probe for. */
  types: Set<ProbeType>
  loops: Map<ProbeType, AbortController>
}

/** While a container has not been ready yet, it is asked again this soon (milliseconds), doubling up to its period: start-up is not paced by it. */
const firstRetry = 100

export function createProber(options: ProberOptions): Prober {
  const { runtime, clock, log, events, onChange, probe: attempt = runProbe } = options
  const containers = new Map<string, ContainerProbes>()

  function set(id: string, type: ProbeType, value: boolean): void {
    const known = containers.get(id)
    if (!known || known.results[type] === value) return
    known.results[type] = value
    onChange(known.podUid)
  }

  async function loop(type: ProbeType, probe: DeepReadonly<core.Probe>, target: LoopTarget, signal: AbortSignal): Promise<void> {
    const { pod, container, record, podIP } = target
    const period = Math.max(probe.periodSeconds ?? 10, 1) * 1000
    const successes = Math.max(probe.successThreshold ?? 1, 1)
    const failures = Math.max(probe.failureThreshold ?? 3, 1)
    const wait = record.startedAt + (probe.initialDelaySeconds ?? 0) * 1000 - clock.now()
    if (wait > 0) await clock.sleep(wait, signal)
    const warmsUp = type !== 'liveness'
    let retry = probe.exec ? firstRetry * 10 : firstRetry
    let due = clock.monotonic() + period
    let run = 0
    let last: boolean | undefined
    for (let passedOnce = false; !signal.aborted;) {
      const result = await attempt(probe, { runtime, containerId: record.id, container: container.spec, podIP, signal })
      if (signal.aborted) return
      const passed = result.outcome === 'success' || result.outcome === 'warning'
      const early = warmsUp && !passedOnce && clock.monotonic() < due - 1
      if (!passed && early && result.outcome === 'failure' && retry < period) {
        // An early attempt that fails does not count: it only makes the success visible sooner.
        await clock.sleep(Math.max(Math.min(retry, due - clock.monotonic()), 1), signal)
        retry *= 2
        continue
      }
      passedOnce ||= passed
      announce(type, result, pod, container)
      if (result.outcome !== 'error') {
        run = last === passed ? run + 1 : 1
        last = passed
        if (run >= (passed ? successes : failures)) {
          set(record.id, type, passed)
          if (type === 'startup' && passed) return
          // The container is about to be killed: what it answers now no longer counts.
          if (!passed && type !== 'readiness') return
        }
      }
      const now = clock.monotonic()
      while (due <= now + 1) due += period
      await clock.sleep(due - now, signal)
    }
  }

  function announce(type: ProbeType, { outcome, output }: ProbeResult, pod: Pod, container: RoledContainer): void {
    if (outcome === 'success') return
    const name = `${type[0]!.toUpperCase()}${type.slice(1)}`
    const about = { fieldPath: fieldPath(container) }
    if (outcome === 'warning') events.event(pod as core.Pod, 'Warning', 'ProbeWarning', `${name} probe warning: ${output}`, about)
    else if (outcome === 'failure') events.event(pod as core.Pod, 'Warning', 'Unhealthy', `${name} probe failed: ${output}`, about)
    else events.event(pod as core.Pod, 'Warning', 'Unhealthy', `${name} probe errored and resulted in unknown state: ${output}`, about)
  }

  function start(type: ProbeType, probe: DeepReadonly<core.Probe>, known: ContainerProbes, target: LoopTarget): void {
    if (known.loops.has(type)) return
    const stop = new AbortController()
    known.loops.set(type, stop)
    void loop(type, probe, target, stop.signal).catch((error: unknown) => {
      if (!stop.signal.aborted) log.error('probe ended', { container: target.record.id, type, error })
    })
  }
  const stop = (known: ContainerProbes, type: ProbeType) => known.loops.get(type)?.abort()
  const forget = (id: string) => {
    const known = containers.get(id)
    for (const controller of known?.loops.values() ?? []) controller.abort()
    containers.delete(id)
  }

  return {
    get active() {
      return containers.size
    },
    sync(pod, record, podIP, ending) {
      const uid = pod.metadata.uid ?? ''
      const running = new Set<string>()
      for (const container of containersOf(pod)) {
        const { spec, role } = container
        if (role !== 'regular' && role !== 'sidecar') continue
        const types = { startup: spec.startupProbe, readiness: spec.readinessProbe, liveness: spec.livenessProbe }
        const now = record.containers.find((c) => c.name === spec.name && c.state === 'running')
        if (!now || !Object.values(types).some(Boolean)) continue
        running.add(now.id)
        let known = containers.get(now.id)
        if (!known) {
          const present = (Object.keys(types) as ProbeType[]).filter((t) => types[t])
          known = { podUid: uid, results: {}, types: new Set(present), loops: new Map() }
          // After a restart of the kubelet, a container that was ready stays so until its probe says otherwise.
          const said = pod.status?.containerStatuses?.find((s) => s.containerID === `containerd://${now.id}`)
          if (said?.started && types.startup) known.results.startup = true
          if (said?.ready && types.readiness) known.results.readiness = true
          containers.set(now.id, known)
        }
        const target = { pod, container, record: now, podIP }
        const started = !types.startup || known.results.startup === true
        if (types.startup && !started && !ending) start('startup', types.startup, known, target)
        if (types.readiness && started) start('readiness', types.readiness, known, target)
        if (types.liveness && started && !ending) start('liveness', types.liveness, known, target)
        if (ending) for (const type of ['startup', 'liveness'] as const) stop(known, type)
      }
      for (const [id, known] of containers) if (known.podUid === uid && !running.has(id)) forget(id)
    },
    health({ id }) {
      const { results = {}, types = new Set<ProbeType>() } = containers.get(id) ?? {}
      const started = !types.has('startup') || results.startup === true
      const failed = results.startup === false ? 'startup' : results.liveness === false ? 'liveness' : undefined
      return { started, ready: started && (!types.has('readiness') || results.readiness === true), ...(failed ? { failedProbe: failed } : {}) }
    },
    drop(podUid) {
      for (const [id, known] of containers) if (known.podUid === podUid) forget(id)
    },
  }
}

interface LoopTarget {
  pod: Pod
  container: RoledContainer
  record: ContainerRecord
  podIP: string
}
