import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type KubeObject, type ci, resources } from '#api'
import type { Kind } from '#api'
import { createContext, runControllers } from '#runtime'
import { startTestServer } from '../../apiserver/test-server.ts'
import type { AgentPlan, AgentReport } from '../agent/plan.ts'
import { compileConfig } from '../config/index.ts'
import { openReports } from '../service/reports.ts'
import { openStorage } from '../service/storage.ts'
import { jobTokens } from '../service/tokens.ts'
import { ciControllers } from './index.ts'

const namespace = 'default'
const revision = 'a'.repeat(40)

/** The controllers over a real API server, with a repository that has one file; agents are played by the test. */
async function world(config: () => string | Error) {
  const t = await startTestServer()
  const { client } = t
  const directory = mkdtempSync(join(tmpdir(), 'ci-controllers-'))
  const reports = openReports(openStorage(directory))
  const stop = new AbortController()
  const context = createContext({ client, component: 'k8ts-ci' })
  const controllers = ciControllers({
    git: {
      resolve: async (_project, { branch }) => (branch === 'none' ? undefined : { revision, subject: 'work', author: 'Ann <a@b>' }),
      async readFile() {
        const text = config()
        if (text instanceof Error) throw text
        return text
      },
    },
    compile: compileConfig,
    reports,
    tokens: jobTokens(Buffer.alloc(32)),
    service: { url: 'https://10.0.0.1:7443', ca: 'CA' },
    publicUrl: 'https://127.0.0.1:7443',
    toolImage: 'tools',
    builder: async () => ({ env: [], volumes: [], volumeMounts: [], securityContext: {} }) as never,
    program: { name: 'k8ts-ci-agent-1', files: { 'agent/main.ts': '' } },
  })
  const done = runControllers(controllers, context, { signal: stop.signal })

  /** The object once it is as it should be. */
  async function until<T extends KubeObject>(ref: Kind<T>, name: string, holds: (object: any) => boolean): Promise<any> {
    const watch = client
      .resource(ref)
      .watch({ namespace, fieldSelector: `metadata.name=${name}`, resourceVersion: '0', signal: AbortSignal.timeout(60_000) })
    for await (const event of watch)
      if (event.type !== 'BOOKMARK' && event.type !== 'ERROR' && event.type !== 'DELETED' && holds(event.object)) return event.object
    throw new Error(`${name} did not come so far: ${JSON.stringify(await client.resource(ref).get(name, namespace).catch(String))}`)
  }

  return {
    client,
    until,
    phase: <T extends KubeObject>(ref: Kind<T>, name: string, phase: string) => until(ref, name, (object) => object.status?.phase === phase),
    project: (spec: object = {}) =>
      client
        .resource(resources.ciProjects)
        .create({ apiVersion: 'ci.k8ts.dev/v1', kind: 'Project', metadata: { name: 'blog', namespace }, spec } as ci.Project),
    pipeline: (name: string, spec: object = {}) =>
      client.resource(resources.ciPipelines).create({
        apiVersion: 'ci.k8ts.dev/v1',
        kind: 'Pipeline',
        metadata: { name, namespace },
        spec: { projectName: 'blog', branch: 'master', ...spec },
      } as ci.Pipeline),
    /** What the agent of a job's first copy would say. */
    async agentSays(name: string, report: Partial<AgentReport>) {
      const job = await until(resources.ciJobs, name, (object) => Boolean(object.status?.instances?.length))
      await reports.put(job.metadata.uid, job.status.attempt, 0, {
        phase: 'Running',
        steps: [],
        artifacts: 0,
        startTime: '2026-01-01T00:00:00Z',
        logSize: 0,
        ...report,
      })
    },
    async planOf(name: string): Promise<AgentPlan> {
      await until(resources.pods, `${name}-1-0`, () => true)
      const { data } = await client.resource(resources.secrets).get(`${name}-1-0`, namespace)
      return JSON.parse(Buffer.from((data as Record<string, string>)['plan.json']!, 'base64').toString()) as AgentPlan
    },
    async [Symbol.asyncDispose]() {
      stop.abort()
      await done
      await context[Symbol.asyncDispose]()
      await t[Symbol.asyncDispose]()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}

const ended = (phase: AgentReport['phase'], more: Partial<AgentReport> = {}) => ({ phase, completionTime: '2026-01-01T00:00:01Z', ...more })
const config = `
version: 2.1
jobs:
  test: { docker: [{ image: ruby }], steps: [{ run: rake }] }
  deploy: { docker: [{ image: ruby }], steps: [{ run: deploy }] }
workflows:
  main: { jobs: [test, { deploy: { requires: [test], context: [production] } }] }
`

test('a pipeline goes from job to job, and each gets its variables in a Secret that ends with it', async () => {
  await using w = await world(() => config)
  const secret = (name: string, data: Record<string, string>, labels = {}) =>
    w.client.resource(resources.secrets).create({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace, labels },
      data: Object.fromEntries(Object.entries(data).map(([k, v]) => [k, Buffer.from(v).toString('base64')])),
    } as never)
  await secret('blog-environment', { LEVEL: 'project', TOKEN: 'of the project' })
  await secret('production', { LEVEL: 'context' }, { 'ci.k8ts.dev/context': 'production' })
  await w.project()
  await w.pipeline('blog-1')
  const plan = await w.planOf('blog-1-main-test')
  assert.equal(plan.environment['LEVEL'], 'project')
  assert.equal(plan.environment['CIRCLE_SHA1'], revision)
  assert.equal(plan.environment['CIRCLE_BRANCH'], 'master')
  assert.ok(plan.secrets.includes('of the project') && plan.secrets.includes(plan.service.token))
  const pod = await w.client.resource(resources.pods).get('blog-1-main-test-1-0', namespace)
  assert.ok(!JSON.stringify(pod).includes('of the project'))

  await w.agentSays('blog-1-main-test', ended('Succeeded'))
  await w.phase(resources.ciJobs, 'blog-1-main-test', 'Succeeded')
  assert.equal((await w.planOf('blog-1-main-deploy')).environment['LEVEL'], 'context')
  await w.agentSays(
    'blog-1-main-deploy',
    ended('Failed', { failure: { step: 1, name: 'deploy', exitCode: 2, source: { file: 'c.yml', line: 5 }, output: ['no'] } }),
  )
  const pipeline = await w.phase(resources.ciPipelines, 'blog-1', 'Failed')
  assert.equal(pipeline.status.number, 1)
  const job = await w.client.resource(resources.ciJobs).get('blog-1-main-deploy', namespace)
  assert.equal(job.status?.message, '"deploy" (c.yml:5): exit code 2')
  const project = await w.until(resources.ciProjects, 'blog', (p) => p.status?.lastPipeline?.phase === 'Failed')
  assert.equal(project.status.gitURL, 'https://127.0.0.1:7443/git/default/blog.git')
  const left = await w.client.resource(resources.secrets).list({ namespace, labelSelector: 'ci.k8ts.dev/job' })
  assert.deepEqual(
    left.items.filter((s) => s.metadata.name.startsWith('blog-1-main-test')),
    [],
  )
})

test('what cannot begin says why', async () => {
  let text: string | Error = 'version: 2.1\njobs: { a: { docker: [{ image: x }], stepps: [] } }\nworkflows: { w: { jobs: [a] } }\n'
  await using w = await world(() => text)
  await w.pipeline('early')
  assert.match((await w.phase(resources.ciPipelines, 'early', 'Errored')).status.message, /no project blog/)
  await w.project()
  await w.pipeline('wrong')
  const wrong = await w.phase(resources.ciPipelines, 'wrong', 'Errored')
  assert.match(wrong.status.message, /^\.circleci\/config\.yml:2: /)
  assert.equal(wrong.status.problems[0].line, 2)
  await w.pipeline('nowhere', { branch: 'none' })
  assert.match((await w.phase(resources.ciPipelines, 'nowhere', 'Errored')).status.message, /not the branch none/)
  text = new Error('the host is away')
  await w.pipeline('away')
  assert.match((await w.until(resources.ciPipelines, 'away', (p) => p.status?.message)).status.message, /the host is away/)
  text = config
  await w.pipeline('stranger')
  await w.agentSays('stranger-main-test', ended('Succeeded'))
  assert.match((await w.phase(resources.ciJobs, 'stranger-main-deploy', 'Unauthorized')).status.message, /no context production/)
})

test('no more jobs run than the project allows; who ends makes room', async () => {
  await using w = await world(() => config)
  await w.project({ concurrency: 1 })
  await w.pipeline('one')
  await w.until(resources.ciJobs, 'one-main-test', (job) => job.status?.phase === 'Starting')
  await w.pipeline('two')
  const waiting = await w.until(resources.ciJobs, 'two-main-test', (job) => Boolean(job.status?.message))
  assert.match(waiting.status.message, /concurrency/)
  await w.agentSays('one-main-test', ended('Failed'))
  await w.until(resources.ciJobs, 'two-main-test', (job) => Boolean(job.status?.instances?.length))
})

test('a newer commit of a branch cancels what runs for the older one, where the project asks for it', async () => {
  await using w = await world(() => config)
  await w.project({ triggers: { autoCancelRedundant: true } })
  await w.pipeline('old', { trigger: { type: 'webhook' } })
  await w.until(resources.ciJobs, 'old-main-test', (job) => Boolean(job.status?.instances?.length))
  await w.pipeline('new', { trigger: { type: 'webhook' } })
  await w.phase(resources.ciPipelines, 'old', 'Canceled')
  await w.until(resources.ciJobs, 'new-main-test', (job) => Boolean(job.status?.instances?.length))
})

test('a rerun from failed takes over what succeeded', async () => {
  await using w = await world(() => config.replace(', context: [production]', ''))
  await w.project()
  await w.pipeline('p')
  await w.agentSays('p-main-test', ended('Succeeded'))
  await w.agentSays('p-main-deploy', ended('Failed'))
  await w.phase(resources.ciPipelines, 'p', 'Failed')
  await w.client.resource(resources.ciWorkflows).create({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Workflow',
    metadata: { name: 'p-again', namespace },
    spec: { projectName: 'blog', pipelineName: 'p', workflow: 'main', rerunOf: 'p-main', rerunFrom: 'failed' },
  } as ci.Workflow)
  await w.agentSays('p-again-deploy', ended('Succeeded'))
  const job = await w.client.resource(resources.ciJobs).get('p-again-deploy', namespace)
  // the workspace of the job that was not run again
  assert.deepEqual(job.spec.workspaces, ['p-main-test'])
  await w.phase(resources.ciPipelines, 'p', 'Succeeded')
})

test('the oldest pipelines go when there are more than the project keeps', async () => {
  await using w = await world(
    () => 'version: 2.1\njobs: { a: { docker: [{ image: x }], steps: [{ run: "true" }] } }\nworkflows: { w: { when: false, jobs: [a] } }\n',
  )
  await w.project({ historyLimit: 2 })
  for (const name of ['a', 'b', 'c', 'd']) {
    await w.pipeline(name)
    await w.phase(resources.ciPipelines, name, 'Succeeded')
  }
  const names = async () => (await w.client.resource(resources.ciPipelines).list({ namespace })).items.map((p) => p.metadata.name)
  // the newest end sees those that the cache had
  for (let left = 3000; left > 0 && (await names()).length > 3; left--) await new Promise((resolve) => setTimeout(resolve, 20))
  assert.ok(!(await names()).includes('a'))
})
