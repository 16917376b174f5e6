import assert from 'node:assert/strict'
import { test } from 'node:test'
import dns from 'dns-packet'
import type { core, discovery } from '#api'
import { answer } from './answer.ts'
import type { DnsView } from './records.ts'
import { lookup } from './records.ts'

const service = (name: string, spec: Partial<core.ServiceSpec>): core.Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'shop' },
  spec: { clusterIP: '10.65.0.9', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
})
const services = [
  service('web', {}),
  service('db', { clusterIP: 'None' }),
  service('out', { type: 'ExternalName', externalName: 'web.shop.svc.cluster.local' }),
]
const slice: discovery.EndpointSlice = {
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'db-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'db' } },
  addressType: 'IPv4',
  endpoints: [
    { addresses: ['10.64.1.2'], hostname: 'db-0', conditions: { ready: true } },
    { addresses: ['10.64.1.3'], conditions: { ready: true } },
    { addresses: ['10.64.1.4'], conditions: { ready: false } },
  ],
  ports: [{ name: 'http', port: 5432, protocol: 'TCP' }],
}
const view: DnsView = {
  namespaceExists: (name) => name === 'shop',
  service: (namespace, name) => services.find((s) => s.metadata.namespace === namespace && s.metadata.name === name),
  slices: (_, name) => (name === 'db' ? [slice] : []),
  serviceByIp: (ip) => services.find((s) => s.spec.clusterIP === ip && s.spec.type !== 'ExternalName'),
  slicesByIp: (ip) => (slice.endpoints!.some((e) => e.addresses.includes(ip)) ? [slice] : []),
}

const rows: [name: string, question: string, type: string, want: string[] | 'missing' | 'foreign'][] = [
  ['a service has its cluster IP', 'web.shop.svc.cluster.local', 'A', ['10.65.0.9']],
  ['names are matched without regard to case', 'WEB.Shop.svc.Cluster.local', 'A', ['10.65.0.9']],
  ['a service has no IPv6 address, but exists', 'web.shop.svc.cluster.local', 'AAAA', []],
  ['a headless service has the addresses of its ready endpoints', 'db.shop.svc.cluster.local', 'A', ['10.64.1.2', '10.64.1.3']],
  ['an endpoint with a hostname has a name', 'db-0.db.shop.svc.cluster.local', 'A', ['10.64.1.2']],
  ['an endpoint without one is named after its address', '10-64-1-3.db.shop.svc.cluster.local', 'A', ['10.64.1.3']],
  ['a pod is named after its address', '10-64-1-3.shop.pod.cluster.local', 'A', ['10.64.1.3']],
  ['a named port is a service record', '_http._tcp.web.shop.svc.cluster.local', 'SRV', ['80 web.shop.svc.cluster.local']],
  [
    'a named port of a headless service leads to each endpoint',
    '_http._tcp.db.shop.svc.cluster.local',
    'SRV',
    ['5432 db-0.db.shop.svc.cluster.local', '5432 10-64-1-3.db.shop.svc.cluster.local'],
  ],
  ['a service of another name does not exist', 'nobody.shop.svc.cluster.local', 'A', 'missing'],
  ['a namespace of another name does not exist', 'web.nobody.svc.cluster.local', 'A', 'missing'],
  ['an external name is an alias', 'out.shop.svc.cluster.local', 'A', ['web.shop.svc.cluster.local']],
  ['a cluster IP has its service’s name', '9.0.65.10.in-addr.arpa', 'PTR', ['web.shop.svc.cluster.local']],
  ['an endpoint of a headless service has its name', '2.1.64.10.in-addr.arpa', 'PTR', ['db-0.db.shop.svc.cluster.local']],
  ['the version of the specification is told', 'dns-version.cluster.local', 'TXT', ['1.1.0']],
  ['other domains are not ours', 'example.com', 'A', 'foreign'],
]

for (const [name, question, type, want] of rows)
  test(name, () => {
    const found = lookup({ name: question, type }, 'cluster.local', view)
    if (typeof want === 'string') return assert.equal(found.result, want)
    assert.equal(found.result, 'found')
    if (found.result === 'found')
      assert.deepEqual(
        found.answers.map((a) => (a.type === 'SRV' ? `${a.data.port} ${a.data.target}` : a.data)),
        want,
      )
  })

const ask = async (name: string, type: 'A' | 'SRV', limit = 512) =>
  dns.decode(
    Buffer.from((await answer(dns.encode({ type: 'query', id: 7, questions: [{ type, name }] }), { zone: 'cluster.local', view }, limit))!),
  ) as dns.DecodedPacket & { rcode: string }

test('an alias of the cluster is followed to the address', async () => {
  const packet = await ask('out.shop.svc.cluster.local', 'A')
  assert.deepEqual(
    packet.answers?.map((a) => a.type),
    ['CNAME', 'A'],
  )
})

test('a name that does not exist is answered with NXDOMAIN and the zone’s SOA', async () => {
  const packet = await ask('nobody.shop.svc.cluster.local', 'A')
  assert.equal(packet.rcode, 'NXDOMAIN')
  assert.equal(packet.authorities?.[0]?.type, 'SOA')
})

test('an answer that does not fit is truncated', async () => {
  const packet = await ask('_http._tcp.db.shop.svc.cluster.local', 'SRV', 60)
  assert.equal(packet.flag_tc, true)
})

test('a name of another domain is refused where nothing is forwarded', async () => assert.equal((await ask('example.com', 'A')).rcode, 'REFUSED'))

test('garbage gets no answer, or a format error', async () => {
  assert.equal(await answer(Buffer.from('x'), { zone: 'cluster.local', view }, 512), undefined)
})
