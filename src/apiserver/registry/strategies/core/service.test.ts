import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import type { WriteContext } from '../../strategy.ts'
import { settleFamilies } from './service-families.ts'
import { serviceStrategy } from './service.ts'
import { serviceWarnings } from './service-warnings.ts'

type Spec = core.ServiceSpec
type Service = core.Service

const context = {
  request: { user: { username: 'a', groups: [] }, verb: 'create', path: '' },
  now: '2026-01-01T00:00:00Z',
  dryRun: false,
} as unknown as WriteContext
const families = ['IPv4'] as const

const said = (causes: { field?: string; message?: string }[]) => causes.map(({ field, message }) => `${field}: ${message}`)

/** A service as a create would store it, with addresses and ports that would have been allocated. */
function made(spec: Spec, metadata: object = {}): Service {
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'a', namespace: 'default', ...metadata },
    spec: { ports: [{ port: 80 }], ...structuredClone(spec) },
  } as Service
  serviceStrategy.default!(service)
  serviceStrategy.prepareForCreate!(service, context)
  settleFamilies(service.spec, undefined, families)
  if (service.spec.type !== 'ExternalName') {
    service.spec.clusterIP ||= '10.0.0.1'
    service.spec.clusterIPs ??= [service.spec.clusterIP]
  }
  if (service.spec.type === 'LoadBalancer' && service.spec.externalTrafficPolicy === 'Local') service.spec.healthCheckNodePort ||= 30001
  return service
}

const causesOf = (spec: Spec, metadata: object = {}) => said(serviceStrategy.validate!(made(spec, metadata)))

