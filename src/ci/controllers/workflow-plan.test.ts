import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ci } from '#api'
import type { JobOutcome, WorkflowJob } from '../config/compiled.ts'
import { childName } from './object-names.ts'
import { keptJobs, planWorkflow } from './workflow-plan.ts'

const job = (name: string, requires: (string | [string, JobOutcome[]])[] = [], type: WorkflowJob['type'] = 'build'): WorkflowJob => ({
  name,
  type,
  contexts: [],
  requires: requires.map((r) => (typeof r === 'string' ? { job: r, on: ['success'] } : { job: r[0], on: r[1] })),
})
const object = (name: string, phase: ci.JobPhase) => ({ metadata: { name: `w-${name}` }, spec: { job: name }, status: { phase } }) as ci.Job
const state = (jobs: WorkflowJob[], phases: Record<string, ci.JobPhase> = {}, more: object = {}) => ({
  name: 'w',
  jobs,
  objects: new Map(Object.entries(phases).map(([name, phase]) => [name, object(name, phase)])),
  kept: new Map(),
  cancel: false,
  ...more,
})

const chain = [
  job('test'),
  job('hold', ['test'], 'approval'),
  job('deploy', ['hold', 'test']),
  job('clean', [['deploy', ['success', 'failed', 'canceled', 'not_run']]]),
]

const cases: [title: string, state: Parameters<typeof planWorkflow>[0], create: string[], phases: string, phase: ci.PipelinePhase][] = [
  ['what requires nothing starts', state(chain), ['test'], 'Queued Blocked Blocked Blocked', 'Running'],
  ['an approval waits for somebody', state(chain, { test: 'Succeeded' }), ['hold'], 'Succeeded OnHold Blocked Blocked', 'OnHold'],
  [
    'an approval that was given lets the next one start',
    state(chain, { test: 'Succeeded', hold: 'Succeeded' }),
    ['deploy'],
    'Succeeded Succeeded Queued Blocked',
    'Running',
  ],
  [
    'a failure keeps what requires it from running, and starts what asks for it',
    state(chain, { test: 'Failed' }),
    ['clean'],
    'Failed NotRun NotRun Queued',
    'Running',
  ],
  [
    'all that could run has run: the workflow failed',
    state(chain, { test: 'Failed', clean: 'Succeeded' }),
    [],
    'Failed NotRun NotRun Succeeded',
    'Failed',
  ],
  ['a job that does nothing is done', state([job('a', [], 'no-op'), job('b', ['a'])]), ['b'], 'Succeeded Queued', 'Running'],
  ['jobs may stand in any order', state([job('b', ['a']), job('a')], { a: 'Succeeded' }), ['b'], 'Queued Succeeded', 'Running'],
  ['a canceled workflow starts nothing', state(chain, { test: 'Running' }, { cancel: true }), [], 'Running Canceled Canceled Canceled', 'Running'],
  ['and ends as canceled', state(chain, { test: 'Canceled' }, { cancel: true }), [], 'Canceled Canceled Canceled Canceled', 'Canceled'],
  [
    'a rerun keeps what succeeded',
    state(chain, {}, { kept: new Map([['test', { name: 'test', phase: 'Succeeded', jobName: 'old-test' }]]) }),
    ['hold'],
    'Succeeded OnHold Blocked Blocked',
    'OnHold',
  ],
]

for (const [title, input, create, phases, phase] of cases)
  test(title, () => {
    const plan = planWorkflow(input)
    assert.deepEqual(
      plan.create.map((c) => c.job.name),
      create,
    )
    assert.equal(plan.jobs.map((j) => j.phase).join(' '), phases)
    assert.equal(plan.phase, phase)
  })

test('what is canceled is told so once', () => {
  assert.deepEqual(planWorkflow(state(chain, { test: 'Running' }, { cancel: true })).cancel, ['w-test'])
})

test('a job sees the workspaces of all jobs before it, also of those that a rerun kept', () => {
  const kept = new Map([['test', { name: 'test', phase: 'Succeeded', jobName: 'old-test' }]])
  assert.deepEqual(planWorkflow(state(chain, { hold: 'Succeeded' }, { kept })).create[0]!.workspaces, ['old-test', 'w-hold'])
})

test('a rerun from failed takes over what succeeded and does not depend on what failed', () => {
  const jobs = [job('a'), job('b'), job('c', ['a', 'b'])]
  const before = [
    { name: 'a', phase: 'Succeeded' as const },
    { name: 'b', phase: 'Failed' as const },
    { name: 'c', phase: 'NotRun' as const },
  ]
  assert.deepEqual([...keptJobs(jobs, before, 'failed').keys()], ['a'])
  assert.deepEqual([...keptJobs(jobs, before, 'start').keys()], [])
  assert.deepEqual(
    [
      ...keptJobs(
        jobs,
        [
          { name: 'a', phase: 'Succeeded' },
          { name: 'b', phase: 'Succeeded' },
          { name: 'c', phase: 'Succeeded' },
        ],
        'start',
        ['b'],
      ).keys(),
    ],
    ['a'],
  )
})

test('names of objects are DNS labels, short, and different for different jobs', () => {
  assert.equal(childName('blog-1', 'test'), 'blog-1-test')
  assert.match(childName('blog-1', 'build & test'), /^blog-1-build-test-[0-9a-f]{6}$/)
  assert.notEqual(childName('blog-1', 'a b'), childName('blog-1', 'a-b'))
  assert.notEqual(childName('blog-1', 'a b'), childName('blog-1', 'a.b'))
  assert.ok(childName('x'.repeat(50), 'y'.repeat(50)).length <= 63)
})
