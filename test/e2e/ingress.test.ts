import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { Agent, request as httpRequest } from 'node:http'
import { connect as connectHttp2 } from 'node:http2'
import { Agent as SecureAgent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { connect as connectTls } from 'node:tls'
import type { core, networking } from '#api'
import { createAuthority, issueCertificate } from '../../src/cluster/pki/index.ts'
import { kubectlIn } from './clients.ts'
import { output, testCluster } from './cluster.ts'
import { buildWebImages } from './web-image.ts'

// Two nodes: addresses lead to the first, pods run on both.
const cluster = await testCluster('ingress', '--nodes', '2', '--ingress-ports', '18080,18443')
after(() => cluster[Symbol.asyncDispose]())
const kubectl = kubectlIn(cluster, 'default')
const files = mkdtempSync(join(tmpdir(), 'k8ts-ingress-'))
after(() => rmSync(files, { recursive: true, force: true }))
const authority = await createAuthority({ commonName: 'test authority' })
const caFile = join(files, 'ca.crt')
writeFileSync(caFile, authority.certificate)

const k8ts = (...args: string[]) => cluster.k8ts(...args, '--name', cluster.name)
const address = (args: string[]) => k8ts('address', ...args)
const curl = (...args: string[]) => output('curl', ['--silent', '--show-error', '--max-time', '10', ...args])
const get = async <T>(...args: string[]) => JSON.parse(await kubectl('get', ...args, '-o', 'json')) as T
const deployment = (name: string, replicas: number, container: object) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'web', image: 'localhost/web:1', ...container }] } },
  },
})
const service = (name: string, spec: object, annotations = {}) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, annotations }, spec })
const toWeb = { service: { name: 'web', port: { name: 'http' } } }
const everything = (host: string, backend: object = toWeb) => ({ host, http: { paths: [{ path: '/', pathType: 'Prefix', backend }] } })
const ingress = (name: string, spec: object, annotations = {}) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'Ingress',
  metadata: { name, annotations },
  spec,
})

/** The address that an Ingress or Service shows, as soon as it does. */
async function addressOf(kind: 'ingress' | 'service', name: string): Promise<string> {
  await kubectl('wait', `--for=jsonpath={.status.loadBalancer.ingress[0].ip}`, `${kind}/${name}`, '--timeout=120s')
  return await kubectl('get', kind, name, '-o', 'jsonpath={.status.loadBalancer.ingress[0].ip}')
}

/** Puts a certificate for these names into a TLS secret; answers its serial number as clients see it. */
async function secret(name: string, commonName: string, names: string[]): Promise<void> {
  const pair = await issueCertificate(authority, { commonName, names, usages: ['server'] })
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name },
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': base64(pair.certificate), 'tls.key': base64(pair.key) },
  })
}

/** The subject of the certificate that an address shows to who asks for a name. */
const shown = (ip: string, servername: string): Promise<string> =>
  new Promise((resolve, reject) => {
    const socket = connectTls({ host: ip, port: 443, servername, ca: authority.certificate, rejectUnauthorized: false }, () => {
      const { CN } = socket.getPeerCertificate().subject
      socket.destroy()
      resolve(String(CN))
    })
    socket.on('error', reject)
  })