const creates: [title: string, spec: Spec, causes: (string | RegExp)[], metadata?: object][] = [
  ['a plain service is fine', {}, []],
  ['ports are needed', { ports: [] }, ['spec.ports: Required value']],
  ['a headless service needs no ports', { ports: [], clusterIP: 'None' }, []],
  ['a name needs no ports', { ports: [], type: 'ExternalName', externalName: 'a.b' }, []],
  [
    'two hints that differ',
    {},
    [
      /^metadata\.annotations\[service\.kubernetes\.io\/topology-mode\]: .*must match annotations\[service\.kubernetes\.io\/topology-aware-hints\] when both are specified$/,
    ],
    { annotations: { 'service.kubernetes.io/topology-mode': 'Auto', 'service.kubernetes.io/topology-aware-hints': 'Disabled' } },
  ],
  [
    'a balanced service has an address',
    { type: 'LoadBalancer', clusterIP: 'None' },
    [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for LoadBalancer services`],
  ],
  [
    'a service on nodes has an address',
    { type: 'NodePort', clusterIP: 'None' },
    [`spec.clusterIPs[0]: Invalid value: "None": may not be set to 'None' for NodePort services`],
  ],
  [
    'a name has no address',
    { type: 'ExternalName', externalName: 'a.b', clusterIP: '10.0.0.1' },
    ['spec.clusterIPs: Forbidden: may not be set for ExternalName services'],
  ],
  [
    'a name has no families',
    { type: 'ExternalName', externalName: 'a.b', ipFamilies: ['IPv4'] },
    ['spec.ipFamilies: Forbidden: may not be set for ExternalName services'],
  ],
  [
    'a name has no policy for families',
    { type: 'ExternalName', externalName: 'a.b', ipFamilyPolicy: 'SingleStack' },
    ['spec.ipFamilyPolicy: Forbidden: may not be set for ExternalName services'],
  ],
  ['a name has to be given', { type: 'ExternalName' }, ['spec.externalName: Required value']],
  ['a name may end with a dot', { type: 'ExternalName', externalName: 'a.b.' }, []],
  [
    'a bad name is shown without its dot',
    { type: 'ExternalName', externalName: 'A_b.' },
    [/^spec\.externalName: Invalid value: "A_b": a lowercase RFC 1123 subdomain/],
  ],
  ['many ports have names', { ports: [{ port: 80, name: 'a' }, { port: 81 }] }, ['spec.ports[1].name: Required value']],
  [
    'names of ports differ',
    {
      ports: [
        { port: 80, name: 'a' },
        { port: 81, name: 'a' },
      ],
    },
    ['spec.ports[1].name: Duplicate value: "a"'],
  ],
  [
    'ports differ, also of a headless service',
    {
      clusterIP: 'None',
      ports: [
        { port: 80, name: 'a' },
        { port: 80, name: 'b' },
      ],
    },
    ['spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}'],
  ],
  [
    'a port number of two protocols is fine',
    {
      ports: [
        { port: 53, name: 'a' },
        { port: 53, name: 'b', protocol: 'UDP' },
      ],
    },
    [],
  ],
  ['an application protocol has a domain or none', { ports: [{ port: 80, appProtocol: 'kubernetes.io/h2c' }] }, []],
  [
    'an application protocol is a qualified name',
    { ports: [{ port: 80, appProtocol: 'a b' }] },
    [/^spec\.ports\[0\]\.appProtocol: Invalid value: "a b": name part must consist/],
  ],
  [
    'a service within the cluster has no node port',
    { ports: [{ port: 80, nodePort: 30000 }] },
    ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
  ],
  ['a headless name may keep what looks like a node port', { type: 'ExternalName', externalName: 'a.b', ports: [{ port: 80, nodePort: 30000 }] }, []],
  [
    'one node port serves two protocols',
    {
      type: 'NodePort',
      ports: [
        { port: 53, name: 'a', nodePort: 30000 },
        { port: 53, name: 'b', protocol: 'UDP', nodePort: 30000 },
      ],
    },
    [],
  ],
  [
    'one node port serves one port of a protocol',
    {
      type: 'NodePort',
      ports: [
        { port: 53, name: 'a', nodePort: 30000 },
        { port: 54, name: 'b', nodePort: 30000 },
      ],
    },
    ['spec.ports[1].nodePort: Duplicate value: 30000'],
  ],
  [
    'affinity is of two kinds',
    { sessionAffinity: 'Foo' as 'None' },
    ['spec.sessionAffinity: Unsupported value: "Foo": supported values: "ClientIP", "None"'],
  ],
  [
    'affinity lasts for a day at most',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } } },
    ['spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400'],
  ],
  [
    'affinity lasts for a moment at least',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 0 } } },
    ['spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 0: must be greater than 0 and less than 86400'],
  ],
  [
    'an external address is one',
    { externalIPs: ['x'] },
    ['spec.externalIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ],
  [
    'an external address is not of the node',
    { externalIPs: ['127.0.0.1'] },
    ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  ],
  [
    'the type is one of four',
    { type: 'Foo' as 'NodePort' },
    ['spec.type: Unsupported value: "Foo": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"'],
  ],
  [
    'ranges of sources are for balanced services',
    { loadBalancerSourceRanges: ['10.0.0.0/8'] },
    ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  ['ranges of sources may stand between blanks', { type: 'LoadBalancer', loadBalancerSourceRanges: [' 10.0.0.0/8 '] }, []],
  [
    'ranges of sources are ranges',
    { type: 'LoadBalancer', loadBalancerSourceRanges: ['x'] },
    [/^spec\.LoadBalancerSourceRanges\[0\]: Invalid value: "x": must be a valid CIDR value/],
  ],
  [
    'the annotation of sources is for balanced services',
    {},
    ["metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Forbidden: may only be used when `type` is 'LoadBalancer'"],
    { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8' } },
  ],
  [
    'the annotation of sources has ranges',
    { type: 'LoadBalancer' },
    [/load-balancer-source-ranges\]: Invalid value: "x": must be a valid CIDR/],
    { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8, x' } },
  ],
  [
    'the annotation of sources may be empty',
    { type: 'LoadBalancer' },
    [],
    { annotations: { 'service.beta.kubernetes.io/load-balancer-source-ranges': ' ' } },
  ],
  [
    'whether a balancer gets node ports is for balanced services',
    { allocateLoadBalancerNodePorts: true },
    ["spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    'the class of a balancer is for balanced services',
    { loadBalancerClass: 'a.b/c' },
    ["spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'"],
  ],
  [
    'the class of a balancer is a qualified name',
    { type: 'LoadBalancer', loadBalancerClass: 'Bad Name' },
    [/^spec\.loadBalancerClass: Invalid value: "Bad Name"/],
  ],
  [
    'the policy for external traffic needs such traffic',
    { externalTrafficPolicy: 'Local' },
    ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services'],
  ],
  ['external addresses are such traffic', { externalIPs: ['10.1.2.3'], externalTrafficPolicy: 'Local' }, []],
  [
    'the policy for external traffic is one of two',
    { type: 'NodePort', externalTrafficPolicy: 'Foo' as 'Local' },
    ['spec.externalTrafficPolicy: Unsupported value: "Foo": supported values: "Cluster", "Local"'],
  ],
  [
    'a health port is for local balanced traffic',
    { type: 'LoadBalancer', healthCheckNodePort: 30002 },
    ["spec.healthCheckNodePort: Invalid value: 30002: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"],
  ],
  [
    'a health port is a port',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 70000 },
    ['spec.healthCheckNodePort: Invalid value: 70000: must be between 1 and 65535, inclusive'],
  ],
  [
    'the policy for internal traffic is one of two',
    { internalTrafficPolicy: 'Foo' as 'Local' },
    ['spec.internalTrafficPolicy: Unsupported value: "Foo": supported values: "Cluster", "Local"'],
  ],
  ['traffic is distributed in three ways', { trafficDistribution: 'PreferSameNode' }, []],
  [
    'traffic is distributed in no other way',
    { trafficDistribution: '' },
    ['spec.trafficDistribution: Unsupported value: "": supported values: "PreferClose", "PreferSameZone", "PreferSameNode"'],
  ],
  [
    'the first address is the address',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] },
    ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
  ],
  [
    'no address stands beside none',
    { clusterIP: 'None', clusterIPs: ['None', '10.0.0.2'] },
    ['spec.clusterIPs: Invalid value: ["None","10.0.0.2"]: \'None\' must be the first and only value'],
  ],
  [
    'addresses are of two families',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '10.0.0.2'], ipFamilyPolicy: 'PreferDualStack' },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family'],
  ],
  [
    'there are two addresses at most',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '::2', '10.0.0.3'], ipFamilyPolicy: 'PreferDualStack' },
    ['spec.clusterIPs: Invalid value: ["10.0.0.1","::2","10.0.0.3"]: may only hold up to 2 values'],
  ],
  [
    'an address is of its family',
    { clusterIP: '10.0.0.1', ipFamilies: ['IPv6'] },
    ['spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`'],
  ],
  ['families differ', { ipFamilies: ['IPv4', 'IPv4'] }, ['spec.ipFamilies[1]: Duplicate value: "IPv4"']],
  ['families are two', { ipFamilies: ['IPv5' as 'IPv4'] }, ['spec.ipFamilies[0]: Unsupported value: "IPv5": supported values: "IPv4", "IPv6"']],
  [
    'policies for families are three',
    { ipFamilyPolicy: 'Foo' as 'SingleStack' },
    ['spec.ipFamilyPolicy: Unsupported value: "Foo": supported values: "PreferDualStack", "RequireDualStack", "SingleStack"'],
  ],
]

for (const [title, spec, causes, metadata] of creates)
  test(`services: ${title}`, () => {
    const found = causesOf(spec, metadata)
    assert.equal(found.length, causes.length, found.join('\n'))
    causes.forEach((cause, i) => (typeof cause === 'string' ? assert.equal(found[i], cause) : assert.match(found[i]!, cause)))
  })

/** What an update makes of a service, and the causes against it. */
function changed(before: Spec, change: (service: Service) => void, cluster: readonly ('IPv4' | 'IPv6')[] = families) {
  const old = made(before)
  const service = structuredClone(old)
  change(service)
  serviceStrategy.default!(service)
  serviceStrategy.prepareForUpdate!(service, old, context)
  const unsettled = settleFamilies(service.spec, old.spec, cluster)
  const causes =
    unsettled.length > 0 ? unsettled : [...serviceStrategy.validateUpdate!(service, old), ...serviceStrategy.validate!(service, 'v1', old)]
  return { spec: service.spec, status: service.status, causes: said(causes) }
}

const balanced: Spec = { type: 'LoadBalancer', externalTrafficPolicy: 'Local', loadBalancerClass: 'a.b/c', ports: [{ port: 80, nodePort: 30080 }] }

const typeChanges: [title: string, before: Spec, change: (service: Service) => void, expected: Partial<Spec>][] = [
  [
    'from balanced to within the cluster',
    balanced,
    ({ spec }) => (spec.type = 'ClusterIP'),
    {
      externalTrafficPolicy: undefined,
      healthCheckNodePort: undefined,
      loadBalancerClass: undefined,
      allocateLoadBalancerNodePorts: undefined,
      clusterIP: '10.0.0.1',
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
    },
  ],
  [
    'from balanced to nodes',
    balanced,
    ({ spec }) => (spec.type = 'NodePort'),
    { externalTrafficPolicy: 'Local', healthCheckNodePort: undefined, ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30080 }] },
  ],
  [
    'to a name',
    {},
    ({ spec }) => Object.assign(spec, { type: 'ExternalName', externalName: 'a.b' }),
    { clusterIP: undefined, clusterIPs: undefined, ipFamilies: undefined, ipFamilyPolicy: undefined, internalTrafficPolicy: undefined },
  ],
  [
    'giving up node ports of a balancer takes none away',
    balanced,
    ({ spec }) => (spec.allocateLoadBalancerNodePorts = false),
    { ports: [{ port: 80, protocol: 'TCP', targetPort: 80, nodePort: 30080 }] },
  ],
  [
    'a manifest without addresses and node ports',
    balanced,
    ({ spec }) => Object.assign(spec, { clusterIP: undefined, clusterIPs: undefined, healthCheckNodePort: undefined, ports: [{ port: 81 }] }),
    {
      clusterIP: '10.0.0.1',
      clusterIPs: ['10.0.0.1'],
      healthCheckNodePort: 30001,
      ports: [{ port: 81, protocol: 'TCP', targetPort: 81, nodePort: 30080 }],
    },
  ],
  [
    'external addresses that go take their policy',
    { externalIPs: ['10.1.2.3'] },
    ({ spec }) => delete spec.externalIPs,
    { externalTrafficPolicy: undefined },
  ],
  ['a client that knows no list of addresses', {}, ({ spec }) => delete spec.clusterIPs, { clusterIPs: ['10.0.0.1'] }],
]

