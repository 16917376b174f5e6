import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ci, core } from '#api'
import type { AgentReport } from '../agent/plan.ts'
import { imagePatience, type JobState, planJob, slotFor } from './job-plan.ts'

const now = Date.UTC(2026, 0, 2)
const iso = (ms: number) => new Date(ms).toISOString()

const job = (more: { spec?: object; status?: object } = {}): ci.Job =>
  ({
    metadata: { name: 'blog-1-test', namespace: 'default', uid: 'u' },
    spec: { job: 'test', definition: { executor: { type: 'docker', images: [{ image: 'a' }] } }, ...more.spec },
    status: { phase: 'Running', attempt: 1, startTime: iso(now - 10_000), instances: [{ index: 0, podName: 'p-0' }], ...more.status },
  }) as unknown as ci.Job
const project = (spec: object = {}) =>
  ({ metadata: { name: 'blog' }, spec: { infrastructureRetries: 1, jobTimeoutSeconds: 60, ...spec } }) as ci.Project
const pod = (status: object = { phase: 'Running' }, metadata: object = {}): core.Pod =>
  ({
    metadata: { name: 'p-0', creationTimestamp: iso(now - 5000), ...metadata },
    spec: { containers: [{ name: 'steps', image: 'reg/app:1' }] },
    status,
  }) as unknown as core.Pod
const report = (more: Partial<AgentReport> = {}): AgentReport => ({
  phase: 'Running',
  steps: [{ index: 0, name: 'Spin up environment', phase: 'Succeeded' }],
  artifacts: 0,
  startTime: iso(now),
  logSize: 0,
  ...more,
})
const ended = (phase: AgentReport['phase'], more: Partial<AgentReport> = {}) => report({ phase, completionTime: iso(now), ...more })
const container = (name: string, state: object) => ({ phase: 'Running', containerStatuses: [{ name, state }] })
const state = (more: Partial<JobState> = {}): JobState => ({ job: job(), project: project(), now, pods: [pod()], reports: [report()], ...more })

const failure = { step: 2, name: 'rspec', exitCode: 1, source: { file: '.circleci/config.yml', line: 12 }, output: ['1 failure'] }

const cases: [title: string, state: JobState, kind: string, phase: string | undefined, message: RegExp | undefined][] = [
  ['a job whose agent reports runs', state(), 'goes on', 'Running', undefined],
  [
    'a pod that waits for its image says so',
    state({ reports: [undefined], pods: [pod(container('steps', { waiting: { reason: 'ErrImagePull', message: 'connection refused' } }))] }),
    'goes on',
    'Starting',
    /reg\/app:1 cannot be pulled: connection refused/,
  ],
  [
    'a registry that stays away ends the job',
    state({
      reports: [undefined],
      pods: [
        pod(container('steps', { waiting: { reason: 'ErrImagePull', message: 'connection refused' } }), {
          creationTimestamp: iso(now - imagePatience),
        }),
      ],
    }),
    'ended',
    'InfrastructureFailed',
    /cannot be pulled/,
  ],
  [
    'an image whose name is none ends it at once',
    state({ reports: [undefined], pods: [pod(container('steps', { waiting: { reason: 'InvalidImageName' } }))] }),
    'ended',
    'Failed',
    /no name of an image/,
  ],
  [
    'a pod that no node takes waits',
    state({
      reports: [undefined],
      pods: [pod({ phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: '0/1 nodes are available' }] })],
    }),
    'goes on',
    'Starting',
    /no node takes the pod: 0\/1/,
  ],
  ['a job that succeeded', state({ reports: [ended('Succeeded')] }), 'ended', 'Succeeded', undefined],
  [
    'a step that failed is named with its place',
    state({ reports: [ended('Failed', { failure })] }),
    'ended',
    'Failed',
    /^"rspec" \(\.circleci\/config\.yml:12\): exit code 1$/,
  ],
  [
    'a step’s failure is not tried again, also when its pod is gone',
    state({ reports: [ended('Failed', { failure })], pods: [undefined] }),
    'ended',
    'Failed',
    /rspec/,
  ],
  ['a pod that is gone lets the job start again', state({ pods: [undefined] }), 'restart', undefined, undefined],
  [
    'so does one that was evicted',
    state({ pods: [pod({ phase: 'Failed', reason: 'Evicted', message: 'low on disk' })] }),
    'restart',
    undefined,
    undefined,
  ],
  [
    'so does an agent that was killed',
    state({ pods: [pod(container('agent', { terminated: { exitCode: 137 } }))] }),
    'restart',
    undefined,
    undefined,
  ],
  ['an agent that was told to end by nobody we know was a pod’s end', state({ reports: [ended('Canceled')] }), 'restart', undefined, undefined],
  [
    'a job starts again so many times, and then no more',
    state({ job: job({ status: { attempt: 2 } }), pods: [undefined] }),
    'ended',
    'InfrastructureFailed',
    /started 2 times/,
  ],
  [
    'a container that took too much memory failed, and is not started again',
    state({ pods: [pod(container('steps', { terminated: { exitCode: 137, reason: 'OOMKilled' } }))] }),
    'ended',
    'Failed',
    /more memory/,
  ],
  [
    'an image without a shell is the user’s to mend',
    state({
      reports: [undefined],
      pods: [pod(container('steps', { terminated: { exitCode: 128, reason: 'StartError', message: 'no such file' } }))],
    }),
    'ended',
    'Failed',
    /needs \/bin\/sh/,
  ],
  [
    'an agent whose report nobody took is believed by its last words',
    state({ pods: [pod(container('agent', { terminated: { exitCode: 0, message: '{"phase":"Succeeded"}' } }))] }),
    'ended',
    'Succeeded',
    undefined,
  ],
  [
    'an agent that found the disk full lets the job start again',
    state({ pods: [pod(container('agent', { terminated: { exitCode: 70, message: '{"phase":"InfrastructureFailed","message":"ENOSPC"}' } }))] }),
    'restart',
    undefined,
    undefined,
  ],
  [
    'a service that ended with an error is named beside the step that missed it',
    state({
      reports: [ended('Failed', { failure })],
      pods: [pod(container('service-1', { terminated: { exitCode: 1 } }))],
      job: job({ spec: { definition: { executor: { type: 'docker', images: [{ image: 'a' }, { image: 'mariadb', name: 'db' }] } } } }),
    }),
    'ended',
    'Failed',
    /exit code 1; the service db ended: exit code 1$/,
  ],
  ['a job that takes too long is ended', state({ now: now + 60_000 }), 'ended', 'TimedOut', /60 s/],
  ['a job that is canceled is ended', state({ job: job({ spec: { cancel: true } }) }), 'ended', 'Canceled', /canceled/],
]

