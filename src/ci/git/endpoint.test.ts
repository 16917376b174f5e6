import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { silentLogger } from '#base'
import { type Push, gitEndpoint } from './endpoint.ts'
import { flushPacket, packet } from './pkt-line.ts'
import { createRepositories } from './repositories.ts'
import { basicCredentials } from './tokens.ts'

// the real git on both sides

let home: string
let url: string
let close: () => Promise<void>
const pushes: Push[] = []
let onPush: (push: Push) => Promise<void> = () => Promise.resolve()
const repositories = { current: undefined as unknown as ReturnType<typeof createRepositories> }

before(async () => {
  home = await mkdtemp(join(tmpdir(), 'k8ts-git-'))
  repositories.current = createRepositories({ directory: join(home, 'repositories') })
  const handle = gitEndpoint({
    repositories: repositories.current,
    authenticate: (project, authorization) => {
      const password = basicCredentials(authorization)?.password
      const access = { pusher: ['read', 'push'] as const, reader: ['read'] as const }[password as 'pusher' | 'reader']
      return Promise.resolve(access && project.startsWith('team/') ? { actor: 'ann', access } : undefined)
    },
    onPush: async (push) => {
      pushes.push(push)
      await onPush(push)
    },
    log: silentLogger,
  })
  const server = createServer((request, response) => void handle(request, response, request.url!.split('?')[0]!.slice(5)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/git/`
  close = async () => {
    server.closeAllConnections()
    server.close()
    await once(server, 'close')
  }
})

after(async () => {
  await close()
  await rm(home, { recursive: true, force: true })
})

const environment = {
  PATH: process.env['PATH']!,
  HOME: '/nonexistent',
  GIT_TERMINAL_PROMPT: '0',
  GIT_CONFIG_NOSYSTEM: '1',
  GIT_AUTHOR_NAME: 'Ann',
  GIT_AUTHOR_EMAIL: 'ann@example.com',
  GIT_COMMITTER_NAME: 'Ann',
  GIT_COMMITTER_EMAIL: 'ann@example.com',
}

/** What git printed, both streams; its exit code in `code`. */
function git(cwd: string, ...args: string[]): Promise<{ code: number; text: string }> {
  return new Promise((resolve) =>
    execFile('git', args, { cwd, env: environment, maxBuffer: 2 ** 26 }, (error, stdout, stderr) =>
      resolve({ code: error ? Number(error.code ?? 1) : 0, text: stdout + stderr }),
    ),
  )
}

const remote = (project: string, token = 'pusher') => `${url.replace('//', `//ann:${token}@`)}${project}.git`

async function workingTree(): Promise<string> {
  const tree = await mkdtemp(join(home, 'tree-'))
  await git(tree, 'init', '-q', '-b', 'main')
  await commit(tree, 'a', 'first')
  return tree
}

async function commit(tree: string, file: string, message: string, content: string | Buffer = message): Promise<void> {
  await writeFile(join(tree, file), content)
  await git(tree, 'add', '-A')
  const done = await git(tree, 'commit', '-q', '-m', message)
  assert.equal(done.code, 0, done.text)
}

test('a first push makes the repository, its user sees what the service says, and a clone gets it back', async () => {
  const tree = await workingTree()
  onPush = (push) => push.say(`Pipeline #1 for ${push.updates[0]!.branch}\nhttp://here/1\n`)
  const pushed = await git(tree, 'push', remote('team/blog'), 'main')
  assert.equal(pushed.code, 0, pushed.text)
  assert.match(pushed.text, /remote: Pipeline #1 for main\s*\nremote: http:\/\/here\/1/)
  assert.match(pushed.text, /\[new branch\] +main -> main/)
  const { actor, updates, project } = pushes.at(-1)!
  assert.deepEqual([actor, project, updates.map((u) => u.branch)], ['ann', 'team/blog', ['main']])
  const target = join(home, 'clone')
  const cloned = await git(home, '-c', 'protocol.version=2', 'clone', '-q', remote('team/blog', 'reader'), target)
  assert.equal(cloned.code, 0, cloned.text)
  assert.equal((await git(target, 'log', '--format=%s')).text, 'first\n')
})

test('HEAD names a branch that was pushed, so that a clone checks it out', async () => {
  onPush = () => Promise.resolve()
  const tree = await workingTree()
  await git(tree, 'branch', '-m', 'trunk')
  assert.equal((await git(tree, 'push', remote('team/trunk'), 'trunk')).code, 0)
  assert.equal(await repositories.current.head('team/trunk'), 'trunk')
})

test('a wrong token is refused with 401 and nothing is made', async () => {
  const tree = await workingTree()
  const pushed = await git(tree, 'push', remote('team/never', 'guess'), 'main')
  assert.notEqual(pushed.code, 0)
  assert.match(pushed.text, /Authentication failed|could not read/)
  assert.equal(repositories.current.exists('team/never'), false)
  const response = await fetch(`${url}team/blog.git/info/refs?service=git-upload-pack`)
  assert.equal(response.status, 401)
  assert.match(response.headers.get('www-authenticate')!, /^Basic /)
})

test('a token that may read cannot push', async () => {
  const tree = await workingTree()
  const pushed = await git(tree, 'push', remote('team/blog', 'reader'), 'main:other')
  assert.notEqual(pushed.code, 0)
  assert.match(pushed.text, /403/)
})

test('paths that lead elsewhere are not found, files of the repository are not served', async () => {
  const authorization = `Basic ${btoa('ann:pusher')}`
  for (const path of [
    'team/..%2f..%2fetc/info/refs?service=git-upload-pack',
    'team/blog.git/config',
    'team/blog.git/../../x/info/refs',
    'team/blog.git/HEAD',
  ])
    assert.equal((await fetch(url + path, { headers: { authorization } })).status, 404, path)
})

test('a push of 12 MB is taken in chunks, and push options arrive', async () => {
  onPush = () => Promise.resolve()
  const tree = await workingTree()
  await commit(tree, 'big', 'big', randomBytes(12_000_000))
  const pushed = await git(tree, 'push', '-o', 'follow', remote('team/big'), 'main')
  assert.equal(pushed.code, 0, pushed.text)
  assert.deepEqual(pushes.at(-1)!.options, ['follow'])
})

test('pushes at the same time to one new repository all arrive', async () => {
  const trees = await Promise.all(Array.from({ length: 5 }, workingTree))
  const before = pushes.length
  const results = await Promise.all(trees.map((tree, i) => git(tree, 'push', remote('team/many'), `main:branch-${i}`)))
  for (const { code, text } of results) assert.equal(code, 0, text)
  assert.equal(pushes.length - before, 5)
  assert.equal((await git(home, 'ls-remote', remote('team/many'))).text.match(/refs\/heads\//g)?.length, 5)
})

test('a push that is not a fast-forward is refused and makes nothing; forcing does', async () => {
  const [a, b] = [await workingTree(), await workingTree()]
  await commit(a, 'a', 'one way')
  await commit(b, 'b', 'another')
  assert.equal((await git(a, 'push', remote('team/force'), 'main')).code, 0)
  const before = pushes.length
  assert.notEqual((await git(b, 'push', remote('team/force'), 'main')).code, 0)
  assert.equal(pushes.length, before)
  assert.equal((await git(b, 'push', '--force', remote('team/force'), 'main')).code, 0)
  assert.equal(pushes.length, before + 1)
})

test('a branch that goes makes nothing', async () => {
  const before = pushes.length
  assert.equal((await git(await workingTree(), 'push', remote('team/many'), ':branch-1')).code, 0)
  assert.equal(pushes.length, before)
})

test('working trees that are pushed to be run are not shown, but can be fetched by their id', async () => {
  const tree = await workingTree()
  assert.equal((await git(tree, 'push', remote('team/blog'), 'HEAD:refs/k8ts/local/1')).code, 0)
  const id = (await git(tree, 'rev-parse', 'HEAD')).text.trim()
  assert.doesNotMatch((await git(tree, 'ls-remote', remote('team/blog', 'reader'))).text, /k8ts/)
  const other = await workingTree()
  const fetched = await git(other, 'fetch', remote('team/blog', 'reader'), id)
  assert.equal(fetched.code, 0, fetched.text)
})

test('what fails after the push is said and does not undo it', async () => {
  onPush = () => Promise.reject(new Error('the API server is away'))
  const tree = await workingTree()
  await commit(tree, 'c', 'again')
  const pushed = await git(tree, 'push', remote('team/late'), 'main')
  assert.equal(pushed.code, 0)
  assert.match(pushed.text, /remote: k8ts: the push has arrived, but .*the API server is away/)
  assert.ok(await repositories.current.resolve('team/late', { branch: 'main' }))
})

test('refs are noted as handled once their pipelines are made, and not before; branches that go are forgotten', async () => {
  const tree = await workingTree()
  onPush = () => Promise.reject(new Error('the API server is away'))
  await git(tree, 'push', remote('team/handled'), 'main', 'main:a')
  const left = await repositories.current.unhandled('team/handled')
  assert.deepEqual(left.map((each) => each.ref).sort(), ['refs/heads/a', 'refs/heads/main'])
  await repositories.current.markHandled('team/handled', left)
  assert.deepEqual(await repositories.current.unhandled('team/handled'), [])
  onPush = () => Promise.resolve()
  await git(tree, 'push', remote('team/handled'), ':a')
  // a branch in the place of one that is gone
  await commit(tree, 'd', 'more')
  const moved = await git(tree, 'push', remote('team/handled'), 'main', 'main:a/b')
  assert.equal(moved.code, 0, moved.text)
  assert.deepEqual(await repositories.current.unhandled('team/handled'), [])
  assert.ok((await repositories.current.projects()).includes('team/handled'))
})

test('what the service notes down cannot be pushed', async () => {
  const pushed = await git(await workingTree(), 'push', remote('team/blog'), 'HEAD:refs/k8ts/own/handled/heads/main')
  assert.notEqual(pushed.code, 0)
  assert.match(pushed.text, /hidden ref/)
})

test('a gzip body of a push that comes slowly is unpacked, and its report read', async () => {
  onPush = () => Promise.resolve()
  const { revision } = (await repositories.current.resolve('team/blog', { branch: 'main' }))!
  const line = `${'0'.repeat(40)} ${revision} refs/heads/zipped\0 report-status side-band-64k`
  // an empty pack: version 2, no objects, and its checksum
  const pack = Buffer.concat([Buffer.from('PACK\0\0\0\x02\0\0\0\0', 'latin1'), Buffer.from('029d08823bd8a8eab510ad6ac75c823cfd3ed31e', 'hex')])
  const response = await fetch(`${url}team/blog.git/git-receive-pack`, {
    method: 'POST',
    headers: {
      authorization: `Basic ${btoa('ann:pusher')}`,
      'content-type': 'application/x-git-receive-pack-request',
      'content-encoding': 'gzip',
    },
    // git answers with a head before it has read anything: what is asked is known only later
    body: (async function* () {
      await new Promise((resolve) => setTimeout(resolve, 300))
      yield gzipSync(Buffer.concat([packet(line), flushPacket, pack]))
    })() as unknown as ReadableStream,
    duplex: 'half',
  } as RequestInit)
  assert.match(await response.text(), /ok refs\/heads\/zipped/)
  assert.equal(pushes.at(-1)!.updates[0]!.branch, 'zipped')
})

test('a repository answers what a pipeline asks of it', async () => {
  const tree = await workingTree()
  await commit(tree, 'config.yml', 'title\n\nbody [skip ci]', 'version: 2.1\n')
  await git(tree, 'tag', '-a', 'v1', '-m', 'one')
  await git(tree, 'push', '-q', remote('team/read'), 'main', 'v1')
  const found = (await repositories.current.resolve('team/read', { tag: 'v1' }))!
  assert.equal(found.revision, (await git(tree, 'rev-parse', 'HEAD')).text.trim())
  assert.deepEqual([found.subject, found.body.trim(), found.author], ['title', 'body [skip ci]', 'Ann <ann@example.com>'])
  assert.equal(await repositories.current.readFile('team/read', found.revision, 'config.yml'), 'version: 2.1\n')
  assert.equal(await repositories.current.readFile('team/read', found.revision, 'missing'), undefined)
  assert.equal(await repositories.current.resolve('team/read', { branch: '--output=/tmp/x' }), undefined)
  assert.equal(await repositories.current.resolve('team/none', { branch: 'main' }), undefined)
})