/** Tries again until it does not throw: for what changes without anybody who tells. */
async function eventually<T>(attempt: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  const end = performance.now() + timeoutMs
  for (;;)
    try {
      return await attempt()
    } catch (error) {
      if (performance.now() > end) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
}

interface Load extends AsyncDisposable {
  answers: Map<string, number>
  failures: string[]
  more(count: number): Promise<void>
}

/** Clients that send requests without pause, with and without a body, on connections that they keep and on fresh ones. */
function load(ip: string, host: string): Load {
  const answers = new Map<string, number>()
  const failures: string[] = []
  const waiting = new Set<() => void>()
  let [total, stopped] = [0, false]
  const agents = [new Agent({ keepAlive: true }), new SecureAgent({ keepAlive: true, ca: authority.certificate, servername: host })] as const
  const once = (secure: boolean, fresh: boolean, method: string) =>
    new Promise<void>((resolve) => {
      const failed = (text: string) => {
        failures.push(`${new Date().toISOString()} ${secure ? 'https' : 'http'} ${method} on a ${fresh ? 'fresh' : 'kept'} connection: ${text}`)
        resolve()
      }
      const options = { host: ip, path: '/', method, headers: { host }, timeout: 10_000 }
      const sent = secure
        ? httpsRequest({ ...options, port: 443, servername: host, ca: authority.certificate, agent: fresh ? false : agents[1] })
        : httpRequest({ ...options, port: 80, agent: fresh ? false : agents[0] })
      sent.on('response', (response) => {
        let body = ''
        response.setEncoding('utf8').on('data', (chunk: string) => (body += chunk))
        response.on('error', (error) => failed(error.message))
        response.on('end', () => {
          if (response.statusCode !== 200) return failed(`${response.statusCode} ${body.slice(0, 80)}`)
          const version = body.split(' ')[0]!
          answers.set(version, (answers.get(version) ?? 0) + 1)
          total++
          for (const check of waiting) check()
          resolve()
        })
      })
      sent.on('timeout', () => sent.destroy(new Error('no answer within 10 s')))
      sent.on('error', (error) => failed(error.message))
      sent.end(method === 'POST' ? 'body' : undefined)
    })
  const running = Promise.all(
    Array.from({ length: 6 }, async (_, i) => {
      while (!stopped) await once(i % 3 === 2, i % 2 === 0, i < 3 ? 'GET' : 'POST')
    }),
  )
  return {
    answers,
    failures,
    more: (count) =>
      new Promise((resolve, reject) => {
        const wanted = total + count
        const timer = setTimeout(() => reject(new Error(`not ${count} more answers within 60 s; failures: ${failures.slice(-3).join('; ')}`)), 60_000)
        const check = () => {
          if (total < wanted) return
          clearTimeout(timer)
          waiting.delete(check)
          resolve()
        }
        waiting.add(check)
        check()
      }),
    [Symbol.asyncDispose]: async () => {
      stopped = true
      await running
      for (const agent of agents) agent.destroy()
    },
  }
}

/** Echoes WebSockets and says who asked on port 80; gRPC's way to answer (HTTP/2 with trailers) on port 81. */
const protocolServer = `
const { createServer } = require('node:http')
const { createHash } = require('node:crypto')
createServer((q, s) => s.end(JSON.stringify(q.headers))).on('upgrade', (q, socket) => {
  const accept = createHash('sha1').update(q.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write('HTTP/1.1 101 Switching Protocols\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  socket.pipe(socket)
}).listen(80)
require('node:http2').createServer().on('stream', (stream, headers) => {
  stream.respond({ ':status': 200, 'content-type': 'application/grpc', path: headers[':path'] }, { waitForTrailers: true })
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }))
  stream.pipe(stream)
}).listen(81)`

let ip = ''
before(async () => {
  await buildWebImages(cluster, '2')
  await secret('one', 'one.example', ['one.example'])
  await secret('two', 'two.example', ['two.example', '*.two.example'])
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      deployment('web', 3, { readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 } }),
      deployment('protocols', 1, {
        command: ['node', '-e', protocolServer],
        readinessProbe: { httpGet: { path: '/', port: 80 }, periodSeconds: 1 },
      }),
      service('web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 8080, targetPort: 80 }] }),
      service('headless', { clusterIP: 'None', selector: { app: 'web' }, ports: [{ name: 'http', port: 80 }] }),
      service('outside', { type: 'ExternalName', externalName: 'web.default.svc.cluster.local', ports: [{ port: 8080 }] }),
      service('protocols', {
        selector: { app: 'protocols' },
        ports: [
          { name: 'http', port: 80 },
          { name: 'grpc', port: 81, appProtocol: 'kubernetes.io/h2c' },
        ],
      }),
      ingress(
        'main',
        {
          tls: [
            { hosts: ['one.example'], secretName: 'one' },
            { hosts: ['*.two.example'], secretName: 'two' },
          ],
          rules: [
            everything('one.example'),
            everything('*.two.example'),
            everything('headless.example', { service: { name: 'headless', port: { number: 80 } } }),
            everything('outside.example', { service: { name: 'outside', port: { number: 8080 } } }),
            {
              host: 'protocols.example',
              http: {
                paths: [
                  { path: '/', pathType: 'Prefix', backend: { service: { name: 'protocols', port: { name: 'http' } } } },
                  { path: '/pkg.Service', pathType: 'Prefix', backend: { service: { name: 'protocols', port: { name: 'grpc' } } } },
                ],
              },
            },
          ],
        },
        { 'k8ts.dev/ssl-redirect': 'false' },
      ),
    ],
  })
  await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
  await kubectl('rollout', 'status', 'deployment/protocols', '--timeout=120s')
  ip = await addressOf('ingress', 'main')
  await eventually(() => curl('--fail', '-H', 'Host: one.example', `http://${ip}/`))
})

