import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { k8tsProgram, output, root, type TestCluster, testCluster } from './cluster.ts'

const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
/** The image that every cluster with CI has anyway. */
const image = `localhost/k8ts-tools:${version}`
const secret = 'k33p-this-to-yourself'

const config = `
version: 2.1
executors:
  tools: { docker: [{ image: '${image}' }] }
jobs:
  test:
    docker:
      - image: '${image}'
        environment: { WHERE: image, IMAGE: image }
      - image: '${image}'
        name: web
        command: [node, -e, 'require("http").createServer((_, r) => r.end("from the service\\n")).listen(8000)']
    environment: { WHERE: job }
    steps:
      - checkout
      - run: { name: variables, environment: { WHERE: step }, command: 'echo "$WHERE $IMAGE $CIRCLE_BRANCH $CIRCLE_JOB $LEVEL"' }
      - run: { name: secrets, command: 'echo "key $DEPLOY_KEY"; printf %s "$DEPLOY_KEY" | base64; printf k33p-this; sleep 0.2; printf -- "-to-yourself\\n"' }
      - run: { name: service, command: 'curl -s --retry 20 --retry-connrefused --retry-delay 1 http://web:8000/' }
      - run: 'mkdir out && echo kept > out/kept && echo "export PASSED=on" >> $BASH_ENV'
      - run: { name: results, command: 'echo "<testsuite><testcase name=\\"good\\"/><testcase name=\\"bad\\"><failure/></testcase></testsuite>" > out/junit.xml; echo "passed $PASSED"' }
      - save_cache: { key: 'v1-{{ checksum "README" }}', paths: [out] }
      - persist_to_workspace: { root: ., paths: [out] }
      - store_artifacts: { path: out }
      - store_test_results: { path: out }
  deploy:
    executor: tools
    steps:
      - attach_workspace: { at: /tmp/ws }
      - restore_cache: { keys: [v2-, v1-] }
      - run: cat /tmp/ws/out/kept /root/project/out/kept
      - run:
          name: fails while there is no permission
          command: |
            echo "about to fail"
            kubectl get configmap permission -o name
      - run: { name: cleanup, when: on_fail, command: 'echo cleaned' }
  long:
    executor: tools
    steps:
      - run: { name: count, command: 'for i in $(seq 100); do echo "line $i"; sleep 0.1; done' }
workflows:
  main:
    jobs:
      - test: { context: deployment }
      - hold: { type: approval, requires: [test] }
      - deploy: { requires: [hold] }
  long:
    when: { equal: [long, << pipeline.git.branch >>] }
    jobs: [long]
`.replace('  main:\n', '  main:\n    when: { equal: [master, << pipeline.git.branch >>] }\n')

let cluster: TestCluster
const tree = mkdtempSync(join(tmpdir(), 'k8ts-ci-'))
/** Without what would lead git to other authorities or settings. */
const environment = { ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))), GIT_TERMINAL_PROMPT: '0' }
const git = (...args: string[]) => output('git', ['-C', tree, '-c', 'user.name=Ann', '-c', 'user.email=ann@example.org', ...args], environment)
const ci = async (...args: string[]) =>
  (await output('/bin/sh', ['-c', 'cd "$0" && exec "$@"', tree, k8tsProgram, 'ci', ...args], environment)).trim()
const get = async (...args: string[]) => JSON.parse(await cluster.kubectl('get', '-o', 'json', ...args))
const phase = (kind: string, name: string, wanted: string) =>
  cluster.kubectl('wait', `${kind}.ci.k8ts.dev/${name}`, `--for=jsonpath={.status.phase}=${wanted}`, '--timeout=120s')

/** Commits what is there and pushes it; answers the pipeline's name. */
async function push(branch: string): Promise<string> {
  await git('add', '-A')
  await git('commit', '-q', '--allow-empty', '-m', `for ${branch}`)
  const { items: old } = await get('pipelines.ci.k8ts.dev')
  await git('push', '-q', '--force', 'k8ts', `HEAD:refs/heads/${branch}`)
  const { items } = await get('pipelines.ci.k8ts.dev')
  const fresh = items.filter((one: any) => !old.some((o: any) => o.metadata.uid === one.metadata.uid))
  assert.equal(fresh.length, 1)
  return fresh[0].metadata.name
}

/** A job's log without the names of jobs before its lines. */
const log = async (job: string) => (await ci('logs', '--name', cluster.name, job)).replaceAll(/^\S+ \| /gm, '')

before(async () => {
  cluster = await testCluster('ci')
  await cluster.apply({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'deployment', namespace: 'default', labels: { 'ci.k8ts.dev/context': 'deployment' } },
    stringData: { DEPLOY_KEY: secret, LEVEL: 'from-the-context' },
  })
  await cluster.kubectl('create', 'rolebinding', 'jobs-look', '--clusterrole=view', '--serviceaccount=default:default')
  await git('init', '-q', '-b', 'master')
  mkdirSync(join(tree, '.circleci'))
  writeFileSync(join(tree, '.circleci/config.yml'), config)
  writeFileSync(join(tree, 'README'), 'a project\n')
  await ci('init', '--name', cluster.name, '--project', 'demo')
})
after(async () => {
  rmSync(tree, { recursive: true, force: true })
  await cluster?.[Symbol.asyncDispose]()
})

