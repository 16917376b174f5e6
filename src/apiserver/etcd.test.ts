import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { core } from '#api'
import { isStatus, resources } from '#api'
import { silentLogger } from '#base'
import { openEtcdStore } from '#store'
import { etcdIsInstalled, startEtcd } from '../../test/etcd.ts'
import type { EtcdCluster } from '../../test/etcd.ts'
import { serviceAllocator, withServiceAllocation } from './registry/allocation/index.ts'
import { strategies } from './registry/strategies/index.ts'
import { startTestServer } from './test-server.ts'

describe('several API servers on one etcd', { skip: etcdIsInstalled ? false : 'etcd is not installed' }, () => {
  let etcd: EtcdCluster
  before(async () => {
    etcd = await startEtcd()
  })
  after(() => etcd[Symbol.asyncDispose]())
  const startServer = async (prefix: string) => startTestServer({ store: await openEtcdStore({ endpoints: etcd.endpoints, prefix }) })
  const map = (name: string, data: Record<string, string>) =>
    ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' }, data }) as core.ConfigMap

  test('what one acknowledged, the other reads, lists, updates and deletes at once', async () => {
    await using one = await startServer('/agree')
    await using two = await startServer('/agree')
    const [a, b] = [one, two].map((server) => server.client.resource<core.ConfigMap>(resources.configMaps)) as [any, any]
    for (let i = 0; i < 20; i++) {
      const name = `map-${i}`
      await a.create(map(name, { by: 'one' }))
      assert.equal((await b.get(name, 'default')).data.by, 'one')
      await b.patch(name, 'default', 'merge', { data: { by: 'two' } })
      assert.equal((await a.get(name, 'default')).data.by, 'two')
      assert.deepEqual(
        (await a.list({ namespace: 'default' })).items.map((item: core.ConfigMap) => item.metadata.name),
        [name],
      )
      await a.delete(name, 'default')
      await assert.rejects(b.get(name, 'default'), (error) => isStatus(error, 'NotFound'))
    }
  })

  test('counters that both increase lose no step', async () => {
    await using one = await startServer('/count')
    await using two = await startServer('/count')
    await one.client.resource<core.ConfigMap>(resources.configMaps).create(map('counter', { n: '0' }))
    const count = async (server: typeof one) => {
      const maps = server.client.resource<core.ConfigMap>(resources.configMaps)
      for (let done = 0; done < 25;) {
        const current = structuredClone(await maps.get('counter', 'default')) as core.ConfigMap
        current.data = { n: String(Number(current.data!['n']) + 1) }
        try {
          await maps.update(current)
          done++
        } catch (error) {
          if (!isStatus(error, 'Conflict')) throw error
        }
      }
    }
    await Promise.all([count(one), count(two), count(one), count(two)])
    assert.equal((await two.client.resource<core.ConfigMap>(resources.configMaps).get('counter', 'default')).data!['n'], '100')
  })

  test('services that are made at both get addresses of their own, each with its object', async () => {
    const startAllocating = async () => {
      const store = await openEtcdStore({ endpoints: etcd.endpoints, prefix: '/addresses' })
      const allocator = serviceAllocator({ store, reader: () => server.server.reader, clusterIPs: '10.96.0.0/26', log: silentLogger })
      const server = await startTestServer({ store, strategies: withServiceAllocation(strategies, allocator) })
      return server
    }
    await using one = await startAllocating()
    await using two = await startAllocating()
    const service = (i: number) => ({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: `s${i}`, namespace: 'default' },
      spec: { ports: [{ port: 80 }] },
    })
    const create = (i: number) => (i % 2 ? one : two).client.resource<core.Service>(resources.services).create(service(i) as never)
    const made = await Promise.all(Array.from({ length: 62 }, (_, i) => create(i)))
    const given = new Set(made.map(({ spec }) => spec.clusterIP))
    assert.equal(given.size, 62)
    await assert.rejects(create(62), /failed to allocate a serviceIP: range is full/)
    const addresses = (await one.client.resource(resources.ipAddresses).list()).items
    assert.deepEqual(new Set(addresses.map(({ metadata }) => metadata.name)), given)
    await two.client.resource(resources.services).delete('s7', 'default')
    assert.equal((await create(63)).spec.clusterIP, made[7]!.spec.clusterIP)
  })

  test('a watch at one shows what is written at the other, in order', async () => {
    await using one = await startServer('/watch')
    await using two = await startServer('/watch')
    const seen: string[] = []
    const signal = AbortSignal.timeout(60_000)
    const watching = (async () => {
      const watch = two.client.resource<core.ConfigMap>(resources.configMaps).watch({ namespace: 'default', resourceVersion: '0', signal })
      for await (const event of watch) {
        if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue
        seen.push(event.object.metadata.name!)
        if (seen.length === 50) return
      }
    })()
    const names = Array.from({ length: 50 }, (_, i) => `map-${String(i).padStart(2, '0')}`)
    for (const name of names) await one.client.resource<core.ConfigMap>(resources.configMaps).create(map(name, {}))
    await watching
    assert.deepEqual(seen, names)
  })
})
