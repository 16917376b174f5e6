import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { readAll } from '#client'
import { admin, startTestServer } from '../../../test-server.ts'
import { created, testCreates, testUpdates, testWarnings, updated } from '../rule-table.ts'
import { tlsPairProblem } from './tls-pair.ts'

const node = { metadata: { name: 'n' }, spec: { podCIDR: '10.1.0.0/24' } }
const taints = 'scheduler.alpha.kubernetes.io/taints'
const avoid = 'scheduler.alpha.kubernetes.io/preferAvoidPods'

testCreates('/nodes', node, [
  ['a bad taint', ({ spec }) => (spec.taints = [{ key: 'a', effect: 'Foo' }]), 'metadata.taints[0].effect: Unsupported value: "Foo"'],
  [
    'half a pod',
    (object) => (object.status = { capacity: { pods: '1500m' } }),
    'status.capacity.pods: Invalid value: "1500m": must be an integer',
    'status.allocatable.pods: Invalid value: "1500m": must be an integer',
  ],
  [
    'a range that is none',
    ({ spec }) => Object.assign(spec, { podCIDR: 'x', podCIDRs: ['x'] }),
    'spec.podCIDRs[0]: Invalid value: "x": must be a valid CIDR value',
  ],
  [
    'a range with bits beyond its prefix',
    ({ spec }) => Object.assign(spec, { podCIDR: '10.1.0.1/24', podCIDRs: ['10.1.0.1/24'] }),
    'spec.podCIDRs[0]: Invalid value: "10.1.0.1/24": must not have bits set beyond the prefix length',
  ],
  ['two ranges of two families', ({ spec }) => (spec.podCIDRs = ['10.1.0.0/24', '2001:db8::/64'])],
  [
    'one range twice',
    ({ spec }) => (spec.podCIDRs = ['10.1.0.0/24', '10.1.0.0/24']),
    'spec.podCIDRs: Invalid value: ["10.1.0.0/24","10.1.0.0/24"]: may specify no more than one CIDR for each IP family',
    'spec.podCIDRs[1]: Duplicate value: "10.1.0.0/24"',
  ],
  ['three ranges', ({ spec }) => (spec.podCIDRs = ['10.1.0.0/24', '2001:db8::/64', '10.2.0.0/24']), 'spec.podCIDRs: Invalid value: '],
  [
    'taints in an annotation',
    ({ metadata }) => (metadata.annotations = { [taints]: '[{"key":"a","effect":"Foo"}]' }),
    `metadata.annotations.${taints}[0].effect: Unsupported value: "Foo"`,
  ],
  [
    'an annotation of taints that is no JSON',
    ({ metadata }) => (metadata.annotations = { [taints]: '[' }),
    `metadata.annotations: Invalid value: "${taints}": unexpected end of JSON input`,
  ],
  [
    'pods that nothing controls',
    ({ metadata }) => (metadata.annotations = { [avoid]: '{"preferAvoidPods":[{"podSignature":{}}]}' }),
    `metadata.annotations.${avoid}[0].PodSignature: Required value`,
  ],
  [
    'pods whose owner does not control them',
    ({ metadata }) => (metadata.annotations = { [avoid]: '{"preferAvoidPods":[{"podSignature":{"podController":{"controller":false}}}]}' }),
    `metadata.annotations.${avoid}[0].PodSignature.PodController.Controller: Invalid value: false: must point to a controller`,
  ],
])
testUpdates('/nodes', node, {}, [
  [
    'other ranges',
    ({ spec }) => Object.assign(spec, { podCIDR: '10.2.0.0/24', podCIDRs: ['10.2.0.0/24'] }),
    'spec.podCIDRs: Forbidden: node updates may not change podCIDR except from "" to valid',
  ],
  ['a provider, for the first time', ({ spec }) => (spec.providerID = 'a')],
  ['an external ID', ({ spec }) => (spec.externalID = 'a'), 'spec.externalID: Forbidden: may not be updated'],
  ['what it may change', ({ spec }) => Object.assign(spec, { unschedulable: true, taints: [{ key: 'a', effect: 'NoSchedule' }] })],
])
testUpdates('/nodes', node, { subresource: 'status' }, [
  [
    'an address twice',
    ({ status }) =>
      (status.addresses = [
        { type: 'Hostname', address: 'a' },
        { type: 'Hostname', address: 'a' },
      ]),
    'status.addresses[1]: Duplicate value: {"Type":"Hostname","Address":"a"}',
  ],
])
testWarnings('/nodes', node, [
  ['nothing', 'create', () => {}],
  ['an external ID', 'create', ({ spec }) => (spec.externalID = 'a'), 'spec.externalID: this field is deprecated, and is unused by Kubernetes'],
  [
    'a long range',
    'create',
    ({ spec }) => Object.assign(spec, { podCIDR: '2001:db8:0::/64', podCIDRs: ['2001:db8:0::/64'] }),
    'spec.podCIDRs[0]: IPv6 CIDR value "2001:db8:0::/64" should be in RFC 5952 canonical format ("2001:db8::/64")',
  ],
])
test('nodes are not configured through the API any more', () => {
  const { object } = created('/nodes', node, (made) => Object.assign(made, { spec: { configSource: { configMap: {} } }, status: { config: {} } }))
  assert.equal(object.spec.configSource, undefined)
  assert.equal(object.status.config, undefined)
  assert.equal(updated('/nodes', object, ({ spec }) => (spec.configSource = {})).object.spec.configSource, undefined)
})

