import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type core, resources } from '#api'
import { manualClock } from '#base'
import type { Client, Request, Transport } from '#client'
import { TransportError, createClient } from '#client'
import { admin, startTestServer } from '../apiserver/test-server.ts'
import { createContext } from './context.ts'
import { type Controller, TerminalError, type Watch, mapped, primary } from './controller.ts'
import { runControllers } from './run-controllers.ts'
import { isNewer } from './cache-store.ts'

const configMap = (name: string): core.ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })

/** A source of keys that a test feeds by hand. */
function byHand(): Watch & { enqueue: (key: string, afterMs?: number) => void; stopped: boolean } {
  const watch = {
    enqueue: (() => {}) as (key: string, afterMs?: number) => void,
    stopped: false,
    ready: () => Promise.resolve(),
    subscribe(add: (key: string, afterMs?: number) => void) {
      watch.enqueue = add
      return () => void (watch.stopped = true)
    },
  }
  return watch
}

const noClient = { resource: () => ({}), raw: () => Promise.reject(new Error('none')) } as unknown as Client

function start(reconcile: (key: string) => Promise<{ requeueAfter: number } | void>, over: Partial<Controller> = {}) {
  const clock = manualClock()
  const stop = new AbortController()
  const watch = byHand()
  const context = createContext({ client: noClient, component: 'test', clock })
  const results: string[] = []
  const controller: Controller = { name: 'test', setup: () => ({ reconcile, watches: [watch] }), ...over }
  const done = runControllers([controller], context, {
    signal: stop.signal,
    metrics: { reconciled: (name, result) => results.push(`${name} ${result}`) },
  })
  return {
    clock: {
      ...clock,
      // what was enqueued gets its turn before time passes
      async advance(ms: number) {
        await clock.advance(0)
        await clock.advance(ms)
      },
    },
    watch,
    results,
    async stop() {
      stop.abort()
      await done
    },
  }
}

test('a key that fails comes back after 5 ms, then twice as long each time, and forgets that when it succeeds', async () => {
  const times: number[] = []
  let fail = true
  const run = start(async () => {
    times.push(run.clock.monotonic())
    if (fail) throw new Error('no')
  })
  await run.clock.advance(0)
  run.watch.enqueue('a')
  await run.clock.advance(40)
  assert.deepEqual(times, [0, 5, 15, 35])
  fail = false
  await run.clock.advance(40)
  assert.equal(times.length, 5)
  fail = true
  run.watch.enqueue('a')
  await run.clock.advance(5)
  assert.deepEqual(times.slice(5), [80, 85])
  await run.stop()
  assert.ok(run.watch.stopped)
})

test('a terminal error waits for the next change', async () => {
  let count = 0
  const run = start(async () => {
    count++
    throw new TerminalError('never')
  })
  await run.clock.advance(0)
  run.watch.enqueue('a')
  await run.clock.advance(1_000_000)
  assert.equal(count, 1)
  run.watch.enqueue('a')
  await run.clock.advance(0)
  assert.equal(count, 2)
  assert.deepEqual(run.results, ['test terminal', 'test terminal'])
  await run.stop()
})

test('a key that asks for it is looked at again later', async () => {
  const times: number[] = []
  const run = start(async () => {
    times.push(run.clock.monotonic())
    return { requeueAfter: 1000 }
  })
  await run.clock.advance(0)
  run.watch.enqueue('a')
  await run.clock.advance(2500)
  assert.deepEqual(times, [0, 1000, 2000])
  await run.stop()
})

test('a key is never worked on twice at once, and different keys are, up to the concurrency', async () => {
  let now = 0
  let most = 0
  const sameKey = new Set<string>()
  const waiting: (() => void)[] = []
  const run = start(
    async (key) => {
      assert.ok(!sameKey.has(key))
      sameKey.add(key)
      most = Math.max(most, ++now)
      await new Promise<void>((resolve) => waiting.push(resolve))
      now--
      sameKey.delete(key)
    },
    { concurrency: 2 },
  )
  await run.clock.advance(0)
  for (const key of ['a', 'b', 'c', 'a']) run.watch.enqueue(key)
  for (let i = 0; i < 6; i++) {
    await run.clock.advance(0)
    for (const resolve of waiting.splice(0)) resolve()
    run.watch.enqueue('a')
  }
  for (const resolve of waiting.splice(0)) resolve()
  await run.clock.advance(0)
  assert.equal(most, 2)
  const stopping = run.stop()
  await run.clock.advance(0)
  for (const resolve of waiting.splice(0)) resolve()
  await stopping
})

test('controllers that are stopped before they begin end', async () => {
  const watch = byHand()
  const context = createContext({ client: noClient, component: 'test', clock: manualClock() })
  const controller: Controller = { name: 'test', setup: () => ({ reconcile: async () => {}, watches: [watch] }) }
  await runControllers([controller], context, { signal: AbortSignal.abort() })
  assert.ok(watch.stopped)
})

