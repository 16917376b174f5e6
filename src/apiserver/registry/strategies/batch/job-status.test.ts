import { testUpdates } from '../rule-table.ts'

const key = 'batch/jobs'
const base = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'a', image: 'a' }] } } } }
const indexed = { spec: { ...base.spec, completionMode: 'Indexed', completions: 10, parallelism: 10 } }

const time = '2026-01-01T00:00:00Z'
const later = '2026-01-01T00:01:00Z'
const is = (...types: string[]) => types.map((type) => ({ type, status: 'True' }))
const status = (more: object) => (job: any) => (job.status = { ...job.status, ...more })
const succeeded = { conditions: is('SuccessCriteriaMet', 'Complete'), startTime: time, completionTime: later }
const failure = { conditions: is('FailureTarget', 'Failed'), startTime: time }

testUpdates(key, base, { subresource: 'status', before: status({ startTime: time }) }, [
  ['it completes', status(succeeded)],
  ['it fails', status(failure)],
  [
    'negative counts',
    status({ active: -1, succeeded: -1, failed: -1, ready: -1, terminating: -1 }),
    ...['active', 'succeeded', 'failed', 'ready', 'terminating'].map(
      (field) => `status.${field}: Invalid value: -1: must be greater than or equal to 0`,
    ),
    'status.failed: Invalid value: -1: cannot decrease the failed counter',
    'status.succeeded: Invalid value: -1: cannot decrease the succeeded counter',
  ],
  [
    'pods without a uid, or counted twice',
    status({ uncountedTerminatedPods: { succeeded: ['a', ''], failed: ['a', ''] } }),
    'status.uncountedTerminatedPods.succeeded[1]: Invalid value: "": must not be empty',
    'status.uncountedTerminatedPods.failed[0]: Duplicate value: "a"',
    'status.uncountedTerminatedPods.failed[1]: Invalid value: "": must not be empty',
  ],
  [
    'complete and failed',
    status({ ...succeeded, conditions: is('SuccessCriteriaMet', 'Complete', 'FailureTarget', 'Failed') }),
    'status.conditions: Invalid value: cannot set Complete=True and Failed=true conditions',
    'status.conditions: Invalid value: cannot set Complete=True and FailureTarget=true conditions',
    'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and Failed=true conditions',
    'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True and FailureTarget=true conditions',
  ],
  [
    'complete out of the blue',
    status({ ...succeeded, conditions: is('Complete') }),
    'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
  ],
  [
    'failed out of the blue',
    status({ ...failure, conditions: is('Failed') }),
    'status.conditions: Invalid value: cannot set Failed=True condition without the FailureTarget=true condition',
  ],
  [
    'complete at no time',
    status({ ...succeeded, completionTime: undefined }),
    'status.completionTime: Required value: completionTime is required for Complete jobs',
  ],
  [
    'a time of completion alone',
    status({ completionTime: later }),
    `status.completionTime: Invalid value: "${later}": cannot set completionTime when there is no Complete=True condition`,
  ],
  [
    'complete before it started',
    status({ ...succeeded, completionTime: '2025-01-01T00:00:00Z' }),
    'status.completionTime: Invalid value: "2025-01-01T00:00:00Z": completionTime cannot be set before startTime',
  ],
  ['another start', status({ startTime: later }), 'status.startTime: Required value: startTime cannot be removed for unsuspended job'],
  [
    'ended with pods',
    status({ ...failure, active: 1, terminating: 1, uncountedTerminatedPods: { failed: ['a'] } }),
    'status.active: Invalid value: 1: active>0 is invalid for finished job',
    'status.terminating: Invalid value: 1: terminating>0 is invalid for finished job',
    'status.uncountedTerminatedPods: Invalid value: {"Succeeded":null,"Failed":["a"]}: uncountedTerminatedPods needs to be empty for finished job',
  ],
  ['more ready than active', status({ active: 1, ready: 2 }), 'status.ready: Invalid value: 2: cannot set more ready pods than active'],
  [
    'indexes of a job without',
    status({ completedIndexes: '0' }),
    'status.completedIndexes: Invalid value: "0": cannot set non-empty completedIndexes when non-indexed completion mode',
  ],
  [
    'failed indexes of a job without',
    status({ failedIndexes: '0' }),
    'status.failedIndexes: Invalid value: "0": cannot set non-null failedIndexes when backoffLimitPerIndex is null',
  ],
])
testUpdates(key, base, { subresource: 'status' }, [
  [
    'ended without a start',
    status({ conditions: is('FailureTarget', 'Failed') }),
    'status.startTime: Required value: startTime is required for finished job',
  ],
])
testUpdates(key, base, { subresource: 'status', before: status({ ...succeeded, succeeded: 3, failed: 2 }) }, [
  ['the same again', () => {}],
  [
    'it did not complete after all',
    status({ conditions: [] }),
    'status.conditions: Invalid value: cannot disable the terminal Complete=True condition',
    'status.conditions: Invalid value: cannot disable the SuccessCriteriaMet=True condition',
    `status.completionTime: Invalid value: "${later}": cannot set completionTime when there is no Complete=True condition`,
  ],
  [
    'another time of completion',
    status({ completionTime: '2026-01-01T00:02:00Z' }),
    'status.completionTime: Invalid value: "2026-01-01T00:02:00Z": completionTime cannot be mutated',
  ],
  [
    'fewer that succeeded and failed',
    status({ succeeded: 2, failed: 1 }),
    'status.failed: Invalid value: 1: cannot decrease the failed counter',
    'status.succeeded: Invalid value: 2: cannot decrease the succeeded counter',
  ],
])
testUpdates(key, base, { subresource: 'status', before: status({ ...failure }) }, [
  [
    'it did not fail after all',
    status({ conditions: [] }),
    'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
    'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
  ],
])
testUpdates(key, base, { subresource: 'status', before: status({ conditions: is('Complete'), startTime: time, completionTime: later }) }, [
  [
    'a reason for a success of old',
    status({ conditions: is('Complete', 'SuccessCriteriaMet') }),
    'status.conditions: Invalid value: cannot set SuccessCriteriaMet=True for Job already has Complete=true conditions',
  ],
])
const perIndex = { spec: { ...indexed.spec, backoffLimitPerIndex: 1, completions: 8 } }
testUpdates(key, perIndex, { subresource: 'status', before: status({ succeeded: 2 }) }, [
  ['indexes', status({ succeeded: 3, completedIndexes: '0,3-4', failedIndexes: '1-2,7' })],
  [
    'completed indexes that are none',
    status({ completedIndexes: '0,x' }),
    'status.completedIndexes: Invalid value: "0,x": error parsing completedIndexes: cannot convert string to integer for index: "x"',
  ],
  [
    'failed indexes beyond the end',
    status({ failedIndexes: '8' }),
    'status.failedIndexes: Invalid value: "8": error parsing failedIndexes: too large index: "8"',
  ],
  [
    'an index that failed and completed',
    status({ completedIndexes: '0,3-5', failedIndexes: '1,4' }),
    'status.failedIndexes: Invalid value: "1,4": failedIndexes and completedIndexes overlap at index: 4',
  ],
])
testUpdates(key, indexed, { subresource: 'status', before: status({ succeeded: 2 }) }, [
  ['fewer that succeeded, of a job that may shrink', status({ succeeded: 1 })],
])
