import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, core } from '#api'
import { humanDuration } from './duration.ts'
import { tables } from './index.ts'

const now = Date.UTC(2026, 0, 10)
const ago = (seconds: number) => new Date(now - seconds * 1000).toISOString().replace('.000', '')

/** The row of an object by column name. */
function row(key: string, object: object): Record<string, unknown> {
  const table = tables[key]!
  const base = { apiVersion: 'v1', kind: 'X', ...object } as unknown as KubeObject
  const cells = table.cells(base, now)
  assert.equal(cells.length, table.columns.length)
  return Object.fromEntries(table.columns.map((column, i) => [column.name, cells[i]]))
}

const ages: [ms: number, text: string][] = [
  [-3000, '<invalid>'],
  [-500, '0s'],
  [0, '0s'],
  [119_000, '119s'],
  [120_000, '2m'],
  [200_000, '3m20s'],
  [600_000, '10m'],
  [3 * 3_600_000, '3h'],
  [3 * 3_600_000 + 60_000, '3h1m'],
  [9 * 3_600_000 + 60_000, '9h'],
  [48 * 3_600_000, '2d'],
  [50 * 3_600_000, '2d2h'],
  [9 * 24 * 3_600_000, '9d'],
  [800 * 24 * 3_600_000, '2y70d'],
  [9 * 365 * 24 * 3_600_000, '9y'],
]

test('ages have at most two units', () => {
  for (const [ms, text] of ages) assert.equal(humanDuration(ms), text)
})

const container = (name: string) => ({ name, image: `${name}:1` })
const running = (name: string, extra: object = {}) => ({
  name,
  ready: true,
  restartCount: 0,
  image: '',
  imageID: '',
  state: { running: {} },
  ...extra,
})

const pods: [title: string, pod: object, expected: object][] = [
  [
    'a pod that runs with all containers ready',
    { spec: { containers: [container('a'), container('b')] }, status: { phase: 'Running', containerStatuses: [running('a'), running('b')] } },
    { Ready: '2/2', Status: 'Running', Restarts: '0', IP: '<none>', Node: '<none>' },
  ],
  ['a pod that nobody has scheduled', { spec: { containers: [container('a')] }, status: { phase: 'Pending' } }, { Ready: '0/1', Status: 'Pending' }],
  [
    'a pod that crashes again and again',
    {
      spec: { containers: [container('a')] },
      status: {
        phase: 'Running',
        containerStatuses: [
          running('a', {
            ready: false,
            restartCount: 4,
            state: { waiting: { reason: 'CrashLoopBackOff' } },
            lastState: { terminated: { exitCode: 1, finishedAt: ago(300) } },
          }),
        ],
      },
    },
    { Ready: '0/1', Status: 'CrashLoopBackOff', Restarts: '4 (5m ago)' },
  ],
  [
    'a pod whose first of two init containers runs',
    {
      spec: { containers: [container('a')], initContainers: [container('i'), container('j')] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [running('i', { ready: false }), { name: 'j', restartCount: 0, state: { waiting: { reason: 'PodInitializing' } } }],
      },
    },
    { Ready: '0/1', Status: 'Init:0/2' },
  ],
  [
    'a pod whose init container fails',
    {
      spec: { containers: [container('a')], initContainers: [container('i')] },
      status: {
        phase: 'Pending',
        initContainerStatuses: [running('i', { restartCount: 2, state: { terminated: { exitCode: 3, reason: 'Error' } } })],
      },
    },
    { Status: 'Init:Error', Restarts: '2' },
  ],
  [
    'a pod with a sidecar, all ready',
    {
      spec: { containers: [container('a')], initContainers: [{ ...container('s'), restartPolicy: 'Always' }] },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Initialized', status: 'True' }],
        initContainerStatuses: [running('s', { started: true })],
        containerStatuses: [running('a')],
      },
    },
    { Ready: '2/2', Status: 'Running' },
  ],
  [
    'a job pod that is done',
    {
      spec: { containers: [container('a')] },
      status: {
        phase: 'Succeeded',
        containerStatuses: [running('a', { ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } })],
      },
    },
    { Ready: '0/1', Status: 'Completed' },
  ],
  [
    'a pod that is being deleted',
    {
      metadata: { name: 'p', deletionTimestamp: ago(1) },
      spec: { containers: [container('a')] },
      status: { phase: 'Running', containerStatuses: [running('a')] },
    },
    { Ready: '1/1', Status: 'Terminating' },
  ],
  [
    'a pod of which one container has completed and another runs and is ready',
    {
      spec: { containers: [container('a'), container('b')] },
      status: {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [running('a', { ready: false, state: { terminated: { exitCode: 0, reason: 'Completed' } } }), running('b')],
      },
    },
    { Ready: '1/2', Status: 'Running' },
  ],
  [
    'a pod with readiness gates, an address and a node',
    {
      spec: { containers: [container('a')], nodeName: 'n', readinessGates: [{ conditionType: 'x' }, { conditionType: 'y' }] },
      status: { phase: 'Running', podIPs: [{ ip: '10.1.2.3' }], conditions: [{ type: 'x', status: 'True' }] },
    },
    { IP: '10.1.2.3', Node: 'n', 'Readiness Gates': '1/2' },
  ],
]