describe('an ingress', () => {
  test('gets the default class and an address, which kubectl shows', async () => {
    assert.match(
      await kubectl('get', 'ingress', 'main'),
      /main +k8ts +one\.example,\*\.two\.example,headless\.example \+ 2 more\.\.\. +10\.\d+\.0\.\d+ +80, 443/,
    )
    assert.match(await kubectl('describe', 'ingress', 'main'), /IPChanged +.* +address-controller +IP is now 10\./)
  })

  test('`get --watch` shows the address arrive', async () => {
    await using watching = kubectl.start('get', 'ingress', '--watch')
    await cluster.apply(ingress('arriving', { rules: [everything('arriving.example')] }))
    await watching.until(/arriving +k8ts +arriving\.example +10\.\d+\.\d+\.\d+ +80/)
    await kubectl('delete', 'ingress', 'arriving')
  })

  test('serves each host over TLS with its own certificate, and HTTP/2', async () => {
    const ask = (host: string, ...more: string[]) => curl('--fail', '--cacert', caFile, '--resolve', `${host}:443:${ip}`, ...more, `https://${host}/`)
    assert.match(await ask('one.example'), /^1 web-/)
    assert.match(await ask('any.two.example'), /^1 web-/)
    assert.equal(await ask('one.example', '--http2', '-o', '/dev/null', '-w', '%{http_version}'), '2')
    await assert.rejects(ask('other.example'), /certificate|SSL/)
    assert.deepEqual(await Promise.all(['one.example', 'x.two.example'].map((name) => shown(ip, name))), ['one.example', 'two.example'])
  })

  test('leads to headless services, and by name out of the cluster', async () => {
    for (const host of ['headless.example', 'outside.example'])
      assert.match(await eventually(() => curl('--fail', '-H', `Host: ${host}`, `http://${ip}/`)), /^1 web-/)
  })

  test('tells the pod who asks, and for what', async () => {
    const headers = JSON.parse(await curl('--fail', '-H', 'Host: protocols.example', '-H', 'X-Forwarded-For: 8.8.8.8', `http://${ip}/`)) as Record<
      string,
      string
    >
    assert.equal(headers['host'], 'protocols.example')
    assert.match(headers['x-forwarded-for']!, /^10\.\d+\.0\.1$/)
    assert.deepEqual([headers['x-forwarded-proto'], headers['x-forwarded-host']], ['http', 'protocols.example'])
  })

  test('passes WebSockets', async () => {
    const echoed = await new Promise<string>((resolve, reject) => {
      const sent = httpRequest({
        host: ip,
        port: 80,
        headers: {
          host: 'protocols.example',
          connection: 'Upgrade',
          upgrade: 'websocket',
          'sec-websocket-version': '13',
          'sec-websocket-key': Buffer.alloc(16).toString('base64'),
        },
      })
      sent.on('upgrade', (_, socket) => {
        socket.on('data', (chunk: Buffer) => {
          resolve(chunk.toString())
          socket.destroy()
        })
        socket.write('over the socket')
      })
      sent.on('response', (response) => reject(new Error(`no upgrade: ${response.statusCode}`)))
      sent.on('error', reject).end()
    })
    assert.equal(echoed, 'over the socket')
  })

  test('passes gRPC: HTTP/2 to the pod, both ways, with trailers', async () => {
    const session = connectHttp2(`https://${ip}`, { servername: 'protocols.example', rejectUnauthorized: false })
    try {
      const stream = session.request({
        ':method': 'POST',
        ':path': '/pkg.Service/Method',
        ':authority': 'protocols.example',
        te: 'trailers',
        'content-type': 'application/grpc',
      })
      const answer = await new Promise<{ status: unknown; body: string; trailers: unknown }>((resolve, reject) => {
        const seen = { status: undefined as unknown, body: '', trailers: undefined as unknown }
        stream.on('response', (headers) => {
          seen.status = headers[':status']
          stream.end(' and after')
        })
        stream.setEncoding('utf8').on('data', (chunk: string) => (seen.body += chunk))
        stream.on('trailers', (trailers) => (seen.trailers = trailers['grpc-status']))
        stream.on('end', () => resolve(seen))
        stream.on('error', reject)
        stream.write('before')
      })
      assert.deepEqual(answer, { status: 200, body: 'before and after', trailers: '0' })
    } finally {
      session.destroy()
    }
  })

  test('answers on the host’s own address, at the ports that status names', async () => {
    const status = JSON.parse(await k8ts('status', '-o', 'json')) as { ingress: object; components: { name: string; pid: number }[] }
    assert.deepEqual(status.ingress, { http: 'http://127.0.0.1:18080', https: 'https://127.0.0.1:18443' })
    assert.match(await curl('--fail', '--resolve', 'one.example:18080:127.0.0.1', 'http://one.example:18080/'), /^1 web-/)
    assert.match(await curl('--fail', '--cacert', caFile, '--resolve', 'one.example:18443:127.0.0.1', 'https://one.example:18443/'), /^1 web-/)
  })

  test('answers to pods of every node', async () => {
    const { items } = await get<{ items: core.Pod[] }>('pods', '-l', 'app=web')
    const nodes = new Map(items.map((pod) => [pod.spec.nodeName, pod.metadata.name]))
    assert.equal(nodes.size, 2)
    const script = `fetch('http://${ip}/', { headers: { host: 'x' } }).then(async (r) => console.log(r.status))`
    for (const pod of nodes.values()) assert.match(await kubectl('exec', pod, '--', 'node', '-e', script), /^(200|404)/)
  })
})

