import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { isStatus } from '#api'
import { manualClock, seededRandom, silentLogger } from '#base'
import { memoryStore } from '#store'
import type { WriteContext } from '../strategy.ts'
import { serviceStrategy } from '../strategies/core/service.ts'
import { serviceAllocator } from './service-allocator.ts'

const context = (dryRun = false) => ({ request: { user: { username: 'u', groups: [] }, verb: 'create', path: '' }, now: '', dryRun }) as WriteContext

let serial = 0
function service(spec: core.ServiceSpec = {}): core.Service {
  const object = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: `s${serial++}`, namespace: 'default', uid: `uid-${serial}` },
    spec: { ports: [{ port: 80 }], ...spec },
  } as core.Service
  serviceStrategy.default!(object)
  serviceStrategy.prepareForCreate!(object, context())
  return object
}

async function setup(options: { clusterIPs?: string; nodePorts?: { first: number; last: number } } = {}) {
  const store = memoryStore()
  const clock = manualClock()
  const make = () =>
    serviceAllocator({
      store,
      clusterIPs: options.clusterIPs ?? '10.96.0.0/16',
      ...(options.nodePorts ? { nodePorts: options.nodePorts } : {}),
      random: seededRandom(7),
      clock,
      log: silentLogger,
    })
  return { store, clock, make, allocator: make() }
}

test('a service without an address gets one from the dynamic part of the range', async () => {
  const { allocator } = await setup()
  const one = service()
  await (await allocator.claim(one, undefined, context())).settle(true)
  assert.match(one.spec.clusterIP!, /^10\.96\.\d+\.\d+$/)
  assert.deepEqual(one.spec.clusterIPs, [one.spec.clusterIP])
  assert.deepEqual(one.spec.ipFamilies, ['IPv4'])
  assert.notEqual(one.spec.clusterIP!.split('.')[2], '0')
})

test('an address that another service has is refused, and free again once that is gone', async () => {
  const { allocator } = await setup()
  const first = service({ clusterIP: '10.96.0.10' })
  await (await allocator.claim(first, undefined, context())).settle(true)
  const second = service({ clusterIP: '10.96.0.10' })
  await assert.rejects(allocator.claim(second, undefined, context()), (error) => {
    assert.ok(isStatus(error, 'Invalid'))
    assert.equal(error.status.details!.causes![0]!.field, 'spec.clusterIPs')
    assert.match(error.message, /Invalid value: \["10\.96\.0\.10"\]: failed to allocate IP 10\.96\.0\.10: provided IP is already allocated/)
    return true
  })
  await allocator.release(first)
  await allocator.claim(second, undefined, context())
})

test('an address outside the range is refused', async () => {
  const { allocator } = await setup()
  await assert.rejects(allocator.claim(service({ clusterIP: '10.1.0.1' }), undefined, context()), /The range of valid IPs is 10\.96\.0\.0\/16/)
})

test('headless services and external names hold nothing', async () => {
  const { allocator, store } = await setup()
  await (await allocator.claim(service({ clusterIP: 'None' }), undefined, context())).settle(true)
  await (await allocator.claim(service({ type: 'ExternalName', externalName: 'example.com' }), undefined, context())).settle(true)
  assert.deepEqual((await store.list('/allocations/')).items, [])
})

test('a write that fails gives everything back', async () => {
  const { allocator, store } = await setup()
  const claim = await allocator.claim(service({ type: 'NodePort' }), undefined, context())
  assert.equal((await store.list('/allocations/')).items.length, 2)
  await claim.settle(false)
  assert.deepEqual((await store.list('/allocations/')).items, [])
})

test('a refused node port gives back the address that was taken before it', async () => {
  const { allocator, store } = await setup()
  await (await allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), undefined, context())).settle(true)
  await assert.rejects(
    allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), undefined, context()),
    /spec\.ports\[0\]\.nodePort: Invalid value: 30080: provided port is already allocated/,
  )
  await assert.rejects(
    allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }), undefined, context()),
    /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
  )
  assert.equal((await store.list('/allocations/')).items.length, 2)
})

