import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Request, WatchFrame } from '#client'
import { memoryStore } from '#store'
import type { TestServer } from '../test-server.ts'
import { admin, startTestServer } from '../test-server.ts'

/*
 * Every combination of the parameters that choose which moment a LIST or WATCH shows, held against the tables of Kubernetes' API concepts ("Resource versions", KEP-2340, KEP-3157):
 * the columns are written down once, below, and the cases are their product.
 */

const base = '/api/v1/namespaces/default/configmaps'
let t: TestServer
/** Revisions: a was created, b was created, a was deleted (nothing else tells), c was created: the newest. */
let one: number, two: number, newest: number
let continued: string

before(async () => {
  t = await startTestServer({ store: memoryStore() })
  const make = async (name: string) =>
    Number((await value('POST', base, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name } })).metadata.resourceVersion)
  one = await make('a')
  two = await make('b')
  // the token shows the moment when there were a and b
  continued = (await value('GET', `${base}?limit=1`)).metadata.continue
  await value('DELETE', `${base}/a`)
  newest = await make('c')
})
after(() => t[Symbol.asyncDispose]())

async function send(method: Request['method'], target: string, body?: object) {
  const [path, search] = target.split('?') as [string, string?]
  return t.server.transport(admin).send({ method, path, query: new URLSearchParams(search), headers: {}, ...(body ? { body } : {}) })
}
async function value(method: Request['method'], target: string, body?: object): Promise<any> {
  const { body: answer } = await send(method, target, body)
  assert.ok('value' in answer)
  return answer.value
}

type Version = 'unset' | '0' | 'past' | 'newest' | 'future' | 'nonsense'
const versions: Version[] = ['unset', '0', 'past', 'newest', 'future', 'nonsense']
const revision = (version: Version) =>
  ({ unset: undefined, '0': '0', past: String(two), newest: String(newest), future: String(newest + 1000), nonsense: 'x' })[version]
const now = ['b', 'c']
const past = ['a', 'b']

/** Which names a list shows, or the code of its refusal. A server that has everything in memory answers "any" and "not older than" with the newest. */
function expectedList(match: string, paging: string, version: Version): string[] | number {
  const first = (names: string[]) => (paging === 'limit' ? names.slice(0, 1) : names)
  if (paging === 'continue') {
    if (match !== 'unset') return 422
    if (version === 'nonsense' || version === 'past' || version === 'newest' || version === 'future') return 400
    return ['b']
  }
  if (match === 'Sideways' || (match !== 'unset' && version === 'unset')) return 422
  if (match === 'Exact' && version === '0') return 422
  if (version === 'nonsense') return 400
  if (version === 'future') return 504
  // what may be of any version comes whole
  if (version === '0') return now
  if (version === 'unset' || match === 'NotOlderThan') return first(now)
  // a number and no match: not older than, but exact for pages
  if (match === 'unset' && paging === 'none') return now
  return first(version === 'past' ? past : now)
}

describe('LIST', { concurrency: true }, () => {
  for (const match of ['unset', 'NotOlderThan', 'Exact', 'Sideways'])
    for (const paging of ['none', 'limit', 'continue'])
      for (const version of versions)
        // waits for what never comes, as it should
        test(`resourceVersionMatch ${match}, paging ${paging}, resourceVersion ${version}`, async () => {
          const query = new URLSearchParams()
          if (match !== 'unset') query.set('resourceVersionMatch', match)
          if (paging !== 'none') query.set('limit', '1')
          if (paging === 'continue') query.set('continue', continued)
          const asked = revision(version)
          if (asked !== undefined) query.set('resourceVersion', asked)
          const answer = await value('GET', `${base}?${query}`)
          const expected = expectedList(match, paging, version)
          const shown = answer.kind === 'Status' ? answer.code : answer.items.map((item: any) => item.metadata.name)
          assert.deepEqual(shown, expected, JSON.stringify(answer))
          if (answer.kind === 'Status') return
          const moment = Number(answer.metadata.resourceVersion)
          const exactly = paging === 'continue' || (version === 'past' && (match === 'Exact' || (match === 'unset' && paging === 'limit')))
          assert.equal(moment, exactly ? two : newest)
        })
})

/** Events that a watch begins with; `end` is the bookmark that ends the initial ones. */
function expectedWatch(initial: string, match: string, version: Version): string[] | number | 'error 410' {
  if (initial === 'unset' ? match !== 'unset' : match !== 'NotOlderThan') return 422
  if (version === 'nonsense') return 400
  const start = [...now.map((name) => `ADDED ${name}`), 'end']
  if (version === 'future') return 504
  if (version === 'unset' || version === '0') return initial === 'false' ? [] : start
  if (initial === 'true') return start
  return version === 'past' ? ['DELETED a', 'ADDED c'] : []
}

describe('WATCH', { concurrency: true }, () => {
  for (const initial of ['unset', 'true', 'false'])
    for (const match of ['unset', 'NotOlderThan', 'Exact'])
      for (const version of versions)
        test(`sendInitialEvents ${initial}, resourceVersionMatch ${match}, resourceVersion ${version}`, async () => {
          const query = new URLSearchParams({ watch: 'true', allowWatchBookmarks: 'true', timeoutSeconds: '60' })
          if (initial !== 'unset') query.set('sendInitialEvents', initial)
          if (match !== 'unset') query.set('resourceVersionMatch', match)
          const asked = revision(version)
          if (asked !== undefined) query.set('resourceVersion', asked)
          const { body } = await send('GET', `${base}?${query}`)
          const expected = expectedWatch(initial, match, version)
          if ('value' in body) return assert.equal((body.value as { code: number }).code, expected, JSON.stringify(body.value))
          assert.ok('events' in body)
          const events = body.events[Symbol.asyncIterator]()
          assert.ok(Array.isArray(expected), `${expected} was expected`)
          const seen: string[] = []
          // one more than is expected: what comes next must be the object that is made now
          const marker = `marker-${initial}-${match}-${version}`.toLowerCase()
          await value('POST', '/api/v1/namespaces/default/configmaps', { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: marker } })
          await value('DELETE', `${base}/${marker}`)
          for (;;) {
            const { value: frame } = (await events.next()) as { value: WatchFrame }
            const { metadata } = frame.object as { metadata: { name?: string; annotations?: Record<string, string> } }
            if (metadata.name?.startsWith('marker-')) {
              if (metadata.name !== marker) continue
              break
            }
            seen.push(frame.type === 'BOOKMARK' && metadata.annotations?.['k8s.io/initial-events-end'] ? 'end' : `${frame.type} ${metadata.name}`)
          }
          await events.return?.()
          assert.deepEqual(seen, expected)
        })
})

test('what was created first is still to be had at its own moment', async () => {
  const list = await value('GET', `${base}?resourceVersion=${one}&resourceVersionMatch=Exact`)
  assert.deepEqual(
    list.items.map((item: any) => item.metadata.name),
    ['a'],
  )
})
