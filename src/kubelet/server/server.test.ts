import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { after, before, describe, it } from 'node:test'
import { WebSocket } from 'ws'
import type { SpdyConnection, SpdyStream } from '#base'
import { realClock, silentLogger, spdyConnection } from '#base'
import type { core } from '#api'
import { createFakeRuntime } from '../cri/index.ts'
import type { ContainerRecord, SandboxRecord } from '../pod/records.ts'
import { logContainerId } from './container-logs.ts'
import { parseQuery } from './log-query.ts'
import type { KubeletServer, KubeletServerOptions } from './server.ts'
import { localVolumes } from '../volumes/index.ts'
import { kubeletServer } from './server.ts'
import { prometheusText } from './stats/prometheus.ts'
import { cpuNanos } from './stats/summary.ts'
import { parsePorts } from './streaming/port-forward.ts'
import { testTls as tls } from './test-certificate.ts'

/** The runtime's streaming server: what each kind of URL does with the client's streams. */
function streamingServer() {
  const server = http.createServer()
  server.on('upgrade', (request, socket: Duplex, head) => {
    socket.write(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\n',
    )
    const streams: Record<string, SpdyStream> = {}
    spdyConnection(socket, {
      role: 'server',
      head,
      onStream(stream) {
        streams[stream.headers.streamtype!] = stream
        if (request.url === '/exec' && streams.error && streams.stdin && streams.stdout) void command(streams)
        if (request.url === '/forward' && streams.data && streams.error) {
          const { data, error } = streams
          void text(data).then((input) => data.end(`port ${data.headers.port}: ${input}`))
          error.end()
          if (data.headers.port === '81') error.destroy()
        }
      },
    })
  })
  async function command(streams: Record<string, SpdyStream>) {
    const { stdin, stdout, error } = streams as { stdin: SpdyStream; stdout: SpdyStream; error: SpdyStream }
    stdout.end((await text(stdin)).toUpperCase())
    error.end(
      JSON.stringify({
        metadata: {},
        status: 'Failure',
        message: 'exit 3',
        reason: 'NonZeroExitCode',
        details: { causes: [{ reason: 'ExitCode', message: '3' }] },
      }),
    )
  }
  return server
}

const pod: core.Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'shop', uid: 'u1' },
  spec: { containers: [{ name: 'c' }, { name: 'waits' }] },
  status: {
    phase: 'Running',
    containerStatuses: [
      { name: 'c', image: '', imageID: '', ready: true, restartCount: 0, containerID: 'containerd://id-c', state: { running: {} } },
      { name: 'waits', image: '', imageID: '', ready: false, restartCount: 0, state: { waiting: { reason: 'ContainerCreating' } } },
    ],
  },
}

/** The bytes in a client's binary messages, all of which are shorter than 64 KB. */
function framed(socket: Duplex): Duplex {
  let pending = Buffer.alloc(0)
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      const head = Buffer.from([0x82, 0x80 | 126, chunk.length >> 8, chunk.length & 0xff, 0, 0, 0, 0])
      socket.write(Buffer.concat([head, chunk]), done)
    },
    destroy(error, done) {
      socket.destroy()
      done(error)
    },
  })
  socket.on('data', (chunk: Buffer) => {
    pending = Buffer.concat([pending, chunk])
    for (;;) {
      const short = pending.length > 1 ? pending[1]! : 0
      const head = short === 126 ? 4 : 2
      if (pending.length < head) return
      const length = short === 126 ? pending.readUInt16BE(2) : short
      if (pending.length < head + length) return
      stream.push(pending.subarray(head, head + length))
      pending = pending.subarray(head + length)
    }
  })
  socket.on('close', () => stream.push(null))
  return stream
}

