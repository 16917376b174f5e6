import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, discovery } from '#api'
import { groupsOf, templateOf } from './plan.ts'
import { type SliceGroup, planSlices } from './slices.ts'

const service: core.Service = {
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'ns', uid: 'u', labels: { team: 'a', 'kubernetes.io/service-name': 'forged' } },
  spec: { clusterIP: '10.96.0.1', ipFamilies: ['IPv4'], ports: [{ name: 'http', port: 80, targetPort: 8080, protocol: 'TCP' }] },
}
const template = templateOf(service)
const ports = [{ name: 'http', port: 8080, protocol: 'TCP' }]
const endpoint = (name: string, ready = true): discovery.Endpoint => ({
  addresses: [`10.0.0.${name}`],
  conditions: { ready },
  targetRef: { kind: 'Pod', name, uid: name },
})
const group = (...names: string[]): SliceGroup => ({ addressType: 'IPv4', ports, endpoints: names.map((n) => endpoint(n)) })
const slice = (name: string, endpoints: discovery.Endpoint[], over: Partial<discovery.EndpointSlice> = {}): discovery.EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name, namespace: 'ns', uid: name, labels: template.labels },
  addressType: 'IPv4',
  ports,
  endpoints,
  ...over,
})
const plan = (groups: SliceGroup[], existing: discovery.EndpointSlice[], maxEndpoints = 3) => {
  const { create, update, delete: gone } = planSlices(groups, existing, template, { maxEndpoints })
  const names = (s: { endpoints?: discovery.Endpoint[] }) => (s.endpoints ?? []).map((e) => e.targetRef!.name).join('')
  return { create: create.map(names), update: update.map((s) => `${s.metadata.name}:${names(s)}`), delete: gone.map((s) => s.metadata.name) }
}
const nothing = { create: [], update: [], delete: [] }

const rows: { name: string; groups: SliceGroup[]; existing: discovery.EndpointSlice[]; expect: object }[] = [
  {
    name: 'endpoints fill as few slices as they need',
    groups: [group('1', '2', '3', '4')],
    existing: [],
    expect: { ...nothing, create: ['123', '4'] },
  },
  { name: 'a service without endpoints keeps one empty slice', groups: [group()], existing: [], expect: { ...nothing, create: [''] } },
  { name: 'what is right is not touched', groups: [group('1', '2')], existing: [slice('a', [endpoint('2'), endpoint('1')])], expect: nothing },
  {
    name: 'a change is written where the endpoint is',
    groups: [group('1')],
    existing: [slice('a', [endpoint('1', false)])],
    expect: { ...nothing, update: ['a:1'] },
  },
  {
    name: 'a new endpoint goes into a slice that changes anyway',
    groups: [group('1', '3', '4')],
    existing: [slice('a', [endpoint('1')]), slice('b', [endpoint('2'), endpoint('3')])],
    expect: { ...nothing, update: ['b:34'] },
  },
  {
    name: 'a full load of new endpoints leaves other slices alone',
    groups: [group('1', '2', '3', '4')],
    existing: [slice('a', [endpoint('1')])],
    expect: { ...nothing, create: ['234'] },
  },
  {
    name: 'a slice that becomes empty goes while others have endpoints',
    groups: [group('1')],
    existing: [slice('a', [endpoint('1')]), slice('b', [endpoint('2')])],
    expect: { ...nothing, delete: ['b'] },
  },
  {
    name: 'the last slice stays, empty',
    groups: [group()],
    existing: [slice('a', [endpoint('1')]), slice('b', [])],
    expect: { ...nothing, update: ['a:'], delete: ['b'] },
  },
  {
    name: 'slices of ports that nobody offers any more go',
    groups: [group('1')],
    existing: [slice('a', [endpoint('1')], { ports: [{ name: 'http', port: 9090, protocol: 'TCP' }] })],
    expect: { ...nothing, create: ['1'], delete: ['a'] },
  },
  {
    name: 'labels that differ are set right',
    groups: [group('1')],
    existing: [slice('a', [endpoint('1')], { metadata: { name: 'a', labels: {} } })],
    expect: { ...nothing, update: ['a:1'] },
  },
]
for (const { name, groups, existing, expect } of rows) test(name, () => assert.deepEqual(plan(groups, existing), expect))

test('the labels that name the service and the manager cannot be forged by the service', () => {
  assert.deepEqual(template.labels, {
    team: 'a',
    'kubernetes.io/service-name': 'web',
    'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.k8s.io',
  })
})

test('a terminating pod serves on but is not ready; an unready one is listed as such', () => {
  const pod = (name: string, ready: boolean, deleted: boolean): core.Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'ns', uid: name, ...(deleted ? { deletionTimestamp: 'now' } : {}) },
    spec: { nodeName: 'n', containers: [] },
    status: { phase: 'Running', podIPs: [{ ip: '10.0.0.1' }, { ip: 'fd00::1' }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
  })
  const conditions = (p: core.Pod, s = service) => groupsOf(s, [p], () => 'z')[0]!.endpoints[0]!.conditions
  assert.deepEqual(conditions(pod('a', true, false)), { ready: true, serving: true, terminating: false })
  assert.deepEqual(conditions(pod('b', true, true)), { ready: false, serving: true, terminating: true })
  assert.deepEqual(conditions(pod('c', false, false)), { ready: false, serving: false, terminating: false })
  const published = { ...service, spec: { ...service.spec!, publishNotReadyAddresses: true } }
  assert.deepEqual(conditions(pod('d', false, true), published), { ready: true, serving: false, terminating: true })
  const dual = { ...service, spec: { ...service.spec!, ipFamilies: ['IPv4', 'IPv6'] as core.IPFamily[] } }
  assert.deepEqual(
    groupsOf(dual, [pod('a', true, false)], () => 'z').map((g) => [g.addressType, g.endpoints[0]!.addresses, g.endpoints[0]!.zone]),
    [
      ['IPv4', ['10.0.0.1'], 'z'],
      ['IPv6', ['fd00::1'], 'z'],
    ],
  )
})

const hintRows: { name: string; distribution: string | undefined; zone?: string; ready?: boolean; want: discovery.EndpointHints | undefined }[] = [
  { name: 'a service without a preference gives no hints', distribution: undefined, zone: 'z1', want: undefined },
  { name: 'PreferClose names the zone', distribution: 'PreferClose', zone: 'z1', want: { forZones: [{ name: 'z1' }] } },
  { name: 'PreferSameZone names the zone', distribution: 'PreferSameZone', zone: 'z1', want: { forZones: [{ name: 'z1' }] } },
  {
    name: 'PreferSameNode names the node as well',
    distribution: 'PreferSameNode',
    zone: 'z1',
    want: { forZones: [{ name: 'z1' }], forNodes: [{ name: 'n1' }] },
  },
  { name: 'without a zone there is none to prefer', distribution: 'PreferSameZone', want: undefined },
  { name: 'an endpoint that is not ready is meant for nobody', distribution: 'PreferSameZone', zone: 'z1', ready: false, want: undefined },
]
for (const { name, distribution, zone, ready = true, want } of hintRows)
  test(name, () => {
    const preferring = { ...service, spec: { ...service.spec, ...(distribution ? { trafficDistribution: distribution } : {}) } } as core.Service
    const pod: core.Pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'p', namespace: 'ns', uid: 'p' },
      spec: { nodeName: 'n1', containers: [{ name: 'c' }] },
      status: { podIP: '10.0.0.1', podIPs: [{ ip: '10.0.0.1' }], conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
    }
    assert.deepEqual(groupsOf(preferring, [pod], () => zone)[0]?.endpoints[0]?.hints, want)
  })
