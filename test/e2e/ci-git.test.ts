import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type IncomingHttpHeaders, createServer } from 'node:http'
import { request } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { ci } from '#api'
import { silentLogger } from '#base'
import { clusterPaths } from '#cluster'
import { gitEndpoint } from '../../src/ci/git/endpoint.ts'
import { createRepositories } from '../../src/ci/git/repositories.ts'
import { basicCredentials } from '../../src/ci/git/tokens.ts'
import { sign } from '../../src/ci/webhooks/signature.ts'
import { type TestCluster, k8tsProgram, testCluster } from './cluster.ts'

// what stands around pipelines: the real git pushes, other hosts' webhooks, the command line, and who is told

interface Ended {
  code: number
  /** Both streams together, as a person sees them. */
  text: string
  stdout: string
}

interface Told {
  body: {
    event: string
    text: string
    pipeline: { branch: string; number: number }
    failure?: { job: string; step: string; file: string; line: number }
  }
  headers: IncomingHttpHeaders
}

let cluster: TestCluster
let home: string
let tree: string
let receiver: { url: string; told: Told[]; answers: number[]; has(count: number): Promise<void>; close(): Promise<void> }
const closing: (() => Promise<void>)[] = []

/** The environment without what would lead git to other authorities, questions or settings. */
const environment = () => ({
  ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('GIT_'))),
  KUBECONFIG: cluster.kubeconfig,
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_CONFIG_GLOBAL: '/dev/null',
})

function command(program: string, args: string[], { cwd = tree, input }: { cwd?: string; input?: string } = {}): Promise<Ended> {
  return new Promise((resolve) => {
    const child = execFile(program, args, { cwd, env: environment(), maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr, stdout }),
    )
    child.stdin!.end(input)
  })
}

const git = (...args: string[]) => command('git', args)
const k8tsCi = (args: string[], options: { cwd?: string; input?: string } = {}) =>
  command(k8tsProgram, ['ci', ...args, '--name', cluster.name], options)

async function ok(ended: Promise<Ended>): Promise<string> {
  const { code, text } = await ended
  assert.equal(code, 0, text)
  return text
}

/** What a program reads: what is said on the way stands on standard error. */
async function json<T>(ended: Promise<Ended>): Promise<T> {
  const { code, text, stdout } = await ended
  assert.equal(code, 0, text)
  return JSON.parse(stdout) as T
}

async function commit(message: string, files: Record<string, string>): Promise<void> {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(join(tree, file, '..'), { recursive: true })
    writeFileSync(join(tree, file), text)
  }
  await ok(git('add', '-A'))
  await ok(git('commit', '-q', '-m', message))
}

const config = (steps: string, workflow = 'main:\n    jobs:\n      - build\n') =>
  `version: 2.1\njobs:\n  build:\n    machine: true\n    steps:\n${steps}workflows:\n  ${workflow}`

const pipelines = async (project: string): Promise<ci.Pipeline[]> =>
  (
    JSON.parse(await cluster.kubectl('get', 'pipelines.ci.k8ts.dev', '-o', 'json', '--field-selector', `spec.projectName=${project}`)) as {
      items: ci.Pipeline[]
    }
  ).items

const ended = (name: string) => cluster.kubectl('wait', `pipelines.ci.k8ts.dev/${name}`, '--for=jsonpath={.status.completionTime}', '--timeout=90s')