describe('under load', () => {
  test('rollouts and other changes fail no request', async () => {
    await using clients = load(ip, 'one.example')
    await clients.more(50)
    for (const version of ['2', '1', '2']) {
      // a new configuration and new endpoints at the same time
      await cluster.apply(ingress('beside', { rules: [everything(`v${version}.example`)] }))
      await kubectl('set', 'image', 'deployment/web', `web=localhost/web:${version}`)
      await kubectl('rollout', 'status', 'deployment/web', '--timeout=90s')
      await clients.more(100)
    }
    await kubectl('scale', 'deployment/web', '--replicas=1')
    await kubectl('rollout', 'status', 'deployment/web', '--timeout=120s')
    await kubectl('scale', 'deployment/web', '--replicas=3')
    await kubectl('delete', 'ingress', 'beside')
    await clients.more(200)
    assert.deepEqual([...clients.answers.keys()].toSorted(), ['1', '2'])
    assert.deepEqual(clients.failures, [])
  })

  test('a certificate that is replaced is served at once, and no request fails', async () => {
    await using clients = load(ip, 'one.example')
    await clients.more(50)
    await secret('one', 'renewed', ['one.example'])
    await eventually(async () => assert.equal(await shown(ip, 'one.example'), 'renewed'))
    await clients.more(100)
    assert.deepEqual(clients.failures, [])
  })

  test('kill -9 of the proxy: it is back by itself', async () => {
    const pid = async () =>
      (JSON.parse(await k8ts('status', '-o', 'json')) as { components: { name: string; pid: number }[] }).components.find(
        (c) => c.name === 'ingress',
      )!.pid
    const killed = await pid()
    process.kill(killed, 'SIGKILL')
    await eventually(() => curl('--fail', '-H', 'Host: one.example', `http://${ip}/`))
    assert.notEqual(await pid(), killed)
  })

  test('kill -9 of the control plane: requests are answered, and after `k8ts up` changes are served again', async () => {
    const { components } = JSON.parse(await k8ts('status', '-o', 'json')) as { components: { name: string; pid: number }[] }
    await using clients = load(ip, 'one.example')
    process.kill(components.find((c) => c.name === 'control-plane')!.pid, 'SIGKILL')
    await clients.more(200)
    await k8ts('up')
    await cluster.apply(ingress('later', { rules: [everything('later.example')] }))
    const later = await addressOf('ingress', 'later')
    await eventually(() => curl('--fail', '-H', 'Host: later.example', `http://${later}/`))
    assert.equal(await addressOf('ingress', 'main'), ip, 'addresses stay')
    await clients.more(50)
    assert.deepEqual(clients.failures, [])
    await kubectl('delete', 'ingress', 'later')
  })
})

