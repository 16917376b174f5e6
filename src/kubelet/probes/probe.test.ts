import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import type { core } from '#api'
import { RuntimeError } from '../cri/index.ts'
import { actionUrl, resolvePort } from './http-get.ts'
import type { ProbeTarget } from './probe.ts'
import { runProbe } from './probe.ts'

const container = { name: 'app', ports: [{ name: 'web', containerPort: 8080 }] }
const seen: Record<string, unknown>[] = []
const server = createServer((request, response) => {
  seen.push({ url: request.url, ...request.headers })
  if (request.url === '/moved') response.writeHead(302, { location: '/ok' })
  else if (request.url === '/away') response.writeHead(302, { location: 'http://elsewhere.example/' })
  else if (request.url === '/hangs') return
  else response.writeHead(request.url === '/ok' ? 200 : 500)
  response.end('body')
})
let port = 0

before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
after(() => {
  server.closeAllConnections()
  server.close()
})

const target = (execSync: ProbeTarget['runtime']['execSync'] = () => Promise.reject(new Error('unused'))): ProbeTarget => ({
  runtime: { execSync },
  containerId: 'c',
  container,
  podIP: '127.0.0.1',
  signal: new AbortController().signal,
})
const probe = (p: core.Probe) => runProbe(p, target())
const get = (path: string, more: object = {}) => probe({ httpGet: { port, path, ...more } })

describe('HTTP', () => {
  test('2xx is a success', async () => assert.deepEqual(await get('/ok'), { outcome: 'success', output: 'body' }))
  test('5xx is a failure', async () => assert.deepEqual(await get('/bad'), { outcome: 'failure', output: 'HTTP probe failed with statuscode: 500' }))
  test('a redirect on the host is followed', async () => assert.equal((await get('/moved')).outcome, 'success'))
  test('a redirect elsewhere is a warning', async () => assert.equal((await get('/away')).outcome, 'warning'))
  test('headers are the probe’s own, and who asks', async () => {
    await get('/ok', {
      httpHeaders: [
        { name: 'X-A', value: '1' },
        { name: 'Host', value: 'app.example' },
      ],
    })
    assert.equal(seen.at(-1)?.['x-a'], '1')
    assert.equal(seen.at(-1)?.host, 'app.example')
    assert.match(String(seen.at(-1)?.['user-agent']), /^kube-probe\//)
  })
  test('no answer in time is a failure', async () => {
    const { outcome, output } = await get('/hangs')
    assert.equal(outcome, 'failure')
    assert.match(output, /^Get "http:\/\/127.0.0.1:\d+\/hangs": context deadline exceeded/)
  })
  test('nobody there is a failure', async () => {
    const { outcome, output } = await probe({ httpGet: { port: 1, path: '/' } })
    assert.equal(outcome, 'failure')
    assert.equal(output, 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused')
  })
})

describe('ports and URLs', () => {
  test('a port may be named', () => assert.equal(resolvePort('web', container), 8080))
  test('a name that is none is refused', () => assert.throws(() => resolvePort('nope', container), /invalid port number: nope/))
  test('IPv6 is bracketed', () => assert.equal(actionUrl({ port: 80, path: 'x' }, container, 'fd00::1').href, 'http://[fd00::1]/x'))
})

describe('TCP', () => {
  test('a port that accepts is a success', async () => assert.equal((await probe({ tcpSocket: { port } })).outcome, 'success'))
  test('one that refuses is a failure', async () =>
    assert.deepEqual(await probe({ tcpSocket: { port: 1 } }), { outcome: 'failure', output: 'dial tcp 127.0.0.1:1: connect: connection refused' }))
})

describe('exec', () => {
  const exec = { exec: { command: ['sh', '-c', 'a b'] }, timeoutSeconds: 2 }
  const run = (exitCode: number) =>
    runProbe(
      exec,
      target(async () => ({ exitCode, stdout: Buffer.from('out'), stderr: Buffer.from('err') })),
    )
  test('exit code 0 is a success', async () => assert.equal((await run(0)).outcome, 'success'))
  test('another is a failure with the output', async () => assert.deepEqual(await run(1), { outcome: 'failure', output: 'outerr' }))
  test('a command that takes too long is a failure', async () => {
    const result = await runProbe(
      exec,
      target(() => Promise.reject(new RuntimeError('deadline', 'late'))),
    )
    assert.deepEqual(result, { outcome: 'failure', output: 'command timed out: "sh -c "a b"" timed out after 2s' })
  })
  test('a runtime that fails says nothing about the container', async () => assert.equal((await runProbe(exec, target())).outcome, 'error'))
})
