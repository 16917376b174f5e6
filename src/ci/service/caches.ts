import { createHash } from 'node:crypto'
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { chooseCache, type StoredCache } from '../config/cache-key.ts'
import { receive, writeWhole } from './storage.ts'

export interface CacheEntry extends StoredCache {
  size: number
  /** Milliseconds since the epoch. */
  usedAt: number
}

export interface CacheOptions {
  /** What all caches of a project may take together; the ones that were not used for the longest time go first. 10 GiB when absent. */
  limit?: number
  now?: () => number
}

/**
 * The caches of one project: a key is written once and never changed. A restore finds the newest of those whose key begins with what was asked for.
 */
export function projectCaches(directory: string, { limit = 10 * 1024 ** 3, now = Date.now }: CacheOptions = {}) {
  const id = (key: string) => createHash('sha256').update(key).digest('hex')
  const file = (key: string) => join(directory, `${id(key)}.tar.zst`)

  async function list(): Promise<CacheEntry[]> {
    const names = await readdir(directory).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw error
    })
    const entries = names
      .filter((name) => name.endsWith('.json'))
      .map(async (name) => JSON.parse(await readFile(join(directory, name), 'utf8')) as CacheEntry)
    return (await Promise.allSettled(entries)).flatMap((entry) => (entry.status === 'fulfilled' ? [entry.value] : []))
  }

  async function remove(key: string): Promise<void> {
    // the entry first: a file without one is found by nobody
    await rm(join(directory, `${id(key)}.json`), { force: true })
    await rm(file(key), { force: true })
  }

  async function makeRoom(): Promise<void> {
    const entries = (await list()).sort((a, b) => a.usedAt - b.usedAt)
    let total = entries.reduce((sum, entry) => sum + entry.size, 0)
    for (const entry of entries) {
      if (total <= limit) return
      await remove(entry.key)
      total -= entry.size
    }
  }

  return {
    list,
    /** False when the key is taken: caches do not change. */
    async save(key: string, content: Readable): Promise<boolean> {
      if ((await list()).some((entry) => entry.key === key)) {
        content.resume()
        return false
      }
      const size = await receive(content, file(key), limit)
      const entry: CacheEntry = { key, size, createdAt: now(), usedAt: now() }
      await writeWhole(join(directory, `${id(key)}.json`), JSON.stringify(entry))
      await makeRoom()
      return true
    },
    /** The entry for a key or the beginning of one, and its file. */
    async find(key: string, exact: boolean): Promise<(CacheEntry & { file: string }) | undefined> {
      const entries = await list()
      const found = exact ? entries.find((entry) => entry.key === key) : chooseCache([key], entries)
      if (!found) return undefined
      await writeWhole(join(directory, `${id(found.key)}.json`), JSON.stringify({ ...found, usedAt: now() })).catch(() => {})
      return { ...found, file: file(found.key) }
    },
    remove,
  }
}
