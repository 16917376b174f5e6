import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { openLogSpool } from './log-spool.ts'
import { noSpace, RefusedError, type SendOptions, type ServiceClient } from './service-client.ts'

const directory = mkdtempSync(join(tmpdir(), 'spool-'))
after(() => rmSync(directory, { recursive: true, force: true }))
let files = 0
const file = () => join(directory, String(++files))

/** A service that keeps a log as the real one does; `refuse` says what is in its way. */
function service(refuse: () => number | undefined) {
  const kept = { text: Buffer.alloc(0) }
  const client: ServiceClient = {
    async send(_method, path, { body }: SendOptions = {}) {
      const code = refuse()
      if (code) throw new RefusedError(code, 'refused')
      const offset = Number(new URL(path, 'http://x').searchParams.get('offset'))
      const bytes = body!() as Buffer
      if (offset <= kept.text.length) kept.text = Buffer.concat([kept.text, bytes.subarray(kept.text.length - offset)])
      return { code: 200, headers: {}, text: async () => JSON.stringify({ size: kept.text.length }) } as never
    },
  }
  return { client, kept }
}
const lines = (kept: { text: Buffer }) =>
  kept.text
    .toString()
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { d: string }).d)

test('all of the log arrives, in order', async () => {
  const { client, kept } = service(() => undefined)
  const spool = openLogSpool({ file: file(), client })
  for (let i = 0; i < 100; i++) spool.append({ t: 0, s: 1, d: String(i) })
  await spool.complete()
  assert.deepEqual(
    lines(kept),
    Array.from({ length: 100 }, (_, i) => String(i)),
  )
})

test('a service that lost what it had gets it again', async () => {
  const { client, kept } = service(() => undefined)
  const spool = openLogSpool({ file: file(), client })
  spool.append({ t: 0, s: 1, d: 'first' })
  await spool.complete()
  kept.text = Buffer.alloc(0)
  spool.append({ t: 0, s: 1, d: 'second' })
  await spool.complete()
  assert.deepEqual(lines(kept), ['first', 'second'])
})

test('a full disk is waited for, and at the end not for ever', async () => {
  let full = true
  const { client, kept } = service(() => (full ? noSpace : undefined))
  const spool = openLogSpool({ file: file(), client, spaceMs: 0 })
  spool.append({ t: 0, s: 1, d: 'x' })
  await assert.rejects(spool.complete(), /no space left/)
  full = false
  const patient = openLogSpool({ file: file(), client, spaceMs: 10_000 })
  full = true
  patient.append({ t: 0, s: 1, d: 'y' })
  const done = patient.complete()
  full = false
  await done
  assert.deepEqual(lines(kept), ['y'])
})
