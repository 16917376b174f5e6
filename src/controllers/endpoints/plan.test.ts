import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { planEndpoints, repack } from './plan.ts'

const service = (spec: Partial<core.ServiceSpec> = {}, metadata: Partial<core.Service['metadata']> = {}): core.Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'ns', ...metadata },
  spec: { clusterIP: '10.96.0.1', ports: [{ name: 'http', port: 80, targetPort: 'web', protocol: 'TCP' }], ...spec },
})
const pod = (
  name: string,
  over: { ready?: boolean; deleted?: boolean; phase?: core.PodStatus['phase']; ports?: core.ContainerPort[]; spec?: object } = {},
): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'ns', uid: `uid-${name}`, ...(over.deleted ? { deletionTimestamp: 'now' } : {}) },
  spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'i', ports: over.ports ?? [{ name: 'web', containerPort: 8080 }] }], ...over.spec },
  status: {
    phase: over.phase ?? 'Running',
    podIP: `10.0.0.${name}`,
    conditions: [{ type: 'Ready', status: over.ready === false ? 'False' : 'True' }],
  },
})
const address = (name: string, extra: object = {}) => ({
  ip: `10.0.0.${name}`,
  ...extra,
  nodeName: 'n1',
  targetRef: { kind: 'Pod', namespace: 'ns', name, uid: `uid-${name}` },
})
const port = { name: 'http', port: 8080, protocol: 'TCP' as const }

const rows: { name: string; service: core.Service; pods: core.Pod[]; expect: core.EndpointSubset[] }[] = [
  { name: 'no pods, no subsets', service: service(), pods: [], expect: [] },
  {
    name: 'ready and unready pods share a subset',
    service: service(),
    pods: [pod('2'), pod('1'), pod('3', { ready: false })],
    expect: [{ addresses: [address('1'), address('2')], notReadyAddresses: [address('3')], ports: [port] }],
  },
  {
    name: 'a named port that differs between pods makes two subsets',
    service: service(),
    pods: [pod('1'), pod('2', { ports: [{ name: 'web', containerPort: 9090 }] })],
    expect: [
      { addresses: [address('1')], ports: [port] },
      { addresses: [address('2')], ports: [{ ...port, port: 9090 }] },
    ],
  },
  { name: 'a pod without the named port is left out', service: service(), pods: [pod('1', { ports: [] })], expect: [] },
  { name: 'a pod that terminates is left out', service: service(), pods: [pod('1', { deleted: true })], expect: [] },
  { name: 'a pod that is finished is left out', service: service(), pods: [pod('1', { phase: 'Succeeded' })], expect: [] },
  {
    name: 'a service that publishes what is not ready has all of them as ready',
    service: service({ publishNotReadyAddresses: true }),
    pods: [pod('1', { ready: false, deleted: true })],
    expect: [{ addresses: [address('1')], ports: [port] }],
  },
  {
    name: 'a headless service may have no ports',
    service: service({ clusterIP: 'None', ports: [] }),
    pods: [pod('1')],
    expect: [{ addresses: [address('1')] }],
  },
  {
    name: 'a pod in the subdomain of the service has its hostname',
    service: service(),
    pods: [pod('1', { spec: { hostname: 'db-0', subdomain: 'web' } })],
    expect: [{ addresses: [address('1', { hostname: 'db-0' })], ports: [port] }],
  },
  {
    name: 'an address of the other family is left out',
    service: service({ ipFamilies: ['IPv6'] }),
    pods: [pod('1')],
    expect: [],
  },
]
for (const { name, service, pods, expect } of rows)
  test(name, () => assert.deepEqual(planEndpoints(service, pods, undefined, undefined)!.subsets, expect))

test('labels come from the service; a service without an address of its own is marked', () => {
  const headless = planEndpoints(service({ clusterIP: 'None' }, { labels: { a: 'b' } }), [], undefined, 'T1')!
  assert.deepEqual(headless.metadata.labels, {
    a: 'b',
    'endpoints.kubernetes.io/managed-by': 'endpoint-controller',
    'service.kubernetes.io/headless': '',
  })
  assert.deepEqual(headless.metadata.annotations, { 'endpoints.kubernetes.io/last-change-trigger-time': 'T1' })
})

test('what is there already is not written again, whatever the order it was written in', () => {
  const written = planEndpoints(service(), [pod('1'), pod('2')], undefined, 'T1')!
  const shuffled = { ...written, subsets: [{ ...written.subsets![0]!, addresses: [...written.subsets![0]!.addresses!].reverse() }] }
  assert.equal(planEndpoints(service(), [pod('2'), pod('1')], shuffled, 'T2'), undefined)
  assert.notEqual(planEndpoints(service(), [pod('1')], written, undefined), undefined)
})

test('more than a thousand addresses are cut, ready ones kept first, and it is said', () => {
  const pods = Array.from({ length: 1200 }, (_, i) => pod(String(i), { ready: i % 2 === 0 }))
  const written = planEndpoints(service(), pods, undefined, undefined)!
  assert.equal(written.subsets![0]!.addresses!.length, 600)
  assert.equal(written.subsets![0]!.notReadyAddresses!.length, 400)
  assert.equal(written.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'], 'truncated')
  assert.equal(planEndpoints(service(), pods, written, undefined), undefined)
  assert.equal(
    planEndpoints(service(), pods.slice(0, 10), written, undefined)!.metadata.annotations?.['endpoints.kubernetes.io/over-capacity'],
    undefined,
  )
})

test('ports with the same addresses share a subset; not ready trumps ready', () => {
  const [a, b] = [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }]
  const packed = repack([
    { addresses: [a, b], ports: [{ port: 80 }] },
    { addresses: [a], ports: [{ port: 443 }] },
    { addresses: [b], ports: [{ port: 443 }] },
    { notReadyAddresses: [a], ports: [{ port: 443 }, { port: 80 }] },
  ])
  assert.deepEqual(packed, [{ addresses: [b], notReadyAddresses: [a], ports: [{ port: 443 }, { port: 80 }] }])
})
