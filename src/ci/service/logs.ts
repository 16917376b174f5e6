import { EventEmitter } from 'node:events'
import { closeSync, fdatasyncSync, ftruncateSync, fstatSync, openSync, writeSync } from 'node:fs'
import { mkdir, open, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { RouteError } from './routes.ts'
import { fullOr } from './storage.ts'

/** The logs of jobs: files of lines (LogRecord as JSON) that only grow. */
export interface Logs {
  /**
   * Appends bytes that belong at `offset`; what is there already is left out. Answers the size that the log has then, which is less than `offset` when bytes between
   * are missing: the sender goes on from there.
   */
  append(file: string, offset: number, bytes: Uint8Array): Promise<number>
  size(file: string): Promise<number>
  /** The bytes from `offset` on; with `follow`, what comes after them, until `ended` says that nothing will. */
  read(file: string, options: { offset?: number; follow?: boolean; ended: () => boolean; signal?: AbortSignal }): AsyncIterable<Uint8Array>
  /** Tells who follows that something has changed. */
  wake(file: string): void
}

export function openLogs(): Logs {
  const changes = new EventEmitter().setMaxListeners(0)
  return {
    async append(file, offset, bytes) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      const size = appendAt(file, offset, bytes)
      changes.emit(file)
      return size
    },
    size: (file) =>
      stat(file).then(
        (s) => s.size,
        () => 0,
      ),
    async *read(file, { offset = 0, follow = false, ended, signal }) {
      let at = offset
      for (;;) {
        let change: (() => void) | undefined
        const changed = new Promise<void>((resolve) => {
          change = resolve
          changes.once(file, resolve)
          signal?.addEventListener('abort', () => resolve(), { once: true })
        })
        // asked before the read: what is written after it wakes us
        const last = ended()
        for await (const bytes of content(file, at)) {
          at += bytes.length
          yield bytes
        }
        if (!follow || last || signal?.aborted) {
          changes.off(file, change!)
          return
        }
        await changed
        if (signal?.aborted) return
      }
    },
    wake: (file) => void changes.emit(file),
  }
}

/** Synchronous, so that two requests of one agent never write at once; a chunk is small. */
function appendAt(file: string, offset: number, bytes: Uint8Array): number {
  const fd = openSync(file, 'a+', 0o600)
  try {
    const { size } = fstatSync(fd)
    // half a line may be what a crash left of an append that nobody was told of: it is told now, and the sender goes on behind it
    if (offset > size) return size
    const fresh = bytes.subarray(size - offset)
    if (fresh.length === 0) return size
    try {
      let written = 0
      while (written < fresh.length) written += writeSync(fd, fresh, written)
      fdatasyncSync(fd)
    } catch (error) {
      ftruncateSync(fd, size)
      throw fullOr(error)
    }
    return size + fresh.length
  } finally {
    closeSync(fd)
  }
}

async function* content(file: string, from: number): AsyncGenerator<Uint8Array> {
  let handle
  try {
    handle = await open(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  try {
    for (let at = from; ;) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(64 * 1024), 0, 64 * 1024, at)
      if (bytesRead === 0) return
      at += bytesRead
      yield buffer.subarray(0, bytesRead)
    }
  } finally {
    await handle.close()
  }
}

export function offsetOf(text: string | null): number {
  const offset = Number(text ?? 0)
  if (!Number.isSafeInteger(offset) || offset < 0) throw new RouteError(400, 'offset must be a whole number of bytes')
  return offset
}
