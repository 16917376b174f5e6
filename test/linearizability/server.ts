// The process that the linearizability test kills: an API server over the embedded store, or over one with a bug that the test has to find.
import type { LogFile } from '../../src/store/sqlite/revision-log.ts'
import { openLogFile } from '../../src/store/sqlite/revision-log.ts'
import { mvccStore } from '../../src/store/mvcc-store.ts'
import { Versions } from '../../src/store/versions.ts'
import { startTestServer } from '../../src/apiserver/test-server.ts'
import type { Store } from '#store'

const [path, port, bug = 'none'] = process.argv.slice(2) as [string, string, string?]

/** Opens the store as openSqliteStore does, but with a log that tells lies where that is asked for. */
function open(): Store {
  const file = openLogFile({ path })
  const { floor, rows } = file.load()
  const dropped: number[] = []
  const versions = Versions.load(rows, floor, dropped)
  return mvccStore({ log: bug === 'acknowledges-early' ? late(file) : file, versions, dropped, defer: setImmediate })
}

/** A log that says it is done, and is a little later. */
function late(file: LogFile): LogFile {
  const pending = new Map<number, Uint8Array>()
  return {
    ...file,
    append(writes, compaction) {
      for (const { revision, value } of writes) if (value) pending.set(revision, value)
      // the index lets go of the bytes once they are in the log
      const copies = writes.map((write) => ({ ...write }))
      setTimeout(() => file.append(copies, compaction), 30)
    },
    read: (revision) => pending.get(revision) ?? file.read(revision),
  }
}

function withBug(store: Store): Store {
  if (bug !== 'resumes-with-gap') return store
  return new Proxy(store, {
    get(target, name) {
      if (name === 'watch') return (prefix: string, options: { from: number; signal?: AbortSignal }) => skipping(target.watch(prefix, options))
      const value = Reflect.get(target, name) as unknown
      return typeof value === 'function' ? (value as (...args: unknown[]) => unknown).bind(target) : value
    },
  })
}

/** Loses one event in seven. */
async function* skipping(batches: ReturnType<Store['watch']>): ReturnType<Store['watch']> extends AsyncIterable<infer T> ? AsyncGenerator<T> : never {
  let seen = 0
  for await (const batch of batches) yield { ...batch, events: batch.events.filter(() => ++seen % 7 !== 0) }
}

await startTestServer({ store: withBug(open()), port: Number(port), freeze: false })
process.stdout.write('ready\n')
