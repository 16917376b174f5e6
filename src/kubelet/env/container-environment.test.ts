import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import type { core } from '#api'
import { errors } from '#api'
import type { EnvironmentSources } from './container-environment.ts'
import { containerEnvironment } from './container-environment.ts'
import { expand, unknownReferences } from './expand.ts'
import { fieldValue } from './field-ref.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')
const objects: Record<string, object> = {
  'ConfigMap/shop/settings': { data: { COLOR: 'blue', 'bad=key': 'x', SIZE: 'XL' } },
  'Secret/shop/db': { data: { password: base64('s3cret'), user: base64('app') } },
}
const services = [
  { metadata: { name: 'kubernetes', namespace: 'default' }, spec: { clusterIP: '10.0.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] } },
  {
    metadata: { name: 'my-db', namespace: 'shop' },
    spec: {
      clusterIP: '10.0.0.9',
      ports: [
        { port: 5432, protocol: 'TCP' },
        { name: 'stats', port: 9000, protocol: 'UDP' },
      ],
    },
  },
  { metadata: { name: 'headless', namespace: 'shop' }, spec: { clusterIP: 'None', ports: [{ port: 1 }] } },
  { metadata: { name: 'elsewhere', namespace: 'other' }, spec: { clusterIP: '10.0.0.10', ports: [{ port: 1 }] } },
] as core.Service[]

function sources(extra: Partial<EnvironmentSources> = {}): EnvironmentSources {
  return {
    nodeName: 'n1',
    hostIPs: ['192.168.0.1'],
    podIPs: ['10.1.0.5', 'fd00::5'],
    services: [],
    allocatable: { cpu: '2', memory: '4Gi' },
    objects: {
      async get(kind: string, namespace: string, name: string) {
        const object = objects[`${kind}/${namespace}/${name}`]
        if (!object) throw errors.notFound({ group: '', resource: kind.toLowerCase() }, name)
        return object as any
      },
    },
    ...extra,
  }
}
function podWith(container: Partial<core.Container>, spec: Partial<core.PodSpec> = {}): core.Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u1', labels: { app: 'web', 'k8s.io/x': 'y' }, annotations: { note: 'a "b"\n' } },
    spec: { serviceAccountName: 'default', nodeName: 'n1', containers: [{ name: 'c', ...container }], ...spec },
  }
}
const run = async (container: Partial<core.Container>, extra: Partial<EnvironmentSources> = {}, spec: Partial<core.PodSpec> = {}) => {
  const pod = podWith(container, spec)
  const list = await containerEnvironment(pod, pod.spec.containers[0]!, sources(extra))
  return Object.fromEntries(list.map(({ key, value }) => [key, value]))
}

