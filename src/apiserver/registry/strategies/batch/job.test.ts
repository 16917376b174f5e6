import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, testCreates, testUpdates, testWarnings } from '../rule-table.ts'
import { jobStrategy } from './job.ts'

const key = 'batch/jobs'
const base = {
  spec: {
    template: {
      metadata: { labels: { app: 'a' } },
      spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }], initContainers: [{ name: 'i', image: 'i' }] },
    },
  },
}
const indexed = { spec: { ...base.spec, completionMode: 'Indexed', completions: 10, parallelism: 10 } }
const codes = (more: object = {}) => ({ action: 'FailJob', onExitCodes: { operator: 'In', values: [1, 2], ...more } })
const rules =
  (...list: object[]) =>
  (job: any) =>
    (job.spec.podFailurePolicy = { rules: list })
const conditions = (...list: object[]) => ({ action: 'Ignore', onPodConditions: list })
const at = 'spec.podFailurePolicy.rules[0]'

test('jobs: what is left out gets the defaults of 1.36', () => {
  const { spec } = created(key, base).object
  const { completionMode, suspend, backoffLimit, podReplacementPolicy, manualSelector, completions, parallelism } = spec
  assert.deepEqual(
    { completionMode, suspend, backoffLimit, podReplacementPolicy, manualSelector, completions, parallelism },
    {
      completionMode: 'NonIndexed',
      suspend: false,
      backoffLimit: 6,
      podReplacementPolicy: 'TerminatingOrFailed',
      manualSelector: false,
      completions: 1,
      parallelism: 1,
    },
  )
  const perIndex = created(key, indexed, (job) => (job.spec.backoffLimitPerIndex = 1)).object
  assert.equal(perIndex.spec.backoffLimit, 2 ** 31 - 1)
  const policy = created(key, base, rules(conditions({ type: 'DisruptionTarget' }))).object
  assert.equal(policy.spec.podReplacementPolicy, 'Failed')
  assert.equal(policy.spec.podFailurePolicy.rules[0].onPodConditions[0].status, 'True')
})

