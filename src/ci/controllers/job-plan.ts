import type { DeepReadonly, ci, core } from '#api'
import type { AgentReport } from '../agent/plan.ts'

/** What is known of a job that has been started. */
export interface JobState {
  job: DeepReadonly<ci.Job>
  project: DeepReadonly<ci.Project>
  /** Milliseconds since the epoch. */
  now: number
  /** The pods of this start, by index; undefined where there is none (any more). */
  pods: readonly (DeepReadonly<core.Pod> | undefined)[]
  reports: readonly (AgentReport | undefined)[]
}

export type JobPlan = {
  instances: ci.JobInstance[]
  message?: string
  failure?: ci.JobFailure
  tests?: ci.TestSummary
} & (
  | { kind: 'goes on'; phase: 'Starting' | 'Running'; /** Milliseconds until time alone changes something. */ lookAgainAfter: number }
  | { kind: 'ended'; phase: ci.JobPhase; /** Its pods are to go at once. */ removePods: boolean }
  | { kind: 'restart'; failures: ci.InfrastructureFailure[] }
)

/** How long an image may be missing: a registry may be away for a moment. */
export const imagePatience = 90_000

type Seen =
  | { state: 'ended' | 'running' | 'starting'; instance: ci.JobInstance }
  | { state: 'lost' | 'broken'; reason: string; instance: ci.JobInstance }

/** What a job's state is, by its pods and what their agents said; and whether it has to start again. */
export function planJob(state: JobState): JobPlan {
  const { job, project, now } = state
  const seen = state.pods.map((pod, index) => look(pod, state.reports[index], index, state))
  const instances = seen.map((one) => one.instance)
  const about = { instances, ...summaryOf(instances) }
  const stop = (phase: ci.JobPhase, message: string): JobPlan => ({ ...about, kind: 'ended', phase, message, removePods: true })

  if (job.spec.cancel) return stop('Canceled', 'canceled')
  const begun = Date.parse(job.status?.startTime ?? '') || now
  const deadline = begun + (project.spec.jobTimeoutSeconds ?? 3600) * 1000
  const over = seen.every((one) => one.state === 'ended')
  if (!over && now >= deadline) return stop('TimedOut', `not done after ${project.spec.jobTimeoutSeconds} s (jobTimeoutSeconds of the project)`)
  const broken = seen.flatMap((one) => (one.state === 'broken' ? [one] : []))[0]
  if (broken)
    return {
      ...stop(broken.instance.phase!, broken.reason),
      ...(about.failure ? {} : { failure: { message: broken.reason, instance: broken.instance.index } }),
    }
  const lost = seen.flatMap((one) => (one.state === 'lost' ? [one] : []))
  if (lost.length > 0) {
    const earlier = job.status?.infrastructureFailures ?? []
    const attempt = job.status?.attempt ?? 1
    const failures = lost.map(({ reason, instance }): ci.InfrastructureFailure => ({
      attempt,
      index: instance.index,
      ...(instance.podName ? { podName: instance.podName } : {}),
      reason: instance.reason ?? 'PodLost',
      message: reason,
      time: new Date(now).toISOString().replace(/\.\d+Z$/, 'Z'),
    }))
    const retries = project.spec.infrastructureRetries ?? 2
    if (attempt <= retries) return { ...about, kind: 'restart', failures: [...earlier, ...failures] }
    return stop('InfrastructureFailed', `${lost[0]!.reason}; started ${attempt} ${attempt === 1 ? 'time' : 'times'}`)
  }
  if (over) {
    const phase = worst(instances)
    // agent and steps end by themselves, what stands beside them does not
    const services = state.pods.some((pod) => (pod?.spec.containers.length ?? 0) > 2)
    return { ...about, ...messageOf(about.failure, instances, phase), kind: 'ended', phase, removePods: services }
  }
  const starting = seen.filter((one) => one.state === 'starting')
  const message = starting.find((one) => one.instance.message)?.instance.message
  return {
    ...about,
    ...(message ? { message } : {}),
    kind: 'goes on',
    phase: seen.some((one) => one.state === 'running' || one.state === 'ended') ? 'Running' : 'Starting',
    // a pod that waits is looked at again, a job that runs when its time is over
    lookAgainAfter: Math.min(deadline - now, starting.length > 0 ? 5000 : Infinity),
  }
}