describe('addresses', () => {
  const event = (name: string, pattern: RegExp) => eventually(async () => assert.match(await kubectl('describe', 'ingress', name), pattern))
  const named = (name: string) => ({ 'kubernetes.io/ingress.global-static-ip-name': name })

  test('a static address is created, asked for by name, kept from others, and given back', async () => {
    await cluster.apply(ingress('static', { rules: [everything('static.example')] }, named('home')))
    await event('static', /Warning +AddressNotFound .*there is no static address home/)
    assert.equal((await get<networking.Ingress>('ingress', 'static')).status?.loadBalancer?.ingress, undefined)

    const reserved = (await address(['create', 'home'])).trim()
    assert.equal(await addressOf('ingress', 'static'), reserved)
    assert.match(await eventually(() => curl('--fail', '-H', 'Host: static.example', `http://${reserved}/`)), /web-/)
    await assert.rejects(curl('--fail', '-H', 'Host: one.example', `http://${reserved}/`), /404/)
    assert.match(await address(['list']), new RegExp(`^home\t${reserved}\tIngress default/static$`, 'm'))
    await assert.rejects(address(['create', 'home']), /there is an address home already/)
    await assert.rejects(address(['create', 'other', '--address', ip]), /is used by Ingress default\/main/)
    await assert.rejects(address(['create', 'other', '--address', '8.8.8.8']), /is not in the cluster's pool/)
    await assert.rejects(address(['delete', 'home']), /in use by Ingress default\/static/)

    await cluster.apply(ingress('second', { rules: [everything('second.example')] }, named('home')))
    await event('second', new RegExp(`Warning +AddressInUse .*${reserved} is in use by Ingress default/static`))
    await kubectl('delete', 'ingress', 'static')
    assert.equal(await addressOf('ingress', 'second'), reserved)
    await kubectl('delete', 'ingress', 'second')
    await address(['delete', 'home'])
    assert.equal(await address(['list']), '')
  })

  test('a service of type LoadBalancer has one, which answers, and loses it with its type', async () => {
    await address(['create', 'front'])
    await cluster.apply(service('front', { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port: 80 }] }, { 'k8ts.dev/address': 'front' }))
    const front = await addressOf('service', 'front')
    assert.match(await address(['list']), new RegExp(`^front\t${front}\tService default/front$`, 'm'))
    assert.match(await eventually(() => curl('--fail', `http://${front}/`)), /web-/)
    await assert.rejects(curl(`http://${front}:81/`), /refused|connect/)
    await kubectl('patch', 'service', 'front', '-p', JSON.stringify({ spec: { type: 'ClusterIP' } }))
    await eventually(async () => assert.deepEqual((await get<core.Service>('service', 'front')).status?.loadBalancer, {}))
    await kubectl('delete', 'service', 'front')
    await address(['delete', 'front'])
  })
})

