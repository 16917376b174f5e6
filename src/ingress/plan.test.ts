import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import { test } from 'node:test'
import type { core, discovery, networking } from '#api'
import type { IngressState } from './plan.ts'
import { planIngress } from './plan.ts'

const fallback = { id: 'fallback', pem: 'fallback' }

const service = (name: string, spec: Partial<core.ServiceSpec> = {}, annotations = {}) =>
  ({ metadata: { name, namespace: 'ns', annotations }, spec: { ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec } }) as core.Service
const slice = (name: string, endpoints: [ip: string, conditions?: discovery.EndpointConditions][], port = 8080) =>
  ({
    metadata: { name: `${name}-1`, namespace: 'ns', labels: { 'kubernetes.io/service-name': name } },
    addressType: 'IPv4',
    ports: [{ name: 'http', port, protocol: 'TCP' }],
    endpoints: endpoints.map(([ip, conditions]) => ({ addresses: [ip], ...(conditions ? { conditions } : {}) })),
  }) as unknown as discovery.EndpointSlice
const to = (name: string, port: networking.ServiceBackendPort = { number: 80 }) => ({ service: { name, port } })
const path = (path: string, pathType: string, name = 'web') => ({ path, pathType, backend: to(name) })
const ingress = (name: string, spec: Partial<networking.IngressSpec>, more: { annotations?: object; created?: string; ip?: string } = {}) =>
  ({
    metadata: { name, namespace: 'ns', annotations: more.annotations ?? {}, creationTimestamp: more.created ?? '2026-01-01T00:00:00Z' },
    spec,
    status: { loadBalancer: { ingress: [{ ip: more.ip ?? '10.67.0.1' }] } },
  }) as unknown as networking.Ingress

function plan(
  ingresses: networking.Ingress[],
  more: { services?: core.Service[]; slices?: discovery.EndpointSlice[]; secrets?: core.Secret[] } = {},
) {
  const services = more.services ?? [service('web'), service('api')]
  const state: IngressState = {
    ingresses,
    fallback,
    serviceAt: (key) => services.find((s) => `ns/${s.metadata.name}` === key),
    slicesOf: (key) => (more.slices ?? []).filter((s) => `ns/${s.metadata.labels!['kubernetes.io/service-name']}` === key),
    secretAt: (key) => (more.secrets ?? []).find((s) => `ns/${s.metadata.name}` === key),
  }
  const { desired, troubles } = planIngress(state)
  return {
    desired,
    reasons: Object.fromEntries([...troubles].map(([key, list]) => [key, list.map((t) => t.reason)])),
    site: (address: string) => desired.sites.find((s) => s.address === address)!,
    hosts: (address = '10.67.0.1') => Object.fromEntries(desired.sites.find((s) => s.address === address)!.hosts.map((h) => [h.host, h])),
  }
}

test('paths become exact and prefix routes of their host', () => {
  const { hosts } = plan([
    ingress('a', {
      rules: [
        {
          host: 'a.example',
          http: {
            paths: [
              path('/', 'Prefix'),
              path('/x/', 'Prefix', 'api'),
              path('/x', 'Exact'),
              path('/gke/*', 'ImplementationSpecific'),
              path('/other', 'ImplementationSpecific'),
            ],
          },
        },
      ],
    }),
  ])
  const { exact, prefix } = hosts()['a.example']!
  assert.deepEqual([...exact], [['/x', 'ns:web:80:http']])
  assert.deepEqual(
    [...prefix],
    [
      ['', 'ns:web:80:http'],
      ['/x', 'ns:api:80:http'],
      ['/gke', 'ns:web:80:http'],
      ['/other', 'ns:web:80:http'],
    ],
  )
})

test('the default backend is for paths that match no rule and for hosts that have none', () => {
  const { hosts } = plan([
    ingress('a', { defaultBackend: to('api'), rules: [{ host: 'a.example', http: { paths: [path('/x', 'Exact')] } }, { host: 'b.example' }] }),
  ])
  assert.deepEqual(
    Object.values(hosts()).map((h) => [h.host, h.fallback]),
    [
      ['', 'ns:api:80:http'],
      ['a.example', 'ns:api:80:http'],
      ['b.example', 'ns:api:80:http'],
    ],
  )
})

