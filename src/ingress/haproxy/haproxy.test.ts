import assert from 'node:assert/strict'
import type { ChildProcess } from 'node:child_process'
import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { chmod, mkdtemp, readdir, rm } from 'node:fs/promises'
import type { IncomingHttpHeaders } from 'node:http'
import { Agent, createServer, request } from 'node:http'
import { Agent as SecureAgent, request as secureRequest } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import { CommandError, run, silentLogger } from '#base'
import { freePort } from '../../../test/free-port.ts'
import { createAuthority, issueCertificate } from '../../cluster/pki/index.ts'
import type { Backend, Certificate, DataPlane, Desired, HostRoutes } from '../desired.ts'
import { haproxyDataPlane } from './data-plane.ts'
import type { ProxyProcess } from './data-plane.ts'

// The routes as HAProxy itself understands them, on the host's own address.
const missing = (process.getuid?.() !== 0 || !existsSync('/usr/sbin/haproxy')) && 'needs root and haproxy'

function processIn(): ProxyProcess & { child(): ChildProcess | undefined } {
  let child: ChildProcess | undefined
  return {
    child: () => child,
    running: () => child !== undefined && child.exitCode === null && child.signalCode === null,
    async start(args) {
      child = spawn('/usr/sbin/haproxy', args, { stdio: 'ignore' })
    },
    async stop() {
      const ended = new Promise((resolve) => child?.once('exit', resolve))
      if (child && child.exitCode === null && child.signalCode === null && child.kill()) await ended
    },
    async check(file) {
      try {
        await run('/usr/sbin/haproxy', ['-c', '-f', file])
        return undefined
      } catch (error) {
        if (error instanceof CommandError) return error.stderr
        throw error
      }
    },
  }
}

interface Answer {
  status: number
  body: string
  headers: IncomingHttpHeaders
}

const certificateOf = (pair: { certificate: string; key: string }): Certificate => {
  const pem = `${pair.certificate}${pair.key}`
  return { id: createHash('sha256').update(pem).digest('hex').slice(0, 32), pem }
}

