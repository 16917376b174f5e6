import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parse } from 'yaml'
import type { apps, core } from '#api'
import type { RegistryOptions } from './objects.ts'
import { hostingConfigMap, registryObjects } from './objects.ts'

const options: RegistryOptions = {
  host: 'localhost:5000',
  image: 'k8ts.dev/registry:1',
  access: { username: 'k8ts', password: 'pa55word', htpasswd: 'k8ts:h4sh\n', httpSecret: 'f00d' },
  tls: { certificate: 'CERT', key: 'PRIVATE' },
  storage: '10Gi',
}
const find = <T>(kind: string, of = options) => registryObjects(of).find((object) => object.kind === kind) as T

test('tools find the registry where KEP-1755 says', () => {
  const { metadata, data } = hostingConfigMap('localhost:5000')
  assert.deepEqual([metadata.namespace, metadata.name], ['kube-public', 'local-registry-hosting'])
  assert.deepEqual(parse(data!['localRegistryHosting.v1']!), {
    host: 'localhost:5000',
    hostFromContainerRuntime: 'localhost:5000',
    hostFromClusterNetwork: 'registry.k8ts-registry.svc.cluster.local:5000',
    help: 'k8ts registry --help',
  })
})

test('nothing but Secrets holds the password', () => {
  const others = registryObjects(options).filter((object) => object.kind !== 'Secret')
  for (const secret of ['pa55word', 'h4sh', 'f00d', 'PRIVATE'])
    for (const form of [secret, Buffer.from(secret).toString('base64')]) assert.ok(!JSON.stringify(others).includes(form), secret)
})

test('the read-only configuration differs in nothing else', () => {
  const { data } = find<core.ConfigMap>('ConfigMap')
  const [normal, readOnly] = ['config.yml', 'read-only.yml'].map((name) => parse(data![name]!))
  assert.deepEqual([normal.storage.maintenance.readonly.enabled, readOnly.storage.maintenance.readonly.enabled], [false, true])
  readOnly.storage.maintenance.readonly.enabled = false
  assert.deepEqual(readOnly, normal)
  assert.equal(normal.storage.cache, undefined, 'a cache would know layers that a collection removed')
})

test('the pod starts anew for another certificate or password, and for nothing else', () => {
  const template = (of: RegistryOptions) => JSON.stringify(find<apps.Deployment>('Deployment', of).spec.template)
  assert.equal(template({ ...options, host: 'localhost:5001', storage: '20Gi' }), template(options))
  assert.notEqual(template({ ...options, tls: { certificate: 'NEW', key: 'PRIVATE' } }), template(options))
  assert.notEqual(template({ ...options, access: { ...options.access, htpasswd: 'k8ts:other\n' } }), template(options))
})