describe('the environment of a container', () => {
  const rows: [string, Partial<core.Container>, Record<string, string>][] = [
    ['takes plain values', { env: [{ name: 'A', value: '1' }] }, { A: '1' }],
    [
      'expands references to earlier variables',
      {
        env: [
          { name: 'A', value: '1' },
          { name: 'B', value: '$(A)-$(C)-$$(A)' },
          { name: 'C', value: '3' },
        ],
      },
      { A: '1', B: '1-$(C)-$(A)', C: '3' },
    ],
    [
      'takes all valid keys of a config map, with the prefix',
      { envFrom: [{ prefix: 'P_', configMapRef: { name: 'settings' } }] },
      { P_COLOR: 'blue', P_SIZE: 'XL' },
    ],
    [
      'lets env win over envFrom',
      { envFrom: [{ configMapRef: { name: 'settings' } }], env: [{ name: 'COLOR', value: 'red' }] },
      { COLOR: 'red', SIZE: 'XL' },
    ],
    ['decodes secrets', { env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'password' } } }] }, { P: 's3cret' }],
    [
      'leaves out optional keys that do not exist',
      { env: [{ name: 'P', valueFrom: { secretKeyRef: { name: 'db', key: 'nope', optional: true } } }] },
      {},
    ],
    ['leaves out optional objects that do not exist', { envFrom: [{ secretRef: { name: 'nope', optional: true } }] }, {}],
    [
      'takes the resources of the container',
      {
        resources: { limits: { cpu: '1500m' }, requests: { memory: '64Mi' } },
        env: [
          { name: 'CPU', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
          { name: 'MILLI', valueFrom: { resourceFieldRef: { resource: 'limits.cpu', divisor: '1m' } } },
          { name: 'MIB', valueFrom: { resourceFieldRef: { resource: 'requests.memory', divisor: '1Mi' } } },
          { name: 'UNSET', valueFrom: { resourceFieldRef: { resource: 'limits.memory', divisor: '0' } } },
          { name: 'NONE', valueFrom: { resourceFieldRef: { resource: 'requests.cpu' } } },
        ],
      },
      { CPU: '2', MILLI: '1500', MIB: '64', UNSET: String(4 * 2 ** 30), NONE: '0' },
    ],
    [
      'takes fields of the pod',
      {
        env: ['metadata.name', "metadata.labels['k8s.io/x']", 'status.podIP', 'status.podIPs', 'status.hostIP', 'spec.nodeName'].map(
          (fieldPath, i) => ({ name: `F${i}`, valueFrom: { fieldRef: { fieldPath } } }),
        ),
      },
      { F0: 'web', F1: 'y', F2: '10.1.0.5', F3: '10.1.0.5,fd00::5', F4: '192.168.0.1', F5: 'n1' },
    ],
  ]
  for (const [name, container, expected] of rows) it(name, async () => assert.deepEqual(await run(container), expected))

  it('announces services of the namespace and the API server', async () => {
    const all = await run({}, { services })
    assert.deepEqual(all, {
      KUBERNETES_SERVICE_HOST: '10.0.0.1',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICE_PORT_HTTPS: '443',
      KUBERNETES_PORT: 'tcp://10.0.0.1:443',
      KUBERNETES_PORT_443_TCP: 'tcp://10.0.0.1:443',
      KUBERNETES_PORT_443_TCP_PROTO: 'tcp',
      KUBERNETES_PORT_443_TCP_PORT: '443',
      KUBERNETES_PORT_443_TCP_ADDR: '10.0.0.1',
      MY_DB_SERVICE_HOST: '10.0.0.9',
      MY_DB_SERVICE_PORT: '5432',
      MY_DB_SERVICE_PORT_STATS: '9000',
      MY_DB_PORT: 'tcp://10.0.0.9:5432',
      MY_DB_PORT_5432_TCP: 'tcp://10.0.0.9:5432',
      MY_DB_PORT_5432_TCP_PROTO: 'tcp',
      MY_DB_PORT_5432_TCP_PORT: '5432',
      MY_DB_PORT_5432_TCP_ADDR: '10.0.0.9',
      MY_DB_PORT_9000_UDP: 'udp://10.0.0.9:9000',
      MY_DB_PORT_9000_UDP_PROTO: 'udp',
      MY_DB_PORT_9000_UDP_PORT: '9000',
      MY_DB_PORT_9000_UDP_ADDR: '10.0.0.9',
    })
    const few = await run({ env: [{ name: 'URL', value: '$(KUBERNETES_SERVICE_HOST)' }] }, { services }, { enableServiceLinks: false })
    assert.equal(few.URL, '10.0.0.1')
    assert.equal(few.MY_DB_SERVICE_HOST, undefined)
  })
  it('takes keys of any printable characters', async () => {
    const { '1 COLOR': color, '1 SIZE': size } = await run({ envFrom: [{ prefix: '1 ', configMapRef: { name: 'settings' } }] })
    assert.deepEqual([color, size], ['blue', 'XL'])
  })
  it('takes values from a file of a volume', async () => {
    const from = (key: string, path = 'my.env', optional = false) => [
      { name: 'A', valueFrom: { fileKeyRef: { volumeName: 'v', path, key, optional } } },
    ]
    const readVolumeFile = async (volume: string, path: string) => {
      if (volume !== 'v') throw new Error('cannot find the volume')
      return path === 'my.env' ? "X='1'" : path === 'bad.env' ? 'X=1' : undefined
    }
    const get = async (env: core.EnvVar[]) => (await run({ env }, { readVolumeFile })).A
    assert.equal(await get(from('X')), '1')
    assert.equal(await get(from('Y', 'my.env', true)), undefined)
    assert.equal(await get(from('X', 'no.env', true)), undefined)
    await assert.rejects(get(from('Y')), /environment variable key "Y" not found in file "my.env"/)
    await assert.rejects(get(from('X', 'no.env')), /environment variable key "X" not found in file "no.env"/)
    await assert.rejects(get(from('X', 'bad.env', true)), /at line 1/)
  })
  it('warns of keys that cannot be variables', async () => {
    const warnings: string[] = []
    await run({ envFrom: [{ configMapRef: { name: 'settings' } }] }, { onInvalidNames: (m) => warnings.push(m) })
    assert.deepEqual(warnings, [
      'Keys [bad=key] from the EnvFrom configMap shop/settings were skipped since they are considered invalid environment variable names.',
    ])
  })
  const failing: [string, Partial<core.Container>, string][] = [
    ['a config map that does not exist', { envFrom: [{ configMapRef: { name: 'nope' } }] }, 'configmap "nope" not found'],
    ['a secret that does not exist', { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'nope', key: 'k' } } }] }, 'secret "nope" not found'],
    [
      'a key that does not exist',
      { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'db', key: 'k' } } }] },
      "couldn't find key k in Secret shop/db",
    ],
    [
      'a field that is not supported',
      { env: [{ name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.foo' } } }] },
      'unsupported fieldPath: spec.foo',
    ],
  ]
  for (const [name, container, message] of failing)
    it(`is refused for ${name}`, async () => assert.rejects(run(container), { message, reason: 'CreateContainerConfigError' }))
})

describe('downward API fields', () => {
  it('print maps one entry a line, quoted and sorted', () => {
    const pod = podWith({})
    const facts = sources()
    assert.equal(fieldValue(pod, 'metadata.labels', facts), 'app="web"\nk8s.io/x="y"')
    assert.equal(fieldValue(pod, 'metadata.annotations', facts), 'note="a \\"b\\"\\n"')
  })
})

describe('$(NAME) references', () => {
  const lookup = (name: string) => ({ A: 'a', EMPTY: '' })[name]
  const rows: [string, string][] = [
    ['$(A)', 'a'],
    ['$$(A)', '$(A)'],
    ['$$$(A)', '$a'],
    ['$(B)', '$(B)'],
    ['$(A', '$(A'],
    ['$x$(A)', '$xa'],
    ['[$(EMPTY)]', '[]'],
    ['$', '$'],
  ]
  for (const [text, expected] of rows) it(`${text} becomes ${expected}`, () => assert.equal(expand(text, lookup), expected))
  it('are found when nothing defines them', () => assert.deepEqual(unknownReferences('$(A)/$(B)/$$(C)', lookup), ['B']))
})
