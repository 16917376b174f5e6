// tools/run src/store/sqlite/sqlite.bench.ts [--busy MICROSECONDS]: durable writes, reads and opening of the embedded store. With
// --busy, each writer burns that much of the event loop per write, as serving its request over TLS would.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { Store } from '../store.ts'
import { openSqliteStore } from './sqlite-store.ts'

const { values: flags } = parseArgs({ options: { busy: { type: 'string', default: '0' }, dir: { type: 'string', default: tmpdir() } } })
const busy = Number(flags.busy)
const dir = mkdtempSync(join(flags.dir, 'k8ts-store-'))
const value = new Uint8Array(1024).fill(120)
let sequence = 0

function burn(): void {
  const end = performance.now() + busy / 1000
  while (performance.now() < end);
}

/** Runs `writers` loops for `ms`; answers writes per second and latency percentiles in milliseconds. */
async function load(ms: number, writers: number, write: () => Promise<unknown>): Promise<string> {
  const latencies: number[] = []
  const start = performance.now()
  await Promise.all(
    Array.from({ length: writers }, async () => {
      while (performance.now() - start < ms) {
        // a request comes in by the event loop, not in the microtask of the answer before it
        if (busy > 0) {
          await new Promise(setImmediate)
          burn()
        }
        const before = performance.now()
        await write()
        latencies.push(performance.now() - before)
      }
    }),
  )
  const seconds = (performance.now() - start) / 1000
  latencies.sort((a, b) => a - b)
  const percentile = (p: number) => latencies[Math.floor(latencies.length * p)]!.toFixed(2)
  return `${Math.round(latencies.length / seconds)}/s, p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, max ${latencies.at(-1)!.toFixed(2)} ms`
}

function time(fn: () => unknown): Promise<number> {
  const start = performance.now()
  return Promise.resolve(fn()).then(() => performance.now() - start)
}

const key = (n: number) => `/registry/configmaps/default/object-${String(n).padStart(8, '0')}`
const create = (store: Store) => () => store.create(key(sequence++), value)

try {
  const path = join(dir, 'bench.db')
  const store = await openSqliteStore({ path })
  for (const writers of [1, 16, 64]) console.log(`create, ${writers} writers: ${await load(2000, writers, create(store))}`)
  const abort = new AbortController()
  const watches = Array.from({ length: 70 }, async (_, i) => {
    let events = 0
    for await (const batch of store.watch(i === 0 ? '/registry/configmaps/' : `/registry/kind-${i}/`, { from: sequence, signal: abort.signal }))
      events += batch.events.length
    return events
  })
  console.log(`create, 64 writers, 70 watches: ${await load(2000, 64, create(store))}`)
  abort.abort()
  await Promise.all(watches)
  const first = await store.get(key(0))
  let modRevision = first!.modRevision
  const update = async () => {
    const result = await store.update(key(0), value, modRevision)
    if (result.ok) modRevision = result.revision
  }
  console.log(`update of one key, 1 writer: ${await load(1000, 1, update)}`)
  const gets = 20_000
  const got = await time(async () => {
    for (let i = 0; i < gets; i++) await store.get(key((i * 7919) % sequence))
  })
  console.log(`get: ${((got / gets) * 1000).toFixed(1)} us`)
  console.log(
    `list of 10,000: ${(await time(() => store.list('/registry/configmaps/', { limit: 10_000 }))).toFixed(0)} ms, again ${(await time(() => store.list('/registry/configmaps/', { limit: 10_000 }))).toFixed(0)} ms`,
  )
  await store[Symbol.asyncDispose]()

  const objects = join(dir, 'objects.db')
  const filled = await openSqliteStore({ path: objects })
  await Promise.all(Array.from({ length: 100_000 }, (_, i) => filled.create(key(i), value)))
  await filled[Symbol.asyncDispose]()
  const reopened = await time(async () => (await openSqliteStore({ path: objects }))[Symbol.asyncDispose]())
  console.log(`open with 100,000 objects: ${reopened.toFixed(0)} ms`)
} finally {
  rmSync(dir, { recursive: true, force: true })
}
