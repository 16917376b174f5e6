import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KubeObject, core } from '#api'
import type { WriteContext } from '../strategy.ts'
import { pem, requests } from './certificates/testdata.ts'
import { strategies } from './index.ts'
import { validatePodResize } from './pod/resize.ts'

const context = {
  request: { user: { username: 'jane', uid: 'u1', groups: ['dev'], extra: { a: ['b'] } }, verb: 'update', path: '' },
  now: '2026-01-01T00:00:00Z',
  dryRun: false,
} as unknown as WriteContext

type Anything = KubeObject & Record<string, any>

/** A new object as it is stored. */
function created(key: string, object: object): Anything {
  const made = structuredClone({ apiVersion: 'v1', kind: 'X', ...object }) as Anything
  made.metadata = Object.assign({ name: 'x', namespace: 'default', uid: 'uid' }, made.metadata)
  const strategy = strategies[key]!
  strategy.default?.(made)
  strategy.prepareForCreate?.(made, context)
  assert.deepEqual(strategy.validate?.(made) ?? [], [])
  return freeze(made)
}

/** What an update answers: the object as it would be stored, and the causes against it. */
function updated(key: string, old: Anything, change: (object: Anything) => void) {
  const object = structuredClone(old) as Anything
  change(object)
  const strategy = strategies[key]!
  strategy.default?.(object)
  strategy.prepareForUpdate?.(object, old, context)
  const causes = [...(strategy.validate?.(object, undefined, old) ?? []), ...(strategy.validateUpdate?.(object, old) ?? [])]
  return { object, causes: causes.map((cause) => `${cause.field}: ${cause.message}`) }
}

function freeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    for (const inner of Object.values(value)) freeze(inner)
    Object.freeze(value)
  }
  return value
}

const pod = (spec: object = {}) => ({ spec: { containers: [{ name: 'a', image: 'nginx:1' }], ...spec } })
const notOther =
  /^spec: Forbidden: pod updates may not change fields other than `spec\.containers\[\*\]\.image`,`spec\.initContainers\[\*\]\.image`,`spec\.activeDeadlineSeconds`,`spec\.tolerations` \(only additions to existing tolerations\),`spec\.terminationGracePeriodSeconds`/

const podUpdates: [title: string, spec: object, change: (pod: Anything) => void, causes: RegExp[]][] = [
  ['the image of a container may change', {}, (p) => (p.spec.containers[0].image = 'nginx:2'), []],
  ['the command of a container may not change', {}, (p) => (p.spec.containers[0].command = ['x']), [notOther]],
  [
    'containers may not be added',
    {},
    (p) => p.spec.containers.push({ name: 'b', image: 'b' }),
    [/^spec\.containers: Forbidden: pod updates may not add or remove containers$/],
  ],
  ['a toleration may be added', {}, (p) => (p.spec.tolerations = [{ key: 'a', operator: 'Exists' }]), []],
  [
    'the seconds of a toleration may change',
    { tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }] },
    (p) => (p.spec.tolerations[0].tolerationSeconds = 3),
    [],
  ],
  [
    'a toleration may not go',
    { tolerations: [{ key: 'a', operator: 'Exists' }] },
    (p) => delete p.spec.tolerations,
    [/existing toleration can not be modified except its tolerationSeconds/],
  ],
  ['a deadline may shrink', { activeDeadlineSeconds: 10 }, (p) => (p.spec.activeDeadlineSeconds = 5), []],
  [
    'a deadline may not grow',
    { activeDeadlineSeconds: 10 },
    (p) => (p.spec.activeDeadlineSeconds = 15),
    [/^spec\.activeDeadlineSeconds: Invalid value: 15: must be less than or equal to previous value$/],
  ],
  [
    'a deadline may not go',
    { activeDeadlineSeconds: 10 },
    (p) => delete p.spec.activeDeadlineSeconds,
    [/must not update from a positive integer to nil value/],
  ],
  ['the node may not change', {}, (p) => (p.spec.nodeName = 'n'), [notOther]],
  ['a scheduling gate may go', { schedulingGates: [{ name: 'a' }] }, (p) => delete p.spec.schedulingGates, []],
  [
    'a scheduling gate may not come',
    {},
    (p) => (p.spec.schedulingGates = [{ name: 'a' }]),
    [/only deletion is allowed, but found new scheduling gate 'a'/],
  ],
  ['a gated pod may be narrowed to nodes', { schedulingGates: [{ name: 'a' }] }, (p) => (p.spec.nodeSelector = { a: 'b' }), []],
  ['labels may change', {}, (p) => (p.metadata.labels = { a: 'b' }), []],
]

