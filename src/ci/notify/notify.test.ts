import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ci } from '#api'
import { judge, receiverOf } from './deliver.ts'
import { factsOf, failingJob } from './facts.ts'
import { payloadOf, render } from './payload.ts'
import { type Delivery, afterFailure, outcomeOf, phaseBefore, planDeliveries } from './plan.ts'

const pipeline = (number: number, phase: ci.PipelinePhase, part: Partial<ci.PipelineSpec> = {}): ci.Pipeline => ({
  apiVersion: 'ci.k8ts.dev/v1',
  kind: 'Pipeline',
  metadata: { name: `blog-${number}`, namespace: 'team' },
  spec: { projectName: 'blog', branch: 'main', revision: 'abcdef0123'.padEnd(40, '0'), actor: 'ann', ...part },
  status: {
    number,
    phase,
    commit: { subject: 'Fix <the> door & more', author: 'Ann <ann@example.com>' },
    startTime: '2026-01-01T00:00:00Z',
    completionTime: '2026-01-01T00:01:05Z',
  },
})

const job = (name: string, number: number, phase: ci.JobPhase, completed: string): ci.Job => ({
  apiVersion: 'ci.k8ts.dev/v1',
  kind: 'Job',
  metadata: { name: `${name}-${number}`, namespace: 'team' },
  spec: { projectName: 'blog', pipelineName: 'blog-2', workflowName: 'w', job: name },
  status: {
    number,
    phase,
    completionTime: completed,
    ...(phase === 'Failed'
      ? { failure: { step: 3, name: 'Run "tests"', exitCode: 2, message: 'exit code 2', source: { file: '.circleci/config.yml', line: 14 } } }
      : {}),
  },
})

const all: ci.NotificationEvent[] = ['Success', 'Failure', 'Fixed', 'Errored']
const slack: ci.ProjectNotification = { name: 'team', type: 'Slack', on: all }
const events = (deliveries: Record<string, Delivery>) => Object.fromEntries(Object.entries(deliveries).map(([k, v]) => [k, v.event]))

const plans: [string, ci.ProjectNotification, ci.PipelinePhase, ci.PipelinePhase | undefined, ci.NotificationEvent | undefined][] = [
  ['a success is told', slack, 'Succeeded', undefined, 'Success'],
  ['a success after a failure is fixed', slack, 'Succeeded', 'Failed', 'Fixed'],
  ['a success after a broken configuration is fixed', slack, 'Succeeded', 'Errored', 'Fixed'],
  ['who does not ask for fixed hears of the success', { ...slack, on: ['Success'] }, 'Succeeded', 'Failed', 'Success'],
  ['who asks for changes alone hears nothing of a second success', { ...slack, on: ['Failure', 'Fixed'] }, 'Succeeded', 'Succeeded', undefined],
  ['a failure is told again', slack, 'Failed', 'Failed', 'Failure'],
  ['a cancelled pipeline is told to who asks', { ...slack, on: ['Canceled'] }, 'Canceled', undefined, 'Canceled'],
  ['another branch is not told', { ...slack, branches: ['/rel.*/'] }, 'Failed', undefined, undefined],
  ['a branch that matches is', { ...slack, branches: ['/rel.*/', 'main'] }, 'Failed', undefined, 'Failure'],
]
for (const [name, notification, phase, before, expected] of plans)
  test(name, () => assert.deepEqual(events(planDeliveries([notification], pipeline(2, phase), phase, before)), expected ? { team: expected } : {}))

test('what a branch ended in before is that of its newest earlier pipeline, cancelled and local ones aside', () => {
  const others = [
    pipeline(1, 'Succeeded'),
    pipeline(3, 'Failed'),
    pipeline(4, 'Canceled'),
    pipeline(5, 'Succeeded', { branch: 'other' }),
    pipeline(6, 'Succeeded', { trigger: { type: 'local' } }),
    pipeline(9, 'Succeeded'),
  ]
  assert.equal(phaseBefore(pipeline(7, 'Succeeded'), others), 'Failed')
  assert.equal(phaseBefore(pipeline(1, 'Succeeded'), others), undefined)
})

test('a rerun is another outcome', () => {
  const first = pipeline(1, 'Failed')
  const second = { ...first, status: { ...first.status!, completionTime: '2026-01-01T01:00:00Z' } }
  assert.notEqual(outcomeOf(first)!.id, outcomeOf(second)!.id)
  assert.equal(outcomeOf(pipeline(1, 'Running')), undefined)
})

test('the failing job is the first that failed in its newest try', () => {
  const jobs = [
    job('build', 1, 'Failed', '2026-01-01T00:00:01Z'),
    job('build', 4, 'Succeeded', '2026-01-01T00:00:09Z'),
    job('lint', 3, 'Failed', '2026-01-01T00:00:05Z'),
    job('test', 2, 'Failed', '2026-01-01T00:00:04Z'),
    job('deploy', 5, 'NotRun', '2026-01-01T00:00:00Z'),
  ]
  assert.equal(failingJob(jobs)?.spec.job, 'test')
})

