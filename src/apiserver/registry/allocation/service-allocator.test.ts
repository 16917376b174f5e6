import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, networking } from '#api'
import { isStatus } from '#api'
import { manualClock, seededRandom, silentLogger } from '#base'
import { memoryStore } from '#store'
import type { WriteContext } from '../strategy.ts'
import { serviceStrategy } from '../strategies/core/service.ts'
import { WatchCache } from '../watch-cache.ts'
import { encodeStored } from '../wire.ts'
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

const group = 'networking.k8s.io'

async function setup(options: { clusterIPs?: string; nodePorts?: { first: number; last: number } } = {}) {
  const store = memoryStore()
  const clock = manualClock()
  /** What one API server sees of the store. */
  const follow = async () => {
    const cache = new WatchCache({ store, clock, log: silentLogger })
    for (const resource of ['ipaddresses', 'servicecidrs']) cache.resource(group, resource)
    await cache.start()
    return cache
  }
  const make = async () => {
    const cache = await follow()
    return serviceAllocator({
      store,
      reader: () => cache.reader(),
      clusterIPs: options.clusterIPs ?? '10.96.0.0/16',
      ...(options.nodePorts ? { nodePorts: options.nodePorts } : {}),
      random: seededRandom(7),
      clock,
      log: silentLogger,
    })
  }
  const cache = await follow()
  return {
    store,
    clock,
    make,
    allocator: await make(),
    async keys() {
      const all = [...(await store.list('/allocations/')).items, ...(await store.list('/registry/networking.k8s.io/ipaddresses/')).items]
      return all.map(({ key }) => key.replace('/allocations/', '').replace('/registry/networking.k8s.io/', '')).sort()
    },
    async address(name: string) {
      await cache.applied(await store.currentRevision())
      return cache.reader().get<networking.IPAddress>(group, 'ipaddresses', '', name)
    },
    /** Writes a range of services as the API would. */
    async range(name: string, cidrs: string[], more: object = {}) {
      const key = `/registry/networking.k8s.io/servicecidrs/${name}`
      const object = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name, uid: name, ...more }, spec: { cidrs }, ...more }
      const current = await store.get(key)
      const value = encodeStored(object)
      const result = await (current ? store.update(key, value, current.modRevision) : store.create(key, value))
      assert.ok(result.ok)
      await cache.applied(result.revision)
    },
  }
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
  await assert.rejects(
    allocator.claim(service({ clusterIP: '10.1.0.1' }), undefined, context()),
    /failed to allocate IP 10\.1\.0\.1: the provided network does not match the current range/,
  )
})

test('headless services and external names hold nothing', async () => {
  const { allocator, keys } = await setup()
  await (await allocator.claim(service({ clusterIP: 'None' }), undefined, context())).settle(true)
  await (await allocator.claim(service({ type: 'ExternalName', externalName: 'example.com' }), undefined, context())).settle(true)
  assert.deepEqual(await keys(), [])
})

test('a write that fails gives everything back', async () => {
  const { allocator, keys } = await setup()
  const claim = await allocator.claim(service({ type: 'NodePort' }), undefined, context())
  assert.equal((await keys()).length, 2)
  await claim.settle(false)
  assert.deepEqual(await keys(), [])
})

test('a refused node port gives back the address that was taken before it', async () => {
  const { allocator, keys } = await setup()
  await (await allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), undefined, context())).settle(true)
  await assert.rejects(
    allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }), undefined, context()),
    /spec\.ports\[0\]\.nodePort: Invalid value: 30080: provided port is already allocated/,
  )
  await assert.rejects(
    allocator.claim(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }), undefined, context()),
    /provided port is not in the valid range\. The range of valid ports is 30000-32767/,
  )
  assert.equal((await keys()).length, 2)
})