for (const [title, spec, change, causes] of podUpdates)
  test(`of a pod, ${title}`, () => {
    const result = updated('/pods', created('/pods', pod(spec)), change)
    assert.equal(result.causes.length, causes.length, result.causes.join('\n'))
    causes.forEach((pattern, i) => assert.match(result.causes[i]!, pattern))
  })

test('the main resource keeps the status, and a new object has the one that the server gives', () => {
  const made = created('/pods', { ...pod(), status: { phase: 'Running' } })
  assert.deepEqual(made.status, { phase: 'Pending', qosClass: 'BestEffort' })
  assert.deepEqual(updated('/pods', made, (p) => (p.status = { phase: 'Failed' })).object.status, made.status)
})

const classes: [title: string, resources: object[], expected: core.PodQOSClass][] = [
  ['nothing set', [{}], 'BestEffort'],
  ['equal limits and requests', [{ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1024Mi' } }], 'Guaranteed'],
  ['limits alone, which become requests', [{ limits: { cpu: '1', memory: '1Gi' } }], 'Guaranteed'],
  ['a limit of one resource', [{ limits: { cpu: '1' } }], 'Burstable'],
  ['one container without limits', [{ limits: { cpu: '1', memory: '1Gi' } }, {}], 'Burstable'],
  ['requests below limits', [{ limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1' } }], 'Burstable'],
  ['extended resources alone', [{ limits: { 'a.b/c': '1' } }], 'BestEffort'],
]

for (const [title, resources, expected] of classes)
  test(`a pod with ${title} is ${expected}`, () => {
    const containers = resources.map((one, i) => ({ name: `c${i}`, image: 'x', resources: one }))
    assert.equal(created('/pods', { spec: { containers } }).status.qosClass, expected)
  })

test('a resize may not change the class of a pod', () => {
  const resources = { limits: { cpu: '1', memory: '1Gi' } }
  const old = created('/pods', { spec: { containers: [{ name: 'a', image: 'x', resources }] } }) as unknown as core.Pod
  const next = structuredClone(old)
  next.spec.containers[0]!.resources = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '2', memory: '1Gi' } }
  assert.deepEqual(validatePodResize(next, old, []), [])
  next.spec.containers[0]!.resources = { limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }
  assert.equal(validatePodResize(next, old, [])[0]!.message, 'Invalid value: "Guaranteed": Pod QOS Class may not change as a result of resizing')
})

test('pods end at once when nothing runs, and otherwise after what was asked for or their own time', () => {
  const grace = strategies['/pods']!.gracePeriodSeconds!
  const bound = { ...pod({ nodeName: 'n', terminationGracePeriodSeconds: 30 }), status: { phase: 'Running' } }
  assert.equal(grace(bound, undefined), 30)
  assert.equal(grace(bound, 5), 5)
  assert.equal(grace(bound, -1), 1)
  assert.equal(grace(pod(), undefined), 0)
  assert.equal(grace({ ...bound, status: { phase: 'Succeeded' } }, 9), 0)
})

test('a service that is applied again keeps its address and node ports, and may not choose another address', () => {
  const stored = structuredClone(created('/services', { spec: { type: 'NodePort', ports: [{ port: 80 }], clusterIP: '10.0.0.1' } }))
  stored.spec.ports[0].nodePort = 30001
  const again = updated('/services', freeze(stored), (s) => {
    s.spec = { type: 'NodePort', ports: [{ port: 80 }] }
  })
  assert.deepEqual(again.causes, [])
  assert.equal(again.object.spec.clusterIP, '10.0.0.1')
  assert.deepEqual(again.object.spec.clusterIPs, ['10.0.0.1'])
  assert.equal(again.object.spec.ports[0].nodePort, 30001)
  const other = updated('/services', stored, (s) => (s.spec.clusterIP = '10.0.0.2'))
  assert.deepEqual(other.causes, ['spec.clusterIPs[0]: Invalid value: ["10.0.0.2"]: may not change once set'])
})

test('a service that becomes an external name loses its address, and one that stops being a load balancer its settings', () => {
  const stored = created('/services', { spec: { type: 'LoadBalancer', ports: [{ port: 80, nodePort: 30001 }], clusterIP: '10.0.0.1' } })
  const name = updated('/services', stored, (s) => Object.assign(s.spec, { type: 'ExternalName', externalName: 'example.com' }))
  assert.deepEqual(name.causes, [])
  assert.equal(name.object.spec.clusterIP, undefined)
  const plain = updated('/services', stored, (s) => (s.spec.type = 'ClusterIP'))
  assert.deepEqual(plain.causes, [])
  assert.equal(plain.object.spec.allocateLoadBalancerNodePorts, undefined)
  assert.equal(plain.object.spec.externalTrafficPolicy, undefined)
})

test('secrets take text, keep their type and honour immutability', () => {
  const stored = created('/secrets', { stringData: { a: 'hello' }, data: { a: 'b2xk', b: 'Yg==' } })
  assert.deepEqual(stored.data, { a: 'aGVsbG8=', b: 'Yg==' })
  assert.equal(stored.stringData, undefined)
  assert.match(updated('/secrets', stored, (s) => (s.type = 'other')).causes[0]!, /^type: Invalid value: "other": field is immutable$/)
  const fixed = created('/secrets', { immutable: true, data: { a: 'YQ==' } })
  assert.deepEqual(
    updated('/secrets', fixed, (s) => {
      s.data.a = 'Yg=='
      delete s.immutable
    }).causes,
    ['immutable: Forbidden: field is immutable when `immutable` is set', 'data: Forbidden: field is immutable when `immutable` is set'],
  )
})

test('namespaces are active, carry their finalizer and keep it', () => {
  const stored = created('/namespaces', { metadata: { name: 'ns' } })
  assert.deepEqual(stored.spec, { finalizers: ['kubernetes'] })
  assert.deepEqual(stored.status, { phase: 'Active' })
  assert.equal(stored.metadata.labels!['kubernetes.io/metadata.name'], 'ns')
  assert.deepEqual(updated('/namespaces', stored, (n) => (n.spec = {})).object.spec, { finalizers: ['kubernetes'] })
})

const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'a', image: 'x' }] } }

