import { testCreates, testUpdates } from '../rule-table.ts'

const key = 'policy/poddisruptionbudgets'
const base = { spec: { minAvailable: 1, selector: { matchLabels: { a: 'b' } } } }
const spec = (more: object) => (budget: any) => Object.assign(budget.spec, more)

testCreates(key, base, [
  ['nothing is wrong', () => {}],
  ['unhealthy pods may go', spec({ unhealthyPodEvictionPolicy: 'AlwaysAllow' })],
  [
    'a policy that is none',
    spec({ unhealthyPodEvictionPolicy: 'Never' }),
    'spec.unhealthyPodEvictionPolicy: Unsupported value: "Never": supported values: "AlwaysAllow", "IfHealthyBudget"',
  ],
  ['an empty policy', spec({ unhealthyPodEvictionPolicy: '' }), 'spec.unhealthyPodEvictionPolicy: Unsupported value: "": supported'],
  [
    'both bounds',
    spec({ maxUnavailable: 1 }),
    'spec: Invalid value: {"MinAvailable":1,"Selector":{"matchLabels":{"a":"b"}},"MaxUnavailable":1,"UnhealthyPodEvictionPolicy":null}: minAvailable and maxUnavailable cannot be both set',
  ],
  ['more than all', spec({ minAvailable: '101%' }), 'spec.minAvailable: Invalid value: "101%": must not be greater than 100%'],
])

const condition = { type: 'DisruptionAllowed', status: 'True', reason: 'SufficientPods', message: '', lastTransitionTime: '2026-01-01T00:00:00Z' }
const conditions =
  (...list: object[]) =>
  (budget: any) =>
    (budget.status.conditions = list)
const at = 'status.conditions[0]'
testUpdates(key, base, { subresource: 'status' }, [
  ['a condition', conditions(condition)],
  ['one condition twice', conditions(condition, condition), 'status.conditions[1].type: Duplicate value: "DisruptionAllowed"'],
  [
    'a condition of nothing',
    conditions({}),
    `${at}.type: Invalid value: "": name part must be non-empty`,
    `${at}.type: Invalid value: "": name part must consist of`,
    `${at}.status: Unsupported value: "": supported values: "False", "True", "Unknown"`,
    `${at}.lastTransitionTime: Required value`,
    `${at}.reason: Required value`,
  ],
  [
    'a bad reason',
    conditions({ ...condition, reason: 'not so' }),
    `${at}.reason: Invalid value: "not so": a condition reason must start with alphabetic character`,
  ],
  ['a long message', conditions({ ...condition, message: 'x'.repeat(32 * 1024 + 1) }), `${at}.message: Too long: may not be more than 32768 bytes`],
  ['a negative number', (budget) => (budget.status.expectedPods = -1), 'status.expectedPods: Invalid value: -1: must be greater than or equal to 0'],
])
