import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { authorization } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import { memoryReader } from '../memory-reader.ts'
import type { RequestInfo } from '../request-info.ts'
import { bootstrapPolicy, bootstrapRules } from './bootstrap-policy.ts'
import { escalationMessage } from './escalation.ts'
import { nodeAuthorizer } from './node-authorizer.ts'
import { nodeGraph } from './node-graph.ts'
import { rbacAuthorizer } from './rbac.ts'
import { reviewAccess, reviewLocalAccess, reviewSelfAccess, reviewSelfRules } from './reviews.ts'
import { forbiddenRequest, mastersAuthorizer, unionAuthorizer } from './union.ts'

const rbacGroup = 'rbac.authorization.k8s.io'
const user = (username: string, ...groups: string[]): UserInfo => ({ username, groups: [...groups, 'system:authenticated'] })

/** `get core/pods/log ns/name`, or `get /path`. */
function request(who: UserInfo, verb: string, what: string, where = ''): RequestInfo {
  if (what.startsWith('/')) return { user: who, verb, path: what }
  const [group, resource = '', subresource = ''] = what.split('/')
  const [namespace = '', name = ''] = where.split('/')
  return {
    user: who,
    verb,
    path: '',
    resource: { group: group === 'core' ? '' : group!, version: 'v1', resource, subresource, namespace, name, rest: '' },
  }
}

function withPolicy() {
  const reader = memoryReader()
  const { clusterRoles, clusterRoleBindings, roles, roleBindings } = bootstrapPolicy()
  for (const role of clusterRoles) reader.set(rbacGroup, 'clusterroles', role)
  for (const role of roles) reader.set(rbacGroup, 'roles', role)
  for (const binding of clusterRoleBindings) reader.set(rbacGroup, 'clusterrolebindings', binding)
  for (const binding of roleBindings) reader.set(rbacGroup, 'rolebindings', binding)
  return { reader, authorizer: rbacAuthorizer(reader) }
}

const binding = (name: string, role: string, subject: object, namespace?: string) => ({
  metadata: { name, ...(namespace ? { namespace } : {}) },
  roleRef: { apiGroup: rbacGroup, kind: role.startsWith('role:') ? 'Role' : 'ClusterRole', name: role.replace('role:', '') },
  subjects: [subject],
})

const scheduler = user('system:kube-scheduler')
const anonymous: UserInfo = { username: 'system:anonymous', groups: ['system:unauthenticated'] }
const rows: [string, RequestInfo, boolean][] = [
  ['masters may do anything', request(user('root', 'system:masters'), 'frob', 'x.io/widgets', 'ns/a'), true],
  ['masters may get any path', request(user('root', 'system:masters'), 'get', '/metrics'), true],
  ['the scheduler may bind pods', request(scheduler, 'create', 'core/pods/binding', 'ns/p'), true],
  ['the scheduler may not read secrets', request(scheduler, 'get', 'core/secrets', 'ns/s'), false],
  ['the scheduler may update its own lease', request(scheduler, 'update', 'coordination.k8s.io/leases', 'kube-system/kube-scheduler'), true],
  ['the scheduler may not update another lease', request(scheduler, 'update', 'coordination.k8s.io/leases', 'kube-system/other'), false],
  ['everybody who is known may discover', request(user('joe'), 'get', '/apis/apps/v1'), true],
  ['anonymous users may not discover', request(anonymous, 'get', '/apis/apps/v1'), false],
  ['anonymous users may see the version', request(anonymous, 'get', '/version'), true],
  ['everybody who is known may ask what they may', request(user('joe'), 'create', `authorization.k8s.io/selfsubjectaccessreviews`), true],
  ['service accounts may read the issuer documents', request(user('x', 'system:serviceaccounts'), 'get', '/openid/v1/jwks'), true],
  ['a controller has its own role', request(user('system:serviceaccount:kube-system:replicaset-controller'), 'create', 'core/pods', 'ns'), true],
  ['a path rule with a star covers what follows', request(user('m', 'system:monitoring'), 'get', '/readyz/etcd'), true],
  ['joe may not list pods', request(user('joe'), 'list', 'core/pods', 'ns'), false],
]
for (const [name, asked, allowed] of rows) {
  test(`bootstrap policy: ${name}`, () => {
    assert.equal(withPolicy().authorizer.authorize(asked).decision, allowed ? 'allow' : 'noOpinion')
  })
}

