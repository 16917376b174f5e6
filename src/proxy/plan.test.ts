import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core, discovery } from '#api'
import { planRules } from './plan.ts'

const service = (spec: Partial<core.ServiceSpec>, status: core.ServiceStatus = {}): core.Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 'web', namespace: 'shop' },
  spec: { type: 'ClusterIP', clusterIP: '10.65.0.9', ports: [{ name: 'http', port: 80, protocol: 'TCP' }], ...spec },
  status,
})

const endpoint = (ip: string, conditions: discovery.EndpointConditions = {}, nodeName = 'node-1'): discovery.Endpoint => ({
  addresses: [ip],
  conditions,
  nodeName,
})
const slice = (...endpoints: discovery.Endpoint[]): discovery.EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-1', namespace: 'shop', labels: { 'kubernetes.io/service-name': 'web' } },
  addressType: 'IPv4',
  endpoints,
  ports: [{ name: 'http', port: 3000, protocol: 'TCP' }],
})

const rows: { name: string; service: core.Service; slices: discovery.EndpointSlice[]; want: (rules: ReturnType<typeof planRules>) => void }[] = [
  {
    name: 'a service leads to its ready endpoints at their target port',
    service: service({}),
    slices: [slice(endpoint('10.64.1.3'), endpoint('10.64.1.2', { ready: true }), endpoint('10.64.1.4', { ready: false }))],
    want: (rules) => {
      assert.deepEqual(rules.backends, [
        {
          id: 'shop/web/tcp/80',
          protocol: 'tcp',
          endpoints: [
            { ip: '10.64.1.2', port: 3000 },
            { ip: '10.64.1.3', port: 3000 },
          ],
        },
      ])
      assert.deepEqual(rules.frontends, [{ ip: '10.65.0.9', protocol: 'tcp', port: 80, to: { backend: 'shop/web/tcp/80' }, masquerade: 'unlessPod' }])
    },
  },
  {
    name: 'a service without endpoints refuses its clients',
    service: service({}),
    slices: [],
    want: (rules) =>
      assert.deepEqual(
        rules.frontends.map((f) => f.to),
        ['reject'],
      ),
  },
  {
    name: 'endpoints that terminate serve while there is no ready one',
    service: service({}),
    slices: [slice(endpoint('10.64.1.2', { ready: false, serving: true, terminating: true }))],
    want: (rules) => assert.deepEqual(rules.backends[0]?.endpoints, [{ ip: '10.64.1.2', port: 3000 }]),
  },
  {
    name: 'a headless service has no rules',
    service: service({ clusterIP: 'None' }),
    slices: [slice(endpoint('10.64.1.2'))],
    want: (rules) => assert.deepEqual(rules, { backends: [], frontends: [], nodePorts: [], healthChecks: [] }),
  },
  {
    name: 'a node port rewrites the source so that answers come back the same way',
    service: service({ type: 'NodePort', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] }),
    slices: [slice(endpoint('10.64.1.2'))],
    want: (rules) => assert.deepEqual(rules.nodePorts, [{ protocol: 'tcp', port: 30080, to: { backend: 'shop/web/tcp/80' }, masquerade: 'always' }]),
  },
  {
    name: 'with external policy Local only this node’s endpoints answer, and the source stays',
    service: service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] }),
    slices: [slice(endpoint('10.64.1.2'), endpoint('10.64.2.2', {}, 'node-2'))],
    want: (rules) => {
      assert.deepEqual(rules.nodePorts[0], {
        protocol: 'tcp',
        port: 30080,
        to: { backend: 'shop/web/tcp/80/local' },
        inside: { backend: 'shop/web/tcp/80' },
        masquerade: 'never',
      })
      assert.deepEqual(rules.backends[1]?.endpoints, [{ ip: '10.64.1.2', port: 3000 }])
    },
  },
  {
    name: 'with external policy Local and no endpoint here the packet is left for another node',
    service: service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] }),
    slices: [slice(endpoint('10.64.2.2', {}, 'node-2'))],
    want: (rules) => assert.deepEqual([rules.nodePorts[0]?.to, rules.nodePorts[0]?.inside], ['drop', { backend: 'shop/web/tcp/80' }]),
  },
  {
    name: 'with external policy Local endpoints that terminate here serve although others are ready elsewhere',
    service: service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ name: 'http', port: 80, protocol: 'TCP', nodePort: 30080 }] }),
    slices: [slice(endpoint('10.64.1.2', { ready: false, serving: true, terminating: true }), endpoint('10.64.2.2', {}, 'node-2'))],
    want: (rules) =>
      assert.deepEqual(
        rules.backends.map((b) => b.endpoints.map((e) => e.ip)),
        [['10.64.2.2'], ['10.64.1.2']],
      ),
  },
  {
    name: 'a load balancer’s health check counts the ready endpoints of this node',
    service: service({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 31999 }),
    slices: [slice(endpoint('10.64.1.2'), endpoint('10.64.1.3', { ready: false }), endpoint('10.64.2.2', {}, 'node-2'))],
    want: (rules) => assert.deepEqual(rules.healthChecks, [{ port: 31999, namespace: 'shop', name: 'web', localEndpoints: 1 }]),
  },
  {
    name: 'with internal policy Local only this node’s endpoints answer, and none elsewhere',
    service: service({ internalTrafficPolicy: 'Local' }),
    slices: [slice(endpoint('10.64.2.2', {}, 'node-2'))],
    want: (rules) => assert.deepEqual([rules.frontends[0]?.to, rules.frontends[0]?.inside], ['drop', undefined]),
  },
  {
    name: 'client affinity carries its time-out, and a load balancer’s address its allowed sources',
    service: service(
      {
        type: 'LoadBalancer',
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
        loadBalancerSourceRanges: ['10.0.0.0/8'],
      },
      { loadBalancer: { ingress: [{ ip: '10.66.0.200' }] } },
    ),
    slices: [slice(endpoint('10.64.1.2'))],
    want: (rules) => {
      assert.equal(rules.backends[0]?.affinitySeconds, 60)
      assert.deepEqual(rules.frontends[1], {
        ip: '10.66.0.200',
        protocol: 'tcp',
        port: 80,
        to: { backend: 'shop/web/tcp/80' },
        masquerade: 'always',
        sources: ['10.0.0.0/8'],
      })
    },
  },
]