describe('the kubelet server', () => {
  let server: KubeletServer
  let streaming: http.Server
  let dir: string
  let state: ContainerRecord['state'] = 'running'
  const listeners = new Set<(uid: string) => void>()

  before(async () => {
    dir = mkdtempSync(join(tmpdir(), 'k8ts-kubelet-'))
    writeFileSync(join(dir, 'c.log'), '2026-01-01T00:00:00.1Z stdout F hello\n')
    writeFileSync(join(dir, '<odd>.txt'), 'file')
    streaming = streamingServer()
    await new Promise<void>((resolve) => streaming.listen(0, '127.0.0.1', resolve))
    const url = (path: string) => ({ url: `http://127.0.0.1:${(streaming.address() as AddressInfo).port}/${path}` })
    const containerStatus = async () => ({ status: { logPath: join(dir, 'c.log') }, info: {} }) as any
    const options: KubeletServerOptions = {
      runtime: {
        ...createFakeRuntime(),
        exec: async () => url('exec'),
        portForward: async () => url('forward'),
        execSync: async ({ cmd }) => ({ stdout: Buffer.from(cmd.join('+')), stderr: Buffer.alloc(0), exitCode: 0 }),
        containerStatus,
      },
      records: {
        get: () => ({
          uid: 'u1',
          name: 'web',
          namespace: 'shop',
          sandboxes: [{ id: 's', ready: true } as SandboxRecord],
          containers: [{ id: 'id-c', name: 'c', state } as ContainerRecord],
        }),
        subscribe: (listener) => {
          listeners.add(listener)
          return () => listeners.delete(listener)
        },
      },
      pods: { list: () => [pod], get: (namespace, name) => (namespace === 'shop' && name === 'web' ? pod : undefined) },
      localVolumes: localVolumes({ dir: join(dir, 'volumes'), inUse: (path) => path.endsWith('/used') }),
      stats: {
        volumes: async () =>
          new Map([['u1', [{ name: 'v', pvcRef: { name: 'data', namespace: 'shop' }, time: '', usedBytes: 5, capacityBytes: 9 }]]]),
        summary: async () => ({
          node: {
            nodeName: 'n1',
            startTime: '',
            cpu: { time: '2026-01-01T00:00:00Z', usageCoreNanoSeconds: 2e9 },
            memory: { time: '2026-01-01T00:00:00Z' },
          },
          pods: [],
        }),
      },
      nodeName: 'n1',
      tls: { ...tls, clientCa: tls.cert },
      authenticateToken: async (token) => (token === 'good' ? { username: 'collector', groups: [] } : undefined),
      authorize: async (_user, { subresource }) => subresource === 'metrics',
      address: '127.0.0.1',
      port: 0,
      logsDir: dir,
      clock: realClock,
      log: silentLogger,
    }
    server = kubeletServer(options)
    await server.start()
  })
  after(async () => {
    await server[Symbol.asyncDispose]()
    streaming.closeAllConnections()
    await new Promise((resolve) => streaming.close(resolve))
    rmSync(dir, { recursive: true, force: true })
  })

  const call = (path: string, options: { token?: string; anonymous?: boolean; method?: string; body?: string } = {}) =>
    new Promise<{ status: number; body: string }>((resolve, reject) => {
      const identity = options.token || options.anonymous ? {} : tls
      const headers = options.token ? { authorization: `Bearer ${options.token}` } : {}
      https
        .request(
          { host: '127.0.0.1', port: server.port, path, ca: tls.cert, ...identity, headers, method: options.method, agent: false },
          (response) => {
            void text(response).then((body) => resolve({ status: response.statusCode!, body }), reject)
          },
        )
        .on('error', reject)
        .end(options.body)
    })

  const answers: [string, string, Parameters<typeof call>[1], number, RegExp][] = [
    ['is healthy', '/healthz', {}, 200, /^ok$/],
    ['asks who calls', '/pods', { anonymous: true }, 401, /Unauthorized/],
    ['refuses what a user may not do', '/pods', { token: 'good' }, 403, /Forbidden \(user=collector, verb=get, resource=nodes, subresource=pods\)/],
    ['refuses a wrong token', '/metrics', { token: 'bad' }, 401, /Unauthorized/],
    ['lets a collector read metrics', '/metrics/resource', { token: 'good' }, 200, /^node_cpu_usage_seconds_total 2 1767225600000$/m],
    ['counts what it runs', '/metrics', {}, 200, /^kubelet_running_pods 1$/m],
    ['says how full volumes are', '/metrics', {}, 200, /^kubelet_volume_stats_used_bytes\{namespace="shop",persistentvolumeclaim="data"\} 5$/m],
    ['lists its pods', '/pods', {}, 200, /"kind":"PodList".*"name":"web"/],
    ['shows log files', '/logs/', {}, 200, /<a href="%3Codd%3E.txt">&lt;odd&gt;.txt<\/a>/],
    ['shows one log file', '/logs/c.log', {}, 200, /stdout F hello/],
    ['shows no others', '/logs/..%2f..%2fetc/passwd', {}, 404, /not found/],
    ['runs a command', '/run/shop/web/c?cmd=a%20b', { method: 'POST' }, 200, /^a\+b$/],
    ['shows the log of a container', '/containerLogs/shop/web/c?timestamps=true', {}, 200, /^2026-01-01T00:00:00.1Z hello\n$/],
    [
      'has no log of a container that waits',
      '/containerLogs/shop/web/waits',
      {},
      400,
      /^container "waits" in pod "web" is waiting to start: ContainerCreating$/m,
    ],
    ['has no log of what does not exist', '/containerLogs/shop/web/x', {}, 404, /^container "x" not found in pod "web"$/m],
    ['has no log of a pod that it does not run', '/containerLogs/shop/x/c', {}, 404, /^pod "x" does not exist$/m],
    ['refuses a wrong query', '/containerLogs/shop/web/c?tailLines=-1', {}, 422, /Invalid request/],
    ['makes a volume', '/localVolumes/pvc-1', { method: 'PUT', body: '{"bytes":1}' }, 200, /^\{"path":"\/.*\/volumes\/pvc-1"\}$/],
    ['makes a volume once', '/localVolumes/pvc-1', { method: 'PUT', body: '{"bytes":1}' }, 200, /volumes\/pvc-1/],
    ['lets a volume grow', '/localVolumes/pvc-1', { method: 'PUT', body: '{"bytes":1,"more":true}' }, 200, /volumes\/pvc-1/],
    ['removes a volume', '/localVolumes/pvc-1', { method: 'DELETE' }, 200, /^\{\}$/],
    ['removes a volume that is not there', '/localVolumes/pvc-1', { method: 'DELETE' }, 200, /^\{\}$/],
    ['makes no volume that does not fit', '/localVolumes/pvc-2', { method: 'PUT', body: `{"bytes":${2 ** 52}}` }, 507, /are free on the disk/],
    [
      'lets no volume grow beyond the disk',
      '/localVolumes/pvc-2',
      { method: 'PUT', body: `{"bytes":${2 ** 52},"more":true}` },
      507,
      /are free on the disk/,
    ],
    ['makes no volume of no size', '/localVolumes/pvc-2', { method: 'PUT', body: '{"bytes":-1}' }, 400, /"bytes" must be a number/],
    ['makes no volume of nonsense', '/localVolumes/pvc-2', { method: 'PUT', body: 'x' }, 400, /not JSON/],
    ['makes no volume without being told how large', '/localVolumes/pvc-2', { method: 'PUT' }, 400, /a body of at most 1024 bytes is needed/],
    ['makes no volume outside', '/localVolumes/..%2Fx', { method: 'PUT', body: '{"bytes":1}' }, 400, /invalid volume name "..\/x"/],
    ['removes nothing outside', '/localVolumes/..%2Fc.log', { method: 'DELETE' }, 400, /invalid volume name/],
    ['lists no volumes', '/localVolumes', {}, 405, /Method Not Allowed/],
    [
      'makes volumes for nobody who may not',
      '/localVolumes/pvc-3',
      { token: 'good', method: 'PUT', body: '{"bytes":1}' },
      403,
      /verb=update, resource=nodes, subresource=proxy/,
    ],
    ['wants an upgrade for exec', '/exec/shop/web/c', {}, 400, /missing upgrade headers/],
    ['knows no other paths', '/nosuch', {}, 404, /404 page not found/],
  ]
  for (const [name, path, options, status, body] of answers)
    it(name, async () => {
      const answer = await call(path, options)
      assert.equal(answer.status, status, answer.body)
      assert.match(answer.body, body)
    })

  it('keeps a volume that is in use', async () => {
    await call('/localVolumes/used', { method: 'PUT', body: '{"bytes":1}' })
    const { status, body } = await call('/localVolumes/used', { method: 'DELETE' })
    assert.equal(status, 409)
    assert.match(body, /volume used is still mounted by a pod of this node/)
  })

  it('ends a followed log when the container ends', async () => {
    const answer = call('/containerLogs/shop/web/c?follow=true')
    while (listeners.size === 0) await new Promise((resolve) => setImmediate(resolve))
    state = 'exited'
    for (const listener of listeners) listener('u1')
    assert.equal((await answer).body, 'hello\n')
    state = 'running'
  })

  const webSocket = (path: string, protocols: string[]) => new WebSocket(`wss://127.0.0.1:${server.port}${path}`, protocols, { ca: tls.cert, ...tls })
  const execPath = '/exec/shop/web/c?command=x&input=1&output=1'
  const messages = (socket: WebSocket) =>
    new Promise<string[]>((resolve, reject) => {
      const seen: string[] = []
      socket.on('message', (message: Buffer) => seen.push(`${message[0]}:${message.toString('latin1', 1)}`))
      socket.on('close', () => resolve(seen))
      socket.on('error', reject)
    })

  it('translates a command for WebSocket clients: v5 closes its input', async () => {
    const socket = webSocket(execPath, ['v5.channel.k8s.io', 'v4.channel.k8s.io'])
    const seen = messages(socket)
    await new Promise((resolve) => socket.once('open', resolve))
    assert.equal(socket.protocol, 'v5.channel.k8s.io')
    socket.send(Buffer.from('\0hello'))
    socket.send(Buffer.from([255, 0]))
    const [first, ...rest] = await seen
    assert.equal(first, '1:')
    assert.equal(rest[0], '1:HELLO')
    assert.match(rest[1]!, /^3:.*"reason":"NonZeroExitCode"/)
  })
  it('tells older WebSocket clients the error alone', async () => {
    const socket = webSocket(execPath, ['channel.k8s.io'])
    const seen = messages(socket)
    await new Promise((resolve) => socket.once('open', resolve))
    // these have no way to end their input; the fake command ends with it, so leave
    socket.close()
    assert.deepEqual((await seen).slice(0, 1), ['1:'])
  })
  it('refuses protocols that it does not know', async () => assert.rejects(messages(webSocket(execPath, ['x.k8s.io'])), /400/))
  it('refuses a command in a container that does not run', async () =>
    assert.rejects(messages(webSocket('/exec/shop/web/waits?command=x&output=1', [])), /500/))

  const spdyUpgrade = (path: string) =>
    new Promise<SpdyConnection>((resolve, reject) => {
      const headers = { connection: 'Upgrade', upgrade: 'SPDY/3.1', 'x-stream-protocol-version': 'v4.channel.k8s.io' }
      const request = https.request({ host: '127.0.0.1', port: server.port, path, method: 'POST', ca: tls.cert, ...tls, headers, agent: false })
      request.on('upgrade', (_response, socket, head) => resolve(spdyConnection(socket, { role: 'client', head })))
      request.on('error', reject)
      request.end()
    })
  it('hands SPDY clients to the runtime', async () => {
    await using client = await spdyUpgrade(execPath)
    const error = client.open({ streamtype: 'error' })
    const stdin = client.open({ streamtype: 'stdin' })
    const stdout = client.open({ streamtype: 'stdout' })
    stdin.end('spdy')
    assert.equal(await text(stdout), 'SPDY')
    assert.match(await text(error), /ExitCode/)
  })
  // the library's client refuses the protocol's name
  const rawWebSocket = (path: string, protocol: string) =>
    new Promise<Duplex>((resolve, reject) => {
      const headers = {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        'sec-websocket-protocol': protocol,
      }
      const request = https.request({ host: '127.0.0.1', port: server.port, path, ca: tls.cert, ...tls, headers, agent: false })
      request.on('upgrade', (response, socket) => {
        assert.equal(response.headers['sec-websocket-protocol'], protocol)
        resolve(framed(socket))
      })
      request.on('error', reject)
      request.end()
    })
  it('forwards ports through SPDY inside a WebSocket', async () => {
    await using client = spdyConnection(await rawWebSocket('/portForward/shop/web', 'SPDY/3.1+portforward.k8s.io'), { role: 'client' })
    client.open({ streamtype: 'error', port: '80', requestid: '0' }).end()
    const data = client.open({ streamtype: 'data', port: '80', requestid: '0' })
    data.end('ping')
    assert.equal(await text(data), 'port 80: ping')
  })
  it('forwards ports through channels of a WebSocket', async () => {
    const socket = webSocket('/portForward/shop/web?port=80', ['v4.channel.k8s.io'])
    const first: Buffer[] = []
    await new Promise<void>((resolve) => socket.on('message', (m: Buffer) => first.push(m) === 2 && resolve()))
    assert.deepEqual(
      first.map((m) => [...m]),
      [
        [0, 80, 0],
        [1, 80, 0],
      ],
    )
    socket.close()
  })
})

