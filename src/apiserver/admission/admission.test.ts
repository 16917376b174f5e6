import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { KubeObject, core } from '#api'
import { StatusError, isStatus } from '#api'
import { manualClock } from '#base'
import type { UserInfo } from '../authn/authenticator.ts'
import { bootstrapPolicy } from '../authz/bootstrap-policy.ts'
import { rbacAuthorizer } from '../authz/rbac.ts'
import { mastersAuthorizer, unionAuthorizer } from '../authz/union.ts'
import { memoryReader } from '../memory-reader.ts'
import type { AdmissionRequest } from './admission.ts'
import { defaultAdmission } from './index.ts'
import { runAdmission } from './run.ts'

const admin: UserInfo = { username: 'admin', groups: ['system:masters', 'system:authenticated'] }
const jane: UserInfo = { username: 'jane', groups: ['system:authenticated'] }
const kubelet: UserInfo = { username: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const rbacGroup = 'rbac.authorization.k8s.io'

function scene(enable: string[] = []) {
  const reader = memoryReader()
  const clock = manualClock()
  const { clusterRoles, clusterRoleBindings } = bootstrapPolicy()
  for (const role of clusterRoles) reader.set(rbacGroup, 'clusterroles', role)
  for (const binding of clusterRoleBindings) reader.set(rbacGroup, 'clusterrolebindings', binding)
  reader.set('', 'namespaces', { metadata: { name: 'ns' }, status: { phase: 'Active' } })
  reader.set('', 'namespaces', { metadata: { name: 'going' }, status: { phase: 'Terminating' } })
  reader.set('', 'namespaces', { metadata: { name: 'safe', labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } })
  reader.set('', 'namespaces', { metadata: { name: 'base', labels: { 'pod-security.kubernetes.io/enforce': 'baseline' } } })
  for (const namespace of ['ns', 'safe', 'base']) reader.set('', 'serviceaccounts', { metadata: { namespace, name: 'default', uid: 'sa' } })
  reader.set('', 'nodes', { metadata: { name: 'n1', uid: 'n1-uid' } })
  const rules = rbacAuthorizer(reader)
  const plugins = defaultAdmission({
    reader,
    authorizer: unionAuthorizer([mastersAuthorizer, rules]),
    rules,
    client: () => assert.fail('nothing is written here'),
    clock,
    enable,
  })
  /** `core/pods/status ns/name` as a request with its object. */
  const request = (
    operation: AdmissionRequest['operation'],
    what: string,
    where: string,
    object?: object,
    options: { user?: UserInfo; old?: object } = {},
  ): AdmissionRequest => {
    const [group = '', resource = '', subresource = ''] = what.split('/')
    const [namespace = '', name = ''] = where.split('/')
    return {
      operation,
      context: {
        now: '2026-01-01T00:00:00Z',
        dryRun: false,
        request: {
          user: options.user ?? admin,
          verb: operation.toLowerCase(),
          path: '',
          resource: { group: group === 'core' ? '' : group, version: 'v1', resource, subresource, namespace, name, rest: '' },
        },
      },
      kind: { group: '', version: 'v1', kind: '' },
      ...(object ? { object: object as KubeObject } : {}),
      ...(options.old ? { old: options.old as KubeObject } : {}),
    }
  }
  return { reader, clock, request, admit: (...args: Parameters<typeof request>) => runAdmission(plugins, request(...args)) }
}

const pod = (spec: object = {}, metadata: object = {}) =>
  ({ metadata: { name: 'a', ...metadata }, spec: { containers: [{ name: 'c', image: 'i' }], ...spec } }) as unknown as core.Pod
const says =
  (message: string, code = 403) =>
  (error: unknown) => {
    assert.ok(error instanceof StatusError, String(error))
    assert.equal(error.message, message)
    assert.equal(error.code, code)
    return true
  }
const mirror = {
  annotations: { 'kubernetes.io/config.mirror': 'x' },
  ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'n1-uid', controller: true }],
}

