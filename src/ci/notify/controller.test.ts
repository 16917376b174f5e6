import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type IncomingMessage, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { type ci, type core, resources } from '#api'
import { createContext, runControllers } from '#runtime'
import { startTestServer } from '../../apiserver/test-server.ts'
import { notificationsController, notifiedAnnotation } from './controller.ts'

interface Received {
  body: { event?: string; text?: string }
  headers: IncomingMessage['headers']
}

/** A receiver that answers as it is told, and says when it has got so many. */
async function receiver(answers: number[]) {
  const received: Received[] = []
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    let text = ''
    request.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    request.on('end', () => {
      received.push({ body: JSON.parse(text) as Received['body'], headers: request.headers })
      response.writeHead(answers.shift() ?? 200).end()
      for (const check of waiting) check()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`,
    received,
    has: (count: number) =>
      new Promise<void>((resolve) => {
        const check = () => received.length >= count && (waiting.delete(check), resolve())
        waiting.add(check)
        check()
      }),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
    },
  }
}

async function world() {
  const t = await startTestServer()
  const run = (options: Partial<Parameters<typeof notificationsController>[0]> = {}) => {
    const stop = new AbortController()
    const context = createContext({ client: t.client, component: 'k8ts-ci' })
    const controller = notificationsController({
      addressOf: ({ metadata }) => `https://ci/${metadata.name}`,
      retry: { initial: 10, max: 50, attempts: 4 },
      ...options,
    })
    const done = runControllers([controller], context, { signal: stop.signal })
    return {
      async [Symbol.asyncDispose]() {
        stop.abort()
        await done
        await context[Symbol.asyncDispose]()
      },
    }
  }
  const project = (notifications: ci.ProjectNotification[]) =>
    t.client
      .resource(resources.ciProjects)
      .create({ apiVersion: 'ci.k8ts.dev/v1', kind: 'Project', metadata: { name: 'blog', namespace: 'default' }, spec: { notifications } })
  const pipelines = t.client.resource(resources.ciPipelines)
  const ended = async (name: string, number: number, phase: ci.PipelinePhase) => {
    const made = await pipelines.create({
      apiVersion: 'ci.k8ts.dev/v1',
      kind: 'Pipeline',
      metadata: { name, namespace: 'default' },
      spec: { projectName: 'blog', branch: 'main', actor: 'ann' },
    })
    await pipelines.updateStatus({ ...made, status: { number, phase, completionTime: '2026-01-01T00:00:00Z' } })
  }
  /** The record of a pipeline once it fits. */
  const until = async (name: string, fits: (text: string) => boolean) => {
    for await (const event of pipelines.watch({ namespace: 'default', fieldSelector: `metadata.name=${name}` })) {
      const text = 'object' in event ? (event.object.metadata.annotations?.[notifiedAnnotation] ?? '') : ''
      if (fits(text)) return text
    }
    throw new Error('the watch ended')
  }
  return { t, run, project, ended, until, [Symbol.asyncDispose]: () => t[Symbol.asyncDispose]() }
}

test('failure, then fixed, then success: each is told once, and a restart tells nothing again', async () => {
  await using w = await world()
  await using r = await receiver([])
  await w.project([{ name: 'hook', type: 'Webhook', url: r.url }])
  {
    await using _running = w.run()
    await w.ended('one', 1, 'Failed')
    await r.has(1)
    await w.ended('two', 2, 'Succeeded')
    await r.has(2)
    await w.until('two', (text) => text.includes('sent'))
  }
  {
    await using _again = w.run()
    await w.ended('three', 3, 'Succeeded')
    await r.has(3)
    await w.until('three', (text) => text.includes('sent'))
  }
  assert.deepEqual(
    r.received.map((each) => each.body.event),
    ['Failure', 'Fixed', 'Success'],
  )
})

test('a pipeline that succeeds when it is run again is fixed', async () => {
  await using w = await world()
  await using r = await receiver([])
  await w.project([{ name: 'hook', type: 'Webhook', url: r.url }])
  await using _running = w.run()
  await w.ended('one', 1, 'Failed')
  await w.until('one', (text) => text.includes('sent'))
  const pipelines = w.t.client.resource(resources.ciPipelines)
  for (const status of [
    { number: 1, phase: 'Running' },
    { number: 1, phase: 'Succeeded', completionTime: '2026-01-01T00:10:00Z' },
  ] as const)
    await pipelines.updateStatus({ ...(await pipelines.get('one', 'default')), status })
  await r.has(2)
  assert.deepEqual(
    r.received.map((each) => each.body.event),
    ['Failure', 'Fixed'],
  )
})

test('a receiver in trouble is tried again, with the same delivery id', async () => {
  await using w = await world()
  await using r = await receiver([500, 503, 200])
  await w.project([{ name: 'hook', type: 'Webhook', url: r.url }])
  await using _running = w.run()
  await w.ended('one', 1, 'Failed')
  await r.has(3)
  await w.until('one', (text) => text.includes('sent'))
  assert.equal(new Set(r.received.map((each) => each.headers['x-k8ts-delivery'])).size, 1)
})

test('a dead receiver ends as an event, and the pipeline stays as it is', async () => {
  await using w = await world()
  // a port that nobody listens on
  const gone = await receiver([])
  await gone[Symbol.asyncDispose]()
  await w.project([{ name: 'hook', type: 'Slack', url: gone.url.replace('hook', 'secret-part') }])
  await using _running = w.run()
  await w.ended('one', 1, 'Succeeded')
  await w.until('one', (text) => text.includes('failed'))
  const events = w.t.client.resource(resources.events)
  let message = ''
  for await (const event of events.watch({ namespace: 'default', fieldSelector: 'involvedObject.name=one' })) {
    if (event.type !== 'ADDED') continue
    message = (event.object as core.Event).message!
    assert.equal((event.object as core.Event).reason, 'NotificationFailed')
    break
  }
  assert.match(message, /ECONNREFUSED/)
  assert.doesNotMatch(message, /secret-part/)
  assert.equal((await w.t.client.resource(resources.ciPipelines).get('one', 'default')).status?.phase, 'Succeeded')
})

test('a notification that comes later says nothing about pipelines of before', async () => {
  await using w = await world()
  await using r = await receiver([])
  await w.project([])
  await using _running = w.run()
  await w.ended('one', 1, 'Failed')
  await w.until('one', (text) => text !== '')
  await w.t.client
    .resource(resources.ciProjects)
    .patch('blog', 'default', 'merge', { spec: { notifications: [{ name: 'hook', type: 'Webhook', url: r.url, on: ['Failure', 'Success'] }] } })
  await w.ended('two', 2, 'Succeeded')
  await r.has(1)
  assert.deepEqual(
    r.received.map((each) => each.body.event),
    ['Success'],
  )
})

test('the address may be a Secret’s, and the body is signed with its key', async () => {
  await using w = await world()
  await using r = await receiver([])
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  await w.t.client.resource(resources.secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'hook', namespace: 'default' },
    data: { url: base64(r.url), signingSecret: base64('key') },
  })
  await w.project([{ name: 'hook', type: 'Webhook', secretName: 'hook' }])
  await using _running = w.run()
  await w.ended('one', 1, 'Succeeded')
  await r.has(1)
  assert.match(String(r.received[0]!.headers['x-hub-signature-256']), /^sha256=[0-9a-f]{64}$/)
})