describe('the container whose log is meant', () => {
  const withStatus = (status: Partial<core.ContainerStatus>): core.Pod => ({
    ...pod,
    status: { containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: 0, ...status }] },
  })
  const terminated = (containerID: string) => ({ terminated: { exitCode: 0, containerID } })
  const found: [string, Partial<core.ContainerStatus>, boolean, string][] = [
    ['runs', { state: { running: {} }, containerID: 'containerd://a' }, false, 'a'],
    ['has ended', { state: terminated('containerd://b') }, false, 'b'],
    ['ended before it waits again', { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: terminated('containerd://l') }, false, 'l'],
    ['is the previous one', { state: { running: {} }, containerID: 'containerd://a', lastState: terminated('containerd://l') }, true, 'l'],
  ]
  for (const [name, status, previous, id] of found) it(name, () => assert.equal(logContainerId(withStatus(status), 'c', previous), id))
  const missing: [Partial<core.ContainerStatus>, boolean, string][] = [
    [{ state: { running: {} } }, true, 'previous terminated container "c" in pod "web" not found'],
    [
      { state: { waiting: { reason: 'ImagePullBackOff' } } },
      false,
      'container "c" in pod "web" is waiting to start: trying and failing to pull image',
    ],
    [{ state: {} }, false, 'container "c" in pod "web" is waiting to start - no logs yet'],
  ]
  for (const [status, previous, message] of missing)
    it(message, () => assert.throws(() => logContainerId(withStatus(status), 'c', previous), { message, status: 400 }))
})

