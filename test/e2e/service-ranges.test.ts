import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { testCluster } from './cluster.ts'

// ServiceCIDRs and IPAddresses (KEP-1880) as kubectl shows and changes them.
const cluster = await testCluster('service-ranges', '--runtime', 'fake')
after(() => cluster[Symbol.asyncDispose]())
const { kubectl } = cluster
const rows = async (...args: string[]) =>
  (await kubectl('get', ...args, '--no-headers'))
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split(/\s+/))

const [[, own = '']] = (await rows('servicecidr', 'kubernetes')) as [string[]]
const network = own.split('.').slice(0, 2).join('.')
// beside the cluster's own range, which is a /16
const further = `${network.split('.')[0]}.250.7.0/30`
const range = (name: string, cidr: string) => ({
  apiVersion: 'networking.k8s.io/v1',
  kind: 'ServiceCIDR',
  metadata: { name },
  spec: { cidrs: [cidr] },
})
const condition = (name: string, status: string) =>
  kubectl('wait', `--for=jsonpath={.status.conditions[?(@.type=="Ready")].status}=${status}`, `servicecidr/${name}`, '--timeout=120s')

test('the cluster’s own range is there and ready, and addresses of services are objects', async () => {
  assert.match(own, /^\d+\.\d+\.0\.0\/16$/)
  await condition('kubernetes', 'True')
  assert.equal(
    (await kubectl('get', 'servicecidr', 'kubernetes', '-o', 'jsonpath={.metadata.finalizers}')).trim(),
    '["networking.k8s.io/service-cidr-finalizer"]',
  )
  const addresses = await rows('ipaddresses')
  assert.deepEqual(
    addresses.find(([name]) => name === `${network}.0.1`),
    [`${network}.0.1`, 'services/default/kubernetes'],
  )
  const services = (await rows('services', '-A')).map(([, , , address]) => address)
  assert.deepEqual(addresses.map(([name]) => name).sort(), services.sort())
})

test('a further range gives services addresses, and stays as long as one has any of them', async () => {
  await cluster.apply(range('further', further))
  await condition('further', 'True')
  const address = further.replace('.0/30', '.2')
  await kubectl('create', 'service', 'clusterip', 'far', '--tcp=80', `--clusterip=${address}`)
  assert.equal(
    (await kubectl('get', 'ipaddress', address, '-o', 'jsonpath={.spec.parentRef}')).trim(),
    '{"name":"far","namespace":"default","resource":"services"}',
  )
  await kubectl('delete', 'servicecidr', 'further', '--wait=false')
  await condition('further', 'False')
  await assert.rejects(
    kubectl('create', 'service', 'clusterip', 'late', '--tcp=80', `--clusterip=${further.replace('.0/30', '.1')}`),
    /failed to allocate IP \S+: the provided network does not match the current range/,
  )
  await kubectl('delete', 'service', 'far')
  await kubectl('wait', '--for=delete', 'servicecidr/further', '--timeout=120s')
  await assert.rejects(kubectl('get', 'ipaddress', address), /not found/)
})

test('an address that somebody else has written down is theirs', async () => {
  const address = `${network}.0.77`
  const parentRef = { group: 'example.com', resource: 'machines', name: 'm' }
  await cluster.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name: address }, spec: { parentRef } })
  assert.deepEqual((await rows('ipaddress', address))[0], [address, 'machines.example.com/m'])
  await assert.rejects(kubectl('create', 'service', 'clusterip', 'no', '--tcp=80', `--clusterip=${address}`), /provided IP is already allocated/)
  await kubectl('delete', 'ipaddress', address)
  await kubectl('create', 'service', 'clusterip', 'yes', '--tcp=80', `--clusterip=${address}`)
})

test('addresses keep their objects over a restart', async () => {
  const before = await rows('ipaddresses')
  await cluster.k8ts('stop', '--name', cluster.name)
  await cluster.k8ts('start', '--name', cluster.name)
  assert.deepEqual(await rows('ipaddresses'), before)
})