test('a job owns its pods by its uid, and its template stays', () => {
  const stored = created('batch/jobs', { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } })
  assert.deepEqual(stored.spec.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': 'uid' } })
  assert.deepEqual(Object.keys(stored.spec.template.metadata.labels).sort(), [
    'batch.kubernetes.io/controller-uid',
    'batch.kubernetes.io/job-name',
    'controller-uid',
    'job-name',
  ])
  assert.match(
    updated('batch/jobs', stored, (j) => (j.spec.template.spec.containers[0].image = 'y')).causes[0]!,
    /^spec\.template: Invalid value: .*: field is immutable$/,
  )
  assert.deepEqual(updated('batch/jobs', stored, (j) => (j.spec.parallelism = 3)).causes, [])
})

test('of a stateful set, scale and template may change and claims may not', () => {
  const claims = [{ metadata: { name: 'd' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }]
  const stored = created('apps/statefulsets', {
    spec: { serviceName: 's', selector: { matchLabels: { a: 'b' } }, template, volumeClaimTemplates: claims },
  })
  assert.deepEqual(updated('apps/statefulsets', stored, (s) => (s.spec.replicas = 3)).causes, [])
  assert.deepEqual(updated('apps/statefulsets', stored, (s) => (s.spec.serviceName = 't')).causes, [
    "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
  ])
})

test('the selector of a deployment stays', () => {
  const stored = created('apps/deployments', { spec: { selector: { matchLabels: { a: 'b' } }, template } })
  const result = updated('apps/deployments', stored, (d) => {
    d.spec.selector = { matchLabels: { c: 'd' } }
    d.spec.template.metadata.labels = { c: 'd' }
  })
  assert.deepEqual(result.causes, ['spec.selector: Invalid value: {"matchLabels":{"c":"d"}}: field is immutable'])
})

test('a daemon set counts the changes of its template', () => {
  const stored = created('apps/daemonsets', { spec: { selector: { matchLabels: { a: 'b' } }, template } })
  assert.equal(stored.metadata.annotations!['deprecated.daemonset.template.generation'], '1')
  const next = updated('apps/daemonsets', stored, (d) => (d.spec.template.spec.containers[0].image = 'y'))
  assert.equal(next.object.metadata.annotations!['deprecated.daemonset.template.generation'], '2')
})

test('a bound claim may grow, and nothing else of it changes', () => {
  const stored = structuredClone(
    created('/persistentvolumeclaims', {
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, storageClassName: 'a' },
    }),
  )
  stored.status = { phase: 'Bound', capacity: { storage: '1Gi' } }
  freeze(stored)
  assert.deepEqual(updated('/persistentvolumeclaims', stored, (c) => (c.spec.resources.requests.storage = '2Gi')).causes, [])
  assert.deepEqual(updated('/persistentvolumeclaims', stored, (c) => (c.spec.volumeName = 'v')).causes, [])
  assert.match(
    updated('/persistentvolumeclaims', stored, (c) => (c.spec.storageClassName = 'b')).causes[0]!,
    /^spec: Forbidden: spec is immutable after creation/,
  )
  assert.match(
    updated('/persistentvolumeclaims', stored, (c) => (c.spec.resources.requests.storage = '500Mi')).causes[0]!,
    /field can not be less than status\.capacity/,
  )
})

