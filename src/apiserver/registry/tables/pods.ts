import type { DeepReadonly, core } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { column, nameColumn, ageColumn, wide } from './columns.ts'
import { age, humanDuration } from './duration.ts'

type Pod = DeepReadonly<core.Pod>
type ContainerStatus = DeepReadonly<core.ContainerStatus>

export const podTable: TableDefinition<core.Pod> = {
  columns: [
    nameColumn,
    column('Ready'),
    column('Status'),
    column('Restarts'),
    ageColumn,
    wide('IP'),
    wide('Node'),
    wide('Nominated Node'),
    wide('Readiness Gates'),
  ],
  cells(pod, now) {
    const summary = summarize(pod)
    const restarts =
      summary.restarts > 0 && summary.restartedAt > 0
        ? `${summary.restarts} (${humanDuration(now - summary.restartedAt)} ago)`
        : `${summary.restarts}`
    return [
      pod.metadata.name,
      `${summary.ready}/${summary.total}`,
      summary.reason,
      restarts,
      age(pod.metadata.creationTimestamp, now),
      pod.status?.podIPs?.[0]?.ip || pod.status?.podIP || '<none>',
      pod.spec.nodeName || '<none>',
      pod.status?.nominatedNodeName || '<none>',
      readinessGates(pod),
    ]
  },
}

interface Summary {
  ready: number
  total: number
  reason: string
  restarts: number
  /** When the last container that restarted had finished before, milliseconds since the epoch; 0 when unknown. */
  restartedAt: number
}

const finishedAt = (status: ContainerStatus) => {
  const at = status.lastState?.terminated?.finishedAt
  return at ? Date.parse(at) : 0
}

/** What READY, STATUS and RESTARTS say of a pod: the first init container that holds it up, else the first container in trouble. */
function summarize(pod: Pod): Summary {
  const { spec, status = {} } = pod
  const sidecars = new Set(spec.initContainers?.filter((container) => container.restartPolicy === 'Always').map((container) => container.name))
  const summary: Summary = {
    ready: 0,
    total: spec.containers.length + sidecars.size,
    reason: status.reason || status.phase || '',
    restarts: 0,
    restartedAt: 0,
  }
  if (status.conditions?.some((condition) => condition.type === 'PodScheduled' && condition.reason === 'SchedulingGated'))
    summary.reason = 'SchedulingGated'
  const initializing = summarizeInit(pod, summary, sidecars)
  if (!initializing || initialized(pod)) summarizeContainers(pod, summary, initializing, sidecars)
  if (pod.metadata.deletionTimestamp) {
    if (status.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (status.phase !== 'Succeeded' && status.phase !== 'Failed') summary.reason = 'Terminating'
  }
  return summary
}

function summarizeInit(pod: Pod, summary: Summary, sidecars: ReadonlySet<string>): boolean {
  const statuses = pod.status?.initContainerStatuses ?? []
  for (let i = 0; i < statuses.length; i++) {
    const container = statuses[i]!
    const sidecar = sidecars.has(container.name)
    summary.restarts += container.restartCount ?? 0
    summary.restartedAt = Math.max(summary.restartedAt, finishedAt(container))
    const { terminated, waiting } = container.state ?? {}
    if (terminated && terminated.exitCode === 0) continue
    if (sidecar && container.started) {
      if (container.ready) summary.ready++
      continue
    }
    if (terminated) {
      summary.reason = terminated.reason
        ? `Init:${terminated.reason}`
        : terminated.signal
          ? `Init:Signal:${terminated.signal}`
          : `Init:ExitCode:${terminated.exitCode}`
    } else if (waiting?.reason && waiting.reason !== 'PodInitializing') summary.reason = `Init:${waiting.reason}`
    else summary.reason = `Init:${i}/${pod.spec.initContainers?.length ?? 0}`
    return true
  }
  return false
}

const initialized = (pod: Pod) =>
  pod.status?.conditions?.some((condition) => condition.type === 'Initialized' && condition.status === 'True') ?? false

function summarizeContainers(pod: Pod, summary: Summary, initializing: boolean, sidecars: ReadonlySet<string>): void {
  let running = false
  let sidecarRestarts = 0
  let sidecarRestartedAt = 0
  for (const container of pod.status?.initContainerStatuses ?? []) {
    if (!sidecars.has(container.name)) continue
    sidecarRestarts += container.restartCount ?? 0
    sidecarRestartedAt = Math.max(sidecarRestartedAt, finishedAt(container))
  }
  // Once the pod runs, restarts of finished init containers no longer count; those of sidecars do.
  summary.restarts = sidecarRestarts
  summary.restartedAt = sidecarRestartedAt
  const statuses = pod.status?.containerStatuses ?? []
  for (let i = statuses.length - 1; i >= 0; i--) {
    const container = statuses[i]!
    summary.restarts += container.restartCount ?? 0
    summary.restartedAt = Math.max(summary.restartedAt, finishedAt(container))
    const { terminated, waiting, running: runs } = container.state ?? {}
    if (waiting?.reason) summary.reason = waiting.reason
    else if (terminated?.reason) summary.reason = terminated.reason
    else if (terminated) summary.reason = terminated.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated.exitCode}`
    else if (container.ready && runs) {
      running = true
      summary.ready++
    }
  }
  if (summary.reason === 'Completed' && running) summary.reason = readyCondition(pod) ? 'Running' : 'NotReady'
}

const readyCondition = (pod: Pod) => pod.status?.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false

function readinessGates(pod: Pod): string {
  const gates = pod.spec.readinessGates
  if (!gates?.length) return '<none>'
  const met = gates.filter((gate) => pod.status?.conditions?.some((one) => one.type === gate.conditionType && one.status === 'True'))
  return `${met.length}/${gates.length}`
}