test('a change to ClusterIP gives the node ports back and keeps the address', async () => {
  const { allocator, keys } = await setup()
  const before = service({ type: 'NodePort' })
  await (await allocator.claim(before, undefined, context())).settle(true)
  const after: core.Service = { ...before, spec: { ...before.spec, type: 'ClusterIP', ports: before.spec.ports!.map((port) => ({ ...port })) } }
  serviceStrategy.prepareForUpdate!(after, before, context())
  assert.equal(after.spec.ports![0]!.nodePort, undefined)
  await (await allocator.claim(after, before, context())).settle(true)
  assert.deepEqual(await keys(), [`ipaddresses/${before.spec.clusterIP}`])
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
  const servers = [await make(), await make()]
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
  const { allocator, keys } = await setup()
  const trial = service({ type: 'NodePort' })
  await (await allocator.claim(trial, undefined, context(true))).settle(true)
  assert.ok(trial.spec.clusterIP && trial.spec.ports![0]!.nodePort)
  assert.deepEqual(await keys(), [])
  await (await allocator.claim(service({ clusterIP: '10.96.0.9' }), undefined, context())).settle(true)
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.9' }), undefined, context(true)), /already allocated/)
})

test('repair claims what services have and forgets what is left over, but not a claim whose write may be under way', async () => {
  const { allocator, clock, keys } = await setup()
  const lost = service()
  await allocator.claim(lost, undefined, context())
  const known = service({ clusterIP: '10.96.0.44', type: 'NodePort', ports: [{ port: 1, nodePort: 31000 }] })
  await allocator.repair(() => [known])
  assert.deepEqual(await keys(), ['ipaddresses/10.96.0.44', `ipaddresses/${lost.spec.clusterIP}`, 'nodeport/31000'].sort())
  await clock.advance(61_000)
  await allocator.repair(() => [known])
  assert.deepEqual(await keys(), ['ipaddresses/10.96.0.44', 'nodeport/31000'])
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.44' }), undefined, context()), /already allocated/)
})

test('an allocated address is an object that says whose it is', async () => {
  const { allocator, address } = await setup()
  const one = service({ clusterIP: '10.96.0.10' })
  await (await allocator.claim(one, undefined, context())).settle(true)
  const object = (await address('10.96.0.10'))!
  assert.deepEqual(object.metadata.labels, {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  })
  assert.deepEqual(object.spec.parentRef, { resource: 'services', namespace: 'default', name: one.metadata.name })
  assert.ok(object.metadata.uid && object.metadata.creationTimestamp)
  await allocator.release(one)
  assert.equal(await address('10.96.0.10'), undefined)
})

test('addresses of IPv6 are named in their canonical form', async () => {
  const { allocator, keys } = await setup({ clusterIPs: '2001:db8::/112' })
  const one = service({ clusterIP: '2001:DB8:0:0::A' })
  await (await allocator.claim(one, undefined, context())).settle(true)
  assert.deepEqual(await keys(), ['ipaddresses/2001:db8::a'])
  const any = service()
  await (await allocator.claim(any, undefined, context())).settle(true)
  assert.match(any.spec.clusterIP!, /^2001:db8::[0-9a-f]+$/)
})

test('what somebody else wrote an address down for is not given to a service, nor taken away from them', async () => {
  const { allocator, store, clock, address } = await setup({ clusterIPs: '10.96.0.0/30' })
  const other = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.96.0.1', uid: 'other', creationTimestamp: '2020-01-01T00:00:00Z' },
    spec: { parentRef: { group: 'gateway.networking.k8s.io', resource: 'gateways', name: 'g' } },
  }
  await store.create('/registry/networking.k8s.io/ipaddresses/10.96.0.1', encodeStored(other as never))
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.1' }), undefined, context()), /already allocated/)
  const one = service()
  await (await allocator.claim(one, undefined, context())).settle(true)
  assert.equal(one.spec.clusterIP, '10.96.0.2')
  await clock.advance(61_000)
  await allocator.repair(() => [one])
  assert.equal((await address('10.96.0.1'))?.metadata.uid, 'other')
})