async function startReceiver() {
  const told: Told[] = []
  const answers: number[] = []
  const waiting = new Set<() => void>()
  const server = createServer((incoming, response) => {
    let text = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
    incoming.on('end', () => {
      told.push({ body: JSON.parse(text) as Told['body'], headers: incoming.headers })
      response.writeHead(answers.shift() ?? 200).end()
      for (const check of waiting) check()
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const has = (count: number) =>
    new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`the receiver was told ${told.length} of ${count} things: ${JSON.stringify(told)}`)), 60_000)
      const check = () => {
        if (told.length < count) return
        clearTimeout(timer)
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, told, answers, has, close }
}

before(async () => {
  home = mkdtempSync(join(tmpdir(), 'k8ts-e2e-ci-'))
  tree = join(home, 'blog')
  cluster = await testCluster('ci-git')
  receiver = await startReceiver()
  closing.push(receiver.close)
  await command('git', ['init', '-q', '-b', 'main', tree], { cwd: home })
  await ok(git('config', 'user.name', 'Ann'))
  await ok(git('config', 'user.email', 'ann@example.com'))
  await commit('first', { 'README.md': 'hello\n' })
})

after(async () => {
  for (const close of closing) await close()
  if (home) rmSync(home, { recursive: true, force: true })
  await cluster?.[Symbol.asyncDispose]()
})

test('init makes the project, the remote and a first configuration, says what to type next, and may be run again', async () => {
  const text = await ok(k8tsCi(['init']))
  assert.match(text, /project blog made/)
  assert.match(text, /git push k8ts main/)
  assert.ok(existsSync(join(tree, '.circleci/config.yml')))
  assert.match(await ok(command(k8tsProgram, ['ci', 'validate'])), /is valid/)
  assert.match(await ok(k8tsCi(['init'])), /project blog was there/)
  const tokens = await json<object[]>(k8tsCi(['token', 'list', '-o', 'json']))
  assert.equal(tokens.length, 1)
  const { mode } = statSync(join(tree, '.git/k8ts/credentials'))
  assert.equal(mode & 0o777, 0o600)
})

test('a push prints its pipeline, which ends well; variables reach the job and are masked in its log', async () => {
  await ok(k8tsCi(['env', 'set', 'API_KEY'], { input: 'very-secret-value\n' }))
  assert.match(await ok(k8tsCi(['env', 'list'])), /API_KEY +xxxxalue/)
  await commit('show the key', {
    '.circleci/config.yml': config('      - checkout\n      - run: cat README.md && echo "key $API_KEY"\n'),
  })
  const pushed = await ok(git('push', 'k8ts', 'main'))
  assert.match(pushed, /remote: Pipeline #1 for main \([0-9a-f]{7}\)/)
  assert.match(pushed, /remote: +https:\/\/127\.0\.0\.1:\d+\/pipelines\/default\/blog-/)
  const log = await ok(k8tsCi(['logs', '-f', '1']))
  assert.match(log, /build \| hello/)
  assert.doesNotMatch(log, /very-secret-value/)
  assert.match(log, /Pipeline #1 succeeded/)
  const [made] = await pipelines('blog')
  assert.deepEqual([made!.spec.actor, made!.spec.trigger?.type, made!.status?.commit?.subject], ['Ann', 'webhook', 'show the key'])
})

test('a clone with a read token gives it back; it cannot push, and a wrong token gets 401', async () => {
  const read = (await json<{ token: string }>(k8tsCi(['token', 'create', '--scope', 'read', '-o', 'json']))).token
  const url = (await ok(git('config', 'remote.k8ts.url'))).trim()
  const ca = join(tree, '.git/k8ts/ca.crt')
  const as = (token: string) => url.replace('://', `://x:${token}@`)
  const clone = join(home, 'clone')
  await ok(command('git', ['-c', `http.sslCAInfo=${ca}`, 'clone', '-q', as(read), clone], { cwd: home }))
  assert.equal(readFileSync(join(clone, 'README.md'), 'utf8'), 'hello\n')
  const refused = await command('git', ['-c', `http.sslCAInfo=${ca}`, 'push', 'origin', 'main:mine'], { cwd: clone })
  assert.notEqual(refused.code, 0)
  assert.match(refused.text, /403/)
  // whoever the API server knows is known here, with the same rights
  await cluster.kubectl('create', 'serviceaccount', 'reader')
  await cluster.kubectl('create', 'rolebinding', 'reader', '--clusterrole=view', '--serviceaccount=default:reader')
  const account = (await cluster.kubectl('create', 'token', 'reader')).trim()
  assert.match(await ok(git('-c', 'credential.helper=', '-c', `http.sslCAInfo=${ca}`, 'ls-remote', as(account))), /refs\/heads\/main/)
  assert.match((await git('-c', 'credential.helper=', '-c', `http.sslCAInfo=${ca}`, 'push', as(account), 'main:mine')).text, /403/)
  const wrong = await git('-c', 'credential.helper=', '-c', `http.sslCAInfo=${ca}`, 'push', as('k8ts_0123456789_wrong'), 'main:mine')
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.text, /Authentication failed|401/)
})

test('a red pipeline is followed in the push, one command leads to its line, and failure and fixed are told, again when the receiver stumbles', async () => {
  const notification = { name: 'team', type: 'Webhook', secretName: 'team-hook', on: ['Failure', 'Fixed'] }
  await cluster.kubectl('create', 'secret', 'generic', 'team-hook', `--from-literal=url=${receiver.url}`, '--from-literal=signingSecret=key')
  await cluster.kubectl('patch', 'projects.ci.k8ts.dev/blog', '--type=merge', '-p', JSON.stringify({ spec: { notifications: [notification] } }))
  receiver.answers.push(500)
  await commit('break', {
    '.circleci/config.yml': config(
      '      - checkout\n      - run:\n          name: Run tests\n          command: |\n            echo "3 examples, 1 failure"\n            exit 4\n',
    ),
  })
  const pushed = await ok(git('push', '-o', 'follow', 'k8ts', 'main'))
  assert.match(pushed, /remote: build \| 3 examples, 1 failure/)
  assert.match(pushed, /remote: Pipeline #2 failed: build: Run tests \(\.circleci\/config\.yml:7\)/)
  const red = await k8tsCi(['logs'])
  assert.match(red.text, /Run tests {2}\(\.circleci\/config\.yml:7\)/)
  assert.match(red.text, /3 examples, 1 failure/)
  await receiver.has(2)
  const [first, again] = receiver.told
  assert.deepEqual([first!.body.event, first!.body.failure?.job, first!.body.failure?.step], ['Failure', 'build', 'Run tests'])
  assert.deepEqual([first!.body.failure?.file, first!.body.failure?.line], ['.circleci/config.yml', 7])
  assert.equal(first!.headers['x-k8ts-delivery'], again!.headers['x-k8ts-delivery'])
  assert.equal(again!.headers['x-hub-signature-256'], sign('key', Buffer.from(JSON.stringify(again!.body))))
  await commit('repair', { '.circleci/config.yml': config('      - checkout\n      - run: cat README.md\n') })
  await ok(git('push', '-o', 'follow', 'k8ts', 'main'))
  await receiver.has(3)
  assert.deepEqual([receiver.told[2]!.body.event, receiver.told[2]!.body.pipeline.number], ['Fixed', 3])
})

test('a receiver that is gone is an event of the pipeline, which stays as green as it was', async () => {
  const dead = { name: 'dead', type: 'Slack', url: 'http://127.0.0.1:1024/services/T0/B0/secret', on: ['Success'] }
  await cluster.kubectl('patch', 'projects.ci.k8ts.dev/blog', '--type=merge', '-p', JSON.stringify({ spec: { notifications: [dead] } }))
  assert.equal((await k8tsCi(['run', '-f'])).code, 0)
  const newest = (await pipelines('blog')).sort((a, b) => b.status!.number! - a.status!.number!)[0]!
  assert.equal(newest.status?.phase, 'Succeeded')
  await cluster.kubectl(
    'wait',
    `pipelines.ci.k8ts.dev/${newest.metadata.name}`,
    '--for=jsonpath={.metadata.annotations.ci\\.k8ts\\.dev/notified}',
    '--timeout=120s',
  )
  const { metadata } = (await pipelines('blog')).find((each) => each.metadata.name === newest.metadata.name)!
  assert.match(metadata.annotations!['ci.k8ts.dev/notified']!, /"dead":\{"event":"Success","state":"(pending|failed)"/)
  await cluster.kubectl('patch', 'projects.ci.k8ts.dev/blog', '--type=merge', '-p', '{"spec":{"notifications":[]}}')
})

test('commits that ask to be skipped and branches that go start nothing; a tag does', async () => {
  const before = (await pipelines('blog')).length
  await commit('only words [skip ci]', { 'README.md': 'hello again\n' })
  assert.match(await ok(git('push', 'k8ts', 'main', 'main:refs/heads/other')), /no pipeline for main: the commit’s message asks to skip it/)
  await ok(git('push', 'k8ts', ':other'))
  assert.equal((await pipelines('blog')).length, before)
  await ok(git('tag', 'v1'))
  assert.match(await ok(git('push', 'k8ts', 'v1')), /Pipeline #\d+ for v1/)
  assert.equal((await pipelines('blog')).length, before + 1)
  for (const tag of ['a', 'b', 'c', 'd']) await ok(git('tag', tag))
  assert.match(await ok(git('push', 'k8ts', '--tags')), /no pipelines for 4 tags/)
  assert.equal((await pipelines('blog')).length, before + 1)
})

test('the working tree runs as it is, and the exit code is the pipeline’s', async () => {
  writeFileSync(join(tree, 'uncommitted.txt'), 'never committed\n')
  writeFileSync(join(tree, '.circleci/config.yml'), config('      - checkout\n      - run: cat uncommitted.txt\n'))
  const status = await ok(git('status', '--porcelain'))
  assert.match(await ok(k8tsCi(['run', '--local', '-f'])), /build \| never committed/)
  writeFileSync(join(tree, '.circleci/config.yml'), config('      - checkout\n      - run: exit 9\n'))
  assert.equal((await k8tsCi(['run', '--local', '-f'])).code, 1)
  assert.equal(await ok(git('status', '--porcelain')), status)
  assert.doesNotMatch(await ok(git('ls-remote', 'k8ts')), /refs\/k8ts/)
  await ok(git('checkout', '-q', '.'))
})

test('contexts reach the jobs that name them; an approval is waited for and given; what failed is run again, and what runs is cancelled', async () => {
  await ok(k8tsCi(['context', 'create', 'Deploy keys']))
  await ok(k8tsCi(['context', 'set', 'Deploy keys', 'TARGET=staging-cluster']))
  assert.match(await ok(k8tsCi(['context', 'list'])), /Deploy keys +TARGET=xxxxster/)
  const workflow =
    'release:\n    jobs:\n      - hold:\n          type: approval\n      - build:\n          requires: [hold]\n          context: Deploy keys\n'
  await commit('release', {
    '.circleci/config.yml': config('      - run: echo "to ${#TARGET} letters" && test -e /tmp/never\n', workflow),
  })
  await ok(git('push', 'k8ts', 'main'))
  const newest = (await pipelines('blog')).sort((a, b) => b.status!.number! - a.status!.number!)[0]!
  await cluster.kubectl('wait', `pipelines.ci.k8ts.dev/${newest.metadata.name}`, '--for=jsonpath={.status.phase}=OnHold', '--timeout=120s')
  assert.match(await ok(k8tsCi(['approve'])), /approved: hold/)
  const followed = await k8tsCi(['logs', '-f', newest.metadata.name])
  assert.equal(followed.code, 1)
  assert.match(followed.text, /to 15 letters/)
  const again = await k8tsCi(['rerun', '--from-failed', '-f'])
  assert.equal(again.code, 1, again.text)
  assert.match(again.text, /to 15 letters/)
  await commit('sleep', { '.circleci/config.yml': config('      - run: sleep 300\n') })
  await ok(git('push', 'k8ts', 'main'))
  assert.match(await ok(k8tsCi(['cancel'])), /is being canceled/)
  const canceled = (await pipelines('blog')).sort((a, b) => b.status!.number! - a.status!.number!)[0]!
  await ended(canceled.metadata.name)
  const list = await json<ci.Pipeline[]>(k8tsCi(['list', '-o', 'json', '--limit', '1']))
  assert.equal(list[0]!.status?.phase, 'Canceled')
})

test('a webhook of another host starts a pipeline of what is fetched from there; a wrong signature gets 401 and nothing else', async () => {
  const host = await otherHost()
  closing.push(host.close)
  const other = join(home, 'shop')
  await command('git', ['clone', '-q', '--no-hardlinks', tree, other], { cwd: home })
  const shop = { cwd: other }
  await ok(command('git', ['config', 'user.name', 'Bob'], shop))
  await ok(command('git', ['config', 'user.email', 'bob@example.com'], shop))
  writeFileSync(join(other, '.circleci/config.yml'), config('      - checkout\n      - run: cat README.md\n'))
  await ok(command('git', ['commit', '-qam', 'shop'], shop))
  await ok(command('git', ['push', '-q', host.url.replace('://', '://robot:let-me-in@'), 'main'], shop))
  const revision = (await ok(command('git', ['rev-parse', 'HEAD'], shop))).trim()
  const made = await json<{ webhook: { url: string; secret: string } }>(
    k8tsCi(['init', '--project', 'shop', '--repository', host.url, '-o', 'json'], shop),
  )
  await cluster.kubectl('create', 'secret', 'generic', 'shop-git', '--from-literal=username=robot', '--from-literal=password=let-me-in')
  await cluster.kubectl(
    'patch',
    'projects.ci.k8ts.dev/shop',
    '--type=merge',
    '-p',
    JSON.stringify({ spec: { repository: { url: host.url, credentialsSecretName: 'shop-git' } } }),
  )
  const payload = Buffer.from(
    JSON.stringify({
      ref: 'refs/heads/main',
      before: '0'.repeat(40),
      after: revision,
      head_commit: { id: revision, message: 'shop' },
      sender: { login: 'bob' },
    }),
  )
  const send = (signature: string) =>
    post(made.webhook.url, payload, { 'x-github-event': 'push', 'x-github-delivery': 'd-1', 'x-hub-signature-256': signature })
  assert.deepEqual(await send(sign('guess', payload)), { status: 401, body: { message: 'unauthorized' } })
  assert.equal((await pipelines('shop')).length, 0)
  assert.equal((await send(sign(made.webhook.secret, payload))).status, 201)
  assert.equal((await send(sign(made.webhook.secret, payload))).status, 200)
  const [only, ...more] = await pipelines('shop')
  assert.equal(more.length, 0)
  await ended(only!.metadata.name)
  const [after] = await pipelines('shop')
  assert.deepEqual([after!.status?.phase, after!.status?.revision, after!.spec.actor], ['Succeeded', revision, 'bob'], JSON.stringify(after!.status))
})

/** Another host's git, on plain HTTP. */
async function otherHost() {
  const handle = gitEndpoint({
    repositories: createRepositories({ directory: join(home, 'other-host') }),
    authenticate: (_project, authorization) =>
      Promise.resolve(basicCredentials(authorization)?.password === 'let-me-in' ? { actor: 'robot', access: ['read', 'push'] } : undefined),
    onPush: () => Promise.resolve(),
    log: silentLogger,
  })
  const server = createServer((incoming, response) => void handle(incoming, response, incoming.url!.split('?')[0]!.slice(1)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/shop.git`, close }
}

function post(url: string, body: Buffer, headers: Record<string, string>): Promise<{ status: number; body: object }> {
  const ca = readFileSync(join(clusterPaths(cluster.name).pki, 'ca.crt'))
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method: 'POST', ca, agent: false, headers: { 'content-type': 'application/json', ...headers } }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) as object }))
    })
    outgoing.on('error', reject)
    outgoing.end(body)
  })
}
