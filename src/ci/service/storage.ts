import { randomBytes } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { chmod, lstat, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { RouteError } from './routes.ts'

/**
 * Where the service keeps things, all below one directory: `jobs/UID/ATTEMPT-INDEX/…` for what a job leaves, `caches/NAMESPACE/PROJECT/…`. Names come from the
 * API server (UIDs, DNS labels) or are hashes; the one thing that users name, an artifact's path, is checked segment by segment.
 */
export interface Storage {
  readonly directory: string
  jobDirectory(uid: string): string
  instanceDirectory(uid: string, attempt: number, index: number): string
  cacheDirectory(namespace: string, project: string): string
}

export function openStorage(directory: string): Storage {
  const one = (name: string) => {
    if (!/^[A-Za-z0-9][\w.-]*$/.test(name)) throw new RouteError(400, `${JSON.stringify(name)} is no name`)
    return name
  }
  return {
    directory,
    jobDirectory: (uid) => join(directory, 'jobs', one(uid)),
    instanceDirectory: (uid, attempt, index) => join(directory, 'jobs', one(uid), `${Math.trunc(attempt)}-${Math.trunc(index)}`),
    cacheDirectory: (namespace, project) => join(directory, 'caches', one(namespace), one(project)),
  }
}

/** The service's own secret, made at its first start. */
export async function ensureKey(directory: string): Promise<Uint8Array> {
  const file = join(directory, 'key')
  try {
    return await readFile(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  await mkdir(directory, { recursive: true, mode: 0o700 })
  await chmod(directory, 0o700)
  const key = randomBytes(32)
  await writeWhole(file, key)
  return key
}

/** Readers see the old file or the new one, never half of one. */
export async function writeWhole(file: string, content: Uint8Array | string): Promise<void> {
  const part = `${file}.${randomBytes(6).toString('hex')}.part`
  try {
    await writeFile(part, content, { mode: 0o600, flush: true })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw fullOr(error)
  }
}

/** Takes what comes into a file, whole or not at all; answers its size. More than `limit` bytes are refused. */
export async function receive(from: Readable, file: string, limit: number): Promise<number> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  const part = `${file}.${randomBytes(6).toString('hex')}.part`
  let size = 0
  try {
    await pipeline(
      from,
      async function* (source: AsyncIterable<Buffer>) {
        for await (const chunk of source) {
          size += chunk.length
          if (size > limit) throw new RouteError(413, `more than ${limit} bytes are not taken`)
          yield chunk
        }
      },
      createWriteStream(part, { mode: 0o600, flush: true }),
    )
    await rename(part, file)
    return size
  } catch (error) {
    await rm(part, { force: true })
    throw fullOr(error)
  }
}

/** A disk without room is an answer of its own: who sends may try again. */
export function fullOr(error: unknown): unknown {
  const code = (error as NodeJS.ErrnoException).code
  return code === 'ENOSPC' || code === 'EDQUOT' ? new RouteError(507, 'no space left on the disk of the CI service') : error
}

/** A path that a user names, below `directory`: no segment of it leads out or hides. */
export function below(directory: string, path: string): string {
  const segments = path.split('/').filter((s) => s !== '')
  if (segments.length === 0 || segments.some((s) => s === '.' || s === '..' || /[\0\\]/.test(s) || Buffer.byteLength(s) > 200))
    throw new RouteError(400, `${JSON.stringify(path)} is no path of a file`)
  return join(directory, ...segments)
}

/** Files below a directory as paths from there, with their sizes; links are none. */
export async function filesBelow(directory: string): Promise<{ path: string; size: number }[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith('.part')).map((entry) => join(entry.parentPath, entry.name))
  const sized = await Promise.all(files.map(async (file) => ({ path: file.slice(directory.length + 1), size: (await lstat(file)).size })))
  return sized.sort((a, b) => (a.path < b.path ? -1 : 1))
}

export const readStream = (file: string, start = 0): Readable => createReadStream(file, { start })
