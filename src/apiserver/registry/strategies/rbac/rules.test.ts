import { testCreates, testUpdates } from '../rule-table.ts'

const group = 'rbac.authorization.k8s.io'
const set = (more: object) => (object: any) => Object.assign(object, more)
const rules = (...list: object[]) => set({ rules: list })
const role = { rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['get'] }] }
const resources = { apiGroups: [''], resources: ['pods'] }

testCreates(`${group}/roles`, role, [
  ['nothing is wrong', () => {}],
  ['no verbs', rules({ ...resources, verbs: [] }), 'rules[0].verbs: Required value: verbs must contain at least one value'],
  [
    'nothing to do it with',
    rules({ verbs: ['get'] }),
    'rules[0].apiGroups: Required value: resource rules must supply at least one api group',
    'rules[0].resources: Required value: resource rules must supply at least one resource',
  ],
  [
    'paths in a namespace',
    rules({ nonResourceURLs: ['/a'], verbs: ['get'] }),
    'rules[0].nonResourceURLs: Invalid value: ["/a"]: namespaced rules cannot apply to non-resource URLs',
  ],
  ['a name with a slash', (object) => (object.metadata.name = 'a/b'), `metadata.name: Invalid value: "a/b": may not contain '/'`],
])
testCreates(`${group}/clusterroles`, role, [
  ['paths', rules({ nonResourceURLs: ['/a'], verbs: ['get'] })],
  [
    'paths and resources',
    rules({ ...resources, nonResourceURLs: ['/a'], verbs: ['get'] }),
    'rules[0].nonResourceURLs: Invalid value: ["/a"]: rules cannot apply to both regular resources and non-resource URLs',
  ],
  [
    'an aggregation of nothing',
    set({ aggregationRule: {} }),
    'aggregationRule.clusterRoleSelectors: Required value: at least one clusterRoleSelector required if aggregationRule is non-nil',
  ],
  [
    'an aggregation that cannot be understood',
    set({ aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }] } }),
    'aggregationRule.clusterRoleSelectors[0].matchExpressions[0].operator: Invalid value: "Near": not a valid selector operator',
    'aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.',
  ],
])

const binding = { roleRef: { apiGroup: group, kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'User', name: 'u' }] }
const subject = (one: object) => set({ subjects: [one] })
const kinds = 'supported values: "ServiceAccount", "User", "Group"'
testCreates(`${group}/rolebindings`, binding, [
  ['nothing is wrong', () => {}],
  [
    'a role of another group',
    set({ roleRef: { ...binding.roleRef, apiGroup: 'a.io' } }),
    `roleRef.apiGroup: Unsupported value: "a.io": supported values: "${group}"`,
  ],
  [
    'a role of another kind',
    set({ roleRef: { ...binding.roleRef, kind: 'Rule' } }),
    'roleRef.kind: Unsupported value: "Rule": supported values: "Role", "ClusterRole"',
  ],
  ['a role without a name', set({ roleRef: { ...binding.roleRef, name: '' } }), 'roleRef.name: Required value'],
  ['a role whose name is none', set({ roleRef: { ...binding.roleRef, name: 'a%b' } }), `roleRef.name: Invalid value: "a%b": may not contain '%'`],
  ['a subject of another kind', subject({ kind: 'Robot', name: 'r' }), `subjects[0].kind: Unsupported value: "Robot": ${kinds}`],
  ['a subject without a name', subject({ kind: 'Group', name: '' }), 'subjects[0].name: Required value'],
  [
    'a user of another group',
    subject({ kind: 'User', name: 'u', apiGroup: 'a.io' }),
    `subjects[0].apiGroup: Unsupported value: "a.io": supported values: "${group}"`,
  ],
  [
    'an account of a group',
    subject({ kind: 'ServiceAccount', name: 's', apiGroup: 'a.io' }),
    'subjects[0].apiGroup: Unsupported value: "a.io": supported values: ""',
  ],
  [
    'an account of a bad name',
    subject({ kind: 'ServiceAccount', name: 'S_' }),
    'subjects[0].name: Invalid value: "S_": a lowercase RFC 1123 subdomain must',
  ],
])
testCreates(`${group}/clusterrolebindings`, binding, [
  [
    'a role of a namespace',
    set({ roleRef: { ...binding.roleRef, kind: 'Role' } }),
    'roleRef.kind: Unsupported value: "Role": supported values: "ClusterRole"',
  ],
  ['an account of no namespace', subject({ kind: 'ServiceAccount', name: 's' }), 'subjects[0].namespace: Required value'],
])
for (const kind of ['rolebindings', 'clusterrolebindings'])
  testUpdates(`${group}/${kind}`, binding, {}, [
    ['another role', set({ roleRef: { ...binding.roleRef, name: 'edit' } }), /^roleRef: Invalid value: .*: cannot change roleRef$/],
    ['other subjects', subject({ kind: 'Group', name: 'g' })],
  ])
