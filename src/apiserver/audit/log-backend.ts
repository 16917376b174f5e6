import { createReadStream, createWriteStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { mkdir, open, readdir, rename, stat, unlink } from 'node:fs/promises'
import { basename, dirname, extname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock, Logger } from '#base'
import { describeError } from '#base'
import type { AuditBackend } from './trail.ts'

export interface LogBackendOptions {
  /** `-` is standard output. */
  path: string
  /** Megabytes that a file may have before the next one is begun; 100 when 0 or absent, as upstream. */
  maxSize?: number
  /** How many old files are kept; all when 0 or absent. */
  maxBackup?: number
  /** Days that old files are kept; for ever when 0 or absent. */
  maxAge?: number
  /** Whether old files are packed with gzip. */
  compress?: boolean
  clock: Clock
  log: Logger
}

/** Bytes that wait for the disk; what comes beyond is dropped, and said. */
const bufferLimit = 64 << 20

/**
 * Events as JSON lines in a file, which is renamed to `NAME-TIME.EXT` when it is full. Requests do not wait for the disk: lines are written in order, as many at
 * once as have come up; disposing writes the rest.
 */
export async function logBackend(options: LogBackendOptions): Promise<AuditBackend> {
  const { path, clock, log, maxSize, maxBackup = 0, maxAge = 0, compress = false } = options
  const limit = (maxSize || 100) * 1024 * 1024
  const toOutput = path === '-'
  let waiting: string[] = []
  let waitingBytes = 0
  let dropped = 0
  let writing: Promise<void> | undefined
  let file: FileHandle | undefined
  let size = 0
  if (!toOutput) {
    await mkdir(dirname(path), { recursive: true })
    await reopen()
  }

  async function reopen(): Promise<void> {
    await file?.close()
    // others may not read who did what
    file = await open(path, 'a', 0o600)
    size = (await file.stat()).size
  }

  async function rotate(): Promise<void> {
    await file!.close()
    file = undefined
    const backup = await backupName(path, clock.now())
    await rename(path, backup)
    await reopen()
    if (compress) await pack(backup)
    await prune(path, { maxBackup, maxAge, now: clock.now() })
  }

  async function flush(): Promise<void> {
    while (waiting.length > 0) {
      const lines = waiting
      waiting = []
      waitingBytes = 0
      try {
        for (const chunk of chunksOf(lines, limit)) {
          if (toOutput) {
            process.stdout.write(chunk)
            continue
          }
          if (!file) await reopen()
          const bytes = Buffer.byteLength(chunk)
          if (size > 0 && size + bytes > limit) await rotate()
          await file!.appendFile(chunk)
          size += bytes
        }
      } catch (error) {
        dropped += lines.length
        log.error('audit events cannot be written', { path, events: lines.length, error: describeError(error) })
      }
    }
    writing = undefined
  }

  return {
    name: 'log',
    get lost() {
      return dropped
    },
    write(event) {
      if (waitingBytes > bufferLimit) {
        if (dropped++ === 0) log.error('audit events are dropped: the disk does not keep up', { path })
        return
      }
      waiting.push(event)
      waitingBytes += event.length
      writing ??= flush()
    },
    async [Symbol.asyncDispose]() {
      await writing
      await file?.close()
      file = undefined
    },
  }
}

/** Replaces a file by its packed form; one that cannot be packed stays as it is. */
async function pack(path: string): Promise<void> {
  const part = `${path}.gz.part`
  try {
    await pipeline(createReadStream(path), createGzip(), createWriteStream(part, { mode: 0o600 }))
    await rename(part, `${path}.gz`)
    await unlink(path)
  } catch (error) {
    await unlink(part).catch(() => {})
    throw error
  }
}

/** Lines joined to chunks that fit into a file. */
function* chunksOf(lines: readonly string[], limit: number): Generator<string> {
  let chunk: string[] = []
  let length = 0
  for (const line of lines) {
    if (length > 0 && length + line.length + 1 > limit) {
      yield chunk.join('')
      chunk = []
      length = 0
    }
    chunk.push(line, '\n')
    length += line.length + 1
  }
  if (chunk.length > 0) yield chunk.join('')
}

/** `audit-2026-11-23T08-48-03.123.log` for `audit.log`; two of one millisecond differ. */
async function backupName(path: string, now: number): Promise<string> {
  for (let time = now; ; time++) {
    const stamp = new Date(time).toISOString().slice(0, -1).replaceAll(':', '-')
    const extension = extname(path)
    const name = join(dirname(path), `${basename(path, extension)}-${stamp}${extension}`)
    if (!(await stat(name).catch(() => undefined))) return name
  }
}

async function prune(path: string, { maxBackup, maxAge, now }: { maxBackup: number; maxAge: number; now: number }): Promise<void> {
  if (!maxBackup && !maxAge) return
  const extension = extname(path)
  const prefix = `${basename(path, extension)}-`
  const stamped = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}$/
  const stampOf = (name: string) => {
    const plain = name.endsWith('.gz') && extension !== '.gz' ? name.slice(0, -'.gz'.length) : name
    return plain.startsWith(prefix) && plain.endsWith(extension) ? plain.slice(prefix.length, plain.length - extension.length) : ''
  }
  const backups = (await readdir(dirname(path)))
    .filter((name) => stamped.test(stampOf(name)))
    .sort()
    .reverse()
  const timeOf = (name: string) => {
    const stamp = stampOf(name)
    return Date.parse(`${stamp.slice(0, 10)}T${stamp.slice(11, 19).replaceAll('-', ':')}${stamp.slice(19)}Z`)
  }
  const old = backups.filter((name, i) => (maxBackup > 0 && i >= maxBackup) || (maxAge > 0 && timeOf(name) < now - maxAge * 86_400_000))
  await Promise.all(old.map((name) => unlink(join(dirname(path), name)).catch(() => {})))
}