describe('HAProxy', { skip: missing }, () => {
  let dir = ''
  let ports = { http: 0, https: 0 }
  let plane: DataPlane
  const proxy = processIn()
  /** Servers that answer their name and what they were sent. */
  const servers = new Map<string, { address: string; close(): void }>()
  const certificates: Record<string, Certificate> = {}

  const backend = (id: string, ...names: string[]): Backend => ({
    id,
    protocol: 'http',
    endpoints: names.map((name) => servers.get(name)!.address),
    sticky: false,
  })
  const routes = (
    host: string,
    more: { exact?: Record<string, string>; prefix?: Record<string, string>; fallback?: string; plainHttp?: HostRoutes['plainHttp'] } = {},
  ): HostRoutes => ({
    host,
    plainHttp: more.plainHttp ?? 'serve',
    exact: new Map(Object.entries(more.exact ?? {})),
    prefix: new Map(Object.entries(more.prefix ?? {})),
    ...(more.fallback ? { fallback: more.fallback } : {}),
  })
  const desired = (change: Partial<Desired> & { hosts?: HostRoutes[]; tls?: { id: string; names: string[] }[] } = {}): Desired => ({
    backends: ['root', 'exact', 'deep', 'wild', 'default', 'any'].map((name) => backend(name, name)),
    certificates: Object.values(certificates),
    sites: [
      {
        address: '127.0.0.1',
        hosts: change.hosts ?? [
          routes('a.example', { exact: { '/foo': 'exact' }, prefix: { '': 'root', '/foo/bar': 'deep', '/foo': 'default' } }),
          routes('*.example', { prefix: { '': 'wild' } }),
          routes('bare.example', { exact: { '/only': 'exact' }, fallback: 'default' }),
          routes('strict.example', { exact: { '/only': 'exact' } }),
          routes('moved.example', { prefix: { '': 'root' }, plainHttp: 'redirect' }),
          routes('secret.example', { prefix: { '': 'root' }, plainHttp: 'refuse' }),
          routes('gone.example', { prefix: { '': 'root', '/gone': 'nowhere' } }),
          routes('', { prefix: { '/any': 'any' } }),
        ],
        tls: {
          certificates: change.tls ?? [
            { id: certificates['fallback']!.id, names: [] },
            { id: certificates['one']!.id, names: ['a.example', 'moved.example'] },
            { id: certificates['two']!.id, names: ['*.example'] },
          ],
        },
      },
    ],
    ...(change.backends ? { backends: change.backends } : {}),
  })

  function ask(host: string, path: string, headers: Record<string, string> = {}, secure = false): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options = { host: '127.0.0.1', port: secure ? ports.https : ports.http, path, headers: { host, ...headers }, agent: false as const }
      const sent = (secure ? secureRequest({ ...options, rejectUnauthorized: false, servername: host }) : request(options)).on(
        'response',
        (response) => {
          let body = ''
          response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
          response.on('end', () => resolve({ status: response.statusCode!, body, headers: response.headers }))
        },
      )
      sent.on('error', reject).end()
    })
  }

  /** The subject of the certificate that is shown to who asks for a name. */
  const shown = (servername: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: '127.0.0.1', port: ports.https, servername, rejectUnauthorized: false }, () => {
        const { CN } = socket.getPeerCertificate().subject
        socket.destroy()
        resolve(String(CN))
      })
      socket.on('error', reject)
    })

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'k8ts-haproxy-'))
    // as the directory that the data plane makes
    await chmod(dir, 0o711)
    ports = { http: await freePort(), https: await freePort() }
    const ca = await createAuthority({ commonName: 'ca' })
    for (const name of ['fallback', 'one', 'two', 'three'])
      certificates[name] = certificateOf(await issueCertificate(ca, { commonName: name, names: [`${name}.invalid`], usages: ['server'] }))
    for (const name of ['root', 'exact', 'deep', 'wild', 'default', 'any', 'next']) {
      const server = createServer((incoming, response) => {
        incoming.resume()
        incoming.on('end', () => response.end(JSON.stringify({ name, headers: incoming.headers })))
      })
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
      servers.set(name, {
        address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
        close: () => {
          server.close()
          server.closeAllConnections()
        },
      })
    }
    plane = haproxyDataPlane({
      run: dir,
      namespace: 'none',
      nameservers: ['127.0.0.1'],
      process: proxy,
      prepare: async () => {},
      localPorts: async () => ports,
      log: silentLogger,
    })
    assert.deepEqual((await plane.apply(desired())).refused, new Map())
  })
  after(async () => {
    await plane?.[Symbol.asyncDispose]()
    await proxy.stop()
    for (const server of servers.values()) server.close()
    await rm(dir, { recursive: true, force: true })
  })

  const table: [name: string, host: string, path: string, want: string | number][] = [
    ['the root prefix matches everything', 'a.example', '/what/ever', 'root'],
    ['an exact path is before the prefix of the same length', 'a.example', '/foo', 'exact'],
    ['an exact path is not its children', 'a.example', '/foo/', 'default'],
    ['the longest prefix wins', 'a.example', '/foo/bar/baz', 'deep'],
    ['a prefix matches itself', 'a.example', '/foo/bar', 'deep'],
    ['a prefix matches whole elements only', 'a.example', '/foo/barbaz', 'default'],
    ['and at its start', 'a.example', '/foobar', 'root'],
    ['a query is no part of the path', 'a.example', '/foo?x=/y', 'exact'],
    ['paths have case', 'a.example', '/FOO', 'root'],
    ['hosts have none, and may name a port', 'A.Example:8080', '/foo', 'exact'],
    ['a name is before a wildcard', 'a.example', '/', 'root'],
    ['a wildcard matches one label', 'b.example', '/', 'wild'],
    ['not two', 'c.b.example', '/', 404],
    ['nor none', 'example', '/', 404],
    ['other hosts have the rules without a host', 'else.where', '/any/x', 'any'],
    ['and 404 where these do not match', 'else.where', '/', 404],
    ['a path that does not match gets the default backend', 'bare.example', '/other', 'default'],
    ['or 404 without one, whatever a wildcard says', 'strict.example', '/other', 404],
    ['a route without a service is 503', 'gone.example', '/gone/x', 503],
    ['its neighbours are served', 'gone.example', '/', 'root'],
  ]
  for (const [name, host, path, want] of table)
    test(name, async () => {
      const { status, body } = await ask(host, path)
      if (typeof want === 'number') assert.equal(status, want)
      else assert.deepEqual([status, (JSON.parse(body) as { name: string }).name], [200, want])
    })

  test('plain HTTP is redirected, but not the challenges of a certificate authority', async () => {
    const { status, headers } = await ask('moved.example', '/x?y=1')
    assert.deepEqual([status, headers.location], [308, `https://moved.example:${ports.https}/x?y=1`])
    assert.equal((await ask('moved.example', '/.well-known/acme-challenge/token')).status, 200)
    assert.equal((await ask('moved.example', '/x', {}, true)).status, 200)
  })

  test('plain HTTP is refused where the Ingress does not allow it', async () => {
    assert.equal((await ask('secret.example', '/')).status, 404)
    assert.equal((await ask('secret.example', '/', {}, true)).status, 200)
  })

  test('the backend is told who asks and how, and no client can pretend', async () => {
    const { body } = await ask(
      'a.example',
      '/',
      { 'x-forwarded-for': '8.8.8.8', 'x-forwarded-proto': 'gopher', forwarded: 'for=8.8.8.8', 'x-real-ip': '8.8.8.8' },
      true,
    )
    const { headers } = JSON.parse(body) as { headers: Record<string, string> }
    const { host, forwarded } = headers
    assert.deepEqual([host, forwarded], ['a.example', undefined])
    assert.deepEqual(
      ['for', 'proto', 'host', 'port'].map((name) => headers[`x-forwarded-${name}`]),
      ['127.0.0.1', 'https', 'a.example', String(ports.https)],
    )
    assert.equal(headers['x-real-ip'], '127.0.0.1')
  })

  test('a certificate is chosen by the name that the client asks for', async () => {
    assert.deepEqual(await Promise.all(['a.example', 'b.example', 'else.where'].map(shown)), ['one', 'two', 'fallback'])
  })

  test('a request is sent to another endpoint when the first does not listen', async () => {
    const dead = `127.0.0.1:${await freePort()}`
    await plane.apply(desired({ backends: [{ ...backend('root', 'root'), endpoints: [dead, servers.get('root')!.address] }] }))
    for (let i = 0; i < 6; i++) assert.equal((await ask('a.example', '/')).status, 200)
    await plane.apply(desired())
  })

  test('changes under load: no request fails', async () => {
    const failures: unknown[] = []
    const names = new Set<string>()
    let stopped = false
    const load = Promise.all(
      Array.from({ length: 4 }, async () => {
        while (!stopped)
          try {
            const { status, body } = await ask('a.example', '/')
            if (status === 200) names.add((JSON.parse(body) as { name: string }).name)
            else failures.push(status)
          } catch (error) {
            failures.push(error)
          }
      }),
    )
    const before = (await readdir(dir)).filter((name) => name.startsWith('config-'))
    for (let i = 0; i < 10; i++) await plane.apply(desired({ backends: [backend('root', i % 2 ? 'root' : 'next'), ...desired().backends.slice(1)] }))
    const during = (await readdir(dir)).filter((name) => name.startsWith('config-'))
    assert.notDeepEqual(during, [])
    assert.equal(during.length, 1)
    for (let i = 0; i < 5; i++)
      await plane.apply(desired({ hosts: [...desired().sites[0]!.hosts, routes(`h${i}.example`, { prefix: { '': 'any' } })] }))
    assert.equal((JSON.parse((await ask('h4.example', '/')).body) as { name: string }).name, 'any')
    await plane.apply(desired())
    stopped = true
    await load
    assert.deepEqual(failures, [])
    assert.deepEqual([...names].toSorted(), ['next', 'root'])
    assert.deepEqual(before.length, 1)
  })

  test('endpoints change without a new process', async () => {
    const { pid } = proxy.child()!
    // those of earlier configurations end with their last connection
    const newest = () => Math.max(...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number))
    const worker = newest()
    await plane.apply(desired({ backends: [backend('root', 'next'), ...desired().backends.slice(1)] }))
    assert.equal((JSON.parse((await ask('a.example', '/')).body) as { name: string }).name, 'next')
    await plane.apply(desired())
    assert.equal((JSON.parse((await ask('a.example', '/')).body) as { name: string }).name, 'root')
    assert.equal(newest(), worker)
  })

  for (const secure of [false, true])
    test(`${secure ? 'TLS ' : ''}connections that were made before a new configuration have its routes and endpoints as well`, async () => {
      const agent = secure ? new SecureAgent({ keepAlive: true, maxSockets: 1 }) : new Agent({ keepAlive: true, maxSockets: 1 })
      const kept = (host: string) =>
        new Promise<{ name: string; headers: Record<string, string>; connection: number | undefined }>((resolve, reject) => {
          const options = { host: '127.0.0.1', port: secure ? ports.https : ports.http, headers: { host, 'x-forwarded-for': '8.8.8.8' }, agent }
          const sent = secure ? secureRequest({ ...options, rejectUnauthorized: false, servername: 'a.example' }) : request(options)
          sent.on('response', (response) => {
            const connection = sent.socket?.localPort
            let body = ''
            response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
            response.on('end', () => resolve({ ...(JSON.parse(body) as { name: string; headers: Record<string, string> }), connection }))
          })
          sent.on('error', reject).end()
        })
      const first = await kept('a.example')
      await plane.apply(
        desired({
          hosts: [...desired().sites[0]!.hosts, routes('reloaded.example', { prefix: { '': 'root' }, plainHttp: secure ? 'redirect' : 'serve' })],
        }),
      )
      await plane.endpoints([backend('root', 'next')])
      const { name, headers, connection } = await kept('reloaded.example')
      assert.deepEqual({ name, connection }, { name: 'next', connection: first.connection })
      assert.deepEqual(
        ['for', 'proto', 'port', 'host'].map((key) => headers[`x-forwarded-${key}`]),
        secure ? ['127.0.0.1', 'https', String(ports.https), 'reloaded.example'] : ['127.0.0.1', 'http', String(ports.http), 'reloaded.example'],
      )
      agent.destroy()
      await plane.apply(desired())
    })

  test('a replaced certificate is served, to old connections nothing happens', async () => {
    await plane.apply(
      desired({
        tls: [
          { id: certificates['fallback']!.id, names: [] },
          { id: certificates['three']!.id, names: ['a.example'] },
        ],
      }),
    )
    assert.equal(await shown('a.example'), 'three')
    await plane.apply(desired())
  })

  test('a certificate that HAProxy does not take is named, and the rest is served', async () => {
    const bad: Certificate = { id: 'f'.repeat(32), pem: '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' }
    const want = desired({
      tls: [
        { id: certificates['fallback']!.id, names: [] },
        { id: bad.id, names: ['a.example'] },
      ],
    })
    const { refused } = await plane.apply({ ...want, certificates: [...want.certificates, bad] })
    assert.deepEqual([...refused.keys()], [bad.id])
    assert.doesNotMatch(refused.get(bad.id)!, /\//)
    assert.equal(await shown('a.example'), 'fallback')
    assert.equal((await ask('a.example', '/')).status, 200)
    await plane.apply(desired())
  })

  test('while a configuration is not taken, endpoints of the one that is served change all the same', async () => {
    const want = desired({ backends: [backend('root', 'next'), ...desired().backends.slice(1), { ...backend('bad name', 'any') }] })
    await assert.rejects(plane.apply(want), /does not take its configuration/)
    assert.equal((JSON.parse((await ask('a.example', '/')).body) as { name: string }).name, 'next')
    await plane.apply(desired())
  })

  test('a process that is killed comes back with what it had', async () => {
    const killed = proxy.child()!
    const gone = new Promise((resolve) => killed.once('exit', resolve))
    killed.kill('SIGKILL')
    await gone
    const end = performance.now() + 60_000
    let answer: Answer | undefined
    while (!answer && performance.now() < end) answer = await ask('a.example', '/foo').catch(() => undefined)
    assert.equal((JSON.parse(answer!.body) as { name: string }).name, 'exact')
  })

  test('without sites nothing runs', async () => {
    await plane.apply({ sites: [], backends: [], certificates: [] })
    assert.equal(proxy.running(), false)
    await plane.apply(desired())
    assert.equal((await ask('a.example', '/')).status, 200)
  })

  test('keys are written for their owner alone', () => {
    const file = join(dir, 'current', `${certificates['one']!.id}.pem`)
    assert.match(readFileSync(file, 'utf8'), /PRIVATE KEY/)
  })
})