const quota = { spec: { hard: { pods: '3' } } }
const at = 'spec.scopeSelector.matchExpressions'
const selects =
  (...matchExpressions: object[]) =>
  (object: any) =>
    (object.spec.scopeSelector = { matchExpressions })
testCreates('/resourcequotas', quota, [
  [
    'what is counted by no name',
    ({ spec }) => (spec.hard.foo = '1'),
    'spec.hard[foo]: Invalid value: "foo": must be a standard resource type or fully qualified',
    'spec.hard[foo]: Invalid value: "foo": must be a standard resource for quota',
  ],
  [
    'storage by itself',
    ({ spec }) => (spec.hard.storage = '1'),
    'spec.hard[storage]: Invalid value: "storage": must be a standard resource for quota',
  ],
  ['objects by their resource', ({ spec }) => (spec.hard['count/widgets.example.com'] = '1')],
  ['half an object', ({ spec }) => (spec.hard['count/pods'] = '500m'), 'spec.hard[count/pods]: Invalid value: "500m": must be an integer'],
  [
    'less than nothing, and half',
    ({ spec }) => (spec.hard.pods = '-1500m'),
    'spec.hard[pods]: Invalid value: "-1500m": must be greater than or equal to 0',
    'spec.hard[pods]: Invalid value: "-1500m": must be an integer',
  ],
  ['a scope that is none', ({ spec }) => (spec.scopes = ['Foo']), 'spec.scopes: Invalid value: ["Foo"]: unsupported scope'],
  [
    'scopes that exclude one another',
    ({ spec }) => (spec.scopes = ['Terminating', 'NotTerminating']),
    'spec.scopes: Invalid value: ["Terminating","NotTerminating"]: conflicting scopes',
  ],
  [
    'services within a scope of pods',
    ({ spec }) => Object.assign(spec, { hard: { services: '1' }, scopes: ['Terminating'] }),
    'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
  ],
  [
    'scratch space within a scope of pods',
    ({ spec }) => Object.assign(spec, { hard: { 'requests.ephemeral-storage': '1' }, scopes: ['Terminating'] }),
    'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
  ],
  [
    'huge pages within a scope of pods',
    ({ spec }) => Object.assign(spec, { hard: { 'requests.hugepages-2Mi': '1' }, scopes: ['Terminating'] }),
    'spec.scopes: Invalid value: ["Terminating"]: unsupported scope applied to resource',
  ],
  [
    'claims within a class of attributes',
    ({ spec }) => Object.assign(spec, { hard: { persistentvolumeclaims: '1', 'requests.storage': '1Gi' }, scopes: ['VolumeAttributesClass'] }),
  ],
  [
    'pods within a class of attributes',
    ({ spec }) => (spec.scopes = ['VolumeAttributesClass']),
    'spec.scopes: Invalid value: ["VolumeAttributesClass"]: unsupported scope applied to resource',
  ],
  [
    'a selector by a scope that is none',
    selects({ scopeName: 'Foo', operator: 'Exists' }),
    `${at}.scopeName: Invalid value: "Foo": unsupported scope`,
  ],
  [
    'a selector by values where there are none',
    selects({ scopeName: 'BestEffort', operator: 'In', values: ['a'] }),
    `${at}.operator: Invalid value: "In": must be 'Exists' when scope is any of ResourceQuotaScopeTerminating`,
  ],
  [
    'a selector without values',
    selects({ scopeName: 'PriorityClass', operator: 'In' }),
    `${at}.values: Required value: must be at least one value when`,
  ],
  [
    'a selector with values too many',
    selects({ scopeName: 'PriorityClass', operator: 'Exists', values: ['a'] }),
    `${at}.values: Invalid value: ["a"]: must be no value when`,
  ],
  [
    'a selector by no operator',
    selects({ scopeName: 'PriorityClass', operator: 'Foo' }),
    `${at}.operator: Invalid value: "Foo": not a valid selector operator`,
  ],
  [
    'selectors that exclude one another',
    selects({ scopeName: 'BestEffort', operator: 'Exists' }, { scopeName: 'NotBestEffort', operator: 'Exists' }),
    'spec.scopes: Invalid value: null: conflicting scopes',
  ],
])
testUpdates('/resourcequotas', quota, {}, [
  ['a scope', ({ spec }) => (spec.scopes = ['Terminating']), 'spec.scopes: Invalid value: ["Terminating"]: field is immutable'],
])
testUpdates('/resourcequotas', quota, { subresource: 'status' }, [
  [
    'what is counted by no name',
    ({ status }) => (status.used = { foo: '1' }),
    'status.used[foo]: Invalid value: "foo": must be a standard resource type',
    'status.used[foo]: Invalid value: "foo": must be a standard resource for quota',
  ],
  ['less than nothing', ({ status }) => (status.hard = { pods: '-1' }), 'status.hard[pods]: Invalid value: "-1": must be greater than or equal to 0'],
])

