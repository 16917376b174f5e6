import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ci } from '#api'
import { isStatus, resources } from '#api'
import { createClient } from '#client'
import { admin, startTestServer } from '../../test-server.ts'

const project = (spec: object) =>
  ({ apiVersion: 'ci.k8ts.dev/v1', kind: 'Project', metadata: { name: 'blog', namespace: 'default' }, spec }) as ci.Project
const pipeline = (spec: object) =>
  ({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Pipeline',
    metadata: { generateName: 'blog-', namespace: 'default' },
    spec: { projectName: 'blog', ...spec },
  }) as never

test('a project gets its defaults, a pipeline its actor', async () => {
  await using t = await startTestServer()
  const client = createClient(t.server.transport(admin))
  const made = await client.resource(resources.ciProjects).create(project({}))
  assert.equal(made.spec.configPath, '.circleci/config.yml')
  assert.equal(made.spec.serviceAccountName, 'default')
  assert.equal(made.spec.triggers?.push, true)
  const run = await client.resource(resources.ciPipelines).create(pipeline({ branch: 'master', parameters: { deploy: true } }))
  assert.equal(run.spec.actor, admin.username)
  assert.deepEqual(run.spec.parameters, { deploy: true })
  assert.equal(run.status?.phase, 'Pending')
})

const refused: [title: string, object: ci.Project | ci.Pipeline, field: string][] = [
  ['a configuration path that leaves the repository', project({ configPath: '../config.yml' }), 'spec.configPath'],
  ['a repository with a password in its address', project({ repository: { url: 'https://me:secret@host/x.git' } }), 'spec.repository.url'],
  ['a repository that is no address', project({ repository: { url: '--upload-pack=x' } }), 'spec.repository.url'],
  ['a notification without an address', project({ notifications: [{ name: 'a', type: 'Slack' }] }), 'spec.notifications[0].url'],
  [
    'a notification of an unknown event',
    project({ notifications: [{ name: 'a', type: 'Slack', url: 'http://x', on: ['Success', 'Whim'] }] }),
    'spec.notifications[0].on[1]',
  ],
  ['no jobs at a time', project({ concurrency: 0 }), 'spec.concurrency'],
  ['a branch that git would read as an option', pipeline({ branch: '--exec=x' }), 'spec.branch'],
  ['a branch and a tag at once', pipeline({ branch: 'a', tag: 'b' }), 'spec.tag'],
  ['half a revision', pipeline({ revision: 'abc' }), 'spec.revision'],
  ['a parameter that is a list', pipeline({ parameters: { a: [1] } }), 'spec.parameters.a'],
]

test('what makes no sense is refused with its field', async (t) => {
  await using server = await startTestServer()
  const client = createClient(server.server.transport(admin))
  for (const [title, object, field] of refused)
    await t.test(title, async () => {
      const resource = object.kind === 'Project' ? resources.ciProjects : resources.ciPipelines
      await assert.rejects(client.resource(resource as never).create(object as never), (error) => {
        assert.ok(isStatus(error, 'Invalid'))
        assert.ok(
          (error as any).status.details.causes.some((c: { field: string }) => c.field.startsWith(field)),
          JSON.stringify((error as any).status.details),
        )
        return true
      })
    })
})

test('a pipeline is what it was made as, but may be told to end; that is not taken back', async () => {
  await using t = await startTestServer()
  const pipelines = createClient(t.server.transport(admin)).resource(resources.ciPipelines)
  const { metadata } = await pipelines.create(pipeline({ branch: 'master' }))
  const change = (spec: object) => pipelines.patch(metadata.name, 'default', 'merge', { spec })
  await assert.rejects(change({ branch: 'other' }), /spec.branch: Invalid value: "other": field is immutable/)
  assert.equal((await change({ cancel: true })).spec.cancel, true)
  await assert.rejects(change({ cancel: false }), /may not be taken back/)
})

test('who approves is who asks, whatever the request says', async () => {
  await using t = await startTestServer()
  const jobs = createClient(t.server.transport(admin)).resource(resources.ciJobs)
  const made = await jobs.create({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Job',
    metadata: { generateName: 'hold-', namespace: 'default' },
    spec: { projectName: 'blog', pipelineName: 'blog-1', workflowName: 'blog-1', job: 'hold', type: 'approval', approved: true },
  } as never)
  assert.equal(made.spec.approved, undefined)
  assert.equal(made.status?.phase, 'OnHold')
  const approved = await jobs.patch(made.metadata.name, 'default', 'merge', { spec: { approved: true, approvedBy: 'the boss' } })
  assert.equal(approved.spec.approvedBy, admin.username)
})
