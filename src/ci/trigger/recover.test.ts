import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { type ci, resources } from '#api'
import { realClock, silentLogger } from '#base'
import { startTestServer } from '../../apiserver/test-server.ts'
import { git } from '../git/git.ts'
import { createPushLedger } from '../git/push-ledger.ts'
import { createRepositories } from '../git/repositories.ts'
import { pushPipelines } from './push.ts'
import { recoverPushes } from './recover.ts'

const identity = { GIT_AUTHOR_NAME: 'Ann', GIT_AUTHOR_EMAIL: 'a@x', GIT_COMMITTER_NAME: 'Ann', GIT_COMMITTER_EMAIL: 'a@x' }

test('refs that moved before the service was killed get their pipelines at its next start, once', async () => {
  await using api = await startTestServer()
  const directory = await mkdtemp(join(tmpdir(), 'k8ts-recover-'))
  try {
    const repositories = createRepositories({ directory })
    const projects = api.client.resource(resources.ciProjects)
    for (const [name, spec] of [
      ['blog', {}],
      ['copy', { repository: { url: 'https://example.com/x.git' } }],
    ] as const)
      await projects.create({ apiVersion: 'ci.k8ts.dev/v1', kind: 'Project', metadata: { name, namespace: 'default' }, spec })
    // as a push leaves them whose service did not live to see its end; and a repository whose project is gone
    for (const key of ['default/blog', 'default/copy', 'default/gone']) {
      const repository = await repositories.ensure(key)
      const tree = (await git(repository, ['mktree'], { input: '' })).trim()
      const id = (await git(repository, ['commit-tree', tree, '-m', 'work'], { env: identity })).trim()
      for (const ref of ['refs/heads/main', 'refs/heads/seen', 'refs/tags/v1']) await git(repository, ['update-ref', ref, id])
      await repositories.markHandled(key, [{ ref: 'refs/heads/seen', to: id }])
    }
    const start = async () => {
      const stop = new AbortController()
      const onPush = pushPipelines({ client: api.client, repositories, addressOf: () => '', follow: () => Promise.resolve() })
      // one look, as at a start
      const clock = { ...realClock, sleep: () => (stop.abort(), Promise.resolve()) }
      await recoverPushes({ client: api.client, repositories, ledger: createPushLedger(), onPush, clock, log: silentLogger }, stop.signal)
    }
    const made = async () => (await api.client.resource(resources.ciPipelines).list()).items as ci.Pipeline[]
    await start()
    assert.deepEqual((await made()).map(({ spec }) => [spec.projectName, spec.branch ?? spec.tag]).sort(), [
      ['blog', 'main'],
      ['blog', 'v1'],
    ])
    await start()
    assert.equal((await made()).length, 2)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
})

test('nobody pushes while lost pushes are made up for, and nobody makes up while somebody pushes', async () => {
  const ledger = createPushLedger()
  const order: string[] = []
  let finish = () => {}
  const alone = ledger.alone('a', () => new Promise<void>((resolve) => (finish = resolve)).then(() => void order.push('alone')))
  const pushing = ledger.begin('a').then((push) => (order.push('push'), push))
  finish()
  assert.equal(await alone, true)
  {
    using _push = await pushing
    assert.deepEqual(order, ['alone', 'push'])
    assert.equal(await ledger.alone('a', () => Promise.reject(new Error('not now'))), false)
  }
  assert.equal(await ledger.alone('a', () => Promise.resolve()), true)
})
