import { type Rule, testUpdates } from '../rule-table.ts'

const base = { spec: { containers: [{ name: 'a', image: 'nginx:1' }], initContainers: [{ name: 'i', image: 'i' }], nodeSelector: { a: 'b' } } }
const other = /^spec: Forbidden: pod updates may not change fields other than /

const always: Rule[] = [
  ['images', (p) => ((p.spec.containers[0].image = 'nginx:2'), (p.spec.initContainers[0].image = 'j'))],
  ['a command', (p) => (p.spec.containers[0].command = ['x']), other],
  ['a name', (p) => (p.spec.hostname = 'x'), other],
  ['a selector', (p) => (p.spec.nodeSelector.c = 'd'), other],
  ['an account', (p) => (p.spec.serviceAccountName = 'x'), other],
  [
    'another container',
    (p) => p.spec.containers.push({ name: 'b', image: 'b' }),
    'spec.containers: Forbidden: pod updates may not add or remove containers',
  ],
  [
    'another init container',
    (p) => p.spec.initContainers.push({ name: 'j', image: 'j' }),
    'spec.initContainers: Forbidden: pod updates may not add or remove containers',
  ],
  ['a deadline', (p) => (p.spec.activeDeadlineSeconds = 5)],
  [
    'a deadline beyond all',
    (p) => (p.spec.activeDeadlineSeconds = 2 ** 31),
    'spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 0 and 2147483647, inclusive',
    'spec.activeDeadlineSeconds: Invalid value: 2147483648: must be between 1 and',
  ],
  ['a toleration', (p) => (p.spec.tolerations = [{ key: 'a', operator: 'Exists' }])],
  [
    'a gate',
    (p) => (p.spec.schedulingGates = [{ name: 'g' }]),
    "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'g'",
  ],
  ['the time to end', (p) => (p.spec.terminationGracePeriodSeconds = 1), other],
  [
    'a profile by annotation',
    (p) => (p.metadata.annotations = { 'container.apparmor.security.beta.kubernetes.io/a': 'unconfined' }),
    'metadata.annotations[container.apparmor.security.beta.kubernetes.io/a]: Forbidden: may not add AppArmor annotations',
  ],
  [
    'becoming static',
    (p) => (p.metadata.annotations = { 'kubernetes.io/config.mirror': 'x' }),
    'metadata.annotations[kubernetes.io/config.mirror]: Forbidden: may not add mirror pod annotation',
    'metadata.annotations[kubernetes.io/config.mirror]: Invalid value: "x": must set spec.nodeName',
  ],
  ['resources', (p) => (p.spec.containers[0].resources = { requests: { cpu: '1' } }), other],
]
testUpdates('/pods', base, {}, always)

testUpdates('/pods', base, { before: (p) => (p.spec.terminationGracePeriodSeconds = -5) }, [
  ['a negative time to end becomes one second', (p) => (p.spec.terminationGracePeriodSeconds = 1)],
  ['and nothing else', (p) => (p.spec.terminationGracePeriodSeconds = 2), other],
])

testUpdates('/pods', base, { before: (p) => (p.spec.tolerations = [{ key: 'a', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 5 }]) }, [
  ['the seconds of a toleration', (p) => (p.spec.tolerations[0].tolerationSeconds = 6)],
  [
    'the key of a toleration',
    (p) => (p.spec.tolerations[0].key = 'b'),
    'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
  ],
])

const terms = (...nodeSelectorTerms: object[]) => ({ nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } })
const has = (...keys: string[]) => ({ matchExpressions: keys.map((key) => ({ key, operator: 'Exists' })) })
const at = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms'

testUpdates('/pods', { ...base, spec: { ...base.spec, schedulingGates: [{ name: 'g' }, { name: 'h' }], affinity: terms(has('x'), {}) } }, {}, [
  ['gates go', (p) => p.spec.schedulingGates.pop()],
  ['all gates go', (p) => delete p.spec.schedulingGates],
  [
    'gates do not come',
    (p) => p.spec.schedulingGates.push({ name: 'i' }),
    "spec.schedulingGates[2].name: Forbidden: only deletion is allowed, but found new scheduling gate 'i'",
  ],
  ['behind gates a selector may ask for more', (p) => (p.spec.nodeSelector.c = 'd')],
  [
    'but not for something else',
    (p) => (p.spec.nodeSelector = { a: 'c' }),
    'spec.nodeSelector: Invalid value: {"a":"c"}: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ],
  [
    'nor for less',
    (p) => delete p.spec.nodeSelector,
    'spec.nodeSelector: Invalid value: null: only additions to spec.nodeSelector are allowed (no mutations or deletions)',
  ],
  ['a term may ask for more', (p) => (p.spec.affinity = terms(has('x', 'y'), {}))],
  [
    'but not for something else first',
    (p) => (p.spec.affinity = terms(has('y', 'x'), {})),
    /nodeSelectorTerms\[0\]: Invalid value: \{"MatchExpressions":\[\{"Key":"y",.*\}: only additions are allowed \(no mutations or deletions\)$/,
  ],
  [
    'an empty term stays empty',
    (p) => (p.spec.affinity = terms(has('x'), has('y'))),
    `${at}[1]: Invalid value: {"MatchExpressions":[{"Key":"y","Operator":"Exists","Values":null}],"MatchFields":null}: only additions are allowed (no mutations or deletions)`,
  ],
  [
    'terms are as many as before',
    (p) => (p.spec.affinity = terms(has('x'))),
    /nodeSelectorTerms: Invalid value: \[.*\]: no additions\/deletions to non-empty NodeSelectorTerms list are allowed$/,
  ],
  [
    'what is preferred is free',
    (p) => (p.spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution = [{ weight: 1, preference: has('z') }]),
  ],
  [
    'neighbours are not',
    (p) => (p.spec.affinity.podAffinity = { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z', labelSelector: {} }] }),
    other,
  ],
])

const wrong = (p: any) => {
  p.metadata.annotations = { 'controller.kubernetes.io/pod-deletion-cost': 'much' }
  p.spec.containers[0].resources = { limits: { cpu: '1', 'hugepages-2Mi': '3Mi' }, requests: { cpu: '1', 'hugepages-2Mi': '3Mi' } }
  p.spec.securityContext = { sysctls: [{ name: 'net.a', value: '1' }] }
  p.spec.hostNetwork = true
  p.spec.affinity = terms({ matchExpressions: [{ key: 'a', operator: 'In', values: ['b c'] }] })
  p.spec.topologySpreadConstraints = [
    { maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { a: 'b c' } } },
  ]
}
testUpdates('/pods', base, { before: wrong }, [
  ['what was wrong before the rule came may stay', (p) => (p.spec.containers[0].image = 'nginx:2')],
  [
    'and change in nothing but more of it',
    (p) => (p.metadata.annotations['controller.kubernetes.io/pod-deletion-cost'] = 'more'),
    'metadata.annotations[controller.kubernetes.io/pod-deletion-cost]: Invalid value: "more": must be a 32bit integer',
  ],
])

const deployment = { spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: base.spec } } }
testUpdates('apps/deployments', deployment, { before: (d) => wrong(d.spec.template) }, [
  ['a template that was wrong before the rule came may stay', (d) => (d.spec.replicas = 3)],
  [
    'but not become wrong elsewhere',
    (d) => (d.spec.template.spec.containers[0].terminationMessagePolicy = 'x'),
    'spec.template.spec.containers[0].terminationMessagePolicy: Unsupported value: "x"',
  ],
])