testCreates(key, base, [
  [
    'a selector that is none',
    (job) => (job.spec.selector = { matchExpressions: [{ key: 'a', operator: 'Like' }] }),
    'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
  ],
  ['nothing is wrong', () => {}],
  [
    'a back-off limit for each index needs indexes',
    (job) => (job.spec.backoffLimitPerIndex = 1),
    'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
  ],
  [
    'failed indexes need a back-off limit and indexes',
    (job) => (job.spec.maxFailedIndexes = 1),
    'spec.backoffLimitPerIndex: Required value: when maxFailedIndexes is specified',
    'spec.maxFailedIndexes: Invalid value: 1: requires indexed completion mode',
  ],
  [
    'a mode that is none',
    (job) => (job.spec.completionMode = 'Some'),
    'spec.completionMode: Unsupported value: "Some": supported values: "NonIndexed", "Indexed"',
  ],
  [
    'a success policy needs indexes',
    (job) => (job.spec.successPolicy = { rules: [{ succeededCount: 1 }] }),
    /^spec\.successPolicy: Invalid value: .*: requires indexed completion mode$/,
  ],
  [
    'a replacement policy that is none',
    (job) => (job.spec.podReplacementPolicy = 'Soon'),
    'spec.podReplacementPolicy: Unsupported value: "Soon": supported values: "Failed", "TerminatingOrFailed"',
  ],
  ['no manager', (job) => (job.spec.managedBy = ''), 'spec.managedBy: Required value'],
  [
    'a manager without a domain',
    (job) => (job.spec.managedBy = 'me'),
    'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
  ],
  [
    'a manager of a bad domain and path',
    (job) => (job.spec.managedBy = 'A_b/c d'),
    'spec.managedBy: Invalid value: "A_b": a lowercase RFC 1123 subdomain must',
    `spec.managedBy: Invalid value: "c d": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`,
  ],
  ['a manager that is too long', (job) => (job.spec.managedBy = `a.io/${'x'.repeat(60)}`), 'spec.managedBy: Too long: may not be more than 63 bytes'],
  [
    'a policy that was not said',
    (job) => delete job.spec.template.spec.restartPolicy,
    'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
  ],
  [
    'failures of pods that restart their containers',
    (job) => {
      job.spec.template.spec.restartPolicy = 'OnFailure'
      rules(codes())(job)
    },
    'spec.template.spec.restartPolicy: Invalid value: "OnFailure": only "Never" is supported when podFailurePolicy is specified',
  ],
  [
    'replacing pods before they have failed, with a failure policy',
    (job) => {
      rules(codes())(job)
      job.spec.podReplacementPolicy = 'TerminatingOrFailed'
    },
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  ['21 rules', rules(...Array.from({ length: 21 }, () => codes())), 'spec.podFailurePolicy.rules: Too many: 21: must have at most 20 items'],
  ['no action', rules({ ...codes(), action: '' }), `${at}.action: Required value: valid values: ["Count" "FailIndex" "FailJob" "Ignore"]`],
  [
    'an action that is none',
    rules({ ...codes(), action: 'Cry' }),
    `${at}.action: Unsupported value: "Cry": supported values: "Count", "FailIndex", "FailJob", "Ignore"`,
  ],
  [
    'an index that fails, without limits for indexes',
    rules({ ...codes(), action: 'FailIndex' }),
    `${at}.action: Invalid value: "FailIndex": requires the backoffLimitPerIndex to be set`,
  ],
  [
    'exit codes and conditions',
    rules({ ...codes(), ...conditions({ type: 'A' }) }),
    `${at}: Invalid value: specifying both OnExitCodes and OnPodConditions is not supported`,
  ],
  [
    'neither exit codes nor conditions',
    rules({ action: 'Count' }),
    `${at}: Invalid value: specifying one of OnExitCodes and OnPodConditions is required`,
  ],
  ['no operator', rules(codes({ operator: '' })), `${at}.onExitCodes.operator: Required value: valid values: ["In" "NotIn"]`],
  [
    'an operator that is none',
    rules(codes({ operator: 'Near' })),
    `${at}.onExitCodes.operator: Unsupported value: "Near": supported values: "In", "NotIn"`,
  ],
  [
    'a container that is not there',
    rules(codes({ containerName: 'z' })),
    `${at}.onExitCodes.containerName: Invalid value: "z": must be one of the container or initContainer names in the pod template`,
  ],
  ['an init container', rules(codes({ containerName: 'i' }))],
  ['no codes', rules(codes({ values: [] })), `${at}.onExitCodes.values: Invalid value: []: at least one value is required`],
  [
    '256 codes',
    rules(codes({ values: Array.from({ length: 256 }, (_, i) => i + 1) })),
    `${at}.onExitCodes.values: Too many: 256: must have at most 255 items`,
  ],
  ['code 0 is no failure', rules(codes({ values: [0, 1] })), `${at}.onExitCodes.values[0]: Invalid value: 0: must not be 0 for the In operator`],
  ['code 0 may be among those that are not', rules(codes({ operator: 'NotIn', values: [0, 1] }))],
  ['codes out of order', rules(codes({ values: [2, 1] })), `${at}.onExitCodes.values: Invalid value: [2,1]: must be ordered`],
  ['one code twice', rules(codes({ values: [1, 1] })), `${at}.onExitCodes.values[1]: Duplicate value: 1`],
  [
    '21 conditions',
    rules(conditions(...Array.from({ length: 21 }, () => ({ type: 'A' })))),
    `${at}.onPodConditions: Too many: 21: must have at most 20 items`,
  ],
  [
    'a condition of a bad type',
    rules(conditions({ type: 'a b', status: 'True' })),
    `${at}.onPodConditions[0].type: Invalid value: "a b": name part must consist of`,
  ],
  [
    'a condition of a status that is none',
    rules(conditions({ type: 'A', status: 'Maybe' })),
    `${at}.onPodConditions[0].status: Unsupported value: "Maybe": supported values: "False", "True", "Unknown"`,
  ],
  [
    'labels that are not its own',
    (job) => (job.spec.template.metadata.labels['batch.kubernetes.io/job-name'] = 'y'),
    /^spec\.template\.metadata\.labels\[batch\.kubernetes\.io\/job-name\]: Invalid value: .*: must be 'x'$/,
  ],
])

const success =
  (...list: object[]) =>
  (job: any) =>
    (job.spec.successPolicy = { rules: list })
const first = 'spec.successPolicy.rules[0]'

testCreates(key, indexed, [
  ['nothing is wrong with one of indexes', () => {}],
  ['no completions of an indexed job', (job) => delete job.spec.completions, 'spec.completions: Required value: when completion mode is Indexed'],
  [
    'more pods at once than can be counted',
    (job) => Object.assign(job.spec, { parallelism: 100_001, completions: 100_001 }),
    'spec.parallelism: Invalid value: 100001: must be less than or equal to 100000 when completion mode is Indexed',
  ],
  [
    'more failed indexes than there are',
    (job) => Object.assign(job.spec, { backoffLimitPerIndex: 1, maxFailedIndexes: 11 }),
    'spec.maxFailedIndexes: Invalid value: 11: must be less than or equal to completions',
  ],
  [
    'more failed indexes than can be counted',
    (job) => Object.assign(job.spec, { backoffLimitPerIndex: 1, completions: 200_000, maxFailedIndexes: 100_001 }),
    'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 100000',
    'spec.maxFailedIndexes: Invalid value: 100001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
  ],
  [
    'many indexes with limits of their own',
    (job) => Object.assign(job.spec, { backoffLimitPerIndex: 1, completions: 100_001, parallelism: 10_001 }),
    'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
    'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
  ],
  [
    'a name that is too long for the host name of the last pod',
    (job) => (job.metadata.name = 'x'.repeat(62)),
    `metadata.name: Invalid value: "${'x'.repeat(62)}": will not able to create pod with invalid DNS label: ${'x'.repeat(62)}-9`,
  ],
  [
    'a policy without rules',
    success(),
    'spec.successPolicy.rules: Required value: at least one rules must be specified when the successPolicy is specified',
  ],
  [
    '21 rules of success',
    success(...Array.from({ length: 21 }, () => ({ succeededCount: 1 }))),
    'spec.successPolicy.rules: Too many: 21: must have at most 20 items',
  ],
  ['a rule of nothing', success({}), `${first}: Required value: at least one of succeededCount or succeededIndexes must be specified`],
  ['a negative count', success({ succeededCount: -1 }), `${first}.succeededCount: Invalid value: -1: must be greater than or equal to 0`],
  [
    'more than there are',
    success({ succeededCount: 11 }),
    `${first}.succeededCount: Invalid value: 11: must be less than or equal to 10 (the number of specified completions)`,
  ],
  [
    'more than are named',
    success({ succeededCount: 4, succeededIndexes: '0-2' }),
    `${first}.succeededCount: Invalid value: 4: must be less than or equal to 3 (the number of indexes in the specified succeededIndexes field)`,
  ],
  [
    'indexes that are none',
    success({ succeededIndexes: 'a' }),
    `${first}.succeededIndexes: Invalid value: "a": error parsing succeededIndexes: cannot convert string to integer for index: "a"`,
  ],
  [
    'indexes beyond the end',
    success({ succeededIndexes: '1,10' }),
    `${first}.succeededIndexes: Invalid value: "1,10": error parsing succeededIndexes: too large index: "10"`,
  ],
  [
    'an interval of three ends',
    success({ succeededIndexes: '1-2-3' }),
    `${first}.succeededIndexes: Invalid value: "1-2-3": error parsing succeededIndexes: the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
  ],
  [
    'indexes that shrink',
    success({ succeededIndexes: '5,3' }),
    `${first}.succeededIndexes: Invalid value: "5,3": error parsing succeededIndexes: non-increasing order, previous: 5, current: 3`,
  ],
  [
    'an interval that shrinks',
    success({ succeededIndexes: '5-3' }),
    `${first}.succeededIndexes: Invalid value: "5-3": error parsing succeededIndexes: non-increasing order, previous: 5, current: 3`,
  ],
  [
    'indexes longer than 64 KiB',
    success({ succeededIndexes: '0'.repeat(64 * 1024 + 1) }),
    `${first}.succeededIndexes: Too long: may not be more than 65536 bytes`,
  ],
])

testUpdates(key, base, {}, [
  ['the number of pods', (job) => (job.spec.parallelism = 3)],
  ['completions', (job) => (job.spec.completions = 3), 'spec.completions: Invalid value: 3: field is immutable'],
  ['the mode', (job) => (job.spec.completionMode = 'Indexed'), 'spec.completionMode: Invalid value: "Indexed": field is immutable'],
  [
    'the failure policy',
    rules(codes()),
    /^spec\.podFailurePolicy: Invalid value: .*: field is immutable$/,
    'spec.podReplacementPolicy: Unsupported value: "TerminatingOrFailed": supported values: "Failed"',
  ],
  ['the manager', (job) => (job.spec.managedBy = 'a.io/b'), 'spec.managedBy: Invalid value: "a.io/b": field is immutable'],
  [
    'where the pods of a running job go',
    (job) => (job.spec.template.spec.nodeSelector = { a: 'b' }),
    /^spec\.template: Invalid value: .*: field is immutable$/,
  ],
])

testUpdates(key, indexed, {}, [
  ['completions together with parallelism', (job) => Object.assign(job.spec, { completions: 5, parallelism: 5 })],
  [
    'completions alone',
    (job) => (job.spec.completions = 5),
    'spec.completions: Invalid value: 5: can only be modified in tandem with spec.parallelism',
  ],
])

const suspended = { spec: { ...base.spec, suspend: true } }
const scheduling: [string, (job: any) => void][] = [
  ['node selectors', (job) => (job.spec.template.spec.nodeSelector = { a: 'b' })],
  ['tolerations', (job) => (job.spec.template.spec.tolerations = [{ key: 'a', operator: 'Exists' }])],
  ['gates', (job) => (job.spec.template.spec.schedulingGates = [{ name: 'a.io/b' }])],
  [
    'labels and annotations',
    ({ spec: { template } }) => Object.assign(template.metadata, { annotations: { a: 'b' }, labels: { ...template.metadata.labels, a: 'b' } }),
  ],
  ['resources', (job) => (job.spec.template.spec.containers[0].resources = { requests: { cpu: '2' } })],
  ['resources of init containers', (job) => (job.spec.template.spec.initContainers[0].resources = { requests: { cpu: '2' } })],
  [
    'the affinity to nodes',
    (job) =>
      (job.spec.template.spec.affinity = {
        nodeAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }] },
        },
      }),
  ],
]
const stays = /^spec\.template: Invalid value: .*: field is immutable$/
const podAffinity = (job: any) =>
  (job.spec.template.spec.affinity = {
    podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'a', labelSelector: { matchLabels: { a: 'b' } } }] },
  })

testUpdates(key, suspended, {}, [
  ...scheduling.map(([title, change]): [string, (job: any) => void] => [`${title} of a job that is suspended`, change]),
  ['the image of a job that is suspended', (job) => (job.spec.template.spec.containers[0].image = 'b'), stays],
  ['the affinity to pods of a job that is suspended', podAffinity, stays],
])
testUpdates(key, suspended, { before: (job) => (job.status = { startTime: '2026-01-01T00:00:00Z' }) }, [
  ['node selectors of a job that had started, before its controller has stopped it', scheduling[0]![1], stays],
])
testUpdates(key, suspended, { before: (job) => (job.status = { active: 1 }) }, [
  ['node selectors of a suspended job with pods', scheduling[0]![1], stays],
])
const stopped = { startTime: '2026-01-01T00:00:00Z', conditions: [{ type: 'Suspended', status: 'True' }] }
testUpdates(key, suspended, { before: (job) => (job.status = stopped) }, [['resources of a job that had started and was stopped', scheduling[4]![1]]])
testUpdates(
  key,
  base,
  {
    before: (job) => {
      delete job.spec.template.metadata.labels['batch.kubernetes.io/job-name']
      job.spec.selector = { matchLabels: { 'controller-uid': 'uid' } }
    },
  },
  [['a job from before labels had domains', (job) => (job.spec.parallelism = 2)]],
)

testWarnings(key, base, [
  ['none', 'create', () => {}],
  ['none of an update', 'update', (job) => (job.spec.parallelism = 2)],
  [
    'a job that may be too large to be counted',
    'create',
    (job) => Object.assign(job.spec, { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 }),
    'spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail',
  ],
])
const host = 'metadata.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: ['
test('warnings of workloads: names that are no host names', () => {
  const { object } = created(key, base, (job) => (job.metadata.name = 'a.b'))
  const [warning, ...others] = jobStrategy.warnings!(object as never)
  assert.ok(warning!.startsWith(host), warning ?? '')
  assert.deepEqual(others, [])
})
