import { join } from 'node:path'
import type { DeepReadonly, ci } from '#api'
import { isEnded } from '../names.ts'
import type { Logs } from './logs.ts'
import type { Reports } from './reports.ts'
import type { Storage } from './storage.ts'

export interface JobLogOptions {
  job(namespace: string, name: string): DeepReadonly<ci.Job> | undefined
  storage: Storage
  logs: Logs
  reports: Reports
}

export interface JobLogQuery {
  /** The job's current start when absent. */
  attempt?: number
  /** Which of its parallel copies. */
  index?: number
  offset?: number
  /** Goes on until the log is complete. */
  follow?: boolean
  signal?: AbortSignal
}

/** The log of one copy of one start of a job, as it is kept: lines of LogRecord as JSON. */
export function readJobLog(options: JobLogOptions) {
  const { job, storage, logs, reports } = options
  return async function* (object: DeepReadonly<ci.Job>, query: JobLogQuery = {}): AsyncGenerator<Uint8Array> {
    const { attempt = object.status?.attempt ?? 1, index = 0, offset = 0, follow = false, signal } = query
    const uid = object.metadata.uid!
    const file = join(storage.instanceDirectory(uid, attempt, index), 'log.ndjson')
    let complete = false
    const stop = reports.subscribe((changed) => {
      if (changed === uid) void check()
    })
    async function check(): Promise<void> {
      const report = await reports.get(uid, attempt, index)
      const now = job(object.metadata.namespace!, object.metadata.name)
      complete =
        (report?.completionTime !== undefined && (await logs.size(file)) >= report.logSize) || !now || now.status?.attempt !== attempt || isEnded(now)
      if (complete) logs.wake(file)
    }
    // a job that ends without a report (its pod is gone) is seen by looking
    const timer = setInterval(() => void check(), 1000)
    try {
      await check()
      yield* logs.read(file, { offset, follow, ended: () => complete, ...(signal ? { signal } : {}) })
    } finally {
      clearInterval(timer)
      stop()
    }
  }
}