function look(pod: DeepReadonly<core.Pod> | undefined, report: AgentReport | undefined, index: number, { job, now }: JobState): Seen {
  const known = job.status?.instances?.find((one) => one.index === index)
  const instance: ci.JobInstance = { index, ...(known?.podName ? { podName: known.podName } : {}), ...(report ? reported(report, index) : {}) }
  const lost = (reason: string, message: string): Seen => ({
    state: 'lost',
    reason: message,
    instance: { ...instance, phase: 'InfrastructureFailed', reason, message },
  })
  const broken = (phase: ci.JobPhase, reason: string, message: string): Seen => ({
    state: 'broken',
    reason: message,
    instance: { ...instance, phase, reason, message },
  })
  if (report?.completionTime) {
    // nobody asked for it: its pod went
    if (report.phase === 'Canceled' && !job.spec.cancel) return lost('PodDeleted', 'the pod of the job was deleted')
    if (report.phase === 'InfrastructureFailed') return lost('AgentFailed', report.message ?? 'the agent failed')
    return { state: 'ended', instance: { ...troubleOf(pod, job), ...instance } }
  }
  if (!pod) return lost('PodDeleted', 'the pod of the job is gone')
  const { status } = pod
  if (status?.phase === 'Failed' && status.reason)
    return lost(status.reason, `the pod ended: ${status.reason}${status.message ? `: ${status.message}` : ''}`)
  if (pod.metadata.deletionTimestamp) return lost('PodDeleted', 'the pod of the job was deleted')
  const container = (name: string) => status?.containerStatuses?.find((c) => c.name === name)
  const agent = container('agent')?.state?.terminated
  if (agent) {
    const said = terminationOf(agent.message)
    if (said?.phase === 'Succeeded' || said?.phase === 'Failed')
      return { state: 'ended', instance: { ...instance, phase: said.phase, ...(said.message ? { message: said.message } : {}) } }
    const why = said?.message || (agent.reason === 'OOMKilled' ? 'out of memory' : `exit code ${agent.exitCode}`)
    return lost(agent.reason === 'OOMKilled' ? 'OOMKilled' : 'AgentEnded', `the agent ended before the job: ${why}`)
  }
  const steps = container('steps')?.state?.terminated
  if (steps) {
    if (steps.reason === 'OOMKilled')
      return broken('Failed', 'OOMKilled', 'the container of the steps took more memory than its resource class has, and was killed')
    if (!report?.steps.length)
      return broken(
        'Failed',
        steps.reason ?? 'Error',
        `the container of the steps did not start: ${steps.message || `exit code ${steps.exitCode}`}; its image needs /bin/sh`,
      )
    return lost('StepsEnded', `the container of the steps was ended (exit code ${steps.exitCode})`)
  }
  for (const each of status?.containerStatuses ?? []) {
    const waiting = each.state?.waiting
    if (!waiting?.reason) continue
    const since = Date.parse(pod.metadata.creationTimestamp ?? '') || now
    const image = pod.spec.containers.find((c) => c.name === each.name)?.image ?? each.image
    if (waiting.reason === 'InvalidImageName') return broken('Failed', waiting.reason, `${JSON.stringify(image)} is no name of an image`)
    if (
      /^(ErrImagePull|ImagePullBackOff|ErrImageNeverPull|CreateContainerConfigError|CreateContainerError|RunContainerError)$/.test(waiting.reason)
    ) {
      const pulling = /Image/.test(waiting.reason)
      let message = pulling
        ? `the image ${image} cannot be pulled: ${waiting.message ?? waiting.reason}`
        : `the container ${each.name} cannot start: ${waiting.message ?? waiting.reason}`
      // the back-off does not say what the failure was
      if (waiting.reason === 'ImagePullBackOff' && known?.message?.startsWith('the image')) message = known.message
      if (now - since >= imagePatience || waiting.reason === 'ErrImageNeverPull') return broken('InfrastructureFailed', waiting.reason, message)
      return { state: 'starting', instance: { ...instance, phase: 'Starting', reason: waiting.reason, message } }
    }
  }
  if (report) return { state: 'running', instance: { ...troubleOf(pod, job), ...instance } }
  const scheduled = status?.conditions?.find((c) => c.type === 'PodScheduled')
  const unscheduled =
    scheduled?.status === 'False' && scheduled.message
      ? { reason: scheduled.reason ?? 'Unschedulable', message: `no node takes the pod: ${scheduled.message}` }
      : {}
  return { state: 'starting', instance: { ...instance, phase: 'Starting', ...unscheduled } }
}

