import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ExtensionGroup } from './index.ts'
import { decodeObject, parseCbor, parseProtobuf, readMessage, schemaOf, unsealed } from '#api'
import { compareVersions, discoveryHandler, storageVersionHash } from './index.ts'

const none: ExtensionGroup[] = []
const json = (path: string, extensions = none, accept?: string) =>
  JSON.parse(Buffer.from(discoveryHandler(path, accept, extensions, { serverAddress: '10.0.0.1:6443' })!.bytes).toString()) as any
const aggregatedAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

const widgets: ExtensionGroup[] = [
  {
    group: 'example.com',
    version: 'v1beta1',
    resources: [{ name: 'widgets', singularName: 'widget', namespaced: true, kind: 'Widget', verbs: ['get', 'list'] }],
  },
  {
    group: 'example.com',
    version: 'v1',
    resources: [
      { name: 'widgets/scale', singularName: '', namespaced: true, group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get'] },
      { name: 'widgets', singularName: 'widget', namespaced: true, kind: 'Widget', verbs: ['get', 'list'], shortNames: ['w'] },
    ],
  },
]

test('/api names the core version and the server address', () => {
  assert.deepEqual(json('/api'), {
    kind: 'APIVersions',
    versions: ['v1'],
    serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress: '10.0.0.1:6443' }],
  })
})

test('/apis lists the groups by priority, extensions last', () => {
  const names = json('/apis', widgets).groups.map((g: { name: string }) => g.name)
  assert.deepEqual(names.slice(0, 4), ['apiregistration.k8s.io', 'apps', 'events.k8s.io', 'authentication.k8s.io'])
  assert.equal(names.at(-1), 'example.com')
  assert.ok(!names.includes(''))
})

test('a group prefers its GA version', () => {
  assert.deepEqual(json('/apis/autoscaling').preferredVersion, { groupVersion: 'autoscaling/v2', version: 'v2' })
  assert.deepEqual(
    json('/apis/example.com', widgets).versions.map((v: { version: string }) => v.version),
    ['v1', 'v1beta1'],
  )
})

test('resources come sorted, each with its subresources', () => {
  const core = json('/api/v1')
  assert.equal(core.groupVersion, 'v1')
  const byName = new Map<string, unknown>(core.resources.map((r: { name: string }) => [r.name, r]))
  assert.deepEqual([...byName.keys()], [...byName.keys()].toSorted())
  assert.deepEqual(byName.get('pods/eviction'), {
    name: 'pods/eviction',
    singularName: '',
    namespaced: true,
    group: 'policy',
    version: 'v1',
    kind: 'Eviction',
    verbs: ['create'],
  })
  assert.deepEqual(byName.get('configmaps'), {
    name: 'configmaps',
    singularName: 'configmap',
    namespaced: true,
    kind: 'ConfigMap',
    verbs: ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'],
    shortNames: ['cm'],
    storageVersionHash: 'qFsyl6wFWjQ=',
  })
})

test('storage version hashes are those of upstream', () => {
  assert.equal(storageVersionHash({ group: '', version: 'v1' }, 'Pod'), 'xPOwRZ+Yhw8=')
  assert.equal(storageVersionHash({ group: 'apps', version: 'v1' }, 'Deployment'), '8aSe+NMegvE=')
})