for (const [title, input, kind, phase, message] of cases)
  test(title, () => {
    const plan = planJob(input)
    assert.equal(plan.kind, kind)
    if (phase) assert.equal('phase' in plan && plan.phase, phase)
    if (message) assert.match(plan.message ?? '', message)
  })

test('of several copies the one that failed is named, and tests add up', () => {
  const tests = { total: 2, failed: 1, skipped: 0, failures: [{ name: 'x' }] }
  const plan = planJob(
    state({
      job: job({
        status: {
          instances: [
            { index: 0, podName: 'p-0' },
            { index: 1, podName: 'p-1' },
          ],
        },
      }),
      pods: [pod(), pod()],
      reports: [ended('Succeeded', { tests: { ...tests, failed: 0, failures: [] } }), ended('Failed', { failure, tests })],
    }),
  )
  assert.equal(plan.message, '"rspec" of copy 1 (.circleci/config.yml:12): exit code 1')
  assert.deepEqual(plan.tests, { total: 4, failed: 1, skipped: 0, failures: [{ name: 'x' }] })
})

test('what failed of the infrastructure is written down', () => {
  const plan = planJob(state({ pods: [pod({ phase: 'Failed', reason: 'Evicted', message: 'low on disk' })] }))
  assert.ok(plan.kind === 'restart')
  assert.deepEqual(plan.failures, [
    { attempt: 1, index: 0, podName: 'p-0', reason: 'Evicted', message: 'the pod ended: Evicted: low on disk', time: '2026-01-02T00:00:00Z' },
  ])
})

const queued = (name: string, second: number, serialGroup?: string) =>
  ({ metadata: { name, creationTimestamp: iso(now + second * 1000) }, spec: { job: name, ...(serialGroup ? { serialGroup } : {}) } }) as ci.Job

test('who came first has the turn; a serial group runs one at a time and keeps nobody else waiting', () => {
  const [a, b, c] = [queued('a', 1), queued('b', 2, 'deploy'), queued('c', 3)]
  const two = project({ concurrency: 2 })
  assert.deepEqual(slotFor(a, two, { active: [], queued: [a, b, c] }), { free: true })
  assert.deepEqual(slotFor(b, two, { active: [], queued: [a, b, c] }), { free: true })
  assert.equal(slotFor(c, two, { active: [], queued: [a, b, c] }).free, false)
  const holder = queued('d', 0, 'deploy')
  assert.deepEqual(slotFor(b, two, { active: [holder], queued: [b, c] }), { free: false, why: 'waits for d of the serial group deploy' })
  assert.deepEqual(slotFor(c, two, { active: [holder], queued: [b, c] }), { free: true })
  assert.equal(slotFor(c, two, { active: [holder, a], queued: [c] }).free, false)
})
