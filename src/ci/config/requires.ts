import type { CompiledJob, JobOutcome } from './compiled.ts'
import type { JobType } from './jobs.ts'
import type { Budget, Problems } from './problems.ts'
import { didYouMean } from './problems.ts'
import type { Position } from './tree.ts'

/** A job of a workflow before it is known which ones run. */
export interface PlannedJob {
  name: string
  /** The name was given by `name`. */
  explicit: boolean
  /** The name before it got a number. */
  numbered?: string
  /** The name by which `requires` means its whole matrix. */
  group?: string
  at: Position
  type: JobType
  /** Its own filters let it run. */
  passes: boolean
  contexts: string[]
  serialGroup?: string
  wants: { name: string; on: JobOutcome[]; at: Position }[]
  resolved: { job: string; on: JobOutcome[] }[]
  job?: CompiledJob
}

/** Finds the jobs that `requires` names. What names none is reported. */
export function resolveRequirements(jobs: PlannedJob[], { problems, budget }: { problems: Problems; budget: Budget }): void {
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const byGroup = Map.groupBy(
    jobs.filter((job) => job.group !== undefined),
    (job) => job.group!,
  )
  const numbered = Map.groupBy(jobs, (job) => job.numbered)
  for (const job of jobs) {
    const wanted = new Map<string, Set<JobOutcome>>()
    for (const { name, on, at } of job.wants) {
      const single = byName.get(name)
      const found = single ? [single] : (byGroup.get(name) ?? [])
      budget.spend(1 + Math.floor(found.length / 4), at)
      if (found.length === 0) {
        const times = numbered.get(name)?.length
        const why =
          times === undefined
            ? `there is no job "${name}" in this workflow${didYouMean(name, [...byName.keys(), ...byGroup.keys()])}`
            : `"${name}" stands ${times} times in this workflow; give each a "name", and require that`
        problems.report(at, why)
      }
      for (const other of found) {
        const outcomes = wanted.get(other.name) ?? new Set()
        for (const outcome of on) outcomes.add(outcome)
        wanted.set(other.name, outcomes)
      }
    }
    job.resolved = [...wanted].map(([name, on]) => ({ job: name, on: [...on] }))
  }
}

/** Jobs with those that they require before them; or the ring of jobs that wait for one another. */
export function orderJobs(jobs: PlannedJob[]): { order: PlannedJob[]; cycle?: PlannedJob[] } {
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const order: PlannedJob[] = []
  const state = new Map<PlannedJob, 'open' | 'done'>()
  for (const start of jobs) {
    if (state.has(start)) continue
    // Depth first with a stack of its own: a chain may be longer than the call stack.
    const path: { job: PlannedJob; next: number }[] = [{ job: start, next: 0 }]
    state.set(start, 'open')
    for (let top = path.at(-1); top; top = path.at(-1)) {
      const requirement = top.job.resolved[top.next++]
      if (!requirement) {
        state.set(top.job, 'done')
        order.push(top.job)
        path.pop()
        continue
      }
      const other = byName.get(requirement.job)!
      if (state.get(other) === 'open') return { order, cycle: path.slice(path.findIndex(({ job }) => job === other)).map(({ job }) => job) }
      if (state.has(other)) continue
      state.set(other, 'open')
      path.push({ job: other, next: 0 })
    }
  }
  return { order }
}

/**
 * The jobs that run: those whose filters pass, without those that require only jobs that do not run. Requirements of jobs that do not run
 * are forgotten. `order` has the jobs with those that they require before them.
 */
export function letThrough(jobs: PlannedJob[], order: PlannedJob[]): PlannedJob[] {
  const running = new Set<string>()
  for (const { name, passes, resolved } of order)
    if (passes && (resolved.length === 0 || resolved.some(({ job }) => running.has(job)))) running.add(name)
  return jobs.filter(({ name }) => running.has(name)).map((job) => ({ ...job, resolved: job.resolved.filter(({ job: name }) => running.has(name)) }))
}