const near = (ip: string, zone: string | undefined, node?: string, ready = true): discovery.Endpoint => ({
  ...endpoint(ip, { ready, serving: true, terminating: !ready }),
  hints: { ...(zone ? { forZones: [{ name: zone }] } : {}), ...(node ? { forNodes: [{ name: node }] } : {}) },
})
const hinted: { name: string; endpoints: discovery.Endpoint[]; want: string[] }[] = [
  { name: 'endpoints for this zone are preferred', endpoints: [near('10.64.1.1', 'z1'), near('10.64.1.2', 'z2')], want: ['10.64.1.1'] },
  {
    name: 'endpoints for this node are preferred to those of the zone',
    endpoints: [near('10.64.1.1', 'z1', 'node-1'), near('10.64.1.2', 'z1', 'node-2')],
    want: ['10.64.1.1'],
  },
  {
    name: 'without any for this node those of the zone answer',
    endpoints: [near('10.64.1.1', 'z1', 'node-3'), near('10.64.1.2', 'z2', 'node-2')],
    want: ['10.64.1.1'],
  },
  { name: 'without any for this zone all answer', endpoints: [near('10.64.1.1', 'z2'), near('10.64.1.2', 'z3')], want: ['10.64.1.1', '10.64.1.2'] },
  {
    name: 'one without a hint makes all answer',
    endpoints: [near('10.64.1.1', 'z1'), near('10.64.1.2', undefined)],
    want: ['10.64.1.1', '10.64.1.2'],
  },
  {
    name: 'an endpoint that is not ready does not count',
    endpoints: [near('10.64.1.1', 'z1', undefined, false), near('10.64.1.2', 'z2')],
    want: ['10.64.1.2'],
  },
]
for (const { name, endpoints, want } of hinted)
  test(name, () => {
    const { backends } = planRules([service({})], [slice(...endpoints)], { nodeName: 'node-1', zone: 'z1' })
    assert.deepEqual(
      backends[0]?.endpoints.map((e) => e.ip),
      want,
    )
  })

for (const row of rows) test(row.name, () => row.want(planRules([row.service], row.slices, { nodeName: 'node-1', zone: 'z1' })))
