import type { CompiledJob, JobOutcome } from './compiled.ts'
import type { JobType } from './jobs.ts'
import type { Problems } from './problems.ts'
import { didYouMean } from './problems.ts'
import type { Position } from './tree.ts'

/** A job of a workflow before it is known which ones run. */
export interface PlannedJob {
  name: string
  /** The name was given by `name`. */
  explicit: boolean
  /** The name before it got a number. */
  numbered?: string
  /** Names by which `requires` means it together with others: its matrix. */
  groups: string[]
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
export function resolveRequirements(jobs: PlannedJob[], problems: Problems): void {
  const byName = new Map(jobs.map((job) => [job.name, job]))
  const byGroup = new Map<string, PlannedJob[]>()
  const numbered = new Map<string, number>()
  for (const job of jobs) {
    for (const group of job.groups) byGroup.set(group, [...(byGroup.get(group) ?? []), job])
    if (job.numbered !== undefined) numbered.set(job.numbered, (numbered.get(job.numbered) ?? 0) + 1)
  }
  for (const job of jobs) {
    const wanted = new Map<string, Set<JobOutcome>>()
    for (const { name, on, at } of job.wants) {
      const single = byName.get(name)
      const found = single ? [single] : (byGroup.get(name) ?? [])
      if (found.length === 0) {
        const times = numbered.get(name)
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

/** Jobs that wait for one another in a ring, or undefined. */
export function findCycle(jobs: PlannedJob[]): PlannedJob[] | undefined {
  const byName = new Map(jobs.map((job) => [job.name, job]))
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
        path.pop()
        continue
      }
      const other = byName.get(requirement.job)!
      if (state.get(other) === 'open') return path.slice(path.findIndex(({ job }) => job === other)).map(({ job }) => job)
      if (state.has(other)) continue
      state.set(other, 'open')
      path.push({ job: other, next: 0 })
    }
  }
  return undefined
}

/**
 * The jobs that run: those whose filters pass, without those that require only jobs that do not run. Requirements of jobs that do not run
 * are forgotten.
 */
export function letThrough(jobs: PlannedJob[]): PlannedJob[] {
  let running = new Set(jobs.filter((job) => job.passes))
  for (;;) {
    const names = new Set([...running].map((job) => job.name))
    const next = new Set([...running].filter((job) => job.resolved.length === 0 || job.resolved.some(({ job: name }) => names.has(name))))
    if (next.size === running.size) return [...running].map((job) => ({ ...job, resolved: job.resolved.filter(({ job: name }) => names.has(name)) }))
    running = next
  }
}