for (const [title, before, change, expected] of typeChanges)
  test(`services change: ${title}`, () => {
    const { spec, causes } = changed(before, change)
    assert.deepEqual(causes, [])
    for (const [key, value] of Object.entries(expected)) assert.deepEqual(spec[key as keyof Spec], value, key)
  })

test('services change: what is no longer balanced is reachable nowhere', () => {
  const { status } = changed(balanced, (service) => {
    service.spec.type = 'ClusterIP'
    service.status = { loadBalancer: { ingress: [{ ip: '10.1.1.1' }] } }
  })
  assert.deepEqual(status, { loadBalancer: {} })
})

const updates: [title: string, before: Spec, change: (service: Service) => void, causes: string[], cluster?: readonly ('IPv4' | 'IPv6')[]][] = [
  [
    'the address stays',
    {},
    ({ spec }) => Object.assign(spec, { clusterIP: '10.0.0.2', clusterIPs: ['10.0.0.2'] }),
    ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  ],
  [
    'the address stays, when it alone is named',
    {},
    ({ spec }) => (spec.clusterIP = '10.0.0.2'),
    ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'],
  ],
  [
    'a service does not become headless',
    {},
    ({ spec }) => Object.assign(spec, { clusterIP: 'None', clusterIPs: ['None'] }),
    ['spec.clusterIPs[0]: Invalid value: ["None"]: may not change once set'],
  ],
  [
    'the class of a balancer stays',
    balanced,
    ({ spec }) => (spec.loadBalancerClass = 'a.b/d'),
    ['spec.loadBalancerClass: Invalid value: "a.b/d": may not change once set'],
  ],
  [
    'the class of a balancer does not go',
    balanced,
    ({ spec }) => delete spec.loadBalancerClass,
    ['spec.loadBalancerClass: Invalid value: null: may not change once set'],
  ],
  ['the health port stays', balanced, ({ spec }) => (spec.healthCheckNodePort = 30009), ['spec.healthCheckNodePort: Forbidden: field is immutable']],
  [
    'two stacks need two',
    {},
    ({ spec }) => (spec.ipFamilyPolicy = 'RequireDualStack'),
    ['spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
  ],
  [
    'a family has to be there',
    {},
    ({ spec }) => Object.assign(spec, { ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'PreferDualStack' }),
    ['spec.ipFamilies[1]: Invalid value: "IPv6": not configured on this cluster'],
  ],
  [
    'two families are no single stack',
    {},
    ({ spec }) => (spec.ipFamilies = ['IPv4', 'IPv6']),
    ["spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be 'RequireDualStack' or 'PreferDualStack' when multiple IP families are specified"],
  ],
  ['a preference for two stacks is fine with one', {}, ({ spec }) => (spec.ipFamilyPolicy = 'PreferDualStack'), []],
]

for (const [title, before, change, causes, cluster] of updates)
  test(`services update: ${title}`, () => assert.deepEqual(changed(before, change, cluster).causes, causes))

const settled: [
  title: string,
  spec: Spec,
  cluster: readonly ('IPv4' | 'IPv6')[],
  old: Spec | undefined,
  policy: string,
  families: string[],
  causes?: RegExp,
][] = [
  ['nothing said, one stack', {}, ['IPv4'], undefined, 'SingleStack', ['IPv4']],
  ['nothing said, two stacks', {}, ['IPv6', 'IPv4'], undefined, 'SingleStack', ['IPv6']],
  ['two preferred, one there', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4'], undefined, 'PreferDualStack', ['IPv4']],
  ['two preferred, two there', { ipFamilyPolicy: 'PreferDualStack' }, ['IPv4', 'IPv6'], undefined, 'PreferDualStack', ['IPv4', 'IPv6']],
  [
    'two needed, the second first',
    { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] },
    ['IPv4', 'IPv6'],
    undefined,
    'RequireDualStack',
    ['IPv6', 'IPv4'],
  ],
  ['an address says its family', { clusterIP: '::1', clusterIPs: ['::1'] }, ['IPv4', 'IPv6'], undefined, 'SingleStack', ['IPv6']],
  ['headless without selector', { clusterIP: 'None', clusterIPs: ['None'] }, ['IPv4'], undefined, 'RequireDualStack', ['IPv4', 'IPv6']],
  [
    'headless without selector, one stack',
    { clusterIP: 'None', clusterIPs: ['None'], ipFamilyPolicy: 'SingleStack' },
    ['IPv4'],
    undefined,
    'SingleStack',
    ['IPv4'],
  ],
  ['headless with selector', { clusterIP: 'None', clusterIPs: ['None'], selector: { a: 'b' } }, ['IPv4'], undefined, 'SingleStack', ['IPv4']],
  [
    'an update keeps its policy',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] },
    ['IPv4'],
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'], ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4'] },
    'PreferDualStack',
    ['IPv4'],
  ],
  [
    'one stack gives the second back',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'SingleStack' },
    ['IPv4', 'IPv6'],
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
    'SingleStack',
    ['IPv4'],
  ],
  [
    'leaving the second family out does not give it back',
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '::1'], ipFamilies: ['IPv4'], ipFamilyPolicy: 'RequireDualStack' },
    ['IPv4', 'IPv6'],
    { clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1', '::1'], ipFamilies: ['IPv4', 'IPv6'], ipFamilyPolicy: 'RequireDualStack' },
    'RequireDualStack',
    ['IPv4', 'IPv6'],
    /^spec\.ipFamilyPolicy: .*must be 'SingleStack' to release the secondary IP family$/,
  ],
  [
    'an address of a family that is not there',
    { clusterIP: '::1', clusterIPs: ['::1'] },
    ['IPv4'],
    undefined,
    'SingleStack',
    [],
    /^spec\.clusterIPs\[0\]: Invalid value: \["::1"\]: IPv6 is not configured on this cluster$/,
  ],
]