const limits = { spec: { limits: [{ type: 'Container', min: { cpu: '1' }, max: { cpu: '4' } }] } }
testCreates('/limitranges', limits, [
  [
    'a default below the minimum',
    ({ spec }) => Object.assign(spec.limits[0], { default: { cpu: '500m' }, defaultRequest: { cpu: '1' } }),
    'spec.limits[0].defaultRequest[cpu]: Invalid value: "1": default request value 1 is greater than default limit value 500m',
    'spec.limits[0].default[cpu]: Invalid value: "1": min value 1 is greater than default value 500m',
  ],
  [
    'a default above the maximum',
    ({ spec }) => Object.assign(spec.limits[0], { default: { cpu: '5' }, defaultRequest: { cpu: '1' } }),
    'spec.limits[0].default[cpu]: Invalid value: "4": default value 5 is greater than max value 4',
  ],
  [
    'what is never overcommitted',
    ({ spec }) => Object.assign(spec.limits[0], { default: { 'a.b/c': '2' }, defaultRequest: { 'a.b/c': '1' } }),
    'spec.limits[0].defaultRequest[a.b/c]: Invalid value: "1": default value 2 must equal to defaultRequest value 1 in a.b/c',
  ],
  [
    'a ratio below one',
    ({ spec }) => (spec.limits[0].maxLimitRequestRatio = { cpu: '500m' }),
    'spec.limits[0].maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1',
  ],
  ['one type twice', ({ spec }) => spec.limits.push({ type: 'Container' }), 'spec.limits[1].type: Duplicate value: "Container"'],
])

