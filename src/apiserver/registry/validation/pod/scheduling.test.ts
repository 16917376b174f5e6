import { type Rule, testCreates } from '../../strategies/rule-table.ts'

const base = { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'a', image: 'nginx:1' }] } }

const spec = (more: object) => (p: any) => Object.assign(p.spec, structuredClone(more))
const tolerate = (...tolerations: object[]) => spec({ tolerations })
const t = 'spec.tolerations[0]'

const tolerations: Rule[] = [
  ['of everything', tolerate({ operator: 'Exists' })],
  [
    'of everything that equals something',
    tolerate({ operator: 'Equal' }),
    `${t}.operator: Invalid value: "Equal": operator must be Exists when \`key\` is empty, which means "match all values and all keys"`,
  ],
  [
    'of whatever has a value',
    tolerate({ key: 'a', operator: 'Exists', value: 'x' }),
    `${t}.operator: Invalid value: "x": value must be empty when \`operator\` is 'Exists'`,
  ],
  [
    'for a time',
    tolerate({ key: 'a', operator: 'Exists', effect: 'NoSchedule', tolerationSeconds: 1 }),
    `${t}.effect: Invalid value: "NoSchedule": effect must be 'NoExecute' when \`tolerationSeconds\` is set`,
  ],
  ['of a bad value', tolerate({ key: 'a', value: 'a b' }), `${t}.operator: Invalid value: "a b": a valid label must be`],
  [
    'of more',
    tolerate({ key: 'a', operator: 'Gt', value: '1' }),
    `${t}.operator: Unsupported value: "Gt": supported values: "Equal", "Exists", "Lt", "Gt"`,
  ],
  ['of the like', tolerate({ key: 'a', operator: 'Like' }), `${t}.operator: Unsupported value: "Like": supported values: "Equal", "Exists"`],
  [
    'of another effect',
    tolerate({ key: 'a', effect: 'x' }),
    `${t}.effect: Unsupported value: "x": supported values: "NoSchedule", "PreferNoSchedule", "NoExecute"`,
  ],
]

const required = (term: object) =>
  spec({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] } } } })
const preferred = (preference: object, weight = 1) =>
  spec({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, preference }] } } })
const r = 'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0]'
const has = (...values: string[]) => ({ matchExpressions: [{ key: 'a', operator: 'In', values }] })

const nodes: Rule[] = [
  ['with a label', required(has('b'))],
  ['with a label that none can have', required(has('b c')), `${r}.matchExpressions[0].values[0]: Invalid value: "b c": a valid label must be`],
  ['preferably with a label that none can have', preferred(has('b c'))],
  [
    'preferred too much',
    preferred(has('b'), 101),
    'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 101: must be in the range 1-100',
  ],
  [
    'more than two values',
    required({ matchExpressions: [{ key: 'a', operator: 'Gt', values: ['1', '2'] }] }),
    `${r}.matchExpressions[0].values: Required value: must be specified single value when \`operator\` is 'Lt' or 'Gt'`,
  ],
  ['by name', required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a'] }] })],
  [
    'by two names',
    required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['a', 'b'] }] }),
    `${r}.matchFields[0].values: Required value: must be only one value when \`operator\` is 'In' or 'NotIn' for node field selector`,
  ],
  [
    'by a bad name',
    required({ matchFields: [{ key: 'metadata.name', operator: 'In', values: ['A'] }] }),
    `${r}.matchFields[0].values[0]: Invalid value: "A"`,
  ],
  [
    'by another field',
    required({ matchFields: [{ key: 'spec.x', operator: 'In', values: ['a'] }] }),
    `${r}.matchFields[0].key: Invalid value: "spec.x": not a valid field selector key`,
  ],
]

const near = (more: object) =>
  spec({ affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'z', ...more }] } } })
const n = 'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0]'
const selector = { matchLabels: { app: 'a' } }