test('a change to ClusterIP gives the node ports back and keeps the address', async () => {
  const { allocator, store } = await setup()
  const before = service({ type: 'NodePort' })
  await (await allocator.claim(before, undefined, context())).settle(true)
  const after: core.Service = { ...before, spec: { ...before.spec, type: 'ClusterIP', ports: before.spec.ports!.map((port) => ({ ...port })) } }
  serviceStrategy.prepareForUpdate!(after, before, context())
  assert.equal(after.spec.ports![0]!.nodePort, undefined)
  await (await allocator.claim(after, before, context())).settle(true)
  const keys = (await store.list('/allocations/')).items.map((item) => item.key)
  assert.deepEqual(keys, [`/allocations/clusterip/${before.spec.clusterIP}`])
})

test('two protocols of one port share a node port', async () => {
  const { allocator } = await setup()
  const dns = service({
    type: 'NodePort',
    ports: [
      { name: 'udp', port: 53, protocol: 'UDP' },
      { name: 'tcp', port: 53, protocol: 'TCP' },
    ],
  })
  await allocator.claim(dns, undefined, context())
  assert.equal(dns.spec.ports![0]!.nodePort, dns.spec.ports![1]!.nodePort)
})

test('a load balancer with the local policy gets a health check port', async () => {
  const { allocator } = await setup()
  const balancer = service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local' })
  await allocator.claim(balancer, undefined, context())
  assert.ok(balancer.spec.healthCheckNodePort! >= 30000)
})

test('two API servers on one store never give the same address twice, and use the range to its end', async () => {
  const { make } = await setup({ clusterIPs: '10.96.0.0/26' })
  const servers = [make(), make()]
  const services = Array.from({ length: 62 }, () => service())
  await Promise.all(services.map(async (one, i) => (await servers[i % 2]!.claim(one, undefined, context())).settle(true)))
  assert.equal(new Set(services.map((one) => one.spec.clusterIP)).size, 62)
  await assert.rejects(servers[0]!.claim(service(), undefined, context()), /failed to allocate a serviceIP: range is full/)
  await servers[1]!.release(services[3]!)
  const last = service()
  await servers[0]!.claim(last, undefined, context())
  assert.equal(last.spec.clusterIP, services[3]!.spec.clusterIP)
})

test('a dry run takes nothing and still refuses what is taken', async () => {
  const { allocator, store } = await setup()
  const trial = service({ type: 'NodePort' })
  await (await allocator.claim(trial, undefined, context(true))).settle(true)
  assert.ok(trial.spec.clusterIP && trial.spec.ports![0]!.nodePort)
  assert.deepEqual((await store.list('/allocations/')).items, [])
  await (await allocator.claim(service({ clusterIP: '10.96.0.9' }), undefined, context())).settle(true)
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.9' }), undefined, context(true)), /already allocated/)
})

test('repair claims what services have and forgets what is left over, but not a claim whose write may be under way', async () => {
  const { allocator, clock, store } = await setup()
  const lost = service()
  await allocator.claim(lost, undefined, context())
  const known = service({ clusterIP: '10.96.0.44', type: 'NodePort', ports: [{ port: 1, nodePort: 31000 }] })
  await allocator.repair([known])
  const keys = async () => (await store.list('/allocations/')).items.map((item) => item.key).sort()
  assert.deepEqual(
    await keys(),
    ['/allocations/clusterip/10.96.0.44', `/allocations/clusterip/${lost.spec.clusterIP}`, '/allocations/nodeport/31000'].sort(),
  )
  await clock.advance(61_000)
  await allocator.repair([known])
  assert.deepEqual(await keys(), ['/allocations/clusterip/10.96.0.44', '/allocations/nodeport/31000'])
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.44' }), undefined, context()), /already allocated/)
})