test('aggregated roles hold what their parts hold', () => {
  const { clusterRoles } = bootstrapPolicy()
  const rules = (name: string) => JSON.stringify(clusterRoles.find((r) => r.metadata.name === name)!.rules)
  assert.match(rules('view'), /endpointslices/)
  assert.match(rules('view'), /metrics\.k8s\.io/)
  assert.match(rules('admin'), /rolebindings/)
  assert.match(rules('admin'), /endpointslices/)
  assert.doesNotMatch(rules('view'), /"secrets"/)
  assert.equal(clusterRoles.length > 60, true)
})

test('a namespaced binding holds in its namespace, for what the role names, and says why', () => {
  const { reader, authorizer } = withPolicy()
  reader.set(rbacGroup, 'rolebindings', binding('b', 'view', { kind: 'User', name: 'joe' }, 'ns'))
  const joe = user('joe')
  assert.deepEqual(authorizer.authorize(request(joe, 'list', 'core/pods', 'ns')), {
    decision: 'allow',
    reason: 'RBAC: allowed by RoleBinding "b/ns" of ClusterRole "view" to User "joe"',
  })
  assert.equal(authorizer.authorize(request(joe, 'list', 'core/pods', 'other')).decision, 'noOpinion')
  assert.equal(authorizer.authorize(request(joe, 'list', 'core/pods')).decision, 'noOpinion')
  assert.equal(authorizer.authorize(request(joe, 'list', 'core/secrets', 'ns')).decision, 'noOpinion')
})

test('decisions follow every change of roles and bindings', () => {
  const { reader, authorizer } = withPolicy()
  const joe = user('joe')
  const allowed = () => authorizer.authorize(request(joe, 'get', 'core/pods/log', 'ns/a')).decision === 'allow'
  assert.ok(!allowed())
  reader.set(rbacGroup, 'roles', { metadata: { namespace: 'ns', name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['*/log'] }] })
  assert.ok(!allowed())
  reader.set(rbacGroup, 'rolebindings', binding('b', 'role:r', { kind: 'ServiceAccount', name: 'joe', namespace: 'ns' }, 'ns'))
  assert.ok(!allowed())
  reader.set(rbacGroup, 'rolebindings', binding('b', 'role:r', { kind: 'Group', name: 'system:authenticated' }, 'ns'))
  assert.ok(allowed())
  reader.set(rbacGroup, 'roles', {
    metadata: { namespace: 'ns', name: 'r' },
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods/log'], resourceNames: ['b'] }],
  })
  assert.ok(!allowed())
  reader.delete(rbacGroup, 'rolebindings', 'ns', 'b')
  assert.equal(authorizer.authorize(request(joe, 'get', 'core/pods/log', 'ns/b')).decision, 'noOpinion')
})

