import type { DeepReadonly, core } from '#api'
import { findCondition, milliValue } from '#api'

export type Pod = DeepReadonly<core.Pod>

/** Ratios this close to 1 change nothing. */
export const tolerance = 0.1
/** CPU of a pod that started less than this ago says little, milliseconds. */
const cpuInitializationPeriod = 5 * 60_000
const initialReadinessDelay = 30_000

/** Milli-units used, by pod name. */
export type PodValues = ReadonlyMap<string, { value: number; at: number }>

export interface ReplicaAnswer {
  replicas: number
  /** Milli-units per pod. */
  average: number
  /** Percent of the requests, for utilization targets. */
  utilization?: number
}

export class MetricError extends Error {
  readonly reason: string
  constructor(reason: string, message: string) {
    super(message)
    this.name = 'MetricError'
    this.reason = reason
  }
}

/** The pods' figures sorted by what they are worth: `ready` ones count, the others only where that makes the decision more careful. */
interface Grouped {
  ready: string[]
  unready: string[]
  missing: string[]
}

function group(pods: readonly Pod[], values: PodValues, isCpu: boolean, now: number): Grouped {
  const groups: Grouped = { ready: [], unready: [], missing: [] }
  for (const pod of pods) {
    const { name } = pod.metadata
    if (pod.metadata.deletionTimestamp || pod.status?.phase === 'Failed') continue
    const figure = values.get(name)
    if (pod.status?.phase === 'Pending') groups.unready.push(name)
    else if (!figure) groups.missing.push(name)
    else if (isCpu && isStarting(pod, figure.at, now)) groups.unready.push(name)
    else groups.ready.push(name)
  }
  return groups
}

function isStarting(pod: Pod, at: number, now: number): boolean {
  const ready = findCondition(pod.status?.conditions, 'Ready')
  const started = Date.parse(pod.status?.startTime ?? '')
  if (!ready || Number.isNaN(started)) return true
  const changed = Date.parse(ready.lastTransitionTime ?? '') || started
  if (started + cpuInitializationPeriod > now) return ready.status === 'False' || at < changed
  // never ready since its start
  return ready.status === 'False' && started + initialReadinessDelay > changed
}

export interface TargetInput {
  current: number
  pods: readonly Pod[]
  values: PodValues
  resource: string
  now: number
  /** One container's figures and requests alone (ContainerResource). */
  container?: string
}

/** Replicas so that the pods use `target` percent of what they request (https://kubernetes.io/docs/tasks/run-application/horizontal-pod-autoscale/#algorithm-details). */
export function forUtilization(input: TargetInput & { target: number }): ReplicaAnswer {
  const requests = requestsOf(input)
  const groups = group(input.pods, input.values, input.resource === 'cpu', input.now)
  const ratio = (names: readonly string[], assumed = new Map<string, number>()) => {
    let used = 0
    let requested = 0
    for (const name of names) {
      used += assumed.get(name) ?? input.values.get(name)!.value
      requested += requests.get(name)!
    }
    const utilization = requested === 0 ? 0 : (used * 100) / requested
    return { ratio: utilization / input.target, utilization: Math.trunc(utilization), average: names.length === 0 ? 0 : used / names.length }
  }
  return decide(
    input.current,
    groups,
    ratio,
    (name) => requests.get(name)!,
    (name) => (requests.get(name)! * input.target) / 100,
  )
}

/** Replicas so that the pods use `target` milli-units each. */
export function forAverage(input: TargetInput & { target: number }): ReplicaAnswer {
  const groups = group(input.pods, input.values, input.resource === 'cpu', input.now)
  const ratio = (names: readonly string[], assumed = new Map<string, number>()) => {
    const used = names.reduce((sum, name) => sum + (assumed.get(name) ?? input.values.get(name)!.value), 0)
    const average = names.length === 0 ? 0 : used / names.length
    return { ratio: average / input.target, average }
  }
  const { utilization: _, ...answer } = decide(
    input.current,
    groups,
    ratio,
    () => input.target,
    () => input.target,
  )
  return answer
}

type Ratio = (names: readonly string[], assumed?: Map<string, number>) => { ratio: number; utilization?: number; average: number }

function decide(
  current: number,
  { ready, unready, missing }: Grouped,
  ratioOf: Ratio,
  full: (name: string) => number,
  atTarget: (name: string) => number,
): ReplicaAnswer {
  if (ready.length === 0) throw new MetricError('FailedGetResourceMetric', 'did not receive metrics for targeted pods (pods might be unready)')
  const now = ratioOf(ready)
  const figures = { average: Math.round(now.average), ...(now.utilization === undefined ? {} : { utilization: now.utilization }) }
  const countUnready = unready.length > 0 && now.ratio > 1
  if (!countUnready && missing.length === 0)
    return { replicas: Math.abs(now.ratio - 1) <= tolerance ? current : Math.ceil(now.ratio * ready.length), ...figures }
  const assumed = new Map<string, number>()
  // what is not known is taken so that the change becomes smaller: idle when growing, busy when shrinking
  if (now.ratio < 1) for (const name of missing) assumed.set(name, full(name))
  else if (now.ratio > 1) for (const name of missing) assumed.set(name, 0)
  else for (const name of missing) assumed.set(name, atTarget(name))
  if (countUnready) for (const name of unready) assumed.set(name, 0)
  const all = [...ready, ...assumed.keys()]
  const careful = ratioOf(all, assumed).ratio
  const turned = (now.ratio < 1 && careful > 1) || (now.ratio > 1 && careful < 1)
  if (Math.abs(careful - 1) <= tolerance || turned) return { replicas: current, ...figures }
  const replicas = Math.ceil(careful * all.length)
  if ((careful < 1 && replicas > current) || (careful > 1 && replicas < current)) return { replicas: current, ...figures }
  return { replicas, ...figures }
}

function requestsOf({ pods, resource, container }: TargetInput): Map<string, number> {
  const requests = new Map<string, number>()
  for (const pod of pods) {
    let sum = 0
    const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
    for (const each of [...pod.spec.containers, ...sidecars]) {
      if (container && each.name !== container) continue
      const request = each.resources?.requests?.[resource]
      if (request === undefined)
        throw new MetricError('FailedGetResourceMetric', `missing request for ${resource} in container ${each.name} of Pod ${pod.metadata.name}`)
      sum += milliValue(request)
    }
    requests.set(pod.metadata.name, sum)
  }
  return requests
}