for (const [title, spec, cluster, old, policy, expected, cause] of settled)
  test(`families of services: ${title}`, () => {
    const made = { type: 'ClusterIP', ...structuredClone(spec) } as Spec
    const found = said(settleFamilies(made, old && { type: 'ClusterIP', ...old }, cluster))
    assert.equal(found.length, cause ? 1 : 0, found.join('\n'))
    if (cause) assert.match(found[0]!, cause)
    assert.equal(made.ipFamilyPolicy, policy)
    assert.deepEqual(made.ipFamilies ?? [], expected)
  })

const statuses: [title: string, type: string, ingress: object[], causes: string[], old?: object[]][] = [
  ['an address says how it delivers', 'LoadBalancer', [{ ip: '10.1.1.1', ipMode: 'Proxy' }], []],
  [
    'an address without a mode',
    'LoadBalancer',
    [{ ip: '10.1.1.1' }],
    ['status.loadBalancer.ingress[0].ipMode: Required value: must be specified when `ip` is set'],
  ],
  [
    'a mode without an address',
    'LoadBalancer',
    [{ hostname: 'a.b', ipMode: 'VIP' }],
    ['status.loadBalancer.ingress[0].ipMode: Forbidden: may not be specified when `ip` is not set'],
  ],
  [
    'a mode that is none',
    'LoadBalancer',
    [{ ip: '10.1.1.1', ipMode: 'x' }],
    ['status.loadBalancer.ingress[0].ipMode: Unsupported value: "x": supported values: "Proxy", "VIP"'],
  ],
  [
    'a name that is an address',
    'LoadBalancer',
    [{ hostname: '1.2.3.4' }],
    ['status.loadBalancer.ingress[0].hostname: Invalid value: "1.2.3.4": must be a DNS name, not an IP address'],
  ],
  [
    'a service that is not balanced',
    'NodePort',
    [{ ip: '10.1.1.1' }],
    ["status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'"],
  ],
  ['an odd address that was there', 'LoadBalancer', [{ ip: '010.1.1.1', ipMode: 'VIP' }], [], [{ ip: '010.1.1.1' }]],
]
for (const [title, type, ingress, causes, old = []] of statuses)
  test(`status of services: ${title}`, () => {
    const service = (points: object[]) => ({ spec: { type }, status: { loadBalancer: { ingress: points } } }) as unknown as Service
    assert.deepEqual(said(serviceStrategy.validateStatusUpdate!(service(ingress), service(old))), causes)
  })

