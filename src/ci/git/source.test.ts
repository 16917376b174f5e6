import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ci, resources } from '#api'
import { silentLogger } from '#base'
import { startTestServer } from '../../apiserver/test-server.ts'
import { gitEndpoint } from './endpoint.ts'
import { git } from './git.ts'
import { createRepositories } from './repositories.ts'
import { createGitSource } from './source.ts'
import { createTokenStore } from './token-store.ts'
import { basicCredentials } from './tokens.ts'

/** Another host: our endpoint on plain HTTP, with a password. */
async function otherHost() {
  const home = await mkdtemp(join(tmpdir(), 'k8ts-host-'))
  const repositories = createRepositories({ directory: home })
  const handle = gitEndpoint({
    repositories,
    authenticate: (_project, authorization) => {
      const { user, password } = basicCredentials(authorization) ?? {}
      return Promise.resolve(user === 'robot' && password === 'let me in' ? { actor: 'robot', access: ['read'] } : undefined)
    },
    onPush: () => Promise.resolve(),
    log: silentLogger,
  })
  const server = createServer((request, response) => void handle(request, response, request.url!.split('?')[0]!.slice(1)))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const repository = await repositories.ensure('team/app', { defaultBranch: 'trunk' })
  const commit = async (message: string, parent?: string) => {
    const identity = { GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'a@x' }
    const blob = (await git(repository, ['hash-object', '-w', '--stdin'], { input: `# ${message}\n` })).trim()
    const tree = (await git(repository, ['mktree'], { input: `100644 blob ${blob}\tconfig.yml\n` })).trim()
    const id = (await git(repository, ['commit-tree', tree, ...(parent ? ['-p', parent] : []), '-m', message], { env: identity })).trim()
    return id
  }
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/team/app.git`,
    commit,
    set: (ref: string, id: string) => git(repository, ['update-ref', ref, id]),
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      server.close()
      await once(server, 'close')
      await rm(home, { recursive: true, force: true })
    },
  }
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const project = (url: string, credentials?: string): ci.Project => ({
  apiVersion: 'ci.k8ts.dev/v1',
  kind: 'Project',
  metadata: { name: 'app', namespace: 'default' },
  spec: { repository: { url, ...(credentials ? { credentialsSecretName: credentials } : {}) } },
})

test('a repository of another host is copied as needed, with the project’s credentials', async () => {
  await using host = await otherHost()
  await using api = await startTestServer()
  await api.client.resource(resources.secrets).create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'robot', namespace: 'default' },
    data: { username: base64('robot'), password: base64('let me in') },
  })
  const home = await mkdtemp(join(tmpdir(), 'k8ts-copy-'))
  try {
    const source = createGitSource({ repositories: createRepositories({ directory: home }), client: api.client })
    const first = await host.commit('first')
    await host.set('refs/heads/trunk', first)
    const app = project(host.url, 'robot')
    // of a branch, of what HEAD names, of a tag, of a commit
    assert.equal((await source.resolve(app, { branch: 'trunk' }))?.revision, first)
    assert.equal((await source.resolve(app, {}))?.revision, first)
    const second = await host.commit('second', first)
    await host.set('refs/heads/trunk', second)
    await host.set('refs/tags/v2', second)
    const found = await source.resolve(app, { branch: 'trunk' })
    assert.deepEqual([found?.revision, found?.subject, found?.author], [second, 'second', 'Ann <a@x>'])
    assert.equal((await source.resolve(app, { tag: 'v2' }))?.revision, second)
    const third = await host.commit('third', second)
    await host.set('refs/heads/other', third)
    assert.equal((await source.resolve(app, { branch: 'other', revision: third }))?.revision, third)
    assert.equal(await source.readFile(app, second, 'config.yml'), '# second\n')
    assert.equal(await source.readFile(app, second, 'none.yml'), undefined)
    // two at a time do not stand in each other's way
    const both = await Promise.all([source.resolve(app, { branch: 'trunk' }), source.resolve(app, { branch: 'other' })])
    assert.deepEqual(
      both.map((each) => each?.revision),
      [second, third],
    )
    await assert.rejects(source.resolve(app, { branch: 'none' }), /fetching from .* failed/)
    await assert.rejects(source.resolve(project(host.url), { branch: 'trunk' }), (error: Error) => !error.message.includes('let me in'))
    await assert.rejects(source.resolve(project(host.url, 'none'), { branch: 'trunk' }), /Secret none .* does not exist/)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('no file and no program of this machine is fetched from', async () => {
  await using api = await startTestServer()
  const home = await mkdtemp(join(tmpdir(), 'k8ts-copy-'))
  try {
    const source = createGitSource({ repositories: createRepositories({ directory: home }), client: api.client })
    for (const url of [home, `file://${home}`, 'ext::sh -c id', '--upload-pack=id'])
      await assert.rejects(source.resolve(project(url), { branch: 'main' }), /failed/)
  } finally {
    await rm(home, { recursive: true, force: true })
  }
})

test('a project’s tokens are kept as hashes, good for it alone, and gone when revoked', async () => {
  await using api = await startTestServer()
  const store = createTokenStore({ client: api.client })
  const [blog, shop] = [
    { namespace: 'default', name: 'blog' },
    { namespace: 'default', name: 'shop' },
  ]
  const one = await store.create(blog, { actor: 'ann', scopes: ['read', 'push'] })
  const two = await store.create(blog, { actor: 'bob', scopes: ['read'] })
  assert.deepEqual(await store.verify(blog, one.token), { actor: 'ann', access: ['read', 'push'] })
  assert.deepEqual((await store.verify(blog, two.token))?.access, ['read'])
  assert.equal(await store.verify(shop, one.token), undefined)
  assert.equal(await store.verify(blog, `${two.token.slice(0, -3)}abc`), undefined)
  const secret = JSON.stringify(await api.client.resource(resources.secrets).get('blog-git-tokens', 'default'))
  assert.ok(!secret.includes(one.token) && !secret.includes(base64(one.token)))
  assert.equal(await store.revoke(blog, one.id), true)
  assert.equal(await store.revoke(blog, one.id), false)
  assert.equal(await store.verify(blog, one.token), undefined)
  assert.deepEqual(
    (await store.list(blog)).map((each) => each.actor),
    ['bob'],
  )
})
