import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { Readable } from 'node:stream'
import type { ci } from '#api'
import { authenticateJob } from './agent-routes.ts'
import { projectCaches } from './caches.ts'
import { openLogs } from './logs.ts'
import { matchRoute, type Route, RouteError } from './routes.ts'
import { below, filesBelow, openStorage, receive } from './storage.ts'
import { jobTokens } from './tokens.ts'

const directory = mkdtempSync(join(tmpdir(), 'ci-service-'))
after(() => rmSync(directory, { recursive: true, force: true }))

test('a log takes each byte once, whatever is sent again', async () => {
  const logs = openLogs()
  const file = join(directory, 'a/log')
  assert.equal(await logs.append(file, 0, Buffer.from('one\n')), 4)
  assert.equal(await logs.append(file, 0, Buffer.from('one\ntwo\n')), 8)
  assert.equal(await logs.append(file, 2, Buffer.from('e\n')), 8)
  // bytes between are missing: the sender is told where to go on
  assert.equal(await logs.append(file, 100, Buffer.from('later')), 8)
  assert.equal(readFileSync(file, 'utf8'), 'one\ntwo\n')
})

test('who follows a log sees what comes until it is complete', async () => {
  const logs = openLogs()
  const file = join(directory, 'b/log')
  let complete = false
  const got = (async () => {
    let text = ''
    for await (const bytes of logs.read(file, { follow: true, ended: () => complete })) text += Buffer.from(bytes).toString()
    return text
  })()
  await logs.append(file, 0, Buffer.from('first '))
  await logs.append(file, 6, Buffer.from('second'))
  complete = true
  logs.wake(file)
  assert.equal(await got, 'first second')
})

test('a cache is written once, found by its beginning, newest first, and makes room for others', async () => {
  let time = 0
  const caches = projectCaches(join(directory, 'caches'), { limit: 25, now: () => ++time })
  const content = () => Readable.from([Buffer.alloc(10)])
  assert.equal(await caches.save('v1-a', content()), true)
  assert.equal(await caches.save('v1-a', content()), false)
  assert.equal(await caches.save('v1-b', content()), true)
  assert.equal((await caches.find('v1-', false))?.key, 'v1-b')
  assert.equal(await caches.find('v1-', true), undefined)
  assert.equal((await caches.find('v1-a', true))?.key, 'v1-a')
  // v1-b has not been used for the longest time
  await caches.save('v1-c', content())
  assert.deepEqual((await caches.list()).map((c) => c.key).sort(), ['v1-a', 'v1-c'])
  await assert.rejects(caches.save('big', Readable.from([Buffer.alloc(26)])), /more than 25 bytes/)
  assert.equal(await caches.find('big', true), undefined)
})

test('what was not sent whole is not there', async () => {
  const file = join(directory, 'c/artifact')
  const broken = Readable.from(
    (function* () {
      yield Buffer.from('half')
      throw new Error('the connection broke')
    })(),
  )
  await assert.rejects(receive(broken, file, 1000), /connection broke/)
  assert.deepEqual(await filesBelow(join(directory, 'c')), [])
})

for (const path of ['../x', 'a/../../x', '', '/', 'a/./b', 'a\0b', 'a\\b', 'x'.repeat(201)])
  test(`an artifact is not called ${JSON.stringify(path.slice(0, 20))}`, () => assert.throws(() => below('/data', path), RouteError))

test('an artifact stays in its directory', () => {
  assert.equal(below('/data', 'out/report.html'), '/data/out/report.html')
  assert.equal(below('/data', '/out//x'), '/data/out/x')
})

test('links are not listed', async () => {
  const at = join(directory, 'links')
  await mkdir(at)
  writeFileSync(join(at, 'file'), 'x')
  symlinkSync('/etc/passwd', join(at, 'link'))
  assert.deepEqual(await filesBelow(at), [{ path: 'file', size: 1 }])
})

test('names of directories lead nowhere else', () => {
  const storage = openStorage('/data')
  assert.equal(storage.instanceDirectory('u-1', 1, 0), '/data/jobs/u-1/1-0')
  assert.throws(() => storage.jobDirectory('../x'), RouteError)
  assert.throws(() => storage.cacheDirectory('a', '..'), RouteError)
})

const route = (method: Route['method'], path: string): Route => ({ method, path, handle: () => {} })
const routes = [route('GET', '/a/:name'), route('PUT', '/a/:name'), route('*', '/git/*')]
const addresses: [method: string, path: string, found: object | string | undefined][] = [
  ['GET', '/a/b', { name: 'b' }],
  ['PUT', '/a/b%20c', { name: 'b c' }],
  ['DELETE', '/a/b', 'method'],
  ['GET', '/a/..', undefined],
  ['GET', '/a/%2e%2e', undefined],
  ['GET', '/a/b%2fc', undefined],
  ['GET', '/a/%zz', undefined],
  ['GET', '/a', undefined],
  ['POST', '/git/ns/p.git/info/refs', { '*': 'ns/p.git/info/refs' }],
  ['POST', '/git/ns/../p', undefined],
]
for (const [method, path, found] of addresses)
  test(`${method} ${path} is ${found === undefined ? 'nothing' : JSON.stringify(found)}`, () => {
    const match = matchRoute(routes, method, path)
    assert.deepEqual(typeof match === 'object' ? match.parameters : match, found)
  })

const identity = { namespace: 'default', name: 'j', uid: 'u', project: 'p', attempt: 1, index: 0 }
const tokens = jobTokens(Buffer.alloc(32, 1))
const token = tokens.issue(identity)
const job = (more: object) => ({ metadata: { uid: 'u' }, status: { attempt: 1, phase: 'Running' }, ...more }) as unknown as ci.Job
const now = Date.UTC(2026, 0, 1)
const holders: [title: string, object: ci.Job | undefined, given: string, good: boolean][] = [
  ['of a job that runs', job({}), `Bearer ${token}`, true],
  ['as git’s password', job({}), `Basic ${Buffer.from(`ci:${token}`).toString('base64')}`, true],
  ['of a job that is gone', undefined, `Bearer ${token}`, false],
  ['of another job of this name', job({ metadata: { uid: 'other' } }), `Bearer ${token}`, false],
  ['of a start that was given up', job({ status: { attempt: 2, phase: 'Running' } }), `Bearer ${token}`, false],
  [
    'of a job that ended this moment',
    job({ status: { attempt: 1, phase: 'Canceled', completionTime: new Date(now - 1000).toISOString() } }),
    `Bearer ${token}`,
    true,
  ],
  [
    'of a job that ended',
    job({ status: { attempt: 1, phase: 'Succeeded', completionTime: new Date(now - 120_000).toISOString() } }),
    `Bearer ${token}`,
    false,
  ],
  [
    'that somebody changed',
    job({}),
    `Bearer ${Buffer.from(JSON.stringify({ ...identity, project: 'q' })).toString('base64url')}.${token.split('.')[1]}`,
    false,
  ],
  ['that another key signed', job({}), `Bearer ${jobTokens(Buffer.alloc(32, 2)).issue(identity)}`, false],
]
for (const [title, object, authorization, good] of holders)
  test(`a token ${title} is ${good ? 'good' : 'refused'}`, () => {
    const found = authenticateJob({ headers: { authorization } } as never, { tokens, job: () => object, now: () => now })
    assert.deepEqual(found, good ? identity : undefined)
  })