test('a load balancer with externalTrafficPolicy Local answers on whatever node its pod is, and the pod sees who asks', async () => {
  const [pod] = (await get<{ items: core.Pod[] }>('pods', '-l', 'app=protocols')).items
  const other = pod!.spec.nodeName === 'node-1' ? 'node-2' : 'node-1'
  await cluster.apply(service('local', { type: 'LoadBalancer', externalTrafficPolicy: 'Local', selector: { app: 'local' }, ports: [{ port: 80 }] }))
  const local = await addressOf('service', 'local')
  const program = `require('node:http').createServer((q, s) => s.end(q.socket.remoteAddress)).listen(80)`
  for (const node of [other, pod!.spec.nodeName!]) {
    const spec = {
      nodeName: node,
      terminationGracePeriodSeconds: 0,
      containers: [{ name: 'c', image: 'localhost/web:1', command: ['node', '-e', program] }],
    }
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'local', labels: { app: 'local' } }, spec })
    await kubectl('wait', '--for=condition=Ready', 'pod/local', '--timeout=120s')
    assert.match(await eventually(() => curl('--fail', '--max-time', '1', `http://${local}/`)), /^(::ffff:)?10\.\d+\.0\.1$/)
    await kubectl('delete', 'pod', 'local', '--now')
  }
  await kubectl('delete', 'service', 'local')
})

describe('what cannot be served', () => {
  const described = (name: string, pattern: RegExp) => eventually(async () => assert.match(await kubectl('describe', 'ingress', name), pattern))

  test('is told in events of its own Ingress, and hurts no other', async () => {
    await using clients = load(ip, 'one.example')
    await kubectl.input(
      { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'broken' }, stringData: { 'tls.crt': 'nonsense', 'tls.key': 'nonsense' } },
      'apply',
      '-f',
      '-',
    )
    await cluster.apply(
      ingress('bad', {
        tls: [
          { hosts: ['bad.example'], secretName: 'missing' },
          { hosts: ['broken.example'], secretName: 'broken' },
        ],
        rules: [
          everything('bad.example', { service: { name: 'nobody', port: { number: 80 } } }),
          everything('broken.example', { service: { name: 'web', port: { number: 9 } } }),
        ],
      }),
    )
    for (const reason of [
      'SecretNotFound .*default/missing does not exist',
      'InvalidCertificate .*default/broken',
      'ServiceNotFound .*default/nobody',
      'PortNotFound .*default/web has no port 9',
    ])
      await described('bad', new RegExp(`Warning +${reason}`))
    const bad = await addressOf('ingress', 'bad')
    assert.equal(
      await eventually(() => curl('-k', '-o', '/dev/null', '-w', '%{http_code}', '--resolve', `bad.example:443:${bad}`, 'https://bad.example/')),
      '503',
    )
    await clients.more(100)
    assert.deepEqual(clients.failures, [])
    await kubectl('delete', 'ingress', 'bad')
  })

  test('Ingresses of other classes are left alone', async () => {
    await cluster.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'foreign' },
      spec: { controller: 'example.com/other' },
    })
    await cluster.apply(ingress('foreign', { ingressClassName: 'foreign', rules: [everything('foreign.example')] }))
    await cluster.apply(ingress('ours', { rules: [everything('ours.example')] }))
    const ours = await addressOf('ingress', 'ours')
    await eventually(() => curl('--fail', '-H', 'Host: ours.example', `http://${ours}/`))
    assert.equal((await get<networking.Ingress>('ingress', 'foreign')).status?.loadBalancer?.ingress, undefined)
    await assert.rejects(curl('--fail', '-H', 'Host: foreign.example', 'http://127.0.0.1:18080/'), /404/)
    await kubectl('delete', 'ingress', 'foreign', 'ours')
    await kubectl('delete', 'ingressclass', 'foreign')
  })
})

test('when the last Ingress goes, so does the proxy', async () => {
  await kubectl('delete', 'ingress', '--all')
  await eventually(async () => {
    const { ingress, state } = JSON.parse(await k8ts('status', '-o', 'json')) as { ingress: object | null; state: string }
    assert.deepEqual([ingress, state], [null, 'running'])
  })
})