test('status of services: an address of a balanced service delivers to itself, where nothing is said', () => {
  const service = {
    metadata: { name: 'a' },
    spec: { type: 'LoadBalancer' },
    status: { loadBalancer: { ingress: [{ ip: '10.1.1.1' }, { hostname: 'a.b' }] } },
  } as unknown as Service
  serviceStrategy.default!(service)
  assert.deepEqual(service.status!.loadBalancer!.ingress, [{ ip: '10.1.1.1', ipMode: 'VIP' }, { hostname: 'a.b' }])
})

const warned: [title: string, spec: Spec, warnings: string[], annotations?: Record<string, string>][] = [
  ['nothing', { type: 'ClusterIP', clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.1'] }, []],
  [
    'topology hints',
    {},
    ['annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead'],
    { 'service.kubernetes.io/topology-aware-hints': 'Auto' },
  ],
  [
    'what headless services ignore',
    { type: 'ClusterIP', clusterIP: 'None', loadBalancerIP: '10.1.1.1', externalIPs: ['10.1.1.1'], sessionAffinity: 'ClientIP' },
    [
      'spec.loadBalancerIP is ignored for headless services',
      'spec.externalIPs is ignored for headless services',
      'spec.SessionAffinity is ignored for headless services',
    ],
  ],
  [
    'external addresses',
    { type: 'ClusterIP', externalIPs: ['10.1.1.1'] },
    ['spec.externalIPs is deprecated and may no longer be implemented in some clusters'],
  ],
  [
    'what names ignore',
    { type: 'ExternalName', externalName: 'a.b', externalIPs: ['10.1.1.1'] },
    ['spec.externalIPs is ignored when spec.type is "ExternalName"'],
  ],
  ['a name of what is none', { type: 'ClusterIP', externalName: 'a.b' }, ['spec.externalName is ignored when spec.type is not "ExternalName"']],
  [
    'an old way to distribute',
    { type: 'ClusterIP', trafficDistribution: 'PreferClose' },
    ['spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"'],
  ],
  [
    'an odd address of a balancer',
    { type: 'LoadBalancer', loadBalancerIP: '010.1.1.1' },
    ['spec.loadBalancerIP: non-standard IP address "010.1.1.1" is invalid: use "10.1.1.1"'],
  ],
]
for (const [title, spec, expected, annotations = {}] of warned)
  test(`warnings of services: ${title}`, () => assert.deepEqual(serviceWarnings({ metadata: { name: 'a', annotations }, spec } as Service), expected))
