import { type Rule, testCreates, testUpdates } from './rule-table.ts'

const set = (more: object) => (object: any) => Object.assign(object, more)
const spec = (more: object) => (object: any) => Object.assign(object.spec, more)

testCreates('coordination.k8s.io/leases', { spec: {} }, [
  ['nothing is wrong', () => {}],
  ['a duration of nothing', spec({ leaseDurationSeconds: 0 }), 'spec.leaseDurationSeconds: Invalid value: 0: must be greater than 0'],
  ['negative transitions', spec({ leaseTransitions: -1 }), 'spec.leaseTransitions: Invalid value: -1: must be greater than or equal to 0'],
  ['what coordinated leader election reads is not kept', spec({ strategy: 'Hope', preferredHolder: 'a' })],
])
testUpdates('coordination.k8s.io/leases', { spec: {} }, { before: spec({ strategy: 'OldestEmulationVersion', preferredHolder: 'a' }) }, [
  ['the known strategy', spec({ preferredHolder: 'b' })],
  ['a strategy of somebody else', spec({ strategy: 'a.io/b' })],
  [
    'a strategy that is none',
    spec({ strategy: 'Hope' }),
    'spec.strategy.strategy: Unsupported value: "Hope": supported values: "OldestEmulationVersion"',
  ],
  ['a bad strategy of somebody else', spec({ strategy: 'a.io/b c' }), 'spec.strategy.strategy: Invalid value: "a.io/b c": name part must consist of'],
  [
    'a holder without a strategy',
    spec({ strategy: '' }),
    'spec.strategy.strategy: Unsupported value: "": supported',
    'spec.preferredHolder: Forbidden: may only be specified if `strategy` is defined',
  ],
])

const toleration = { key: 'a', operator: 'Exists', effect: 'NoExecute' }
testCreates('node.k8s.io/runtimeclasses', { handler: 'h' }, [
  ['nothing is wrong', () => {}],
  ['a bad handler', set({ handler: 'H_' }), 'handler: Invalid value: "H_": a lowercase RFC 1123 label must'],
  [
    'an overhead of something unknown',
    set({ overhead: { podFixed: { cpu: '-1' } } }),
    'overhead.limits[cpu]: Invalid value: "-1": must be greater than or equal to 0',
  ],
  [
    'an overhead of huge pages alone',
    set({ overhead: { podFixed: { 'hugepages-2Mi': '2Mi' } } }),
    'overhead: Forbidden: HugePages require cpu or memory',
  ],
  [
    'a bad node selector',
    set({ scheduling: { nodeSelector: { 'a b': 'c' } } }),
    'scheduling.nodeSelector: Invalid value: "a b": name part must consist of',
  ],
  [
    'a bad toleration',
    set({ scheduling: { tolerations: [{ key: 'a b', operator: 'Exists' }] } }),
    'scheduling.tolerations[0].key: Invalid value: "a b": name part must consist of',
  ],
  [
    'one toleration twice, for different times',
    set({ scheduling: { tolerations: [toleration, { ...toleration, tolerationSeconds: 5 }] } }),
    'scheduling.tolerations[1]: Duplicate value: {"Key":"a","Operator":"Exists","Value":"","Effect":"NoExecute","TolerationSeconds":5}',
  ],
])
testUpdates('node.k8s.io/runtimeclasses', { handler: 'h' }, {}, [
  ['another handler', set({ handler: 'i' }), 'handler: Invalid value: "i": field is immutable'],
])