test('a push runs the workflow, which waits for an approval; a failing step is named with its place, and runs again from there', async () => {
  const pipeline = await push('master')
  await phase('workflow', `${pipeline}-main`, 'OnHold')
  const text = await log(`${pipeline}-main-test`)
  assert.match(text, /step image master test/)
  assert.match(text, /passed on/)
  assert.match(text, /from the service/)
  assert.ok(!text.includes(secret) && !text.includes(Buffer.from(secret).toString('base64').slice(0, 20)), text)
  assert.match(text, /key \*{4}\n/)
  assert.match(text, /^\*{4}$/m)
  const tested = await get('jobs.ci.k8ts.dev', `${pipeline}-main-test`)
  assert.deepEqual(
    { ...tested.status.tests, failures: tested.status.tests.failures.map((f: any) => f.name) },
    { total: 2, failed: 1, failures: ['bad'] },
  )

  await cluster.kubectl('patch', 'jobs.ci.k8ts.dev', `${pipeline}-main-hold`, '--type=merge', '-p', '{"spec":{"approved":true}}')
  await phase('pipeline', pipeline, 'Failed')
  const failed = await get('jobs.ci.k8ts.dev', `${pipeline}-main-deploy`)
  const { failure } = failed.status
  assert.equal(failure.name, 'fails while there is no permission')
  assert.equal(failure.exitCode, 1)
  assert.equal(config.split('\n')[failure.source.line - 1]!.trim(), '- run:')
  assert.ok(failure.output.includes('about to fail'))
  assert.match(await log(`${pipeline}-main-deploy`), /kept\nkept[^]*cleaned/)

  await cluster.kubectl('create', 'configmap', 'permission')
  await ci('rerun', '--name', cluster.name, '--from-failed', pipeline)
  await phase('pipeline', pipeline, 'Succeeded')
  const { items } = await get('jobs.ci.k8ts.dev', '-l', `ci.k8ts.dev/pipeline=${pipeline}`)
  assert.deepEqual(items.map((job: any) => job.spec.job).sort(), ['deploy', 'deploy', 'hold', 'test'])
  // nothing that a reader of objects and events sees has the secret
  for (const kinds of ['pods,pipelines.ci.k8ts.dev,workflows.ci.k8ts.dev,jobs.ci.k8ts.dev,events,configmaps'])
    assert.ok(!(await cluster.kubectl('get', kinds, '-A', '-o', 'json')).includes(secret))
})

test('a job goes on while the service is killed and away, and its log is whole', async () => {
  const pipeline = await push('long')
  const job = `${pipeline}-long-long`
  await phase('job', job, 'Running')
  const status = JSON.parse(await cluster.k8ts('status', '--name', cluster.name, '-o', 'json'))
  process.kill(status.components.find((c: any) => c.name === 'ci').pid, 'SIGKILL')
  await cluster.k8ts('up', '--name', cluster.name)
  await phase('pipeline', pipeline, 'Succeeded')
  const lines = (await log(job)).match(/^line \d+$/gm)
  assert.deepEqual(
    lines,
    Array.from({ length: 100 }, (_, i) => `line ${i + 1}`),
  )
  assert.equal((await get('jobs.ci.k8ts.dev', job)).status.attempt, 1)
})

test('a job whose pod is lost starts again, and one that is canceled does not', async () => {
  const [lost, canceled] = [await push('long'), await push('long')]
  await Promise.all([lost, canceled].map((pipeline) => phase('job', `${pipeline}-long-long`, 'Running')))
  await cluster.kubectl('delete', 'pod', `${lost}-long-long-1-0`, '--wait=false')
  await cluster.kubectl('patch', 'pipelines.ci.k8ts.dev', canceled, '--type=merge', '-p', '{"spec":{"cancel":true}}')
  await phase('pipeline', canceled, 'Canceled')
  await phase('pipeline', lost, 'Succeeded')
  const { status } = await get('jobs.ci.k8ts.dev', `${lost}-long-long`)
  assert.equal(status.attempt, 2)
  assert.equal(status.infrastructureFailures[0].reason, 'PodDeleted')
})

test('a configuration that does not compile ends the pipeline with what is wrong, and where', async () => {
  writeFileSync(join(tree, '.circleci/config.yml'), config.replace('executor: tools', 'executor: tool'))
  const pipeline = await push('master')
  await phase('pipeline', pipeline, 'Errored')
  const { status } = await get('pipelines.ci.k8ts.dev', pipeline)
  assert.match(status.message, /^\.circleci\/config\.yml:\d+: .*tool/)
  assert.equal(config.split('\n')[status.problems[0].line - 1]!.trim(), 'executor: tools')
})
