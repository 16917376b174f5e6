import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { rbac } from '#api'
import { isStatus, resources } from '#api'
import { realClock } from '#base'
import type { Client } from '#client'
import { createClient } from '#client'
import { defaultAdmission } from './admission/index.ts'
import type { AdmissionPlugin } from './admission/index.ts'
import { requestAuthenticator, unionTokens } from './authn/index.ts'
import { mastersAuthorizer, rbacAuthorizer, unionAuthorizer } from './authz/index.ts'
import type { Authorizer } from './authz/index.ts'
import { bootstrapObjects } from './bootstrap.ts'
import { startTestServer } from './test-server.ts'

/** A server that authorizes and admits as a real one does. */
async function start() {
  const authorizers: Authorizer[] = []
  const admission: AdmissionPlugin[] = []
  const test = await startTestServer({ authenticators: [requestAuthenticator({ tokens: unionTokens([]) })], authorizers, admission })
  const { reader } = test.server
  const rules = rbacAuthorizer(reader)
  authorizers.push(mastersAuthorizer, rules)
  admission.push(...defaultAdmission({ reader, authorizer: unionAuthorizer([...authorizers]), rules, client: () => test.client, clock: realClock }))
  return {
    ...test,
    reader,
    as: (username: string, ...groups: string[]) => createClient(test.server.transport({ username, groups: [...groups, 'system:authenticated'] })),
  }
}

const revision = async (client: Client) => Number((await client.resource(resources.namespaces).list()).metadata.resourceVersion)

test('a cluster begins with its namespaces, priority classes, roles and bindings; a second start writes nothing', async () => {
  const t = await start()
  await using _ = t
  await bootstrapObjects(t.client)
  const names = async (list: Promise<{ readonly items: readonly { readonly metadata: { readonly name: string } }[] }>) =>
    (await list).items.map((item) => item.metadata.name)
  assert.deepEqual(await names(t.client.resource(resources.namespaces).list()), ['default', 'kube-node-lease', 'kube-public', 'kube-system'])
  assert.deepEqual(await names(t.client.resource(resources.priorityClasses).list()), ['system-cluster-critical', 'system-node-critical'])
  assert.ok((await names(t.client.resource(resources.clusterRoles).list())).length > 60)
  assert.ok((await names(t.client.resource(resources.roleBindings).list())).includes('system::leader-locking-kube-scheduler'))
  const view = await t.client.resource(resources.clusterRoles).get('view')
  assert.ok(view.rules!.length > 5)
  const before = await revision(t.client)
  await bootstrapObjects(t.client)
  assert.equal(await revision(t.client), before)
})

test('what the policy has and the cluster lost comes back; what was added, or is not to be updated, stays', async () => {
  const t = await start()
  await using _ = t
  await bootstrapObjects(t.client)
  const roles = t.client.resource(resources.clusterRoles)
  const bindings = t.client.resource(resources.clusterRoleBindings)
  const own: rbac.PolicyRule = { verbs: ['get'], apiGroups: ['x.io'], resources: ['widgets'] }
  const dns = await roles.get('system:kube-dns')
  await roles.update({ ...dns, rules: [own] })
  const heapster = await roles.get('system:heapster')
  await roles.update({
    ...heapster,
    rules: [],
    metadata: { ...heapster.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
  })
  await bindings.delete('system:kube-dns')
  await bindings.create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'system:kube-dns' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'view' },
    subjects: [],
  })
  await bindings.delete('system:discovery')
  await bootstrapObjects(t.client)
  const restored = await roles.get('system:kube-dns')
  assert.deepEqual(restored.rules![0], own)
  assert.ok(restored.rules!.length > 1)
  assert.deepEqual((await roles.get('system:heapster')).rules ?? [], [])
  assert.equal((await bindings.get('system:kube-dns')).roleRef.name, 'system:kube-dns')
  assert.equal((await bindings.get('system:discovery')).subjects!.length, 1)
})