test('each address has the routes of its own Ingress, the host’s own those of all; of two that claim one path the older has it', () => {
  const rule = (name: string) => [{ host: 'a.example', http: { paths: [path('/', 'Prefix', name)] } }]
  const { hosts } = plan([
    ingress('younger', { rules: rule('api') }, { created: '2026-01-02T00:00:00Z', ip: '10.67.0.2' }),
    ingress('older', { rules: rule('web') }),
  ])
  assert.equal(hosts('10.67.0.1')['a.example']!.prefix.get(''), 'ns:web:80:http')
  assert.equal(hosts('10.67.0.2')['a.example']!.prefix.get(''), 'ns:api:80:http')
  assert.equal(hosts('127.0.0.1')['a.example']!.prefix.get(''), 'ns:web:80:http')
})

const ready = { ready: true, serving: true, terminating: false }
const leaving = { ready: false, serving: true, terminating: true }
const endpoints: [name: string, slices: discovery.EndpointSlice[], want: string[]][] = [
  ['ready endpoints serve', [slice('web', [['10.0.0.2', ready], ['10.0.0.1']])], ['10.0.0.1:8080', '10.0.0.2:8080']],
  [
    'those that terminate do not while others are ready',
    [
      slice('web', [
        ['10.0.0.1', ready],
        ['10.0.0.2', leaving],
      ]),
    ],
    ['10.0.0.1:8080'],
  ],
  [
    'they do while there is no other',
    [
      slice('web', [
        ['10.0.0.2', leaving],
        ['10.0.0.3', { ready: false, serving: false }],
      ]),
    ],
    ['10.0.0.2:8080'],
  ],
  ['slices with different ports add up', [slice('web', [['10.0.0.1']], 80), slice('web', [['10.0.0.2']], 81)], ['10.0.0.1:80', '10.0.0.2:81']],
  ['without slices there is none', [], []],
]
for (const [name, slices, want] of endpoints)
  test(name, () => {
    const { desired } = plan([ingress('a', { defaultBackend: to('web', { name: 'http' }) })], { slices })
    assert.deepEqual(desired.backends[0]!.endpoints, want)
  })

const protocols: [name: string, service: core.Service, annotations: object, id: string][] = [
  ['a port without appProtocol is HTTP', service('web'), {}, 'ns:web:80:http'],
  ['appProtocol h2c speaks HTTP/2 to the pod', service('web', { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] }), {}, 'ns:web:80:h2c'],
  ['so does grpc', service('web', { ports: [{ port: 80, appProtocol: 'grpc' }] }), {}, 'ns:web:80:h2c'],
  ['https speaks TLS', service('web', { ports: [{ port: 80, appProtocol: 'https' }] }), {}, 'ns:web:80:https'],
  ['an unknown one is HTTP', service('web', { ports: [{ port: 80, appProtocol: 'mysql' }] }), {}, 'ns:web:80:http'],
  ['the annotation of the service decides', service('web', {}, { 'k8ts.dev/backend-protocol': 'GRPCS' }), {}, 'ns:web:80:h2'],
  [
    'that of the Ingress before it',
    service('web', {}, { 'k8ts.dev/backend-protocol': 'grpc' }),
    { 'k8ts.dev/backend-protocol': 'http' },
    'ns:web:80:http',
  ],
]
for (const [name, given, annotations, id] of protocols)
  test(name, () => {
    const { desired } = plan([ingress('a', { defaultBackend: to('web') }, { annotations })], { services: [given] })
    assert.deepEqual(
      desired.backends.map((b) => b.id),
      [id],
    )
  })

test('an ExternalName service leads to its name, at a port that it need not have', () => {
  const { desired } = plan([ingress('a', { defaultBackend: to('web', { number: 8443 }) })], {
    services: [service('web', { type: 'ExternalName', externalName: 'db.example.com', ports: [] })],
  })
  assert.deepEqual(desired.backends[0]!.external, { host: 'db.example.com', port: 8443 })
})