test('further ranges are used when the first is full or when they are asked for, while they are ready', async () => {
  const { make, range } = await setup({ clusterIPs: '10.96.0.0/30' })
  await range('kubernetes', ['10.96.0.0/30'])
  await range('more', ['10.97.0.0/24', '2001:db8::/112'])
  const allocator = await make()
  const given = []
  for (let i = 0; i < 3; i++) {
    const one = service()
    await (await allocator.claim(one, undefined, context())).settle(true)
    given.push(one.spec.clusterIP!)
  }
  assert.deepEqual(given.slice(0, 2).sort(), ['10.96.0.1', '10.96.0.2'])
  assert.match(given[2]!, /^10\.97\.0\./)
  await allocator.claim(service({ clusterIP: '10.97.0.5' }), undefined, context())
  await range('more', ['10.97.0.0/24'], { deletionTimestamp: '2026-01-01T00:00:00Z' })
  const later = await make()
  await assert.rejects(later.claim(service({ clusterIP: '10.97.0.6' }), undefined, context()), /does not match the current range/)
  await assert.rejects(later.claim(service(), undefined, context()), /range is full/)
  await range('more', ['10.97.0.0/24'], { status: { conditions: [{ type: 'Ready', status: 'False' }] } })
  await assert.rejects((await make()).claim(service({ clusterIP: '10.97.0.6' }), undefined, context()), /does not match the current range/)
})

test('a range that comes while the server runs is used', async () => {
  const { allocator, range } = await setup({ clusterIPs: '10.96.0.0/24' })
  const wanted = service({ clusterIP: '10.98.0.1' })
  await assert.rejects(allocator.claim(wanted, undefined, context()), /does not match the current range/)
  await range('more', ['10.98.0.0/16'])
  await new Promise(setImmediate)
  await allocator.claim(wanted, undefined, context())
  // the server's own range is there, also without an object
  await allocator.claim(service({ clusterIP: '10.96.0.1' }), undefined, context())
})

test('services of before get objects for their addresses, and wrong ones are made anew', async () => {
  const { allocator, store, keys, address, range } = await setup()
  await range('kubernetes', ['10.96.0.0/16'])
  const services = [
    service({ clusterIP: '10.96.0.10' }),
    service({ clusterIP: '10.96.0.11' }),
    service({ clusterIP: '10.1.1.1' }),
    service({ clusterIP: 'None' }),
  ]
  await store.create('/allocations/clusterip/10.96.0.10', Buffer.from('{}'))
  const wrong = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: { name: '10.96.0.11', uid: 'wrong', creationTimestamp: '2020-01-01T00:00:00Z' },
    spec: { parentRef: { resource: 'services', namespace: 'default', name: 'gone' } },
  }
  await store.create('/registry/networking.k8s.io/ipaddresses/10.96.0.11', encodeStored(wrong as never))
  await address('10.96.0.11')
  await allocator.repair(() => services)
  assert.deepEqual(await keys(), ['ipaddresses/10.96.0.10', 'ipaddresses/10.96.0.11'])
  assert.equal((await address('10.96.0.11'))?.spec.parentRef?.name, services[1]!.metadata.name)
  // the second that says it has an address does not get it
  await allocator.repair(() => [...services, service({ clusterIP: '10.96.0.10' })])
  assert.equal((await address('10.96.0.10'))?.spec.parentRef?.name, services[0]!.metadata.name)
})

test('what was there before is known to be taken before anything is given away', async () => {
  const { allocator } = await setup()
  const old = service({ clusterIP: '10.96.0.10' })
  const repairing = allocator.repair(() => [old])
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.10' }), undefined, context()), /already allocated/)
  await repairing
})

test('an address that a finalizer holds is free when that lets go', async () => {
  const { allocator, store, address } = await setup()
  const one = service({ clusterIP: '10.96.0.10' })
  await (await allocator.claim(one, undefined, context())).settle(true)
  const key = '/registry/networking.k8s.io/ipaddresses/10.96.0.10'
  const current = (await store.get(key))!
  const object = (await address('10.96.0.10'))!
  await store.update(
    key,
    encodeStored({ ...object, metadata: { ...object.metadata, finalizers: ['a.example.com/b'] } } as never),
    current.modRevision,
  )
  await allocator.release(one)
  assert.ok((await address('10.96.0.10'))?.metadata.deletionTimestamp)
  await assert.rejects(allocator.claim(service({ clusterIP: '10.96.0.10' }), undefined, context()), /already allocated/)
})
