import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { etcdIsInstalled, startEtcd } from '../etcd.ts'
import { testCluster } from './cluster.ts'

// Where a cluster keeps its objects: backup, restore, and etcd instead of the embedded store.
const directory = mkdtempSync(join(tmpdir(), 'k8ts-stores-'))
after(() => rmSync(directory, { recursive: true, force: true }))
const file = join(directory, 'cluster.backup')

const sqlite = await testCluster('stores')
after(() => sqlite[Symbol.asyncDispose]())
const names = async (kubectl: typeof sqlite.kubectl) =>
  (await kubectl('get', 'configmaps', '-o', 'name', '--field-selector', 'metadata.name!=kube-root-ca.crt')).split('\n').filter(Boolean)

test('a backup of a running cluster brings back what was there, and takes away what was not', async () => {
  for (const name of ['one', 'two']) await sqlite.kubectl('create', 'configmap', name, '--from-literal=key=value')
  assert.match(await sqlite.k8ts('backup', file, '--name', sqlite.name), /\d+ objects of revision \d+, verified/)
  assert.equal(statSync(file).mode & 0o777, 0o600)
  await sqlite.kubectl('delete', 'configmap', 'two')
  await sqlite.kubectl('create', 'configmap', 'later')
  const before = JSON.parse(await sqlite.kubectl('get', 'configmap', 'later', '-o', 'json')) as { metadata: { resourceVersion: string } }
  await sqlite.k8ts('restore', file, '--name', sqlite.name)
  assert.deepEqual(await names(sqlite.kubectl), ['configmap/one', 'configmap/two'])
  // clients that remember a revision must not take new ones for old ones
  const restored = JSON.parse(await sqlite.kubectl('get', 'configmap', 'one', '-o', 'json')) as { metadata: { resourceVersion: string } }
  assert.ok(Number(restored.metadata.resourceVersion) > Number(before.metadata.resourceVersion))
  await sqlite.kubectl('wait', '--for=condition=Ready', 'node/node-1', '--timeout=120s')
})

test('a damaged backup is refused, and nothing has happened', async () => {
  const damaged = join(directory, 'damaged.backup')
  writeFileSync(damaged, readFileSync(file).subarray(0, 2000))
  await assert.rejects(sqlite.k8ts('restore', damaged, '--name', sqlite.name), /damaged\.backup is damaged/)
  assert.deepEqual(await names(sqlite.kubectl), ['configmap/one', 'configmap/two'])
})

test(
  'a cluster on etcd takes over the backup of one on the embedded store',
  { skip: etcdIsInstalled ? false : 'etcd is not installed' },
  async () => {
    await using etcd = await startEtcd()
    const { index } = JSON.parse(readFileSync(join(process.env['K8TS_HOME'] ?? '/var/lib/k8ts', sqlite.name, 'cluster.json'), 'utf8')) as {
      index: number
    }
    {
      await using other = await testCluster('stores-other', '--runtime', 'fake')
      await assert.rejects(other.k8ts('restore', file, '--name', other.name), new RegExp(`k8ts up --range ${index}`))
    }
    await sqlite.k8ts('down', '--name', sqlite.name)
    await using cluster = await testCluster('stores-etcd', '--range', String(index), '--store', `etcd://${etcd.endpoints[0]}`)
    await cluster.kubectl('create', 'configmap', 'its-own')
    await cluster.k8ts('restore', file, '--name', cluster.name)
    assert.deepEqual(await names(cluster.kubectl), ['configmap/one', 'configmap/two'])
    await cluster.kubectl('create', 'configmap', 'new')
  },
)
