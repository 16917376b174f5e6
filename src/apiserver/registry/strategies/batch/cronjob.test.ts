import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created, testCreates, testUpdates, testWarnings } from '../rule-table.ts'

const key = 'batch/cronjobs'
const jobTemplate = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } } }
const base = { spec: { schedule: '* * * * *', jobTemplate } }

test('cron jobs: conditions of failure policies are true when nothing is said, and jobs are not defaulted', () => {
  const { spec } = created(key, base, ({ spec }) => {
    spec.jobTemplate.spec.podFailurePolicy = { rules: [{ action: 'Ignore', onPodConditions: [{ type: 'A' }] }] }
  }).object
  assert.equal(spec.jobTemplate.spec.podFailurePolicy.rules[0].onPodConditions[0].status, 'True')
  assert.equal(spec.jobTemplate.spec.completionMode, undefined)
  assert.equal(spec.jobTemplate.spec.manualSelector, undefined)
})

const schedule = (text: string) => (cron: any) => (cron.spec.schedule = text)
const zone = (name: string) => (cron: any) => (cron.spec.timeZone = name)
const noZone = 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead'

testCreates(key, base, [
  ['nothing is wrong', () => {}],
  ['no schedule', schedule(''), 'spec.schedule: Required value'],
  ['a zone in the schedule', schedule('TZ=UTC 0 * * * *'), `spec.schedule: Invalid value: "TZ=UTC 0 * * * *": ${noZone}`],
  ['a zone of cron', schedule('CRON_TZ=UTC 0 * * * *'), `spec.schedule: Invalid value: "CRON_TZ=UTC 0 * * * *": ${noZone}`],
  [
    'an unknown zone in the schedule',
    schedule('TZ=Moon 0 * * * *'),
    'spec.schedule: Invalid value: "TZ=Moon 0 * * * *": provided bad location Moon: unknown time zone Moon',
    `spec.schedule: Invalid value: "TZ=Moon 0 * * * *": ${noZone}`,
  ],
  ['a time zone', zone('Europe/Berlin')],
  ['an old name of a time zone', zone('US/Pacific')],
  ['an empty time zone', zone(''), 'spec.timeZone: Invalid value: "": timeZone must be nil or non-empty string'],
  [
    'the time zone of the machine',
    zone('LOCAL'),
    'spec.timeZone: Invalid value: "LOCAL": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
  ],
  ...['Mars/Base', ' America/New_York', '../UTC', 'UTC/', 'Europe//Berlin', '-UTC', 'europe/berlin', '+0100', 'Etc/GMT+1x'].map(
    (name): [string, (cron: any) => void, string] => [
      `the time zone ${name}`,
      zone(name),
      `spec.timeZone: Invalid value: ${JSON.stringify(name)}: unknown time zone ${name}`,
    ],
  ),
  [
    'no policy',
    (cron) => (cron.spec.concurrencyPolicy = 'Maybe'),
    'spec.concurrencyPolicy: Unsupported value: "Maybe": supported values: "Allow", "Forbid", "Replace"',
  ],
  [
    'a job with a selector',
    (cron) => Object.assign(cron.spec.jobTemplate.spec, { manualSelector: true, selector: { matchLabels: { a: 'b' } } }),
    'spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated',
    'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
  ],
  [
    'an indexed job without completions',
    (cron) => (cron.spec.jobTemplate.spec.completionMode = 'Indexed'),
    'spec.jobTemplate.spec.completions: Required value: when completion mode is Indexed',
  ],
  [
    'a name of 53 characters',
    (cron) => (cron.metadata.name = 'x'.repeat(53)),
    `metadata.name: Invalid value: "${'x'.repeat(53)}": must be no more than 52 characters`,
  ],
])

testUpdates(key, base, { before: (cron) => (cron.metadata.name = 'x'.repeat(60)) }, [
  ['a cron job whose name is from before there was a limit', schedule('0 * * * *')],
  ['a zone in the schedule', schedule('TZ=UTC 0 * * * *'), `spec.schedule: Invalid value: "TZ=UTC 0 * * * *": ${noZone}`],
])
testUpdates(key, base, { before: schedule('TZ=UTC 0 * * * *') }, [
  ['a schedule that had a zone', schedule('TZ=UTC 1 * * * *')],
  [
    'a schedule that had a zone gets another',
    zone('UTC'),
    'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use both timeZone field and TZ or CRON_TZ in schedule',
  ],
])
testUpdates(key, base, { before: zone('Mars/Base') }, [
  ['what had a time zone that is unknown by now', schedule('0 * * * *')],
  ['another unknown time zone', zone('Mars/Crater'), 'spec.timeZone: Invalid value: "Mars/Crater": unknown time zone Mars/Crater'],
])

const large = (cron: any) => Object.assign(cron.spec.jobTemplate.spec, { completionMode: 'Indexed', completions: 100_001, parallelism: 10_001 })
const warning =
  'spec.jobTemplate.spec: In Indexed Jobs with a number of completions higher than 10^5 and a parallelism higher than 10^4, Kubernetes might not be able to track completedIndexes when a big number of indexes fail'
testWarnings(key, base, [
  ['none', 'create', () => {}],
  ['jobs that may be too large', 'create', large, warning],
  ['jobs that have become large', 'update', large, warning],
  [
    'a zone in a schedule',
    'update',
    schedule('TZ=UTC 0 * * * *'),
    'cannot use TZ or CRON_TZ in spec.spec.schedule, use timeZone instead, see https://kubernetes.io/docs/concepts/workloads/controllers/cron-jobs/ for more details',
  ],
])