/** A service that has ended with an error is not the job's end, but often its reason. */
function troubleOf(pod: DeepReadonly<core.Pod> | undefined, job: DeepReadonly<ci.Job>): { message?: string } {
  const images = (job.spec.definition?.['executor'] as { images?: { image: string; name?: string }[] } | undefined)?.images ?? []
  for (const { name, state } of pod?.status?.containerStatuses ?? []) {
    const index = /^service-(\d+)$/.exec(name)?.[1]
    if (index === undefined || !state?.terminated || state.terminated.exitCode === 0) continue
    const { exitCode, reason } = state.terminated
    const image = images[Number(index)]
    return {
      message: `the service ${image?.name ?? image?.image ?? name} ended: ${reason === 'OOMKilled' ? 'out of memory' : `exit code ${exitCode}`}`,
    }
  }
  return {}
}

/** An agent's report as the status has it. */
function reported(report: AgentReport, index: number): Partial<ci.JobInstance> {
  const { phase, message, steps, failure, tests, artifacts, startTime, completionTime } = report
  return {
    phase,
    ...(message ? { message } : {}),
    steps: steps as ci.StepStatus[],
    ...(failure ? { failure: { instance: index, ...failure } } : {}),
    ...(tests ? { tests } : {}),
    ...(artifacts > 0 ? { artifacts } : {}),
    startTime,
    ...(completionTime ? { completionTime } : {}),
  }
}

function terminationOf(message: string | undefined): { phase?: string; message?: string } | undefined {
  try {
    return message ? (JSON.parse(message) as { phase?: string; message?: string }) : undefined
  } catch {
    return undefined
  }
}

function summaryOf(instances: readonly ci.JobInstance[]): { failure?: ci.JobFailure; tests?: ci.TestSummary } {
  const failure = instances.find((one) => one.failure)?.failure
  const tests = instances.flatMap((one) => one.tests ?? [])
  if (tests.length === 0) return failure ? { failure } : {}
  const sum = (field: 'total' | 'failed' | 'skipped') => tests.reduce((total, one) => total + (one[field] ?? 0), 0)
  return {
    ...(failure ? { failure } : {}),
    tests: {
      total: sum('total'),
      failed: sum('failed'),
      skipped: sum('skipped'),
      failures: tests.flatMap((one) => one.failures ?? []).slice(0, 100),
    },
  }
}

function worst(instances: readonly ci.JobInstance[]): ci.JobPhase {
  for (const phase of ['Failed', 'TimedOut', 'InfrastructureFailed', 'Canceled'] as const)
    if (instances.some((one) => one.phase === phase)) return phase
  return 'Succeeded'
}

function messageOf(failure: ci.JobFailure | undefined, instances: readonly ci.JobInstance[], phase: ci.JobPhase): { message?: string } {
  if (phase === 'Succeeded') return {}
  if (!failure) {
    const message = instances.find((one) => one.message)?.message
    return message ? { message } : {}
  }
  const where = failure.source?.file ? ` (${failure.source.file}:${failure.source.line})` : ''
  const copy = instances.length > 1 ? ` of copy ${failure.instance}` : ''
  const how =
    failure.exitCode === undefined || failure.message?.startsWith('The command was ended')
      ? (failure.message ?? 'failed')
      : `exit code ${failure.exitCode}`
  const beside = instances.find((one) => one.index === failure.instance)?.message
  return { message: `${JSON.stringify(failure.name)}${copy}${where}: ${how}${beside ? `; ${beside}` : ''}` }
}

/** A job that may start, or why it waits. */
export type Slot = { free: true } | { free: false; why: string }

/**
 * Whether a queued job has its turn: no more jobs of a project run than it allows, those that came first go first, and of a serial group one alone runs.
 * `active` are those that run or are about to.
 */
export function slotFor(
  job: DeepReadonly<ci.Job>,
  project: DeepReadonly<ci.Project>,
  { active, queued }: { active: readonly DeepReadonly<ci.Job>[]; queued: readonly DeepReadonly<ci.Job>[] },
): Slot {
  const group = job.spec.serialGroup
  const earlier = queued.filter((other) => other !== job && isEarlier(other, job))
  if (group) {
    const holder = active.find((other) => other.spec.serialGroup === group) ?? earlier.find((other) => other.spec.serialGroup === group)
    if (holder) return { free: false, why: `waits for ${holder.metadata.name} of the serial group ${group}` }
  }
  const limit = project.spec.concurrency ?? 8
  // who waits for a serial group takes nobody's turn
  const before = earlier.filter((other) => !other.spec.serialGroup || !active.some((a) => a.spec.serialGroup === other.spec.serialGroup)).length
  if (active.length + before >= limit) return { free: false, why: `${limit} jobs of the project run already (its concurrency)` }
  return { free: true }
}

function isEarlier(a: DeepReadonly<ci.Job>, b: DeepReadonly<ci.Job>): boolean {
  const [x, y] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '']
  return x !== y ? x < y : a.metadata.name < b.metadata.name
}