const endpoints = { subsets: [{ addresses: [{ ip: '10.1.1.1' }], ports: [{ port: 80 }] }] }
testCreates('/endpoints', endpoints, [
  ['no addresses', ({ subsets }) => delete subsets[0].addresses, 'subsets[0]: Required value: must specify `addresses` or `notReadyAddresses`'],
  [
    'what is no address',
    ({ subsets }) => (subsets[0].addresses[0].ip = 'x'),
    'subsets[0].addresses[0].ip: Invalid value: "x": must be a valid IP address, (e.g.',
    /^subsets\[0\]\.addresses\[0\]\.ip: Invalid value: "x": must be a valid IP address$/,
  ],
  [
    'an address of the node',
    ({ subsets }) => (subsets[0].notReadyAddresses = [{ ip: '169.254.0.1' }]),
    'subsets[0].notReadyAddresses[0].ip: Invalid value: "169.254.0.1": may not be in the link-local range',
  ],
  [
    'zeros before an octet',
    ({ subsets }) => (subsets[0].addresses[0].ip = '010.1.1.1'),
    'subsets[0].addresses[0].ip: Invalid value: "010.1.1.1": must not have leading 0s',
  ],
  ['a node without a name', ({ subsets }) => (subsets[0].addresses[0].nodeName = ''), 'subsets[0].addresses[0].nodeName: Invalid value: ""'],
  [
    'many ports without names',
    ({ subsets }) => (subsets[0].ports = [{ port: 80 }, { port: 81, name: 'a' }]),
    'subsets[0].ports[0].name: Required value',
  ],
])
testUpdates('/endpoints', endpoints, { before: ({ subsets }) => (subsets[0].addresses[0].ip = '010.1.1.1') }, [
  ['an odd address that was there', ({ subsets }) => subsets[0].addresses.push({ ip: '10.1.1.2' })],
])
testWarnings('/endpoints', endpoints, [
  [
    'long IPv6',
    'create',
    ({ subsets }) => (subsets[0].addresses[0].ip = '2001:db8:0::1'),
    'subsets[0].addresses[0].ip: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ],
  [
    'long IPv6 of the controller',
    'create',
    (object) =>
      Object.assign(object, {
        metadata: { ...object.metadata, labels: { 'endpoints.kubernetes.io/managed-by': 'endpoint-controller' } },
        subsets: [{ addresses: [{ ip: '2001:db8:0::1' }] }],
      }),
  ],
])

testCreates('/secrets', { data: { a: 'Yg==' } }, [
  [
    'basic authentication without any',
    (object) => (object.type = 'kubernetes.io/basic-auth'),
    'data[username]: Required value',
    'data[password]: Required value',
  ],
  ['SSH without a key', (object) => (object.type = 'kubernetes.io/ssh-auth'), 'data[ssh-privatekey]: Required value'],
  ['TLS without both', (object) => (object.type = 'kubernetes.io/tls'), 'data[tls.crt]: Required value', 'data[tls.key]: Required value'],
])
for (const key of ['/secrets', '/configmaps'])
  testUpdates(key, { data: { a: 'Yg==' }, immutable: true }, {}, [
    ['data of what is immutable', ({ data }) => (data.a = 'Yw=='), 'data: Forbidden: field is immutable when `immutable` is set'],
    ['what is immutable itself', (object) => delete object.immutable, 'immutable: Forbidden: field is immutable when `immutable` is set'],
    ['labels of what is immutable', ({ metadata }) => (metadata.labels = { a: 'b' })],
  ])
testUpdates('/configmaps', { binaryData: { a: 'Yg==' }, immutable: true }, {}, [
  ['bytes of what is immutable', ({ binaryData }) => (binaryData.a = 'Yw=='), 'binaryData: Forbidden: field is immutable when `immutable` is set'],
])

test('secrets of accounts are known by their names', () => {
  const { object } = created('/serviceaccounts', { secrets: [{ name: 'a', namespace: 'b', kind: 'Secret' }] })
  assert.deepEqual(object.secrets, [{ name: 'a' }])
})
const mountable = 'kubernetes.io/enforce-mountable-secrets'
const annotate = ({ metadata }: any) => (metadata.annotations = { [mountable]: 'true' })
const isolate = `metadata.annotations[${mountable}]: deprecated in v1.32+; prefer separate namespaces to isolate access to mounted secrets`
testWarnings('/serviceaccounts', {}, [
  ['mountable secrets', 'create', annotate, isolate],
  ['mountable secrets, from now on', 'update', annotate, isolate],
])
testWarnings('/serviceaccounts', { metadata: { annotations: { [mountable]: 'true' } } }, [['mountable secrets, as before', 'update', () => {}]])

test('a certificate and a key are held against one another', (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'tls-pair-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const pair = (name: string) => {
    const [key, crt] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)]
    execFileSync(
      'openssl',
      ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=a', '-keyout', key, '-out', crt],
      { stdio: 'ignore' },
    )
    return { key: readFileSync(key, 'utf8'), crt: readFileSync(crt, 'utf8') }
  }
  const [a, b] = [pair('a'), pair('b')]
  assert.equal(tlsPairProblem(a.crt, a.key), undefined)
  assert.equal(tlsPairProblem(a.crt, b.key), 'tls: private key does not match public key')
  assert.equal(tlsPairProblem('', a.key), 'tls: failed to find any PEM data in certificate input')
  assert.equal(tlsPairProblem(a.crt, ''), 'tls: failed to find any PEM data in key input')
  assert.equal(tlsPairProblem(a.crt, b.crt), 'tls: found a certificate rather than a key in the PEM for the private key')
  assert.match(tlsPairProblem(a.key, a.crt)!, /^tls: failed to find certificate PEM data in certificate input, but did find a private key/)
})

test('clients are told of kinds that are deprecated and stay', async () => {
  await using server = await startTestServer()
  const transport = server.server.transport(admin)
  const warning = async (path: string) => {
    const response = await transport.send({ method: 'GET', path, query: new URLSearchParams(), headers: {} })
    await readAll(response)
    return response.headers['warning']
  }
  assert.match(
    String(await warning('/api/v1/namespaces/default/endpoints')),
    /v1 Endpoints is deprecated in v1\.33\+; use discovery\.k8s\.io\/v1 EndpointSlice/,
  )
  assert.equal(await warning('/api/v1/namespaces/default/services'), undefined)
})
