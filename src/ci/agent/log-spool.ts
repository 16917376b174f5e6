import { openSync, readSync, writeSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { LogRecord } from './plan.ts'
import { noSpace, RefusedError, type ServiceClient } from './service-client.ts'

/**
 * The job's log on the agent's own disk, and its way to the service: bytes from the place where the service's copy ends, so that nothing is lost or doubled when
 * either of them was away. A service without room is waited for as long as the job runs.
 */
export interface LogSpool {
  append(record: LogRecord): void
  readonly size: number
  /** Resolves when the service has all of it; rejects when it will not take it, or has had no room for `spaceMs` from now on. */
  complete(): Promise<void>
}

const chunkSize = 512 * 1024

export function openLogSpool({ file, client, spaceMs = 30_000 }: { file: string; client: ServiceClient; spaceMs?: number }): LogSpool {
  const fd = openSync(file, 'w+')
  let size = 0
  let sent = 0
  let broken: unknown
  let giveUpAt = Infinity
  let sending: Promise<void> | undefined
  let waiting: { resolve(): void; reject(error: unknown): void }[] = []

  async function drain(): Promise<void> {
    // what comes within a moment goes together
    await sleep(20)
    while (sent < size) {
      const bytes = Buffer.alloc(Math.min(chunkSize, size - sent))
      readSync(fd, bytes, 0, bytes.length, sent)
      const taken = await offer(bytes)
      // a service that knows less than was sent lost it: it gets it again from there
      if (taken !== undefined) sent = Math.min(taken, size)
      else if (performance.now() >= giveUpAt) throw new Error('the CI service has no space left for the log')
      else await sleep(500)
    }
  }

  /** How much the service has then; undefined when it has no room. */
  async function offer(bytes: Uint8Array): Promise<number | undefined> {
    try {
      const answer = await client.send('PUT', `/agent/v1/log?offset=${sent}`, { body: () => bytes })
      return (JSON.parse(await answer.text()) as { size: number }).size
    } catch (error) {
      if (error instanceof RefusedError && error.code === noSpace) return undefined
      throw error
    }
  }

  function start(): void {
    if (sending || broken) return
    sending = drain().then(settle, (error: unknown) => {
      broken = error
      settle()
    })
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
        giveUpAt = performance.now() + spaceMs
        if (broken) return reject(broken)
        if (sent === size && !sending) return resolve()
        waiting.push({ resolve, reject })
        start()
      }),
  }
}