test('a binding to a role that does not exist is named in the reason', () => {
  const { reader, authorizer } = withPolicy()
  reader.set(rbacGroup, 'clusterrolebindings', binding('b', 'nope', { kind: 'User', name: 'joe' }))
  const asked = request(user('joe'), 'get', 'core/pods', 'ns/a')
  const decision = authorizer.authorize(asked)
  assert.deepEqual(decision, { decision: 'noOpinion', reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "nope" not found' })
  assert.equal(
    forbiddenRequest(asked, decision).message,
    'pods "a" is forbidden: User "joe" cannot get resource "pods" in API group "" in the namespace "ns": RBAC: clusterrole.rbac.authorization.k8s.io "nope" not found',
  )
})

const forbidden: [string, RequestInfo, string][] = [
  ['a path', request(anonymous, 'get', '/foo'), 'forbidden: User "system:anonymous" cannot get path "/foo"'],
  [
    'a list',
    request(user('jane'), 'list', 'apps/deployments', 'x'),
    'deployments.apps is forbidden: User "jane" cannot list resource "deployments" in API group "apps" in the namespace "x"',
  ],
  [
    'a subresource',
    request(user('jane'), 'get', 'apps/deployments/scale', 'x/a'),
    'deployments.apps "a" is forbidden: User "jane" cannot get resource "deployments/scale" in API group "apps" in the namespace "x"',
  ],
  [
    'a cluster-scoped object',
    request(user('jane'), 'get', 'core/nodes', '/n'),
    'nodes "n" is forbidden: User "jane" cannot get resource "nodes" in API group "" at the cluster scope',
  ],
]
for (const [name, asked, message] of forbidden) {
  test(`the refusal of ${name} reads as upstream's`, () => {
    const error = forbiddenRequest(asked, { decision: 'noOpinion', reason: '' })
    assert.equal(error.message, message)
    assert.equal(error.code, 403)
  })
}

const node = user('system:node:n1', 'system:nodes')
const podOn = (name: string, nodeName: string, spec: object) => ({
  metadata: { namespace: 'ns', name, uid: `${name}-uid` },
  spec: { nodeName, serviceAccountName: 'sa', containers: [], ...spec },
})
function kubelet() {
  const reader = memoryReader()
  reader.set(
    '',
    'pods',
    podOn('p1', 'n1', {
      volumes: [
        { name: 'v', secret: { secretName: 'mounted' } },
        { name: 'd', persistentVolumeClaim: { claimName: 'claim' } },
      ],
      containers: [{ name: 'c', envFrom: [{ configMapRef: { name: 'env' } }] }],
    }),
  )
  reader.set('', 'pods', podOn('p2', 'n2', { imagePullSecrets: [{ name: 'pull' }] }))
  reader.set('', 'persistentvolumeclaims', { metadata: { namespace: 'ns', name: 'claim' }, spec: { volumeName: 'pv' } })
  reader.set('', 'persistentvolumes', {
    metadata: { name: 'pv' },
    spec: { claimRef: { namespace: 'ns', name: 'claim' }, csi: { nodeStageSecretRef: { namespace: 'storage', name: 'stage' } } },
  })
  return { reader, authorizer: nodeAuthorizer({ reader, graph: nodeGraph(reader), rules: bootstrapRules('system:node') }) }
}
const nodeRows: [string, RequestInfo, boolean][] = [
  ['may read a secret that its pod mounts', request(node, 'get', 'core/secrets', 'ns/mounted'), true],
  ['may watch a config map that its pod reads', request(node, 'watch', 'core/configmaps', 'ns/env'), true],
  ['may not read the secret of a pod on another node', request(node, 'get', 'core/secrets', 'ns/pull'), false],
  ['may not list all secrets', request(node, 'list', 'core/secrets', 'ns'), false],
  ['may not write secrets', request(node, 'update', 'core/secrets', 'ns/mounted'), false],
  ['may read the claim and the volume that its pod uses', request(node, 'get', 'core/persistentvolumes', '/pv'), true],
  ['may read the secret that mounting the volume needs', request(node, 'get', 'core/secrets', 'storage/stage'), true],
  ['may fetch tokens of accounts that its pods run as', request(node, 'create', 'core/serviceaccounts/token', 'ns/sa'), true],
  ['may not fetch other tokens', request(node, 'create', 'core/serviceaccounts/token', 'ns/other'), false],
  ['may renew its lease', request(node, 'update', 'coordination.k8s.io/leases', 'kube-node-lease/n1'), true],
  ["may not renew another's lease", request(node, 'update', 'coordination.k8s.io/leases', 'kube-node-lease/n2'), false],
  ['may not take leases elsewhere', request(node, 'update', 'coordination.k8s.io/leases', 'kube-system/n1'), false],
  ['may watch pods and services', request(node, 'watch', 'core/services'), true],
  ['may write pod status', request(node, 'patch', 'core/pods/status', 'ns/p1'), true],
  ['may not create deployments', request(node, 'create', 'apps/deployments', 'ns'), false],
  ['is a user of the group, not of the name alone', request(user('system:node:n1'), 'get', 'core/secrets', 'ns/mounted'), false],
]
for (const [name, asked, allowed] of nodeRows) {
  test(`a kubelet ${name}`, () => assert.equal(kubelet().authorizer.authorize(asked).decision, allowed ? 'allow' : 'noOpinion'))
}

test('a kubelet loses what a pod gave it when the pod goes', () => {
  const { reader, authorizer } = kubelet()
  const asked = request(node, 'get', 'core/secrets', 'ns/mounted')
  reader.set('', 'pods', podOn('p3', 'n1', { volumes: [{ name: 'v', secret: { secretName: 'mounted' } }] }))
  reader.delete('', 'pods', 'ns', 'p1')
  assert.equal(authorizer.authorize(asked).decision, 'allow')
  reader.delete('', 'pods', 'ns', 'p3')
  assert.deepEqual(authorizer.authorize(asked), { decision: 'noOpinion', reason: "no relationship found between node 'n1' and this object" })
})

test('access reviews decide as requests are decided, and refuse what says too much or too little', () => {
  const { authorizer: rbac } = withPolicy()
  const authorizer = unionAuthorizer([mastersAuthorizer, rbac])
  const review = (spec: object, metadata = {}) => ({ apiVersion: 'authorization.k8s.io/v1', metadata, spec }) as never
  const bind = { resourceAttributes: { verb: 'create', resource: 'pods', subresource: 'binding', namespace: 'ns' } }
  assert.deepEqual((reviewSelfAccess(authorizer, user('root', 'system:masters'), review(bind)) as authorization.SelfSubjectAccessReview).status, {
    allowed: true,
  })
  assert.deepEqual(reviewAccess(authorizer, review({ user: 'system:kube-scheduler', ...bind })).status, {
    allowed: true,
    reason: 'RBAC: allowed by ClusterRoleBinding "system:kube-scheduler" of ClusterRole "system:kube-scheduler" to User "system:kube-scheduler"',
  })
  assert.deepEqual(reviewLocalAccess(authorizer, 'ns', review({ user: 'joe', ...bind }, { namespace: 'ns' })).status, { allowed: false })
  assert.throws(() => reviewSelfAccess(authorizer, user('joe'), review({})), {
    message:
      '.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
  })
  assert.throws(() => reviewLocalAccess(authorizer, 'ns', review({ user: 'joe', ...bind }, {})), {
    message: '.authorization.k8s.io "" is invalid: spec.resourceAttributes.namespace: Invalid value: "ns": must match metadata.namespace',
  })
  assert.throws(() => reviewAccess(authorizer, review(bind)), /at least one of user or group must be specified/)
})

test('a rules review lists what the user may do in the namespace', () => {
  const { authorizer } = withPolicy()
  const review = reviewSelfRules(authorizer, user('joe'), { spec: { namespace: 'ns' } } as never)
  assert.deepEqual(
    review.status!.resourceRules.map((r) => r.resources),
    [['selfsubjectaccessreviews', 'selfsubjectrulesreviews'], ['selfsubjectreviews']],
  )
  assert.equal(review.status!.incomplete, false)
  assert.throws(() => reviewSelfRules(authorizer, user('joe'), { spec: {} } as never), /no namespace on request/)
})

test("granting what one does not hold is told right by right, in upstream's words", () => {
  const held = { rules: [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', '*/log'] }], errors: [] }
  const wanted = [
    { verbs: ['get', 'list', 'frob'], apiGroups: [''], resources: ['pods', 'nodes'], resourceNames: ['a', 'b'] },
    { verbs: ['get', 'list'], apiGroups: ['x.io'], resources: ['*'] },
    { verbs: ['get'], apiGroups: [''], resources: ['pods/log'] },
    { verbs: ['get'], nonResourceURLs: ['/metrics'] },
  ]
  assert.equal(
    escalationMessage(user('jane'), held, wanted),
    [
      'user "jane" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:',
      '{APIGroups:[""], Resources:["nodes"], ResourceNames:["a"], Verbs:["get" "list" "frob"]}',
      '{APIGroups:[""], Resources:["nodes"], ResourceNames:["b"], Verbs:["get" "list" "frob"]}',
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["a"], Verbs:["frob"]}',
      '{APIGroups:[""], Resources:["pods"], ResourceNames:["b"], Verbs:["frob"]}',
      '{APIGroups:["x.io"], Resources:["*"], Verbs:["get" "list"]}',
      '{NonResourceURLs:["/metrics"], Verbs:["get"]}',
    ].join('\n'),
  )
  assert.equal(escalationMessage(user('root'), { rules: bootstrapRules('cluster-admin'), errors: [] }, wanted), undefined)
})