for (const [title, pod, expected] of pods)
  test(`the row of ${title}`, () => {
    const actual = row('/pods', { metadata: { name: 'p', creationTimestamp: ago(65) }, ...pod })
    for (const [column, cell] of Object.entries(expected)) assert.equal(actual[column], cell, column)
  })

const rows: [title: string, key: string, object: object, expected: object][] = [
  [
    'a service with a node port',
    '/services',
    {
      spec: {
        type: 'NodePort',
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ports: [
          { port: 80, nodePort: 30080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
        selector: { b: '2', a: '1' },
      },
    },
    { 'Cluster-IP': '10.0.0.1', 'External-IP': '<none>', 'Port(s)': '80:30080/TCP,53/UDP', Selector: 'a=1,b=2' },
  ],
  [
    'a load balancer that waits',
    '/services',
    { spec: { type: 'LoadBalancer', clusterIPs: ['10.0.0.1'] }, status: { loadBalancer: {} } },
    { 'External-IP': '<pending>', 'Port(s)': '<none>' },
  ],
  [
    'a load balancer with addresses',
    '/services',
    { spec: { type: 'LoadBalancer', externalIPs: ['9.9.9.9'] }, status: { loadBalancer: { ingress: [{ ip: '1.1.1.1' }] } } },
    { 'External-IP': '1.1.1.1,9.9.9.9' },
  ],
  [
    'endpoints beyond three',
    '/endpoints',
    { subsets: [{ addresses: ['1', '2', '3', '4'].map((n) => ({ ip: `10.0.0.${n}` })), ports: [{ port: 80 }] }] },
    { Endpoints: '10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 1 more...' },
  ],
  ['endpoints without any', '/endpoints', {}, { Endpoints: '<none>' }],
  [
    'a deployment in the middle of a rollout',
    'apps/deployments',
    {
      spec: { replicas: 3, selector: { matchLabels: { app: 'a' } }, template: { spec: { containers: [container('a'), container('b')] } } },
      status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 },
    },
    { Ready: '2/3', 'Up-to-date': 1, Available: 2, Containers: 'a,b', Images: 'a:1,b:1', Selector: 'app=a' },
  ],
  [
    'a job that has completed',
    'batch/jobs',
    {
      spec: { completions: 1, template: {} },
      status: { succeeded: 1, startTime: ago(60), completionTime: ago(48), conditions: [{ type: 'Complete', status: 'True' }] },
    },
    { Status: 'Complete', Completions: '1/1', Duration: '12s' },
  ],
  [
    'a work queue job',
    'batch/jobs',
    { spec: { parallelism: 3, template: {} }, status: {} },
    { Status: 'Running', Completions: '0/1 of 3', Duration: '' },
  ],
  [
    'an autoscaler on processor use',
    'autoscaling/horizontalpodautoscalers',
    {
      spec: {
        scaleTargetRef: { kind: 'Deployment', name: 'd' },
        minReplicas: 3,
        maxReplicas: 9,
        metrics: [{ type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } }],
      },
      status: {
        currentReplicas: 3,
        desiredReplicas: 3,
        currentMetrics: [{ type: 'Resource', resource: { name: 'cpu', current: { averageUtilization: 5, averageValue: '5m' } } }],
      },
    },
    { Reference: 'Deployment/d', Targets: 'cpu: 5%/50%', MinPods: '3', MaxPods: 9, Replicas: 3 },
  ],
  [
    'a control-plane node that is cordoned',
    '/nodes',
    {
      metadata: { name: 'n', labels: { 'node-role.kubernetes.io/control-plane': '', 'node-role.kubernetes.io/a': '' } },
      spec: { unschedulable: true },
      status: {
        conditions: [{ type: 'Ready', status: 'True' }],
        addresses: [{ type: 'InternalIP', address: '10.0.0.2' }],
        nodeInfo: { kubeletVersion: 'v1' },
      },
    },
    {
      Status: 'Ready,SchedulingDisabled',
      Roles: 'a,control-plane',
      Version: 'v1',
      'Internal-IP': '10.0.0.2',
      'External-IP': '<none>',
      'OS-Image': '<unknown>',
    },
  ],
  [
    'an event of a series',
    '/events',
    {
      type: 'Normal',
      reason: 'R',
      message: ' m\n',
      involvedObject: { kind: 'Pod', name: 'p' },
      eventTime: ago(100),
      reportingComponent: 'c',
      reportingInstance: 'i',
      series: { count: 3, lastObservedTime: ago(10) },
    },
    { 'Last Seen': '10s', Object: 'pod/p', Message: 'm', 'First Seen': '100s', Count: 3, Source: 'c, i' },
  ],
  [
    'a bound claim',
    '/persistentvolumeclaims',
    {
      spec: { volumeName: 'v', storageClassName: 'fast', volumeMode: 'Filesystem' },
      status: { phase: 'Bound', capacity: { storage: '1Gi' }, accessModes: ['ReadWriteMany', 'ReadWriteOnce'] },
    },
    { Status: 'Bound', Volume: 'v', Capacity: '1Gi', 'Access Modes': 'RWO,RWX', StorageClass: 'fast' },
  ],
  [
    'an ingress',
    'networking.k8s.io/ingresses',
    {
      spec: { ingressClassName: 'c', tls: [{}], rules: [{ host: 'a' }, { host: 'b' }, { host: 'c' }, { host: 'd' }] },
      status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } },
    },
    { Class: 'c', Hosts: 'a,b,c + 1 more...', Address: '1.2.3.4', Ports: '80, 443' },
  ],
  ['a claim for devices', 'resource.k8s.io/resourceclaims', {}, { State: 'pending' }],
  [
    'a claim that somebody has',
    'resource.k8s.io/resourceclaims',
    { status: { allocation: {}, reservedFor: [{ resource: 'pods', name: 'p', uid: '1' }] } },
    { State: 'allocated,reserved' },
  ],
  [
    'a slice of devices',
    'resource.k8s.io/resourceslices',
    { spec: { driver: 'd', nodeName: 'n', pool: { name: 'p' } } },
    { Node: 'n', Driver: 'd', Pool: 'p', Age: '65s' },
  ],
  ['a device class', 'resource.k8s.io/deviceclasses', {}, { Age: '65s' }],
  [
    'a validating policy',
    'admissionregistration.k8s.io/validatingadmissionpolicies',
    { spec: { validations: [{}, {}], paramKind: { apiVersion: 'a/v1', kind: 'K' } } },
    { Validations: 2, ParamKind: 'a/v1/K' },
  ],
  [
    'a mutating policy',
    'admissionregistration.k8s.io/mutatingadmissionpolicies',
    { spec: { mutations: [{}] } },
    { Mutations: 1, ParamKind: '<unset>' },
  ],
  [
    'a binding of a policy',
    'admissionregistration.k8s.io/validatingadmissionpolicybindings',
    { spec: { policyName: 'p', paramRef: { name: 'a' } } },
    { PolicyName: 'p', ParamRef: '*/a' },
  ],
  [
    'a binding to what a selector finds',
    'admissionregistration.k8s.io/mutatingadmissionpolicybindings',
    { spec: { paramRef: { selector: { matchLabels: { b: '1', a: '2' }, matchExpressions: [{ key: 'k', operator: 'In', values: ['x', 'y'] }] } } } },
    {
      ParamRef:
        '&LabelSelector{MatchLabels:map[string]string{a: 2,b: 1,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:k,Operator:In,Values:[x y],},},}',
    },
  ],
  [
    'a range of services',
    'networking.k8s.io/servicecidrs',
    { spec: { cidrs: ['10.0.0.0/8', '2001:db8::/64'] } },
    { CIDRs: '10.0.0.0/8,2001:db8::/64' },
  ],
  [
    'an address of a service',
    'networking.k8s.io/ipaddresses',
    { spec: { parentRef: { resource: 'services', namespace: 'a', name: 'b' } } },
    { ParentRef: 'services/a/b' },
  ],
  [
    'an address of something else',
    'networking.k8s.io/ipaddresses',
    { spec: { parentRef: { group: 'x.io', resource: 'things', name: 'b' } } },
    { ParentRef: 'things.x.io/b' },
  ],
  [
    'a quota',
    '/resourcequotas',
    { status: { hard: { pods: '10', 'limits.cpu': '4' }, used: { pods: '3' } } },
    { Request: 'pods: 3/10', Limit: 'limits.cpu: 0/4' },
  ],
]

for (const [title, key, object, expected] of rows)
  test(`the row of ${title}`, () => {
    const actual = row(key, { metadata: { name: 'x', creationTimestamp: ago(65) } satisfies Partial<core.Pod['metadata']>, ...object })
    for (const [column, cell] of Object.entries(expected)) assert.equal(actual[column], cell, column)
  })