test('what runs beside the workers is started again when it fails', async () => {
  let runs = 0
  const clock = manualClock()
  const stop = new AbortController()
  const context = createContext({ client: noClient, component: 'test', clock })
  const controller: Controller = {
    name: 'test',
    setup: () => ({
      reconcile: async () => {},
      watches: [],
      run: async () => {
        runs++
        throw new Error('no')
      },
    }),
  }
  const done = runControllers([controller], context, { signal: stop.signal })
  await clock.advance(0)
  await clock.advance(3500)
  assert.equal(runs, 3)
  stop.abort()
  await clock.advance(0)
  await done
})

/** A transport that can be cut: requests fail, and what is open breaks. */
function cuttable(inner: Transport): Transport & { cut(): void; mend(): void; readonly requests: string[] } {
  let broken = new AbortController()
  const requests: string[] = []
  return {
    requests,
    cut: () => broken.abort(new TransportError('cut')),
    mend: () => (broken = new AbortController()),
    async send(request: Request) {
      requests.push(`${request.query.has('watch') ? 'WATCH' : request.method} ${request.path} ${request.query.get('resourceVersion') ?? ''}`)
      broken.signal.throwIfAborted()
      const signal = request.signal ? AbortSignal.any([request.signal, broken.signal]) : broken.signal
      return inner.send({ ...request, signal })
    },
    upgrade: (request) => inner.upgrade(request),
    [Symbol.asyncDispose]: () => inner[Symbol.asyncDispose](),
  }
}

test('controllers share one watch per resource, hand out the server’s own objects, and converge after the API was away for a minute', async () => {
  await using server = await startTestServer()
  const transport = cuttable(server.server.transport(admin))
  const clock = manualClock()
  const stop = new AbortController()
  const context = createContext({ client: createClient(transport), component: 'test', clock, random: () => 0 })
  const maps = server.client.resource(resources.configMaps)
  const seen = new Map<string, string | undefined>()
  const controller = (name: string): Controller => ({
    name,
    setup(own) {
      const cache = own.cache(resources.configMaps)
      return {
        watches: [primary(cache), mapped(cache, () => [])],
        reconcile: async (key) => {
          if (transport.requests.length === 0) return
          seen.set(`${name} ${key}`, cache.get(key)?.metadata.resourceVersion)
        },
      }
    },
  })
  const done = runControllers([controller('one'), controller('two')], context, { signal: stop.signal })
  const cache = context.cache(resources.configMaps)
  const settle = async (ms = 0) => {
    for (let i = 0; i < 5; i++) await clock.advance(i === 0 ? ms : 0)
  }
  await cache.ready()
  const first = await maps.create(configMap('a'))
  await settle()
  assert.equal(cache.get('default/a'), await maps.get('a', 'default'), 'the cached object is the server’s')
  assert.deepEqual([seen.get('one default/a'), seen.get('two default/a')], [first.metadata.resourceVersion, first.metadata.resourceVersion])
  assert.equal(transport.requests.filter((r) => r.startsWith('WATCH')).length, 1)

  transport.cut()
  await settle(60_000)
  const tries = transport.requests.length
  assert.ok(tries < 20, `${tries} requests while the server was away`)
  await maps.delete('a', 'default')
  const second = await maps.create(configMap('b'))
  await settle()
  assert.ok(cache.get('default/a'), 'nobody could know')
  transport.mend()
  await settle(15_000)
  assert.deepEqual([seen.get('one default/a'), seen.get('two default/b')], [undefined, second.metadata.resourceVersion])
  assert.equal(transport.requests.filter((r) => r.startsWith('GET')).length, 1, 'the watch was resumed, not listed again')
  assert.ok(isNewer(transport.requests.at(-1)!.split(' ')[2]!, '0'))
  stop.abort()
  await settle()
  await done
  await context[Symbol.asyncDispose]()
  assert.equal(clock.waiting, 0, 'no timer is left')
})

test('a cache that was asked for with a signal stops when nobody needs it', async () => {
  await using server = await startTestServer()
  const transport = cuttable(server.server.transport(admin))
  await using context = createContext({ client: createClient(transport), component: 'test' })
  const [one, two] = [new AbortController(), new AbortController()]
  const cache = context.cache(resources.secrets, {}, { signal: one.signal })
  assert.equal(context.cache(resources.secrets, {}, { signal: two.signal }), cache)
  await cache.ready()
  one.abort()
  await server.client.resource(resources.secrets).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'default' } })
  await new Promise<void>((resolve) => {
    const stop = cache.subscribe(() => {
      resolve()
      setImmediate(() => stop())
    })
  })
  two.abort()
  assert.notEqual(context.cache(resources.secrets), cache)
})