const failure = factsOf('Failure', pipeline(2, 'Failed'), [job('test', 2, 'Failed', '')], 'https://ci/team/blog/2')

test('a failure names job, step, place and what to type', () => {
  const { job: failed, step, file, line, exitCode, short, duration, command } = failure
  assert.deepEqual([failed, step, file, line, exitCode], ['test', 'Run "tests"', '.circleci/config.yml', '14', '2'])
  assert.deepEqual([short, duration, command], ['abcdef0', '1m5s', 'k8ts ci logs 2 --failed'])
})

test('Slack gets a text and an attachment, with its mark-up escaped', () => {
  const body = payloadOf(slack, failure) as { text: string; attachments: { color: string; text: string }[] }
  assert.equal(body.text, 'blog #2: main (abcdef0) failed in test at “Run "tests"”, by ann')
  assert.equal(body.attachments[0]!.color, 'danger')
  assert.match(body.attachments[0]!.text, /Fix &lt;the&gt; door &amp; more/)
  assert.match(body.attachments[0]!.text, /config\.yml:14/)
})

test('a webhook gets the facts as JSON', () => {
  const body = payloadOf({ name: 'x', type: 'Webhook' }, failure) as { event: string; failure: object; pipeline: { number: number } }
  assert.equal(body.event, 'Failure')
  assert.equal(body.pipeline.number, 2)
  assert.deepEqual(body.failure, { job: 'test', step: 'Run "tests"', exitCode: 2, file: '.circleci/config.yml', line: 14, message: 'exit code 2' })
})

test('a template of the project is used, as text or as the whole body', () => {
  const text = payloadOf({ ...slack, templates: { Failure: 'oh no: {{job}} {{nothing}}' } }, failure) as { text: string }
  assert.equal(text.text, 'oh no: test {{nothing}}')
  const whole = payloadOf({ name: 'x', type: 'Webhook', templates: { failure: '{"msg": "{{step}}", "n": {{number}}}' } }, failure)
  assert.deepEqual(whole, { msg: 'Run "tests"', n: 2 })
  assert.throws(() => payloadOf({ ...slack, templates: { Failure: '{"n": {{job}}}' } }, failure), /no JSON/)
})

test('a part of a template goes when its fact is empty', () => {
  const facts = { ...failure, step: '' }
  assert.equal(render('a{{#step}} at {{step}}{{/step}}{{#job}} in {{job}}{{/job}}', facts), 'a in test')
})

const pending = { event: 'Failure', state: 'pending', attempts: 0 } as const
const policy = { initial: 1000, max: 8000, attempts: 5 }
test('tries come after 1, 2, 4 and 8 seconds, and then no more', () => {
  let delivery: Delivery = pending
  const waits: number[] = []
  while (delivery.state === 'pending') {
    delivery = afterFailure(delivery, { error: 'away', permanent: false }, 0, policy)
    if (delivery.state === 'pending') waits.push(Date.parse(delivery.next!))
  }
  assert.deepEqual(waits, [1000, 2000, 4000, 8000])
  assert.deepEqual(delivery, { event: 'Failure', state: 'failed', error: 'away' })
})
test('a receiver that asks for patience gets it, within reason', () => {
  const patient = (retryAfterMs: number) => afterFailure(pending, { error: 'x', permanent: false, retryAfterMs }, 0, policy)
  assert.equal((patient(5000) as { next: string }).next, '1970-01-01T00:00:05.000Z')
  assert.equal((patient(500_000) as { next: string }).next, '1970-01-01T00:00:08.000Z')
})
test('a final refusal is not tried again', () =>
  assert.equal(afterFailure(pending, { error: 'the receiver answered 404', permanent: true }, 0, policy).state, 'failed'))

const verdicts: [number, string | null, string][] = [
  [200, null, 'ok'],
  [204, null, 'ok'],
  [302, null, 'final'],
  [404, null, 'final'],
  [429, '3', 'later 3000'],
  [503, 'Fri, 01 Jan 2027 00:00:00 GMT', 'later'],
  [500, null, 'later'],
]
for (const [status, header, expected] of verdicts)
  test(`an answer of ${status} is ${expected}`, () => {
    const result = judge(status, header)
    assert.equal(result.ok ? 'ok' : result.permanent ? 'final' : ['later', result.retryAfterMs].filter(Boolean).join(' '), expected)
  })

test('the address comes from the Secret, and what is missing is said without it', () => {
  const own: ci.ProjectNotification = { name: 'team', type: 'Slack', secretName: 'slack' }
  assert.deepEqual(receiverOf(own, { url: 'https://x/y\n', signingSecret: 's' }), { url: 'https://x/y', signingSecret: 's' })
  assert.deepEqual(receiverOf({ name: 'a', type: 'Slack', url: 'http://z' }, undefined), { url: 'http://z' })
  for (const secret of [undefined, {}, { url: 'file:///etc/passwd' }] as (Record<string, string> | undefined)[]) {
    const result = receiverOf(own, secret)
    assert.ok('problem' in result && !result.problem.includes('passwd'))
  }
})
