import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, autoscaling } from '#api'
import { conversions } from './index.ts'

const metadata = { name: 'x', namespace: 'default' }
const clean = (value: unknown) => JSON.parse(JSON.stringify(value)) as unknown

const trips: [title: string, key: string, served: object, stored: object][] = [
  [
    'an autoscaler with a processor target',
    'autoscaling/v1/horizontalpodautoscalers',
    {
      apiVersion: 'autoscaling/v1',
      metadata,
      spec: { scaleTargetRef: { kind: 'D', name: 'd' }, minReplicas: 1, maxReplicas: 5, targetCPUUtilizationPercentage: 50 },
    },
    {
      apiVersion: 'autoscaling/v2',
      metadata,
      spec: {
        scaleTargetRef: { kind: 'D', name: 'd' },
        minReplicas: 1,
        maxReplicas: 5,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
    },
  ],
  [
    'an old ingress',
    'networking.k8s.io/v1beta1/ingresses',
    {
      apiVersion: 'networking.k8s.io/v1beta1',
      metadata,
      spec: {
        backend: { serviceName: 's', servicePort: 'http' },
        rules: [{ host: 'a', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { serviceName: 't', servicePort: 80 } }] } }],
      },
    },
    {
      apiVersion: 'networking.k8s.io/v1',
      metadata,
      spec: {
        defaultBackend: { service: { name: 's', port: { name: 'http' } } },
        rules: [{ host: 'a', http: { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 't', port: { number: 80 } } } }] } }],
      },
    },
  ],
  [
    'a priority level without shares, in the version where none meant the default',
    'flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations',
    {
      apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta3',
      metadata: { ...metadata, annotations: { 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares': '' } },
      spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0 } },
    },
    { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', metadata, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 0 } } },
  ],
  [
    'a disruption budget that selects nothing in v1beta1',
    'policy/v1beta1/poddisruptionbudgets',
    { apiVersion: 'policy/v1beta1', metadata, spec: { minAvailable: 1, selector: {} } },
    {
      apiVersion: 'policy/v1',
      metadata,
      spec: {
        minAvailable: 1,
        selector: { matchExpressions: [{ key: 'pdb.kubernetes.io/deprecated-v1beta1-empty-selector-match', operator: 'Exists' }] },
      },
    },
  ],
  [
    'an event of the events group',
    'events.k8s.io/v1/events',
    {
      apiVersion: 'events.k8s.io/v1',
      metadata,
      eventTime: 't',
      regarding: { kind: 'Pod' },
      note: 'n',
      reportingController: 'c',
      reportingInstance: 'i',
      deprecatedSource: { component: 's' },
      deprecatedCount: 3,
    },
    {
      apiVersion: 'v1',
      metadata,
      eventTime: 't',
      involvedObject: { kind: 'Pod' },
      message: 'n',
      reportingComponent: 'c',
      reportingInstance: 'i',
      source: { component: 's' },
      count: 3,
    },
  ],
  [
    'a priority level before v1beta3',
    'flowcontrol.apiserver.k8s.io/v1beta2/prioritylevelconfigurations',
    { apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta2', metadata, spec: { type: 'Limited', limited: { assuredConcurrencyShares: 7 } } },
    { apiVersion: 'flowcontrol.apiserver.k8s.io/v1', metadata, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 7 } } },
  ],
]

for (const [title, key, served, stored] of trips)
  test(`${title} is stored in the newer shape and comes back as it was`, () => {
    const conversion = conversions[key]!
    assert.deepEqual(clean(conversion.toStorage(structuredClone(served) as KubeObject)), stored)
    assert.deepEqual(clean(conversion.fromStorage(stored as KubeObject)), served)
  })

test('what v1 cannot say of an autoscaler travels in annotations and survives an update', () => {
  const conversion = conversions['autoscaling/v1/horizontalpodautoscalers']!
  const stored = {
    apiVersion: 'autoscaling/v2',
    kind: 'HorizontalPodAutoscaler',
    metadata,
    spec: {
      scaleTargetRef: { kind: 'D', name: 'd' },
      maxReplicas: 5,
      metrics: [
        { type: 'Pods', pods: { metric: { name: 'm' }, target: { type: 'AverageValue', averageValue: '5' } } },
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
      behavior: { scaleDown: { stabilizationWindowSeconds: 5 } },
    },
    status: {
      currentReplicas: 1,
      desiredReplicas: 2,
      conditions: [{ type: 'AbleToScale', status: 'True' }],
      currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 12, averageValue: '12m' } } }],
    },
  } as autoscaling.HorizontalPodAutoscaler
  const served = clean(conversion.fromStorage(stored)) as KubeObject & { spec: { targetCPUUtilizationPercentage: number }; status: object }
  assert.equal(served.spec.targetCPUUtilizationPercentage, 50)
  assert.deepEqual(served.status, { currentReplicas: 1, desiredReplicas: 2, currentCPUUtilizationPercentage: 12 })
  const back = clean(conversion.toStorage(served)) as autoscaling.HorizontalPodAutoscaler
  assert.deepEqual(new Set(back.spec.metrics!.map((metric) => metric.type)), new Set(['Pods', 'Resource']))
  assert.deepEqual(back.spec.behavior, stored.spec.behavior)
  assert.deepEqual(back.status!.conditions, stored.status!.conditions)
  assert.equal(back.metadata.annotations, undefined)
})

test('the topology of an old endpoint slice is split', () => {
  const conversion = conversions['discovery.k8s.io/v1beta1/endpointslices']!
  const served = {
    apiVersion: 'discovery.k8s.io/v1beta1',
    metadata,
    endpoints: [{ addresses: ['1.2.3.4'], topology: { 'kubernetes.io/hostname': 'n', 'topology.kubernetes.io/zone': 'z', other: 'o' } }],
  }
  const stored = conversion.toStorage(served as unknown as KubeObject) as unknown as { endpoints: object[] }
  assert.deepEqual(stored.endpoints, [{ addresses: ['1.2.3.4'], nodeName: 'n', zone: 'z', deprecatedTopology: { other: 'o' } }])
})

test('webhooks of v1beta1 keep the laxer defaults of their version', () => {
  const conversion = conversions['admissionregistration.k8s.io/v1beta1/mutatingwebhookconfigurations']!
  const stored = conversion.toStorage({ metadata, webhooks: [{ name: 'a.b.c' }] } as unknown as KubeObject) as unknown as { webhooks: object[] }
  assert.deepEqual(stored.webhooks, [
    {
      name: 'a.b.c',
      failurePolicy: 'Ignore',
      matchPolicy: 'Exact',
      timeoutSeconds: 30,
      sideEffects: 'Unknown',
      admissionReviewVersions: ['v1beta1'],
    },
  ])
})

test('zero shares of v1beta3 are the default where no annotation says that they are meant', () => {
  const conversion = conversions['flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations']!
  const level = (shares?: number) => ({
    apiVersion: 'flowcontrol.apiserver.k8s.io/v1beta3',
    kind: 'PriorityLevelConfiguration',
    metadata,
    spec: { limited: shares === undefined ? {} : { nominalConcurrencyShares: shares } },
  })
  for (const [given, stored] of [
    [undefined, 30],
    [0, 30],
    [5, 5],
  ] as const)
    assert.deepEqual((conversion.toStorage(level(given)) as unknown as ReturnType<typeof level>).spec.limited, { nominalConcurrencyShares: stored })
})