type Row = [name: string, request: Parameters<ReturnType<typeof scene>['request']>, message: string, code?: number]
const refused: Row[] = [
  [
    'an object of a namespace that does not exist',
    ['CREATE', 'core/configmaps', 'nope', { metadata: { name: 'a' } }],
    'namespaces "nope" not found',
    404,
  ],
  [
    'a new object in a namespace that is going',
    ['CREATE', 'core/configmaps', 'going', { metadata: { name: 'cx' } }],
    'configmaps "cx" is forbidden: unable to create new content in namespace going because it is being terminated',
  ],
  ['deleting a system namespace', ['DELETE', 'core/namespaces', '/default'], 'namespaces "default" is forbidden: this namespace may not be deleted'],
  [
    'a pod of an unknown account',
    ['CREATE', 'core/pods', 'ns', pod({ serviceAccountName: 'zz' })],
    'pods "a" is forbidden: error looking up service account ns/zz: serviceaccount "zz" not found',
  ],
  [
    'a pod of an unknown account, named by what it asked for',
    ['CREATE', 'core/pods', 'ns', pod({ serviceAccountName: 'zz' }, { name: 'a-x4k2z', generateName: 'a-' })],
    'pods "a-" is forbidden: error looking up service account ns/zz: serviceaccount "zz" not found',
  ],
  [
    'an unknown priority class',
    ['CREATE', 'core/pods', 'ns', pod({ priorityClassName: 'x' })],
    'pods "a" is forbidden: no PriorityClass with name x was found',
  ],
  [
    "a priority of one's own",
    ['CREATE', 'core/pods', 'ns', pod({ priority: 7 })],
    'pods "a" is forbidden: the integer value of priority (7) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  ],
  [
    'an unknown runtime class',
    ['CREATE', 'core/pods', 'ns', pod({ runtimeClassName: 'x' })],
    'pods "a" is forbidden: pod rejected: RuntimeClass "x" not found',
  ],
  [
    'overhead without a runtime class',
    ['CREATE', 'core/pods', 'ns', pod({ overhead: { cpu: '1' } })],
    'pods "a" is forbidden: pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead',
  ],
  [
    'a mirror pod with an account',
    ['CREATE', 'core/pods', 'ns', pod({ serviceAccountName: 'default' }, mirror)],
    'pods "a" is forbidden: a mirror pod may not reference service accounts',
  ],
  [
    'a kubelet that creates an ordinary pod',
    ['CREATE', 'core/pods', 'ns', pod({ nodeName: 'n1' }), { user: kubelet }],
    'pods "a" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  ],
  [
    'a kubelet that creates a mirror pod elsewhere',
    ['CREATE', 'core/pods', 'ns', pod({ nodeName: 'n2' }, mirror), { user: kubelet }],
    'pods "a" is forbidden: node "n1" can only create pods with spec.nodeName set to itself',
  ],
  [
    'a kubelet that writes the status of a pod elsewhere',
    ['UPDATE', 'core/pods/status', 'ns/a', pod(), { user: kubelet, old: pod({ nodeName: 'n2' }) }],
    'pods "a" is forbidden: node "n1" can only update pod status for pods with spec.nodeName set to itself',
  ],
  [
    'a kubelet that changes another node',
    ['UPDATE', 'core/nodes', '/n2', { metadata: { name: 'n2' } }, { user: kubelet, old: { metadata: { name: 'n2' } } }],
    'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  ],
  [
    'a kubelet that labels itself as something special',
    [
      'CREATE',
      'core/nodes',
      '',
      { metadata: { name: 'n1', labels: { 'node-role.kubernetes.io/master': '', 'kubernetes.io/os': 'linux' } } },
      { user: kubelet },
    ],
    'nodes "n1" is forbidden: node "n1" is not allowed to set the following labels: node-role.kubernetes.io/master',
  ],
  [
    'a kubelet that takes its taints off',
    [
      'UPDATE',
      'core/nodes',
      '/n1',
      { metadata: { name: 'n1' }, spec: {} },
      { user: kubelet, old: { metadata: { name: 'n1' }, spec: { taints: [{ key: 'k', effect: 'NoSchedule' }] } } },
    ],
    'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
  ],
  [
    "a kubelet that takes another's lease",
    ['CREATE', 'coordination.k8s.io/leases', 'kube-node-lease', { metadata: { name: 'n2' } }, { user: kubelet }],
    'namespaces "kube-node-lease" not found',
    404,
  ],
  [
    'a kubelet that asks for a token without a pod',
    ['CREATE', 'core/serviceaccounts/token', 'ns/default', { metadata: {}, spec: {} }, { user: kubelet }],
    'serviceaccounts "default" is forbidden: node requested token not bound to a pod',
  ],
  [
    'a role that grants more than its writer has',
    [
      'CREATE',
      `${rbacGroup}/roles`,
      'ns',
      { metadata: { name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] },
      { user: jane },
    ],
    'roles.rbac.authorization.k8s.io "r" is forbidden: user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["get"]}',
  ],
  [
    'a binding to a role that does not exist',
    ['CREATE', `${rbacGroup}/rolebindings`, 'ns', { metadata: { name: 'r' }, roleRef: { kind: 'ClusterRole', name: 'nope' } }, { user: jane }],
    'clusterroles.rbac.authorization.k8s.io "nope" not found',
    404,
  ],
  [
    'approving a certificate without the right',
    [
      'UPDATE',
      'certificates.k8s.io/certificatesigningrequests/approval',
      '/c',
      { metadata: { name: 'c' } },
      { user: jane, old: { metadata: { name: 'c' }, spec: { signerName: 'example.com/s' } } },
    ],
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to approve requests with signerName "example.com/s"',
  ],
  [
    'issuing a certificate without the right',
    [
      'UPDATE',
      'certificates.k8s.io/certificatesigningrequests/status',
      '/c',
      { metadata: { name: 'c' }, status: { certificate: 'x' } },
      { user: jane, old: { metadata: { name: 'c' }, spec: { signerName: 'example.com/s' } } },
    ],
    'certificatesigningrequests.certificates.k8s.io "c" is forbidden: user not permitted to sign requests with signerName "example.com/s"',
  ],
  [
    'growing a claim that was not provisioned',
    [
      'UPDATE',
      'core/persistentvolumeclaims',
      'ns/a',
      { metadata: { name: 'a' }, spec: { resources: { requests: { storage: '2Gi' } } } },
      { old: { metadata: { name: 'a' }, spec: { resources: { requests: { storage: '1Gi' } } }, status: { phase: 'Bound' } } },
    ],
    'persistentvolumeclaims "a" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  ],
  [
    'a privileged pod where the baseline holds',
    ['CREATE', 'core/pods', 'base', pod({ hostNetwork: true, containers: [{ name: 'c', image: 'i', securityContext: { privileged: true } }] })],
    'pods "a" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true), privileged (container "c" must not set securityContext.privileged=true)',
  ],
  [
    'an ordinary pod where the restricted standard holds',
    ['CREATE', 'core/pods', 'safe', pod()],
    'pods "a" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  ],
]
for (const [name, request, message, code] of refused) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(scene().admit(...request), says(message, code))
  })
}

test('the refusal in a namespace that is going names its cause', async () => {
  await assert.rejects(scene().admit('CREATE', 'core/configmaps', 'going', { metadata: { name: 'cx' } }), (error) => {
    assert.ok(isStatus(error))
    assert.deepEqual(error.status.details?.causes, [
      { reason: 'NamespaceTerminating', message: 'namespace going is being terminated', field: 'metadata.namespace' },
    ])
    return true
  })
})

test('a pod gets its account, the token volume, tolerations and priority, as upstream fills them in', async () => {
  const { admit, reader } = scene()
  reader.set('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'default' }, imagePullSecrets: [{ name: 'pull' }] })
  const created = pod({
    initContainers: [{ name: 'i', image: 'i', volumeMounts: [{ name: 'own', mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }] }],
  })
  await admit('CREATE', 'core/pods', 'ns', created)
  const { spec } = created as { spec: core.PodSpec }
  const name = spec.volumes![0]!.name
  assert.match(name, /^kube-api-access-[a-z0-9]{5}$/)
  assert.deepEqual(spec.volumes, [
    {
      name,
      projected: {
        sources: [
          { serviceAccountToken: { expirationSeconds: 3607, path: 'token' } },
          { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
          { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
        ],
        defaultMode: 420,
      },
    },
  ])
  assert.deepEqual(spec.containers[0]!.volumeMounts, [{ name, readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' }])
  assert.deepEqual(
    spec.initContainers![0]!.volumeMounts?.map((mount) => mount.name),
    ['own'],
    'a mount of its own stays',
  )
  assert.deepEqual([spec.serviceAccountName, spec.serviceAccount, spec.imagePullSecrets], ['default', 'default', [{ name: 'pull' }]])
  assert.deepEqual([spec.priority, spec.preemptionPolicy, spec.priorityClassName], [0, 'PreemptLowerPriority', undefined])
  assert.deepEqual(spec.tolerations, [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
  ])
})

test('neither a pod nor an account that says so gets a token', async () => {
  const { admit, reader } = scene()
  const quiet = pod({ automountServiceAccountToken: false })
  await admit('CREATE', 'core/pods', 'ns', quiet)
  assert.equal(quiet.spec!.volumes, undefined)
  reader.set('', 'serviceaccounts', { metadata: { namespace: 'ns', name: 'default' }, automountServiceAccountToken: false })
  const [silent, loud] = [pod(), pod({ automountServiceAccountToken: true })]
  await admit('CREATE', 'core/pods', 'ns', silent)
  await admit('CREATE', 'core/pods', 'ns', loud)
  assert.deepEqual([silent.spec!.volumes, loud.spec!.volumes?.length], [undefined, 1])
})

test('a pod of a new namespace waits for the default account, and not for ever', async () => {
  const { admit, reader, clock } = scene()
  reader.set('', 'namespaces', { metadata: { name: 'new' } })
  const until = async (condition: () => boolean) => {
    while (!condition()) await new Promise((resolve) => setImmediate(resolve))
  }
  const waiting = admit('CREATE', 'core/pods', 'new', pod())
  await until(() => clock.waiting === 1)
  reader.set('', 'serviceaccounts', { metadata: { namespace: 'new', name: 'default' } })
  await waiting
  reader.delete('', 'serviceaccounts', 'new', 'default')
  const lost = assert.rejects(
    admit('CREATE', 'core/pods', 'new', pod()),
    says('pods "a" is forbidden: error looking up service account new/default: serviceaccount "default" not found'),
  )
  await until(() => clock.waiting === 1)
  await clock.advance(1000)
  await lost
  assert.equal(clock.waiting, 0)
})

test('priority comes from the class, or the default class', async () => {
  const { admit, reader } = scene()
  reader.set('scheduling.k8s.io', 'priorityclasses', { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' })
  const high = pod({ priorityClassName: 'high' })
  await admit('CREATE', 'core/pods', 'ns', high)
  assert.deepEqual([high.spec!.priority, high.spec!.preemptionPolicy], [1000, 'Never'])
  reader.set('scheduling.k8s.io', 'priorityclasses', { metadata: { name: 'usual' }, value: 5, globalDefault: true })
  const usual = pod()
  await admit('CREATE', 'core/pods', 'ns', usual)
  assert.deepEqual([usual.spec!.priority, usual.spec!.priorityClassName], [5, 'usual'])
  await assert.rejects(
    admit('CREATE', 'scheduling.k8s.io/priorityclasses', '', { metadata: { name: 'second' }, globalDefault: true }),
    says('priorityclasses.scheduling.k8s.io "second" is forbidden: PriorityClass usual is already marked as default. Only one default can exist'),
  )
})

test('a runtime class gives overhead, node selector and tolerations', async () => {
  const { admit, reader } = scene()
  const tolerations = [{ key: 'sandbox', operator: 'Exists' }]
  reader.set('node.k8s.io', 'runtimeclasses', {
    metadata: { name: 'sandbox' },
    overhead: { podFixed: { memory: '64Mi' } },
    scheduling: { nodeSelector: { sandbox: 'yes' }, tolerations },
  })
  const created = pod({ runtimeClassName: 'sandbox', nodeSelector: { zone: 'a' } })
  await admit('CREATE', 'core/pods', 'ns', created)
  assert.deepEqual(created.spec!.overhead, { memory: '64Mi' })
  assert.deepEqual(created.spec!.nodeSelector, { zone: 'a', sandbox: 'yes' })
  assert.ok(created.spec!.tolerations!.some((t) => t.key === 'sandbox'))
  await assert.rejects(
    admit('CREATE', 'core/pods', 'ns', pod({ runtimeClassName: 'sandbox', nodeSelector: { sandbox: 'no' } })),
    says('pods "a" is forbidden: conflict: runtimeClass.scheduling.nodeSelector[sandbox] = yes; pod.spec.nodeSelector[sandbox] = no'),
  )
})

test('a limit range fills in and bounds what containers ask for', async () => {
  const { admit, reader } = scene()
  reader.set('', 'limitranges', {
    metadata: { namespace: 'ns', name: 'lr' },
    spec: {
      limits: [
        {
          type: 'Container',
          max: { cpu: '1', memory: '1Gi' },
          min: { cpu: '100m' },
          default: { cpu: '500m' },
          defaultRequest: { cpu: '200m' },
          maxLimitRequestRatio: { cpu: '3' },
        },
        { type: 'Pod', max: { cpu: '2' } },
        { type: 'PersistentVolumeClaim', max: { storage: '10Gi' }, min: { storage: '1Gi' } },
      ],
    },
  })
  const modest = pod({ containers: [{ name: 'c', image: 'i', resources: { limits: { memory: '1Gi' } } }] })
  await admit('CREATE', 'core/pods', 'ns', modest)
  assert.deepEqual(modest.spec!.containers[0]!.resources, { limits: { memory: '1Gi', cpu: '500m' }, requests: { cpu: '200m' } })
  assert.equal(
    modest.metadata.annotations!['kubernetes.io/limit-ranger'],
    'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
  )
  await assert.rejects(
    admit(
      'CREATE',
      'core/pods',
      'ns',
      pod({ containers: [{ name: 'c', image: 'i', resources: { limits: { cpu: '4', memory: '2Gi' }, requests: { cpu: '50m' } } }] }),
    ),
    says(
      'pods "a" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, but limit is 4, maximum memory usage per Container is 1Gi, but limit is 2Gi, cpu max limit to request ratio per Container is 3, but provided ratio is 80.000000, maximum cpu usage per Pod is 2, but limit is 4]',
    ),
  )
  await assert.rejects(
    admit('CREATE', 'core/persistentvolumeclaims', 'ns', { metadata: { name: 'a' }, spec: { resources: { requests: { storage: '20Gi' } } } }),
    says('persistentvolumeclaims "a" is forbidden: maximum storage usage per PersistentVolumeClaim is 10Gi, but request is 20Gi'),
  )
})

test('claims and ingresses get the default class, nodes their first taint, claims their finalizer', async () => {
  const { admit, reader } = scene()
  const marked = (name: string, key: string, creationTimestamp = '2026-01-01T00:00:00Z') => ({
    metadata: { name, creationTimestamp, annotations: { [`${key}.kubernetes.io/is-default-class`]: 'true' } },
  })
  reader.set('storage.k8s.io', 'storageclasses', marked('old', 'storageclass'))
  reader.set('storage.k8s.io', 'storageclasses', marked('new', 'storageclass', '2026-02-01T00:00:00Z'))
  reader.set('networking.k8s.io', 'ingressclasses', marked('web', 'ingressclass'))
  const claim = { metadata: { name: 'a' }, spec: {} as { storageClassName?: string } } as {
    metadata: { name: string; finalizers?: string[] }
    spec: { storageClassName?: string }
  }
  await admit('CREATE', 'core/persistentvolumeclaims', 'ns', claim)
  assert.deepEqual([claim.spec.storageClassName, claim.metadata.finalizers], ['new', ['kubernetes.io/pvc-protection']])
  const none = { metadata: { name: 'a' }, spec: { storageClassName: '' } }
  await admit('CREATE', 'core/persistentvolumeclaims', 'ns', none)
  assert.equal(none.spec.storageClassName, '')
  const ingress = { metadata: { name: 'a' }, spec: {} as { ingressClassName?: string } }
  await admit('CREATE', 'networking.k8s.io/ingresses', 'ns', ingress)
  assert.equal(ingress.spec.ingressClassName, 'web')
  const node = { metadata: { name: 'n3' }, spec: {} as { taints?: unknown[] } }
  await admit('CREATE', 'core/nodes', '', node)
  assert.deepEqual(node.spec.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
})

test('a pod gets the zone and the region of its node', async () => {
  const { admit, reader } = scene()
  const zoned = { 'topology.kubernetes.io/zone': 'z', 'topology.kubernetes.io/region': 'r' }
  reader.set('', 'nodes', { metadata: { name: 'zoned', labels: { ...zoned, other: 'o' } } })
  const bind = async (target: object, labels?: object) => {
    const binding = { metadata: { name: 'a', ...(labels ? { labels } : {}) }, target }
    await admit('CREATE', 'core/pods/binding', 'ns/a', binding)
    return binding.metadata
  }
  assert.deepEqual(await bind({ kind: 'Node', name: 'zoned' }, { 'topology.kubernetes.io/zone': 'x' }), { name: 'a', labels: zoned })
  assert.deepEqual(await bind({ kind: 'Node', name: 'nowhere' }), { name: 'a' })
  assert.deepEqual(await bind({ kind: 'Other', name: 'zoned' }), { name: 'a' })
})

test('a kubelet may do what is its own', async () => {
  const { admit, reader } = scene()
  reader.set('', 'namespaces', { metadata: { name: 'kube-node-lease' } })
  reader.set('', 'pods', { metadata: { namespace: 'ns', name: 'a', uid: 'pod-uid' }, spec: { nodeName: 'n1' } })
  await admit('CREATE', 'core/pods', 'ns', pod({ nodeName: 'n1' }, mirror), { user: kubelet })
  await admit('UPDATE', 'core/pods/status', 'ns/a', pod(), { user: kubelet, old: pod({ nodeName: 'n1' }) })
  await admit('DELETE', 'core/pods', 'ns/a', undefined, { user: kubelet })
  await admit('CREATE', 'coordination.k8s.io/leases', 'kube-node-lease', { metadata: { name: 'n1' } }, { user: kubelet })
  const boundObjectRef = { apiVersion: 'v1', kind: 'Pod', name: 'a', uid: 'pod-uid' }
  await admit('CREATE', 'core/serviceaccounts/token', 'ns/default', { metadata: {}, spec: { boundObjectRef } }, { user: kubelet })
  await assert.rejects(
    admit('CREATE', 'coordination.k8s.io/leases', 'kube-node-lease', { metadata: { name: 'n2' } }, { user: kubelet }),
    says('leases.coordination.k8s.io "n2" is forbidden: can only access node lease with the same name as the requesting node'),
  )
})

test('roles may be written by who holds their rights, may escalate, or only cleans up', async () => {
  const { admit, reader } = scene()
  const role = { metadata: { name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] }
  const write = () => admit('CREATE', `${rbacGroup}/roles`, 'ns', role, { user: jane })
  await assert.rejects(write())
  reader.set(rbacGroup, 'rolebindings', {
    metadata: { namespace: 'ns', name: 'b' },
    roleRef: { kind: 'ClusterRole', name: 'view' },
    subjects: [{ kind: 'User', name: 'jane' }],
  })
  await write()
  reader.delete(rbacGroup, 'rolebindings', 'ns', 'b')
  reader.set(rbacGroup, 'clusterroles', {
    metadata: { name: 'escalator' },
    rules: [{ verbs: ['escalate'], apiGroups: [rbacGroup], resources: ['roles'] }],
  })
  reader.set(rbacGroup, 'rolebindings', {
    metadata: { namespace: 'ns', name: 'b' },
    roleRef: { kind: 'ClusterRole', name: 'escalator' },
    subjects: [{ kind: 'User', name: 'jane' }],
  })
  await write()
  reader.delete(rbacGroup, 'rolebindings', 'ns', 'b')
  const finalized = { ...role, metadata: { name: 'r', finalizers: ['a/b'] } }
  await admit('UPDATE', `${rbacGroup}/roles`, 'ns/r', role, { user: jane, old: finalized })
  const aggregating = { metadata: { name: 'all' }, aggregationRule: { clusterRoleSelectors: [{}] } }
  await assert.rejects(
    admit('CREATE', `${rbacGroup}/clusterroles`, '', aggregating, { user: jane }),
    /must have cluster-admin privileges to use the aggregationRule/,
  )
})

test('no certificate is requested that makes a master', async () => {
  const { admit } = scene()
  const dir = mkdtempSync(join(tmpdir(), 'csr-'))
  writeFileSync(join(dir, 'c'), '[req]\ndistinguished_name=d\n[d]\n')
  const make = (subject: string) =>
    execFileSync('openssl', ['req', '-new', '-newkey', 'rsa:2048', '-nodes', '-keyout', '/dev/null', '-config', join(dir, 'c'), '-subj', subject], {
      stdio: ['ignore', 'pipe', 'ignore'],
    })
  const csr = (pem: Buffer) => ({
    metadata: { name: 'c' },
    spec: { signerName: 'kubernetes.io/kube-apiserver-client', request: pem.toString('base64') },
  })
  try {
    await admit('CREATE', 'certificates.k8s.io/certificatesigningrequests', '', csr(make('/O=dev/CN=jane')))
    await assert.rejects(
      admit('CREATE', 'certificates.k8s.io/certificatesigningrequests', '', csr(make('/O=dev/O=system:masters/CN=jane'))),
      says(
        'certificatesigningrequests.certificates.k8s.io "c" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
      ),
    )
    await assert.rejects(admit('CREATE', 'certificates.k8s.io/certificatesigningrequests', '', csr(Buffer.from('x'))), /failed to parse CSR/)
  } finally {
    rmSync(dir, { recursive: true })
  }
})

test('owner references need the right to delete, and to block the deletion of the owner', async () => {
  const { admit } = scene(['OwnerReferencesPermissionEnforcement'])
  const owner = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'd', uid: 'u', blockOwnerDeletion: true }
  const owned = { metadata: { name: 'a', ownerReferences: [owner] } }
  await assert.rejects(
    admit('UPDATE', 'core/configmaps', 'ns/a', owned, { user: jane, old: { metadata: { name: 'a' } } }),
    /cannot set an ownerRef on a resource you can't delete/,
  )
  await assert.rejects(
    admit('CREATE', 'core/configmaps', 'ns', owned, { user: jane }),
    /cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on/,
  )
  await admit(
    'CREATE',
    'core/configmaps',
    'ns',
    { metadata: { name: 'a', ownerReferences: [{ ...owner, blockOwnerDeletion: false }] } },
    { user: jane },
  )
})

test('a pod that keeps to the restricted standard is admitted, and an update that changes no risk', async () => {
  const { admit } = scene()
  const securityContext = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  await admit(
    'CREATE',
    'core/pods',
    'safe',
    pod({
      securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
      containers: [{ name: 'c', image: 'i', securityContext }],
    }),
  )
  const old = pod()
  await admit('UPDATE', 'core/pods', 'safe/a', pod({ containers: [{ name: 'c', image: 'j' }] }), { old })
})
