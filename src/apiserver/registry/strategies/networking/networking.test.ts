import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, testCreates, testUpdates, testWarnings, updated } from '../rule-table.ts'

const ingresses = 'networking.k8s.io/ingresses'
const classAnnotation = 'kubernetes.io/ingress.class'
const backend = { service: { name: 'a', port: { number: 80 } } }
const ingress = { spec: { rules: [{ host: 'a.example.com', http: { paths: [{ path: '/a', pathType: 'Prefix', backend }] } }] } }
const path = 'spec.rules[0].http.paths[0]'
const pathOf = ({ spec }: any) => spec.rules[0].http.paths[0]

testCreates(ingresses, ingress, [
  ['neither rules nor a default', ({ spec }) => delete spec.rules, 'spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
  [
    'a host that is an address',
    ({ spec }) => (spec.rules[0].host = '1.2.3.4'),
    'spec.rules[0].host: Invalid value: "1.2.3.4": must be a DNS name, not an IP address',
  ],
  ['a bad wildcard', ({ spec }) => (spec.rules[0].host = '*.*.a'), 'spec.rules[0].host: Invalid value: "*.*.a": a wildcard DNS-1123 subdomain'],
  ['no paths', ({ spec }) => (spec.rules[0].http.paths = []), 'spec.rules[0].http.paths: Required value'],
  ['no type of path', (object) => delete pathOf(object).pathType, `${path}.pathType: Required value: pathType must be specified`],
  [
    'a type of path that is none',
    (object) => (pathOf(object).pathType = 'Foo'),
    `${path}.pathType: Unsupported value: "Foo": supported values: "Exact", "ImplementationSpecific", "Prefix"`,
  ],
  ['a relative path', (object) => (pathOf(object).path = 'a'), `${path}.path: Invalid value: "a": must be an absolute path`],
  ['a path with steps back', (object) => (pathOf(object).path = '/a/../b'), `${path}.path: Invalid value: "/a/../b": must not contain '/../'`],
  ['a path that ends with one', (object) => (pathOf(object).path = '/a/..'), `${path}.path: Invalid value: "/a/..": cannot end with '/..'`],
  [
    'no path, where it means something of the implementation',
    (object) => Object.assign(pathOf(object), { path: '', pathType: 'ImplementationSpecific' }),
  ],
  [
    'two backends',
    (object) => (pathOf(object).backend = { ...backend, resource: { kind: 'a', name: 'b' } }),
    `${path}.backend: Invalid value: "": cannot set both resource and service backends`,
  ],
  ['no backend', (object) => (pathOf(object).backend = {}), `${path}.backend: Invalid value: "": resource or service backend is required`],
  ['a service whose name starts with a number', (object) => (pathOf(object).backend.service.name = '1a')],
  ['no port', (object) => (pathOf(object).backend.service.port = {}), `${path}.backend: Required value: port name or number is required`],
  [
    'a port by name and number',
    (object) => (pathOf(object).backend.service.port = { name: 'a', number: 80 }),
    `${path}.backend: Invalid value: "": cannot set both port name & port number`,
  ],
  ['a bad secret', ({ spec }) => (spec.tls = [{ secretName: 'A_' }]), 'spec.tls[0].secretName: Invalid value: "A_"'],
  [
    'a class that contradicts the annotation',
    ({ metadata, spec }) => Object.assign(((metadata.annotations = { [classAnnotation]: 'a' }), spec), { ingressClassName: 'b' }),
    `annotations.${classAnnotation}: Invalid value: "a": must match \`ingressClassName\` when both are specified`,
  ],
  [
    'a class that agrees with the annotation',
    ({ metadata, spec }) => Object.assign(((metadata.annotations = { [classAnnotation]: 'a' }), spec), { ingressClassName: 'a' }),
  ],
])
testUpdates(ingresses, ingress, {}, [
  [
    'a class that contradicts the annotation',
    ({ metadata, spec }) => Object.assign(((metadata.annotations = { [classAnnotation]: 'a' }), spec), { ingressClassName: 'b' }),
  ],
])
testUpdates(ingresses, ingress, { before: ({ spec }) => (spec.tls = [{ secretName: 'A_' }]) }, [
  ['a bad secret beside one that was there', ({ spec }) => spec.tls.push({ secretName: 'B_' })],
])
testUpdates(
  ingresses,
  ingress,
  { before: ({ spec }) => (spec.rules = [{ host: '*.a.b', http: { paths: [{ path: 'a', pathType: 'Prefix', backend }] } }]) },
  [
    ['a bad rule of a wildcard beside one that was there', ({ spec }) => spec.rules.push({ host: '*.c.d', http: { paths: [] } })],
    [
      'a bad rule of a host beside it',
      ({ spec }) => spec.rules.push({ host: 'c.d', http: { paths: [] } }),
      'spec.rules[1].http.paths: Required value',
    ],
  ],
)
testUpdates(ingresses, ingress, { subresource: 'status', before: ({ status }) => (status.loadBalancer = { ingress: [{ ip: '010.1.1.1' }] }) }, [
  ['an odd address that was there', ({ metadata }) => (metadata.labels = { a: 'b' })],
  [
    'another odd address',
    ({ status }) => status.loadBalancer.ingress.push({ ip: '010.1.1.2' }),
    'status.loadBalancer.ingress[1].ip: Invalid value: "010.1.1.2": must not have leading 0s',
  ],
])
testWarnings(ingresses, ingress, [
  [
    'a class as an annotation',
    'create',
    ({ metadata }) => (metadata.annotations = { [classAnnotation]: 'a' }),
    `annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`,
  ],
  ['a class as an annotation, later', 'update', ({ metadata }) => (metadata.annotations = { [classAnnotation]: 'a' })],
])

const classes = 'networking.k8s.io/ingressclasses'
const parameters = { kind: 'A', name: 'b' }
testCreates(classes, { spec: { controller: 'example.com/a' } }, [
  ['no controller', ({ spec }) => delete spec.controller, 'spec.controller: Required value'],
  [
    'a controller without a path',
    ({ spec }) => (spec.controller = 'example.com'),
    'spec.controller: Invalid value: "example.com": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  ['a controller of a bad domain', ({ spec }) => (spec.controller = 'A_/b'), 'spec.controller: Invalid value: "A_": a lowercase RFC 1123 subdomain'],
  [
    'a controller with a bad path',
    ({ spec }) => (spec.controller = 'example.com/a b'),
    `spec.controller: Invalid value: "a b": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
  ],
  [
    'a long controller',
    ({ spec }) => (spec.controller = `example.com/${'a'.repeat(250)}`),
    'spec.controller: Too long: may not be more than 250 bytes',
  ],
  [
    'parameters of a scope that is none',
    ({ spec }) => (spec.parameters = { ...parameters, scope: 'Foo' }),
    'spec.parameters.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespace"',
  ],
  [
    'parameters without their namespace',
    ({ spec }) => (spec.parameters = { ...parameters, scope: 'Namespace' }),
    "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
  ],
  [
    'parameters of a bad namespace',
    ({ spec }) => (spec.parameters = { ...parameters, scope: 'Namespace', namespace: 'A_' }),
    'spec.parameters.namespace: Invalid value: "A_"',
  ],
  [
    'parameters of the cluster with a namespace',
    ({ spec }) => (spec.parameters = { ...parameters, namespace: 'a' }),
    "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
  ],
])
testUpdates(classes, { spec: { controller: 'example.com/a' } }, {}, [
  ['another controller', ({ spec }) => (spec.controller = 'example.com/b'), 'spec.controller: Invalid value: "example.com/b": field is immutable'],
])

const policies = 'networking.k8s.io/networkpolicies'
const block =
  (cidr: string, ...except: string[]) =>
  (object: any) =>
    (object.spec.ingress = [{ from: [{ ipBlock: { cidr, except } }] }])
const ports = (port: object) => (object: any) => (object.spec.egress = [{ ports: [port] }])
const at = 'spec.ingress[0].from[0]'
testCreates(policies, { spec: {} }, [
  ['no peer', ({ spec }) => (spec.ingress = [{ from: [{}] }]), `${at}: Required value: must specify a peer`],
  [
    'a block and pods',
    ({ spec }) => (spec.ingress = [{ from: [{ podSelector: {}, ipBlock: { cidr: '10.0.0.0/8' } }] }]),
    `${at}: Forbidden: may not specify both ipBlock and another peer`,
  ],
  ['a block of nothing', block(''), `${at}.ipBlock.cidr: Required value`],
  ['a block that is none', block('x'), `${at}.ipBlock.cidr: Invalid value: "x": must be a valid CIDR value`],
  [
    'a block with bits beyond its prefix',
    block('10.1.2.3/8'),
    `${at}.ipBlock.cidr: Invalid value: "10.1.2.3/8": must not have bits set beyond the prefix length`,
  ],
  [
    'all but what is outside',
    block('10.0.0.0/8', '11.0.0.0/16'),
    `${at}.ipBlock.except[0]: Invalid value: "11.0.0.0/16": must be a strict subset of \`cidr\``,
  ],
  [
    'all but all',
    block('2001:db8::/32', '2001:db8::/32'),
    `${at}.ipBlock.except[0]: Invalid value: "2001:db8::/32": must be a strict subset of \`cidr\``,
  ],
  [
    'all but another family',
    block('10.0.0.0/8', '2001:db8::/64'),
    `${at}.ipBlock.except[0]: Invalid value: "2001:db8::/64": must be a strict subset of \`cidr\``,
  ],
  ['all but a part of IPv6', block('2001:db8::/32', '2001:db8:1::/48')],
  [
    'a range of ports that ends first',
    ports({ port: 80, endPort: 79 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 80: must be greater than or equal to `port`',
  ],
  [
    'a range of ports that starts with a name',
    ports({ port: 'a', endPort: 79 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is non-numeric',
  ],
  [
    'a range of ports without a start',
    ports({ endPort: 79 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 79: may not be specified when `port` is not specified',
  ],
  [
    'a range of ports beyond the last',
    ports({ port: 80, endPort: 70000 }),
    'spec.egress[0].ports[0].endPort: Invalid value: 70000: must be between 1 and 65535, inclusive',
  ],
  [
    'a protocol that is none',
    ports({ port: 80, protocol: 'ICMP' }),
    'spec.egress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"',
  ],
  [
    'three types',
    ({ spec }) => (spec.policyTypes = ['Ingress', 'Egress', 'Ingress']),
    'spec.policyTypes: Invalid value: ["Ingress","Egress","Ingress"]: may not specify more than two policyTypes',
  ],
  [
    'a type that is none',
    ({ spec }) => (spec.policyTypes = ['Foo']),
    'spec.policyTypes[0]: Unsupported value: "Foo": supported values: "Ingress", "Egress"',
  ],
])
testUpdates(policies, { spec: {} }, { before: block('10.1.2.3/8') }, [
  ['an odd block that was there', ({ metadata }) => (metadata.labels = { a: 'b' })],
  ['another odd block', block('10.1.2.4/8'), `${at}.ipBlock.cidr: Invalid value: "10.1.2.4/8"`],
])
testUpdates(
  policies,
  { spec: {} },
  { before: ({ spec }) => (spec.podSelector = { matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] }) },
  [['a bad value beside one that was there', ({ spec }) => spec.podSelector.matchExpressions[0].values.push('d e')]],
)
testWarnings(policies, { spec: {} }, [
  [
    'long IPv6',
    'create',
    block('2001:DB8::/32'),
    `${at}.ipBlock.cidr: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")`,
  ],
])

const slices = 'discovery.k8s.io/endpointslices'
const slice = { addressType: 'IPv4', endpoints: [{ addresses: ['10.1.1.1'] }], ports: [{ port: 80 }] }
const many = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `a${i}` }))
testCreates(slices, slice, [
  ['no type', (object) => delete object.addressType, 'addressType: Required value'],
  ['a type that is none', (object) => (object.addressType = 'IP'), 'addressType: Unsupported value: "IP": supported values: "FQDN", "IPv4", "IPv6"'],
  ['no address', ({ endpoints }) => (endpoints[0].addresses = []), 'endpoints[0].addresses: Required value: must contain at least 1 address'],
  [
    'what is no address',
    ({ endpoints }) => (endpoints[0].addresses = ['x']),
    'endpoints[0].addresses[0]: Invalid value: "x": must be a valid IP address, (e.g.',
  ],
  [
    'an address of the other family',
    ({ endpoints }) => (endpoints[0].addresses = ['2001:db8::1']),
    'endpoints[0].addresses[0]: Invalid value: "2001:db8::1": must be an IPv4 address',
  ],
  [
    'an address of the node',
    ({ endpoints }) => (endpoints[0].addresses = ['127.0.0.1']),
    'endpoints[0].addresses[0]: Invalid value: "127.0.0.1": may not be in the loopback range',
  ],
  ['a domain', (object) => Object.assign(object, { addressType: 'FQDN', endpoints: [{ addresses: ['a.b.'] }] })],
  [
    'a domain of one label',
    (object) => Object.assign(object, { addressType: 'FQDN', endpoints: [{ addresses: ['a'] }] }),
    'endpoints[0].addresses[0]: Invalid value: "a": should be a domain with at least two segments separated by dots',
  ],
  [
    'a domain of a long label',
    (object) => Object.assign(object, { addressType: 'FQDN', endpoints: [{ addresses: [`a.${'b'.repeat(64)}`] }] }),
    /^endpoints\[0\]\.addresses\[0\]: Invalid value: "b+": must be no more than 63 /,
  ],
  [
    'a domain of no label',
    (object) => Object.assign(object, { addressType: 'FQDN', endpoints: [{ addresses: [''] }] }),
    'endpoints[0].addresses[0]: Required value',
  ],
  ['a bad node', ({ endpoints }) => (endpoints[0].nodeName = 'A_'), 'endpoints[0].nodeName: Invalid value: "A_"'],
  [
    'a bad zone',
    ({ endpoints }) => (endpoints[0].hints = { forZones: [{ name: 'a b' }] }),
    'endpoints[0].hints.forZones[0].name: Invalid value: "a b"',
  ],
  [
    'a zone twice',
    ({ endpoints }) => (endpoints[0].hints = { forZones: [{ name: 'a' }, { name: 'a' }] }),
    'endpoints[0].hints.forZones[1].name: Duplicate value: "a"',
  ],
  [
    'many zones',
    ({ endpoints }) => (endpoints[0].hints = { forZones: many(9) }),
    'endpoints[0].hints.forZones: Too many: 9: must have at most 8 items',
  ],
  [
    'a bad node among hints',
    ({ endpoints }) => (endpoints[0].hints = { forNodes: [{ name: 'A_' }] }),
    'endpoints[0].hints.forNodes[0].name: Invalid value: "A_"',
  ],
  [
    'many nodes',
    ({ endpoints }) => (endpoints[0].hints = { forNodes: many(9) }),
    'endpoints[0].hints.forNodes: Too many: 9: must have at most 8 items',
  ],
  ['ports of one name', (object) => (object.ports = [{ port: 80 }, { port: 81 }]), 'ports[1].name: Duplicate value: ""'],
  ['a port out of range', (object) => (object.ports = [{ port: 0 }]), 'ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive'],
])
testUpdates(slices, slice, {}, [
  [
    'another type',
    (object) => Object.assign(object, { addressType: 'IPv6', endpoints: [] }),
    'addressType: Invalid value: "IPv6": field is immutable',
  ],
])
testUpdates(slices, slice, { before: ({ endpoints }) => (endpoints[0].addresses = ['::ffff:1.2.3.4']) }, [
  ['an odd address that was there', ({ endpoints }) => endpoints.push({ addresses: ['10.1.1.2'] })],
])
testWarnings(slices, slice, [
  ['domains', 'create', (object) => Object.assign(object, { addressType: 'FQDN', endpoints: [] }), 'spec.addressType: FQDN endpoints are deprecated'],
  [
    'long IPv6',
    'create',
    (object) => Object.assign(object, { addressType: 'IPv6', endpoints: [{ addresses: ['2001:db8:0::1'] }] }),
    'endpoints[0].addresses[0]: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")',
  ],
])

test('labels of the topology are not written in v1, and a name of a node that stood there alone moves to its field', () => {
  const topology = { 'kubernetes.io/hostname': 'n', a: 'b' }
  const { object } = created(slices, slice, ({ endpoints }) => (endpoints[0].deprecatedTopology = topology))
  assert.deepEqual(object.endpoints, [{ addresses: ['10.1.1.1'] }])
  const stored = { ...object, endpoints: [{ addresses: ['10.1.1.1'], deprecatedTopology: topology }] }
  assert.deepEqual(updated(slices, stored as never, () => {}).object.endpoints, stored.endpoints)
  assert.deepEqual(updated(slices, stored as never, ({ endpoints }) => endpoints[0].addresses.push('10.1.1.2')).object.endpoints, [
    { addresses: ['10.1.1.1', '10.1.1.2'], nodeName: 'n' },
  ])
})

test('a slice has a new generation when its endpoints or labels change', async () => {
  const { strategies } = await import('../index.ts')
  const { object } = created(slices, slice)
  const changed = (change: (object: any) => void) => strategies[slices]!.generationChanged!(updated(slices, object, change).object, object)
  assert.equal(
    changed(() => {}),
    false,
  )
  assert.equal(
    changed(({ metadata }) => (metadata.annotations = { a: 'b' })),
    false,
  )
  assert.equal(
    changed(({ metadata }) => (metadata.labels = { a: 'b' })),
    true,
  )
  assert.equal(
    changed(({ endpoints }) => endpoints.push({ addresses: ['10.1.1.2'] })),
    true,
  )
})
