// The process that sqlite-store.test.ts kills: writes with several writers and records each acknowledged write, in the order of
// acknowledgement, as a line `revision key value` with one write(2), which a kill of the process cannot take back.
import { openSync, writeSync } from 'node:fs'
import { openSqliteStore } from './sqlite-store.ts'

const [path, round, output] = process.argv.slice(2) as [string, string, string]
const store = await openSqliteStore({ path, retention: { revisions: 500 } })
const file = openSync(output, 'a')
let first = true

function acknowledge(revision: number, key: string, value: string): void {
  writeSync(file, `${revision} ${key} ${value}\n`)
  if (first) process.stdout.write('writing\n')
  first = false
}

await Promise.all(
  Array.from({ length: 16 }, async (_, writer) => {
    for (let i = 0; ; i++) {
      const key = `/${round}/${writer}/${i}`
      const value = `value-${i}-${'x'.repeat(i % 700)}`
      let result = await store.create(key, Buffer.from(value))
      if (!result.ok) throw new Error(`${key} exists`)
      acknowledge(result.revision, key, value)
      if (i % 3 === 0) continue
      const changed = `changed-${i}`
      result = i % 3 === 1 ? await store.update(key, Buffer.from(changed), result.revision) : await store.delete(key, result.revision)
      if (!result.ok) throw new Error(`${key} changed`)
      acknowledge(result.revision, key, i % 3 === 1 ? changed : 'deleted')
    }
  }),
)
