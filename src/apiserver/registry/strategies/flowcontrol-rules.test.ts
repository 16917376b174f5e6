import { testCreates, testUpdates } from './rule-table.ts'

const levels = 'flowcontrol.apiserver.k8s.io/prioritylevelconfigurations'
const schemas = 'flowcontrol.apiserver.k8s.io/flowschemas'
const level = { spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } }
const schema = { spec: { priorityLevelConfiguration: { name: 'a' } } }
const limited = (more: object) => (object: any) => Object.assign(object.spec.limited, more)
const exempt = (spec: object) => (object: any) => Object.assign(object, { spec, metadata: { ...object.metadata, name: 'exempt' } })

testCreates(levels, level, [
  ['nothing is wrong', () => {}],
  ['no shares', limited({ nominalConcurrencyShares: 0 })],
  [
    'negative shares',
    limited({ nominalConcurrencyShares: -1 }),
    'spec.limited.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
  ],
  [
    'it lends more than it has',
    limited({ lendablePercent: 101 }),
    'spec.limited.lendablePercent: Invalid value: 101: must be between 0 and 100, inclusive',
  ],
  [
    'it borrows less than nothing',
    limited({ borrowingLimitPercent: -1 }),
    'spec.limited.borrowingLimitPercent: Invalid value: -1: if specified, must be a non-negative integer',
  ],
  ['it borrows as much as it likes', limited({ borrowingLimitPercent: 500 })],
  ['it is limited and exempt', (object) => (object.spec.exempt = {}), 'spec.exempt: Forbidden: must be nil if the type is Limited'],
  ['the exempt one lends', exempt({ type: 'Exempt', exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } })],
  [
    'the exempt one lends what there is not',
    exempt({ type: 'Exempt', exempt: { nominalConcurrencyShares: -1, lendablePercent: -1 } }),
    'spec.exempt.nominalConcurrencyShares: Invalid value: -1: must be a non-negative integer',
    'spec.exempt.lendablePercent: Invalid value: -1: must be between 0 and 100, inclusive',
  ],
  [
    'the exempt one is limited',
    exempt({ type: 'Limited', exempt: {}, limited: { limitResponse: { type: 'Reject' } } }),
    `spec.type: Invalid value: "Limited": type must be 'Exempt' if and only if name is 'exempt'`,
    'spec.exempt: Forbidden: must be nil if the type is Limited',
    /^spec: Invalid value: .*: spec of 'exempt' except the 'spec\.exempt' field must equal the fixed value$/,
  ],
  [
    'the last resort is changed',
    (object) => (object.metadata.name = 'catch-all'),
    /^spec: Invalid value: .*: spec of 'catch-all' must equal the fixed value$/,
  ],
])
testCreates(schemas, schema, [
  ['nothing is wrong', () => {}],
  [
    'a flow by color',
    (object) => (object.spec.distinguisherMethod = { type: 'ByColor' }),
    'spec.distinguisherMethod.type: Unsupported value: {"Type":"ByColor"}: supported values: "ByNamespace", "ByUser"',
  ],
  [
    'the first of all',
    (object) => (object.spec.matchingPrecedence = 1),
    "spec.matchingPrecedence: Invalid value: 1: only the schema named 'exempt' may have matchingPrecedence 1",
  ],
])
for (const [key, base] of [
  [levels, level],
  [schemas, schema],
] as const)
  testUpdates(key, base, { subresource: 'status' }, [
    [
      'conditions without a type, and twice',
      (object) => (object.status = { conditions: [{ type: '' }, { type: 'A' }, { type: 'A' }] }),
      'status.conditions[0].type: Required value: must not be empty',
      'status.conditions[2].type: Duplicate value: "A"',
    ],
  ])