describe('small parts', () => {
  it('log queries are read', () => {
    assert.deepEqual(parseQuery(new URLSearchParams('follow=true&tailLines=3&stream=Stderr')), {
      follow: true,
      previous: false,
      timestamps: false,
      tailLines: 3,
      limitBytes: undefined,
      sinceSeconds: undefined,
      sinceTime: undefined,
      stream: 'stderr',
    })
    for (const wrong of ['tailLines=x', 'sinceSeconds=0', 'sinceTime=x', 'limitBytes=-1', 'stream=x'])
      assert.equal(parseQuery(new URLSearchParams(wrong)), undefined, wrong)
  })
  it('ports are read', () => {
    assert.deepEqual(parsePorts(['80,81', '82']), [80, 81, 82])
    for (const wrong of [[], [''], ['x'], ['0'], ['70000']]) assert.throws(() => parsePorts(wrong))
  })
  it('the processors are summed', () => assert.equal(cpuNanos('cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 1 1\n'), 27 * 1e7))
  it('metrics are escaped', () =>
    assert.equal(
      prometheusText([{ name: 'a', type: 'gauge', help: 'h', samples: [{ labels: { x: 'a"b\n' }, value: 1 }] }]),
      '# HELP a h\n# TYPE a gauge\na{x="a\\"b\\n"} 1\n',
    ))
})
