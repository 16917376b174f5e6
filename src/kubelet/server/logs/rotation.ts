import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Clock, Logger } from '#base'
import type { RuntimeService } from '../../cri/index.ts'

export interface LogRotationOptions {
  runtime: Pick<RuntimeService, 'reopenContainerLog'>
  /** Logs of the containers that run. */
  logs: () => Iterable<{ containerId: string; path: string }>
  clock: Clock
  log: Logger
  /** Bytes from which a log is rotated; 10 MiB when absent. */
  maxSize?: number
  /** Files kept per container, the current one included; 5 when absent, at least 2. */
  maxFiles?: number
  /** Milliseconds between looks at the sizes; 10 s when absent. */
  every?: number
}

/** Keeps containers' logs within bounds until `signal` aborts. */
export async function runLogRotation(options: LogRotationOptions, signal: AbortSignal): Promise<void> {
  const { clock, every = 10_000 } = options
  while (!signal.aborted) {
    await rotateLogs(options)
    await clock.sleep(every, signal).catch(() => {})
  }
}

/** One round. A log that cannot be rotated is reported and left as it is. */
export async function rotateLogs(options: LogRotationOptions): Promise<void> {
  const { maxSize = 10 * 1024 * 1024, log } = options
  for (const { containerId, path } of options.logs()) {
    const found = await stat(path).catch(() => undefined)
    if (!found || found.size < maxSize) continue
    await rotate(options, containerId, path).catch((error: unknown) => log.warn('log is not rotated', { container: containerId, path, error }))
  }
}

/** What to do with the rotated files of a log: the oldest go, all but the newest are compressed. Names sort by their time. */
export function planRotation(names: readonly string[], current: string, keep: number): { remove: string[]; compress: string[] } {
  const rotated = names.filter((name) => name.startsWith(`${current}.`) && !name.endsWith('.tmp')).sort()
  const temporary = names.filter((name) => name.startsWith(`${current}.`) && name.endsWith('.tmp'))
  const surplus = Math.max(0, rotated.length - keep)
  return {
    remove: [...temporary, ...rotated.slice(0, surplus)],
    compress: rotated.slice(surplus).filter((name) => !name.endsWith('.gz')),
  }
}

async function rotate({ runtime, clock, maxFiles = 5 }: LogRotationOptions, containerId: string, path: string): Promise<void> {
  const dir = dirname(path)
  // one of the files kept is the current one, one is about to be rotated out
  const { remove, compress } = planRotation(await readdir(dir), basename(path), Math.max(maxFiles, 2) - 2)
  for (const name of remove) await rm(join(dir, name), { force: true })
  for (const name of compress) await gzip(join(dir, name))
  const stamp = new Date(clock.now()).toISOString().replace(/[-:]/g, '').replace('T', '-').slice(0, 15)
  const rotated = `${path}.${stamp}`
  await rename(path, rotated)
  try {
    await runtime.reopenContainerLog({ containerId })
  } catch (error) {
    // the runtime goes on writing to the file it has: let it have its name back
    await rename(rotated, path)
    throw error
  }
}

async function gzip(path: string): Promise<void> {
  const temporary = `${path}.tmp`
  await pipeline(createReadStream(path), createGzip(), createWriteStream(temporary))
  await rename(temporary, `${path}.gz`)
  await rm(path)
}