const troubles: [name: string, spec: Partial<networking.IngressSpec>, services: core.Service[], reason: string][] = [
  ['a missing service', { defaultBackend: to('none') }, [], 'ServiceNotFound'],
  ['a port that the service does not have', { defaultBackend: to('web', { name: 'https' }) }, [service('web')], 'PortNotFound'],
  ['a resource backend', { defaultBackend: { resource: { kind: 'Bucket', name: 'b' } } }, [], 'UnsupportedBackend'],
  ['a UDP port', { defaultBackend: to('web') }, [service('web', { ports: [{ port: 80, protocol: 'UDP' }] })], 'PortNotFound'],
  [
    'an external name that is none',
    { defaultBackend: to('web') },
    [service('web', { type: 'ExternalName', externalName: 'a b\nserver x' })],
    'InvalidExternalName',
  ],
  ['a missing secret', { tls: [{ hosts: ['a.example'], secretName: 'none' }] }, [], 'SecretNotFound'],
  ['a path with a line break', { rules: [{ http: { paths: [path('/a\nh0/ evil', 'Prefix')] } }] }, [service('web')], 'InvalidPath'],
  ['a host that is no name', { rules: [{ host: 'a b', http: { paths: [path('/', 'Prefix')] } }] }, [service('web')], 'InvalidHost'],
]
for (const [name, spec, services, reason] of troubles)
  test(`${name} is told of its Ingress alone, and others are served`, () => {
    const good = ingress('good', { rules: [{ host: 'good.example', http: { paths: [path('/', 'Prefix', 'fine')] } }] }, { ip: '10.67.0.2' })
    const { reasons, hosts } = plan([ingress('bad', spec), good], { services: [...services, service('fine')] })
    assert.deepEqual(reasons, { 'ns/bad': [reason] })
    assert.equal(hosts('10.67.0.2')['good.example']!.prefix.get(''), 'ns:fine:80:http')
  })

test('a path whose service is missing is answered by nobody else', () => {
  const { hosts } = plan([ingress('a', { rules: [{ http: { paths: [path('/', 'Prefix'), path('/x', 'Prefix', 'none')] } }] })])
  assert.equal(hosts()['']!.prefix.get('/x'), 'nowhere')
})

const plain: [name: string, tls: networking.IngressTLS[] | undefined, annotations: object, want: string][] = [
  ['a host without TLS is served over plain HTTP', undefined, {}, 'serve'],
  ['a host of another certificate, too', [{ hosts: ['b.example'] }], {}, 'serve'],
  ['a host with TLS is redirected', [{ hosts: ['a.example'] }], {}, 'redirect'],
  ['one under a wildcard, too', [{ hosts: ['*.example'] }], {}, 'redirect'],
  ['TLS without hosts is for all', [{ secretName: 's' }], {}, 'redirect'],
  ['an annotation keeps plain HTTP', [{ hosts: ['a.example'] }], { 'k8ts.dev/ssl-redirect': 'false' }, 'serve'],
  ['ingress-nginx’ annotation does as well', [{ hosts: ['a.example'] }], { 'nginx.ingress.kubernetes.io/ssl-redirect': 'false' }, 'serve'],
  ['GKE’s annotation refuses plain HTTP', [{ hosts: ['a.example'] }], { 'kubernetes.io/ingress.allow-http': 'false' }, 'refuse'],
]
for (const [name, tls, annotations, want] of plain)
  test(name, () => {
    const rules = [{ host: 'a.example', http: { paths: [path('/', 'Prefix')] } }]
    assert.equal(plan([ingress('a', { rules, ...(tls ? { tls } : {}) }, { annotations })]).hosts()['a.example']!.plainHttp, want)
  })

test('where a certificate is missing the fallback is served, and it is always there', () => {
  const { site } = plan([ingress('a', { defaultBackend: to('web'), tls: [{ hosts: ['a.example'], secretName: 'none' }] })])
  assert.deepEqual(site('10.67.0.1').tls, {
    certificates: [
      { id: 'fallback', names: [] },
      { id: 'fallback', names: ['a.example'] },
    ],
  })
})

test('a secret that has no certificate, or another’s key, is told', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const key = Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })).toString('base64')
  const secret = (data: object) => ({ metadata: { name: 's', namespace: 'ns' }, data }) as unknown as core.Secret
  const spec = { defaultBackend: to('web'), tls: [{ secretName: 's' }] }
  for (const data of [
    {},
    { 'tls.key': key },
    { 'tls.crt': Buffer.from('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----').toString('base64'), 'tls.key': key },
  ])
    assert.deepEqual(plan([ingress('a', spec)], { secrets: [secret(data)] }).reasons, { 'ns/a': ['InvalidCertificate'] })
})