test('the aggregated form has everything in one document', () => {
  const { headers, status } = discoveryHandler('/apis', aggregatedAccept, widgets)!
  assert.equal(headers['content-type'], 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList')
  assert.equal(status, 200)
  assert.equal(discoveryHandler('/apis', aggregatedAccept, widgets, { ifNoneMatch: headers.etag! })!.status, 304)
  const list = json('/apis', widgets, aggregatedAccept)
  assert.equal(list.apiVersion, 'apidiscovery.k8s.io/v2')
  assert.deepEqual(list.items.at(-1), {
    metadata: { name: 'example.com' },
    versions: [
      {
        version: 'v1',
        resources: [
          {
            resource: 'widgets',
            responseKind: { group: 'example.com', version: 'v1', kind: 'Widget' },
            scope: 'Namespaced',
            singularResource: 'widget',
            verbs: ['get', 'list'],
            shortNames: ['w'],
            subresources: [{ subresource: 'scale', responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: ['get'] }],
          },
        ],
        freshness: 'Current',
      },
      {
        version: 'v1beta1',
        resources: [
          {
            resource: 'widgets',
            responseKind: { group: 'example.com', version: 'v1beta1', kind: 'Widget' },
            scope: 'Namespaced',
            singularResource: 'widget',
            verbs: ['get', 'list'],
          },
        ],
        freshness: 'Current',
      },
    ],
  })
  assert.equal(json('/api', none, aggregatedAccept).items[0].versions[0].version, 'v1')
  assert.equal(json('/apis', none, aggregatedAccept.replace('v=v2', 'v=v2beta1')).apiVersion, 'apidiscovery.k8s.io/v2beta1')
  assert.equal(json('/apis', none, 'application/json;g=x;v=v9;as=Other,application/json').kind, 'APIGroupList')
})

test('bytes are made once for one list of extensions', () => {
  assert.equal(discoveryHandler('/apis/apps', undefined, none)!.bytes, discoveryHandler('/apis/apps/', undefined, none)!.bytes)
})

test('what is not served has no document', () => {
  for (const path of ['/apis/nope', '/apis/apps/v9', '/api/v2', '/apis/apps/v1/x', '/', '/healthz', '/api/v1/pods'])
    assert.equal(discoveryHandler(path, undefined, none), undefined, path)
})

test('versions order by stage, then by number', () => {
  const order = ['v10', 'v2', 'v1', 'v2beta1', 'v1beta2', 'v1beta1', 'v1alpha1', 'bar', 'foo']
  assert.deepEqual(
    order.toReversed().toSorted((a, b) => compareVersions(b, a)),
    order,
  )
})

const protobuf = 'application/vnd.kubernetes.protobuf'
const paths = ['/api', '/apis', '/apis/apps', '/api/v1', '/apis/apps/v1', '/apis/example.com/v1']

const withType = (message: object, { kind, apiVersion }: { kind: string; apiVersion?: string }) =>
  decodeObject({ kind, apiVersion, ...message } as never, schemaOf('v1', kind)!).object

test('every document is there in protobuf, lists of resources in CBOR', () => {
  for (const path of paths) {
    const plain = json(path, widgets)
    const { headers, bytes } = discoveryHandler(path, protobuf, widgets, { serverAddress: '10.0.0.1:6443' })!
    assert.equal(headers['content-type'], protobuf)
    const { apiVersion, kind, raw } = unsealed(bytes)
    assert.deepEqual([apiVersion, kind], [plain.apiVersion ?? '', plain.kind])
    const message = readMessage(raw, schemaOf('v1', kind)!)
    assert.deepEqual(withType(message, plain), decodeObject(plain, schemaOf('v1', kind)!).object)
    const cbor = discoveryHandler(path, 'application/cbor', widgets)!
    if (path.endsWith('/v1')) assert.deepEqual(parseCbor(cbor.bytes), plain)
    else assert.equal(cbor.status, 406)
  }
  for (const version of ['v2', 'v2beta1'])
    for (const path of ['/api', '/apis']) {
      const as = `;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`
      const plain = discoveryHandler(path, `application/json${as}`, widgets)!
      const { headers, bytes } = discoveryHandler(path, `${protobuf}${as},application/json`, widgets)!
      assert.equal(headers['content-type'], `${protobuf}${as}`)
      assert.equal(headers['etag'], plain.headers['etag'])
      const shown = JSON.parse(Buffer.from(plain.bytes).toString()) as { items: { metadata: { name?: string } }[] }
      const decoded = parseProtobuf(bytes) as typeof shown
      assert.deepEqual(
        decoded.items.map((item) => item.metadata.name),
        shown.items.map((item) => item.metadata.name),
      )
      const clean = (list: object) => decodeObject(list as never, schemaOf(`apidiscovery.k8s.io/${version}`, 'APIGroupDiscoveryList')!).object
      assert.deepEqual(clean(decoded), clean(shown))
    }
})
