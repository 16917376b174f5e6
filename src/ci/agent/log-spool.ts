import { closeSync, openSync, readSync, writeSync } from 'node:fs'
import type { LogRecord } from './plan.ts'
import { noSpace, RefusedError, type ServiceClient } from './service-client.ts'

/**
 * The job's log on the agent's own disk, and its way to the service: bytes from the place where the service's copy ends, so that nothing is lost or doubled when
 * either of them was away.
 */
export interface LogSpool {
  append(record: LogRecord): void
  readonly size: number
  /** Resolves when the service has all of it; rejects when it will not take it. */
  complete(): Promise<void>
}

const chunkSize = 512 * 1024

export function openLogSpool({ file, client, spaceMs = 30_000 }: { file: string; client: ServiceClient; spaceMs?: number }): LogSpool {
  const fd = openSync(file, 'w+')
  let size = 0
  let sent = 0
  let broken: unknown
  let sending: Promise<void> | undefined
  let waiting: { resolve(): void; reject(error: unknown): void }[] = []

  async function drain(): Promise<void> {
    // what comes within a moment goes together
    await new Promise((resolve) => setTimeout(resolve, 20))
    while (sent < size) {
      const bytes = Buffer.alloc(Math.min(chunkSize, size - sent))
      readSync(fd, bytes, 0, bytes.length, sent)
      const answer = await client.send('PUT', `/agent/v1/log?offset=${sent}`, { body: () => bytes, spaceMs })
      const { size: taken } = JSON.parse(await answer.text()) as { size: number }
      // a service that knows less than we sent lost its disk: it gets everything again from there
      sent = Math.min(taken, size)
    }
  }

  function start(): void {
    if (sending || broken) return
    sending = drain().then(
      () => settle(),
      (error: unknown) => {
        broken =
          error instanceof RefusedError && error.code === noSpace
            ? new Error('the CI service has no space left for the log', { cause: error })
            : error
        settle()
      },
    )
  }

  function settle(): void {
    sending = undefined
    if (!broken && sent < size) return start()
    const all = waiting
    waiting = []
    for (const { resolve, reject } of all) {
      if (broken) reject(broken)
      else resolve()
    }
  }

  return {
    append(record) {
      const bytes = Buffer.from(`${JSON.stringify(record)}\n`)
      let written = 0
      while (written < bytes.length) written += writeSync(fd, bytes, written, bytes.length - written, size + written)
      size += bytes.length
      start()
    },
    get size() {
      return size
    },
    complete: () =>
      new Promise<void>((resolve, reject) => {
        if (broken) return reject(broken)
        if (sent === size && !sending) return resolve()
        waiting.push({ resolve, reject })
        start()
      }).finally(() => broken && closeQuietly(fd)),
  }
}

function closeQuietly(fd: number): void {
  try {
    closeSync(fd)
  } catch {
    // closed by an earlier call
  }
}
