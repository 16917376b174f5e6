import { watch } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open, stat } from 'node:fs/promises'
import { basename, dirname } from 'node:path'
import type { LogOptions } from './cri-log.ts'
import { logFormatter } from './cri-log.ts'

export interface ReadLogOptions extends LogOptions {
  path: string
  /** Entries from the end to start at; all when absent. */
  tailLines?: number
  /** Go on after the end of the file, through rotations, until the container has ended. */
  follow?: {
    ended(): boolean
    /** Calls back when `ended` may have changed. */
    onChange(listener: () => void): () => void
  }
  signal: AbortSignal
}

const blockSize = 64 * 1024

/** What a container wrote, in pieces. New output is noticed by file system events. Rejects with ENOENT when there is no log. */
export async function* readLog(options: ReadLogOptions): AsyncGenerator<Buffer> {
  const { path, follow, signal } = options
  const formatter = logFormatter(options)
  const changes = follow ? changeWatcher(path, follow, signal) : undefined
  let file = await open(path, 'r')
  try {
    let position = options.tailLines === undefined ? 0 : await tailStart(file, options.tailLines)
    for (;;) {
      // asked before reading: what was written before the end is read, what comes later does not exist
      const last = follow === undefined || follow.ended()
      for (;;) {
        const block = Buffer.allocUnsafe(blockSize)
        const { bytesRead } = await file.read(block, 0, blockSize, position)
        if (bytesRead === 0) break
        position += bytesRead
        const output = formatter.push(block.subarray(0, bytesRead))
        if (output.length > 0) yield output
        if (formatter.done || signal.aborted) return
      }
      const next = follow ? await rotated(path, file) : undefined
      if (next) {
        // between our last read and the rename the old file may have grown; it gets nothing more now
        const rest = await readRest(file, position)
        const output = formatter.push(rest)
        if (output.length > 0) yield output
        await file.close()
        file = next
        position = 0
        continue
      }
      if (last) break
      await changes!.next()
      if (signal.aborted) return
    }
    const output = formatter.flush()
    if (output.length > 0) yield output
  } finally {
    changes?.close()
    await file.close()
  }
}

async function readRest(file: FileHandle, position: number): Promise<Buffer> {
  const size = (await file.stat()).size - position
  if (size <= 0) return Buffer.alloc(0)
  const block = Buffer.alloc(size)
  const { bytesRead } = await file.read(block, 0, size, position)
  return block.subarray(0, bytesRead)
}

/** The file that stands at `path` now, when it is another one than `file`. */
async function rotated(path: string, file: FileHandle): Promise<FileHandle | undefined> {
  const now = await stat(path).catch(() => undefined)
  if (!now) return undefined
  const { ino, dev } = await file.stat()
  if (now.ino === ino && now.dev === dev) return undefined
  return open(path, 'r').catch(() => undefined)
}

function changeWatcher(path: string, follow: NonNullable<ReadLogOptions['follow']>, signal: AbortSignal) {
  let changed = false
  let wake: (() => void) | undefined
  const notify = () => {
    changed = true
    wake?.()
  }
  // the directory, not the file: a rotation replaces the file
  const watcher = watch(dirname(path), (_event, name) => {
    if (name === null || name === basename(path)) notify()
  })
  watcher.on('error', notify)
  const stop = follow.onChange(notify)
  signal.addEventListener('abort', notify)
  return {
    async next() {
      if (!changed) await new Promise<void>((resolve) => (wake = resolve))
      changed = false
      wake = undefined
    },
    close() {
      watcher.close()
      stop()
      signal.removeEventListener('abort', notify)
    },
  }
}

/** Where the last `lines` lines of a file start. */
async function tailStart(file: FileHandle, lines: number): Promise<number> {
  const { size } = await file.stat()
  if (lines <= 0) return size
  const block = Buffer.alloc(blockSize)
  let end = size
  // the newline that ends the last line starts none
  let wanted = lines + 1
  let first = true
  while (end > 0) {
    const start = Math.max(0, end - blockSize)
    const { bytesRead } = await file.read(block, 0, end - start, start)
    if (first && block[bytesRead - 1] !== 0x0a) wanted--
    first = false
    for (let at = block.lastIndexOf(0x0a, bytesRead - 1); at >= 0; at = at === 0 ? -1 : block.lastIndexOf(0x0a, at - 1)) {
      if (--wanted === 0) return start + at + 1
    }
    end = start
  }
  return 0
}