test('users may do what their bindings say, from the write of the binding on', async () => {
  const t = await start()
  await using _ = t
  await bootstrapObjects(t.client)
  const jane = t.as('jane')
  const maps = () => jane.resource(resources.configMaps).list({ namespace: 'default' })
  await assert.rejects(maps(), {
    message: 'configmaps is forbidden: User "jane" cannot list resource "configmaps" in API group "" in the namespace "default"',
  })
  await t.client.resource(resources.roleBindings).create({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { name: 'jane', namespace: 'default' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
  })
  assert.equal((await maps()).items.length, 0)
  const role: rbac.Role = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'Role',
    metadata: { name: 'r', namespace: 'default' } as never,
    rules: [{ verbs: ['get'], apiGroups: [''], resources: ['nodes'] }],
  }
  await assert.rejects(
    jane.resource(resources.roles).create(role),
    /attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["nodes"\], Verbs:\["get"\]\}/,
  )
  await jane.resource(resources.roles).create({ ...role, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] })
})

test('a quota holds exactly, however many create at once', async () => {
  const t = await start()
  await using _ = t
  await bootstrapObjects(t.client)
  const maps = t.client.resource(resources.configMaps)
  const quotas = t.client.resource(resources.resourceQuotas)
  const hard = { 'count/configmaps': '10', pods: '1', 'requests.cpu': '1', 'services.nodeports': '1' }
  const quota = await quotas.create({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'default' }, spec: { hard } })
  const create = (name: string) => maps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'default' } })
  await create('free')
  await quotas.updateStatus({ ...quota, status: { hard, used: { 'count/configmaps': '0', pods: '0', 'requests.cpu': '0' } } })
  const service = {
    apiVersion: 'v1' as const,
    kind: 'Service' as const,
    metadata: { name: 's', namespace: 'default' },
    spec: {
      type: 'NodePort' as const,
      ports: [
        { port: 80, protocol: 'TCP' as const, name: 'a' },
        { port: 81, protocol: 'TCP' as const, name: 'b' },
      ],
    },
  }
  await assert.rejects(t.client.resource(resources.services).create(service as never), {
    message: 'services "s" is forbidden: status unknown for quota: q, resources: services.nodeports',
  })
  await quotas.patch('q', 'default', 'merge', { status: { used: { 'services.nodeports': '0' } } }, { subresource: 'status' })
  await assert.rejects(t.client.resource(resources.services).create(service as never), {
    message:
      'services "s" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  })

  const results = await Promise.allSettled(Array.from({ length: 25 }, (_, i) => create(`c${i}`)))
  const failed = results.filter((result) => result.status === 'rejected')
  assert.equal(failed.length, 15)
  for (const { reason } of failed) {
    assert.ok(isStatus(reason, 'Forbidden'))
    assert.match(
      reason.message,
      /^configmaps "c\d+" is forbidden: exceeded quota: q, requested: count\/configmaps=1, used: count\/configmaps=10, limited: count\/configmaps=10$/,
    )
  }
  assert.equal((await quotas.get('q', 'default')).status?.used?.['count/configmaps'], '10')

  await t.client
    .resource(resources.serviceAccounts)
    .create({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'default' } })
  const pod = (name: string, cpu?: string) =>
    t.client.resource(resources.pods).create({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: {
        containers: ['a', 'b'].map((container) => ({ name: container, image: 'i', ...(cpu ? { resources: { requests: { cpu } } } : {}) })),
      } as never,
    })
  await assert.rejects(pod('p'), { message: 'pods "p" is forbidden: failed quota: q: must specify requests.cpu for: a,b' })
  await assert.rejects(pod('p', '600m'), {
    message: 'pods "p" is forbidden: exceeded quota: q, requested: requests.cpu=1200m, used: requests.cpu=0, limited: requests.cpu=1',
  })
  await pod('p', '300m')
  assert.deepEqual((await quotas.get('q', 'default')).status?.used, {
    'count/configmaps': '10',
    pods: '1',
    'requests.cpu': '600m',
    'services.nodeports': '0',
  })
})