const neighbours: Rule[] = [
  ['of its kind', near({ labelSelector: {}, matchLabelKeys: ['app'] })],
  [
    'of no zone',
    near({ topologyKey: '', labelSelector: {} }),
    `${n}.topologyKey: Required value: can not be empty`,
    `${n}.topologyKey: Invalid value: "": name part must be non-empty`,
    `${n}.topologyKey: Invalid value: "": name part must consist`,
  ],
  ['in bad namespaces', near({ namespaces: ['A'] }), `${n}.namespace: Invalid value: "A"`],
  [
    'in namespaces with bad labels',
    near({ namespaceSelector: { matchLabels: { 'a b': 'c' } } }),
    `${n}.namespaceSelector.matchLabels: Invalid value: "a b"`,
  ],
  ['with labels of nobody', near({ matchLabelKeys: ['app'] }), `${n}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`],
  [
    'without labels of nobody',
    near({ mismatchLabelKeys: ['app'] }),
    `${n}.mismatchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
  ],
  ['with bad labels', near({ labelSelector: {}, matchLabelKeys: ['a b'] }), `${n}.matchLabelKeys[0]: Invalid value: "a b"`],
  [
    'with a label that is selected already',
    near({ labelSelector: selector, matchLabelKeys: ['app'] }),
    `${n}[0]: Invalid value: "app": exists in both matchLabelKeys and labelSelector`,
  ],
  [
    'with and without a label',
    near({ labelSelector: {}, matchLabelKeys: ['x'], mismatchLabelKeys: ['x'] }),
    `${n}.matchLabelKeys[0]: Invalid value: "x": exists in both matchLabelKeys and mismatchLabelKeys`,
  ],
]

const spread = (...more: object[]) =>
  spec({
    topologySpreadConstraints: more.map((one) => ({ maxSkew: 1, topologyKey: 'z', whenUnsatisfiable: 'DoNotSchedule', labelSelector: {}, ...one })),
  })
const s = 'spec.topologySpreadConstraints[0]'

const spreads: Rule[] = [
  ['evenly', spread({ minDomains: 2, matchLabelKeys: ['app'], nodeTaintsPolicy: 'Honor', nodeAffinityPolicy: 'Ignore' })],
  ['by nothing', spread({ maxSkew: 0 }), `${s}.maxSkew: Invalid value: 0: must be greater than zero`],
  ['twice', spread({}, {}), `${s}.{topologyKey, whenUnsatisfiable}: Duplicate value: "{z, DoNotSchedule}"`],
  ['over no domains', spread({ minDomains: 0 }), `${s}.minDomains: Invalid value: 0: must be greater than zero`],
  [
    'over domains, if possible',
    spread({ minDomains: 1, whenUnsatisfiable: 'ScheduleAnyway' }),
    `${s}.minDomains: Invalid value: 1: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway`,
  ],
  ['with taints somehow', spread({ nodeTaintsPolicy: 'x' }), `${s}.nodeTaintsPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"`],
  [
    'with affinity somehow',
    spread({ nodeAffinityPolicy: 'x' }),
    `${s}.nodeAffinityPolicy: Unsupported value: "x": supported values: "Honor", "Ignore"`,
  ],
  [
    'by labels of nobody',
    spread({ labelSelector: undefined, matchLabelKeys: ['app'] }),
    `${s}.matchLabelKeys: Forbidden: must not be specified when labelSelector is not set`,
  ],
  ['by bad labels', spread({ labelSelector: { matchLabels: { a: 'b c' } } }), `${s}.labelSelector.matchLabels: Invalid value: "b c"`],
]

const gates: Rule[] = [
  ['a gate', spec({ schedulingGates: [{ name: 'a.b/c' }] })],
  [
    'a gate without a name',
    spec({ schedulingGates: [{ name: '' }] }),
    'spec.schedulingGates[0]: Invalid value: "": name part must be non-empty',
    'spec.schedulingGates[0]: Invalid value: "": name part must consist',
  ],
  ['a gate twice', spec({ schedulingGates: [{ name: 'a' }, { name: 'a' }] }), 'spec.schedulingGates[1]: Duplicate value: "a"'],
  [
    'a gate and a node',
    spec({ nodeName: 'n', schedulingGates: [{ name: 'a' }] }),
    'spec.nodeName: Forbidden: cannot be set until all schedulingGates have been cleared',
  ],
]

for (const table of [tolerations, nodes, neighbours, spreads, gates]) testCreates('/pods', base, table)
