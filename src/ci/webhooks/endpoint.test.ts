import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, test } from 'node:test'
import { type ci, resources } from '#api'
import { silentLogger } from '#base'
import { type TestServer, startTestServer } from '../../apiserver/test-server.ts'
import { githubWebhook } from './endpoint.ts'
import { sign } from './signature.ts'

let api: TestServer
let url: string
let close: () => Promise<void>
const secret = 'the secret of blog'

before(async () => {
  api = await startTestServer()
  await api.client.resource(resources.ciProjects).create({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Project',
    metadata: { name: 'blog', namespace: 'default' },
    spec: { repository: { url: 'https://example.com/blog.git' }, triggers: { ignoreBranches: ['wip'] } },
  })
  await api.client.resource(resources.secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'blog-webhook', namespace: 'default' },
    data: { secret: Buffer.from(secret).toString('base64') },
  })
  const handle = githubWebhook({ client: api.client, addressOf: ({ metadata }) => `https://ci/${metadata.name}`, log: silentLogger, maxBody: 10_000 })
  const server = createServer((request, response) => {
    const [namespace, name] = request.url!.slice(1).split('/') as [string, string]
    void handle(request, response, { namespace, name })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})
after(async () => {
  await close()
  await api[Symbol.asyncDispose]()
})

const push = (part: object = {}) => ({
  ref: 'refs/heads/main',
  before: 'a'.repeat(40),
  after: 'b'.repeat(40),
  head_commit: { id: 'b'.repeat(40), message: 'title' },
  sender: { login: 'ann' },
  ...part,
})

interface Sent {
  payload?: object
  delivery?: string
  event?: string
  signature?: string
  project?: string
  form?: boolean
}

async function send({ payload = push(), delivery = 'one', event = 'push', signature, project = 'default/blog', form = false }: Sent = {}) {
  const text = JSON.stringify(payload)
  const body = Buffer.from(form ? `payload=${encodeURIComponent(text)}` : text)
  const response = await fetch(`${url}/${project}`, {
    method: 'POST',
    headers: {
      'content-type': form ? 'application/x-www-form-urlencoded' : 'application/json',
      'x-github-event': event,
      'x-github-delivery': delivery,
      'x-hub-signature-256': signature ?? sign(secret, body),
    },
    body,
  })
  return { status: response.status, body: (await response.json()) as { message: string; pipeline?: string } }
}

const pipelines = async () => (await api.client.resource(resources.ciPipelines).list({ namespace: 'default' })).items as ci.Pipeline[]

test('a push starts a pipeline of its commit, and its redelivery names the same one', async () => {
  const first = await send({ delivery: '1-2-3' })
  assert.equal(first.status, 201)
  const again = await send({ delivery: '1-2-3' })
  assert.equal(again.status, 200)
  assert.equal(again.body.pipeline, first.body.pipeline)
  const made = (await pipelines()).filter((each) => each.metadata.name === first.body.pipeline)
  assert.equal(made.length, 1)
  const { branch, revision, baseRevision, actor, trigger } = made[0]!.spec
  assert.deepEqual([branch, revision, baseRevision, actor, trigger?.type], ['main', 'b'.repeat(40), 'a'.repeat(40), 'ann', 'webhook'])
})

test('two deliveries are two pipelines', async () => {
  const before = (await pipelines()).length
  await Promise.all([send({ delivery: 'x' }), send({ delivery: 'y' }), send({ delivery: 'y' })])
  assert.equal((await pipelines()).length - before, 2)
})

test('a form carries the payload as well', async () => assert.equal((await send({ form: true, delivery: 'form' })).status, 201))

const quiet: [string, Sent, number, RegExp][] = [
  ['a ping is answered', { event: 'ping' }, 200, /pong/],
  ['another event starts nothing', { event: 'issues' }, 200, /nothing to do/],
  ['a deleted branch starts nothing', { payload: push({ after: '0'.repeat(40), deleted: true }) }, 200, /deleted/],
  ['an ignored branch starts nothing', { payload: push({ ref: 'refs/heads/wip' }) }, 200, /ignores/],
  ['a commit may ask to be skipped', { payload: push({ head_commit: { id: 'b'.repeat(40), message: '[skip ci]' } }) }, 200, /skip/],
  ['a push without its commit is refused', { payload: { ref: 'refs/heads/main' } }, 400, /after/],
  ['a wrong signature is refused without a word more', { signature: sign('other', Buffer.from('{}')) }, 401, /^unauthorized$/],
  ['a project that is not there is refused alike', { project: 'default/none' }, 401, /^unauthorized$/],
  ['a name that is none is refused alike', { project: 'default/..%2fblog' }, 401, /^unauthorized$/],
  ['a payload that is too large is not read', { payload: push({ filler: 'x'.repeat(20_000) }) }, 413, /at most/],
]
for (const [name, sent, status, message] of quiet)
  test(name, async () => {
    const before = (await pipelines()).length
    const result = await send({ delivery: name, ...sent })
    assert.equal(result.status, status)
    assert.match(result.body.message, message)
    assert.equal((await pipelines()).length, before)
  })

test('no signature is refused, also for a project without a secret', async () => {
  await api.client.resource(resources.ciProjects).create({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Project',
    metadata: { name: 'bare', namespace: 'default' },
    spec: {},
  })
  for (const signature of ['', sign('none', Buffer.from(JSON.stringify(push()))), sign('', Buffer.from(JSON.stringify(push())))])
    assert.equal((await send({ project: 'default/bare', signature })).status, 401)
})