test('a volume stays what and where it is', () => {
  const exists = (key: string) => ({ required: { nodeSelectorTerms: [{ matchExpressions: [{ key, operator: 'Exists' }] }] } })
  const volume = (more: object = {}) =>
    created('/persistentvolumes', { spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/x' }, ...more } })
  const rows: [title: string, more: object, change: (v: any) => void, causes: RegExp[]][] = [
    ['its path', {}, (v) => (v.spec.hostPath.path = '/y'), [/^spec\.persistentvolumesource: Forbidden: spec\.persistentvolumesource is immutable/]],
    ['its mode', {}, (v) => (v.spec.volumeMode = 'Block'), [/^volumeMode: Invalid value: "Block": field is immutable$/]],
    [
      'its node',
      { nodeAffinity: exists('a') },
      (v) => (v.spec.nodeAffinity = exists('b')),
      [/^nodeAffinity: .*field is immutable, except for updating from beta label to GA$/],
    ],
    ['a node, for the first time', {}, (v) => (v.spec.nodeAffinity = exists('b')), []],
    [
      'its size, class, modes and policy',
      {},
      (v) =>
        Object.assign(v.spec, {
          capacity: { storage: '2Gi' },
          storageClassName: 'b',
          accessModes: ['ReadWriteMany'],
          persistentVolumeReclaimPolicy: 'Delete',
        }),
      [],
    ],
  ]
  for (const [title, more, change, causes] of rows) {
    const result = updated('/persistentvolumes', volume(more), change)
    assert.equal(result.causes.length, causes.length, `${title}: ${result.causes.join()}`)
    causes.forEach((pattern, i) => assert.match(result.causes[i]!, pattern))
  }
})

test('a claim takes a data source of a kind that it knows, or none', () => {
  const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
  const source = (dataSource: object) => created('/persistentvolumeclaims', { spec: { ...spec, dataSource } }).spec
  assert.deepEqual(source({ kind: 'PersistentVolumeClaim', name: 'a' }).dataSourceRef, { kind: 'PersistentVolumeClaim', name: 'a' })
  assert.deepEqual(source({ apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 'a' }).dataSourceRef?.kind, 'VolumeSnapshot')
  assert.equal(source({ apiGroup: 'a.b', kind: 'Foo', name: 'a' }).dataSource, undefined)
})

test('a signing request says who asked, and approval touches the decision alone', () => {
  const request = pem('CERTIFICATE REQUEST', requests.ecdsa)
  const key = 'certificates.k8s.io/certificatesigningrequests'
  const stored = created(key, {
    spec: { request, signerName: 'example.com/s', usages: ['client auth'], username: 'root', groups: ['system:masters'] },
  })
  assert.deepEqual(
    { username: stored.spec.username, uid: stored.spec.uid, groups: stored.spec.groups, extra: stored.spec.extra },
    { username: 'jane', uid: 'u1', groups: ['dev'], extra: { a: ['b'] } },
  )
  const approved = structuredClone(stored)
  approved.status = { conditions: [{ type: 'Approved', status: 'True' }], certificate: 'AAAA' }
  const approval = { ...context, request: { ...context.request, resource: { subresource: 'approval' } } } as WriteContext
  strategies[key]!.prepareForStatusUpdate!(approved, stored, approval)
  assert.equal(approved.status.certificate, undefined)
  assert.equal(approved.status.conditions[0].lastTransitionTime, context.now)
})

test('a binding of roles keeps its role', () => {
  const key = 'rbac.authorization.k8s.io/rolebindings'
  const stored = created(key, { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'User', name: 'u' }] })
  assert.deepEqual(updated(key, stored, (b) => (b.roleRef.name = 's')).causes, [
    'roleRef: Invalid value: {"APIGroup":"rbac.authorization.k8s.io","Kind":"Role","Name":"s"}: cannot change roleRef',
  ])
})