const reserved = "metadata.name: Forbidden: priority class names with 'system-' prefix are reserved for system use only. error:"
const named = (name: string, more: object) => (object: any) => Object.assign(object, more, { metadata: { ...object.metadata, name } })
testCreates('scheduling.k8s.io/priorityclasses', { value: 5 }, [
  ['nothing is wrong', () => {}],
  ['a known class of the system', named('system-node-critical', { value: 2_000_001_000 })],
  ['an unknown class of the system', named('system-x', {}), `${reserved} system-x is not a known system priority class`],
  [
    'another value of a class of the system',
    named('system-node-critical', {}),
    `${reserved} value of system-node-critical PriorityClass must be 2000001000`,
  ],
  [
    'a class of the system for everybody',
    named('system-node-critical', { value: 2_000_001_000, globalDefault: true }),
    `${reserved} globalDefault of system-node-critical PriorityClass must be false`,
  ],
  ['too high a value', set({ value: 1_000_000_001 }), 'value: Forbidden: maximum allowed value of a user defined priority is 1000000000'],
  ['an empty policy', set({ preemptionPolicy: '' }), 'preemptionPolicy: Required value'],
  [
    'a policy that is none',
    set({ preemptionPolicy: 'Maybe' }),
    'preemptionPolicy: Unsupported value: "Maybe": supported values: "PreemptLowerPriority", "Never"',
  ],
])
testUpdates('scheduling.k8s.io/priorityclasses', { value: 5 }, {}, [
  ['the value', set({ value: 6 }), 'value: Forbidden: may not be changed in an update.'],
  ['the policy', set({ preemptionPolicy: 'Never' }), 'preemptionPolicy: Invalid value: "Never": field is immutable'],
  ['the description', set({ description: 'x' })],
])

const service = { namespace: 'n', name: 's' }
const api = {
  metadata: { name: 'v1.g.example.com' },
  spec: { group: 'g.example.com', version: 'v1', groupPriorityMinimum: 1, versionPriority: 1, service },
}
const label = 'a DNS-1035 label must'
const rules: Rule[] = [
  ['nothing is wrong', () => {}],
  [
    'a name of its own',
    (one) => (one.metadata.name = 'x'),
    'metadata.name: Invalid value: "x": must be `spec.version+"."+spec.group`: "v1.g.example.com"',
  ],
  [
    'no group',
    named('v2.', { spec: { ...api.spec, group: '', version: 'v2' } }),
    'spec.group: Required value: only v1 may have an empty group and it better be legacy kube',
  ],
  [
    'a bad group and version',
    named('V.G_', { spec: { ...api.spec, group: 'G_', version: 'V' } }),
    'spec.group: Invalid value: "G_": a lowercase RFC 1123 subdomain must',
    `spec.version: Invalid value: "V": ${label}`,
  ],
  ['no version', named('.g.example.com', { spec: { ...api.spec, version: '' } }), `spec.version: Invalid value: "": ${label}`],
  [
    'priorities out of range',
    spec({ groupPriorityMinimum: 20001, versionPriority: 0 }),
    'spec.groupPriorityMinimum: Invalid value: 20001: must be positive and less than 20000',
    'spec.versionPriority: Invalid value: 0: must be positive and less than 1000',
  ],
  [
    'a port out of range',
    spec({ service: { ...service, port: 70000 } }),
    'spec.service.port: Invalid value: 70000: port is not valid: must be between 1 and 65535, inclusive',
  ],
  ['no service name', spec({ service: {} }), 'spec.service.namespace: Required value', 'spec.service.name: Required value'],
  [
    'a bundle that is not looked at',
    spec({ caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    'spec.insecureSkipTLSVerify: Invalid value: true: may not be true if caBundle is present',
  ],
  [
    'a local one with a bundle',
    spec({ service: undefined, caBundle: 'AAAA', insecureSkipTLSVerify: true }),
    'spec.caBundle: Invalid value: "3 bytes": local APIServices may not have a caBundle',
    'spec.insecureSkipTLSVerify: Invalid value: true: local APIServices may not have insecureSkipTLSVerify',
  ],
]
testCreates('apiregistration.k8s.io/apiservices', api, rules)
testUpdates('apiregistration.k8s.io/apiservices', api, { subresource: 'status' }, [
  [
    'a condition of no known status',
    (one) => (one.status = { conditions: [{ type: 'Available', status: 'Maybe' }] }),
    'status.conditions[0].status: Unsupported value: "Maybe": supported values: "True", "False", "Unknown"',
  ],
])
