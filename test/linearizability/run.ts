import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openLogFile } from '../../src/store/sqlite/revision-log.ts'
import { freePort } from '../free-port.ts'
import { mulberry32 } from '../random.ts'
import { testClient } from './client.ts'
import type { DurableVersion, Operation, WatchHistory } from './history.ts'
import { violations } from './history.ts'

export interface RunOptions {
  /** How often the server is killed with SIGKILL. */
  kills: number
  seed: number
  /** A bug of server.ts to be found. */
  bug?: 'acknowledges-early' | 'resumes-with-gap'
  /** Milliseconds that each server lives from its first acknowledged write on, at most. */
  life?: number
  onProgress?: (kills: number, operations: number) => void
}

export interface RunResult {
  kills: number
  /** Finished requests by kind, those without an answer among the writes. */
  writes: number
  reads: number
  lists: number
  unknown: number
  watchEvents: number
  versions: number
  violations: string[]
}

const prefix = '/registry/core/configmaps/default/'
const keys = ['a', 'b', 'c', 'd', 'e']

/**
 * Writers, readers and watchers on a server that is killed again and again; then everything that they saw is held against what the store kept. Stops early at the first violation.
 */
export async function run({ kills, seed, bug, life = 250, onProgress }: RunOptions): Promise<RunResult> {
  const directory = mkdtempSync(join(tmpdir(), 'k8ts-linearizability-'))
  const path = join(directory, 'state.db')
  const random = mulberry32(seed)
  const port = await freePort()
  const client = testClient(port)
  const total: RunResult = { kills: 0, writes: 0, reads: 0, lists: 0, unknown: 0, watchEvents: 0, versions: 0, violations: [] }
  let values = 0
  let before: DurableVersion[] = []
  // a watch from 0 would begin anywhere: there is a revision to begin after
  const first = openLogFile({ path })
  first.append([{ key: '/first', revision: 1, deleted: false, value: Buffer.from('{}') }])
  first.close()
  try {
    while (total.kills < kills && total.violations.length === 0) {
      const operations: Operation[] = []
      const watches: WatchHistory[] = Array.from({ length: 3 }, () => ({ from: 0, events: [] }))
      // some kills share a check, so that watches resume across them
      const rounds = Math.min(5, kills - total.kills)
      for (const watch of watches) watch.from = before.at(-1)?.revision ?? 1
      for (let round = 0; round < rounds; round++) {
        const server = await startServer(path, port, bug)
        let alive = true
        // on a busy machine it may be a while until anybody is connected
        const begun = Promise.withResolvers<void>()
        const patience = setTimeout(begun.resolve, 10_000)
        const workers = [
          ...Array.from({ length: 4 }, () => writer(random, () => alive, begun.resolve)),
          ...Array.from({ length: 2 }, () => reader(random, () => alive)),
          ...watches.map((watch) => client.watch(watch)),
        ]
        await begun.promise
        clearTimeout(patience)
        await new Promise((resolve) => setTimeout(resolve, life * (0.4 + 0.6 * random())))
        const gone = new Promise((resolve) => server.once('exit', resolve))
        server.kill('SIGKILL')
        await gone
        alive = false
        await Promise.all(workers)
        total.kills++
      }
      const durable = readLog(path)
      total.violations.push(...lost(before, durable))
      // what the watches are owed is that of these rounds
      total.violations.push(...violations({ operations: [...operations], watches, durable }))
      before = durable
      count(operations, watches, durable)
      onProgress?.(total.kills, total.writes + total.reads + total.lists)

      async function writer(chance: () => number, goesOn: () => boolean, wrote: () => void): Promise<void> {
        while (goesOn()) {
          try {
            const key = keys[Math.floor(chance() * keys.length)]!
            const read = await client.read(key)
            operations.push(read)
            const basedOn = read.type === 'read' ? read.revision : 0
            const value = basedOn > 0 && chance() < 0.15 ? undefined : `v${++values}`
            const write = await client.write(key, basedOn, value)
            if (write) operations.push(write)
            if (write?.type === 'write' && write.outcome === 'unknown') return
            if (write) wrote()
          } catch {
            return
          }
        }
      }
      async function reader(chance: () => number, goesOn: () => boolean): Promise<void> {
        while (goesOn()) {
          try {
            operations.push(chance() < 0.3 ? await client.list() : await client.read(keys[Math.floor(chance() * keys.length)]!))
          } catch {
            return
          }
        }
      }
    }
    return total
  } finally {
    client.close()
    rmSync(directory, { recursive: true, force: true })
  }

  function count(operations: Operation[], watches: WatchHistory[], durable: DurableVersion[]): void {
    for (const o of operations) {
      if (o.type === 'read') total.reads++
      else if (o.type === 'list') total.lists++
      else {
        total.writes++
        if (o.outcome === 'unknown' && o.value !== undefined) total.unknown++
      }
    }
    for (const watch of watches) total.watchEvents += watch.events.length
    total.versions = durable.length
  }
}

/** What was durable once stays so. */
function lost(before: DurableVersion[], after: DurableVersion[]): string[] {
  const there = new Map(after.map((version) => [version.revision, version]))
  return before
    .filter(({ revision, key, value }) => there.get(revision)?.key !== key || there.get(revision)?.value !== value)
    .map(({ revision, key }) => `revision ${revision} of ${key} was durable and is gone`)
}

async function startServer(path: string, port: number, bug: string | undefined) {
  const server = spawn(process.execPath, [join(import.meta.dirname, 'server.ts'), path, String(port), ...(bug ? [bug] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    server.stdout.once('data', () => resolve())
    server.once('exit', (code) => reject(new Error(`the server ended with ${code} at its start`)))
  })
  return server
}

/** The versions that the store holds of the keys under test. */
function readLog(path: string): DurableVersion[] {
  const log = openLogFile({ path })
  try {
    return log
      .load()
      .rows.filter((row) => row.key.startsWith(prefix))
      .map((row) => ({
        key: row.key.slice(prefix.length),
        revision: row.revision,
        value: row.deleted ? undefined : (JSON.parse(Buffer.from(log.read(row.revision)).toString()) as { data: { value: string } }).data.value,
      }))
  } finally {
    log.close()
  }
}
