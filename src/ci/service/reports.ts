import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AgentReport } from '../agent/plan.ts'
import type { Storage } from './storage.ts'
import { writeWhole } from './storage.ts'

/** What agents said last, by job, start and copy. Kept on disk: a controller that starts anew reads it again. */
export interface Reports {
  get(uid: string, attempt: number, index: number): Promise<AgentReport | undefined>
  put(uid: string, attempt: number, index: number, report: AgentReport): Promise<void>
  /** Calls back with the job's uid after each report. */
  subscribe(listener: (uid: string) => void): () => void
  forget(uid: string): Promise<void>
}

export function openReports(storage: Storage): Reports {
  const known = new Map<string, AgentReport | undefined>()
  const listeners = new Set<(uid: string) => void>()
  const file = (uid: string, attempt: number, index: number) => join(storage.instanceDirectory(uid, attempt, index), 'report.json')
  return {
    async get(uid, attempt, index) {
      const key = file(uid, attempt, index)
      if (known.has(key)) return known.get(key)
      const report = await readFile(key, 'utf8').then(
        (text) => JSON.parse(text) as AgentReport,
        () => undefined,
      )
      // a report that came meanwhile is newer
      if (!known.has(key)) known.set(key, report)
      return known.get(key)
    },
    async put(uid, attempt, index, report) {
      const key = file(uid, attempt, index)
      await mkdir(storage.instanceDirectory(uid, attempt, index), { recursive: true, mode: 0o700 })
      await writeWhole(key, JSON.stringify(report))
      known.set(key, report)
      for (const listener of listeners) listener(uid)
    },
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async forget(uid) {
      const directory = storage.jobDirectory(uid)
      for (const key of known.keys()) if (key.startsWith(`${directory}/`)) known.delete(key)
      await rm(directory, { recursive: true, force: true })
    },
  }
}
