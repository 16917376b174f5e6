import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import type { authentication, authorization, core } from '#api'
import { StatusError, isStatus, resources } from '#api'
import type { TestCluster } from '../controllers/cluster.ts'
import { namespace, startTestCluster } from '../controllers/cluster.ts'
import type { Loose } from './operations.ts'

// Kubernetes' conformance tests since 1.21 that are about the API server as a whole; each has upstream's name. Those of single kinds are in kinds.test.ts.

let c: TestCluster
before(async () => void (c = await startTestCluster()))
after(() => c[Symbol.asyncDispose]())

const json = { accept: 'application/json' }
const aggregated = (version: string) => ({ accept: `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList,application/json` })
const get = (path: string, headers: Record<string, string> = json) => c.client.raw<Loose>('GET', path, undefined, { headers })

test('[sig-api-machinery] Discovery should locate the groupVersion and a resource within each APIGroup', async () => {
  const { groups } = await get('/apis')
  assert.ok(groups.length >= 15)
  for (const { name, versions, preferredVersion } of groups) {
    const own = await get(`/apis/${name}`)
    assert.deepEqual([own.kind, own.name, own.preferredVersion], ['APIGroup', name, preferredVersion])
    assert.ok(versions.some((v: Loose) => v.groupVersion === preferredVersion.groupVersion))
    const list = await get(`/apis/${preferredVersion.groupVersion}`)
    assert.deepEqual([list.kind, list.groupVersion], ['APIResourceList', preferredVersion.groupVersion])
    assert.ok(list.resources.length > 0, name)
  }
})

test('[sig-api-machinery] AggregatedDiscovery should support raw aggregated discovery endpoint Accept headers', async () => {
  for (const version of ['v2', 'v2beta1'])
    for (const path of ['/api', '/apis']) {
      const list = await get(path, aggregated(version))
      assert.deepEqual([list.kind, list.apiVersion], ['APIGroupDiscoveryList', `apidiscovery.k8s.io/${version}`])
    }
  assert.equal((await get('/apis')).kind, 'APIGroupList')
  assert.equal((await get('/api')).kind, 'APIVersions')
})

test('[sig-api-machinery] AggregatedDiscovery should support aggregated discovery interface', async () => {
  const list = await get('/apis', aggregated('v2'))
  const resourcesOf = (group: string, version: string) =>
    list.items
      .find((g: Loose) => g.metadata.name === group)
      ?.versions.find((v: Loose) => v.version === version)
      ?.resources.map((r: Loose) => r.resource)
  for (const [group, version, resource] of [
    ['apps', 'v1', 'deployments'],
    ['admissionregistration.k8s.io', 'v1', 'validatingwebhookconfigurations'],
    ['apiextensions.k8s.io', 'v1', 'customresourcedefinitions'],
    ['apiregistration.k8s.io', 'v1', 'apiservices'],
    ['batch', 'v1', 'jobs'],
    ['coordination.k8s.io', 'v1', 'leases'],
    ['discovery.k8s.io', 'v1', 'endpointslices'],
    ['networking.k8s.io', 'v1', 'ingresses'],
    ['rbac.authorization.k8s.io', 'v1', 'roles'],
    ['scheduling.k8s.io', 'v1', 'priorityclasses'],
    ['storage.k8s.io', 'v1', 'csistoragecapacities'],
  ])
    assert.ok(resourcesOf(group!, version!)?.includes(resource), `${group}/${version} ${resource}`)
})

/** Rejects as strict decoding does, and says all of `parts`. */
async function refusedStrictly(path: string, body: object, method: string, headers: Record<string, string>, ...parts: string[]) {
  await assert.rejects(c.client.raw(method, path, body, { headers, query: { fieldValidation: 'Strict' } }), (error) => {
    assert.ok(error instanceof StatusError)
    for (const part of parts) assert.ok(error.message.includes(part), `${error.message}: ${part}`)
    return error.status.code === 400 || error.status.code === 422
  })
}

const deployment = (name: string, more: object = {}, metadata: object = {}) => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, ...metadata },
  spec: {
    replicas: 0,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'pending' }] } },
    ...more,
  },
})
const deployments = `/apis/apps/v1/namespaces/${namespace}/deployments`

/** Until a policy is gone again, deployments of the test's namespace must be as it says. */
async function withDeploymentPolicy(name: string, spec: object, use: () => Promise<void>): Promise<void> {
  const labels = { [name]: 'yes' }
  await c.client.resource(resources.namespaces).patch(namespace, undefined, 'merge', { metadata: { labels } })
  const matchResources = { namespaceSelector: { matchLabels: labels } }
  const resourceRules = [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE'], resources: ['deployments'] }]
  const policies = c.client.resource(resources.validatingAdmissionPolicies)
  const bindings = c.client.resource(resources.validatingAdmissionPolicyBindings)
  await c.create(resources.validatingAdmissionPolicies, { metadata: { name }, spec: { matchConstraints: { resourceRules }, ...spec } } as Loose)
  await c.create(resources.validatingAdmissionPolicyBindings, {
    metadata: { name },
    spec: { policyName: name, validationActions: ['Deny'], matchResources },
  } as Loose)
  try {
    await use()
  } finally {
    await bindings.delete(name)
    await policies.delete(name)
  }
}

const created = async (name: string, replicas: number) => {
  await c.client.raw('POST', deployments, deployment(name, { replicas }))
  await c.client.raw('DELETE', `${deployments}/${name}`)
}

test('[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should validate against a Deployment', () =>
  withDeploymentPolicy(
    'policy-of-deployments',
    {
      validations: [
        { expression: 'object.spec.replicas > 1', messageExpression: "'wants at least 2 replicas, got ' + string(object.spec.replicas)" },
        { expression: `namespaceObject.metadata.name == '${namespace}'`, message: 'another namespace' },
      ],
    },
    async () => {
      await assert.rejects(created('replicated', 1), /wants at least 2 replicas, got 1/)
      await created('replicated', 2)
    },
  ))

test('[sig-api-machinery] ValidatingAdmissionPolicy [Privileged:ClusterAdmin] should allow expressions to refer variables.', () =>
  withDeploymentPolicy(
    'policy-with-variables',
    {
      variables: [
        { name: 'replicas', expression: 'object.spec.replicas' },
        { name: 'oddReplicas', expression: 'variables.replicas % 2 == 1' },
      ],
      validations: [{ expression: 'variables.replicas > 1' }, { expression: 'variables.oddReplicas' }],
    },
    async () => {
      await assert.rejects(created('odd', 1), /failed expression: variables\.replicas > 1/)
      await assert.rejects(created('odd', 2), /failed expression: variables\.oddReplicas/)
      await created('odd', 3)
    },
  ))

test('[sig-api-machinery] FieldValidation should detect unknown and duplicate fields of a typed object', async () => {
  const unknown = deployment('strict', { unknownField: 'x' })
  const unknownText = 'unknown field "spec.unknownField"'
  await refusedStrictly(deployments, unknown, 'POST', { 'content-type': 'application/json' }, 'strict decoding error', unknownText)
  await c.client.raw('POST', deployments, deployment('strict'))
  await refusedStrictly(`${deployments}/strict`, unknown, 'PUT', { 'content-type': 'application/json' }, unknownText)
  for (const type of ['merge-patch', 'strategic-merge-patch'])
    await refusedStrictly(
      `${deployments}/strict`,
      { spec: { unknownField: 'x' } },
      'PATCH',
      { 'content-type': `application/${type}+json` },
      unknownText,
    )
  const applied = c.client.raw('PATCH', `${deployments}/strict`, unknown, {
    headers: { 'content-type': 'application/apply-patch+yaml' },
    query: { fieldValidation: 'Strict', fieldManager: 'test' },
  })
  await assert.rejects(applied, /\.spec\.unknownField: field not declared in schema/)
  const kept = await get(`${deployments}/strict`)
  assert.equal(kept.spec.unknownField, undefined)
})

test('[sig-api-machinery] FieldValidation should detect unknown metadata fields of a typed object', async () => {
  const unknown = deployment('strict-metadata', {}, { unknownMeta: 'x' })
  await refusedStrictly(deployments, unknown, 'POST', { 'content-type': 'application/json' }, 'unknown field "metadata.unknownMeta"')
})

const namespaces = () => c.client.resource(resources.namespaces)

test('[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace', async () => {
  await namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'finalized' } } as never)
  const read = structuredClone(await namespaces().get('finalized')) as core.Namespace
  assert.deepEqual(read.spec!.finalizers, ['kubernetes'])
  read.spec!.finalizers = ['kubernetes', 'e2e.example.com/f'] as never
  const written = await namespaces().updateSubresource<core.Namespace>('finalized', undefined, 'finalize', read)
  assert.deepEqual(written.spec!.finalizers, ['kubernetes', 'e2e.example.com/f'])
  written.spec!.finalizers = ['kubernetes'] as never
  await namespaces().updateSubresource('finalized', undefined, 'finalize', written)
  await namespaces().delete('finalized')
  await c.gone(resources.namespaces, 'finalized')
})

test('[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status', async () => {
  await namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'status' } } as never)
  const condition = { type: 'StatusPatch', status: 'True', reason: 'E2E', message: 'patched', lastTransitionTime: '2026-01-01T00:00:00Z' }
  const patched = await namespaces().patch('status', undefined, 'merge', { status: { conditions: [condition] } }, { subresource: 'status' })
  assert.deepEqual(patched.status!.conditions, [condition])
  const next = structuredClone(patched) as core.Namespace
  next.status!.conditions!.push({ ...condition, type: 'StatusUpdate' } as never)
  assert.equal((await namespaces().updateStatus(next)).status!.conditions!.length, 2)
  assert.equal(patched.status!.phase, 'Active')
})

test('[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace', async () => {
  const next = structuredClone(await namespaces().get('status')) as core.Namespace
  next.metadata.labels = { ...next.metadata.labels, updated: 'yes' }
  const written = await namespaces().update(next)
  assert.deepEqual([written.metadata.labels!['updated'], written.metadata.labels!['kubernetes.io/metadata.name']], ['yes', 'status'])
})

test('[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first', async () => {
  const ordered = 'ordered'
  await namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: ordered } } as never)
  await c.untilAll(resources.namespaces, (all) => all.some((n) => n.metadata.name === ordered))
  const finalizers = ['e2e.example.com/hold']
  const pods = c.client.resource(resources.pods)
  await pods.create({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: ordered, finalizers },
    spec: { serviceAccountName: 'default', automountServiceAccountToken: false, containers: [{ name: 'c', image: 'ready' }] },
  } as never)
  const maps = c.client.resource(resources.configMaps)
  await maps.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm', namespace: ordered } } as never)
  await namespaces().delete(ordered)
  // the namespace waits for its pod, and says so
  await c.until(
    resources.namespaces,
    ordered,
    (n) => n.status?.conditions?.some((k) => k.type === 'NamespaceContentRemaining' && k.status === 'True') ?? false,
  )
  assert.ok((await pods.get('p', ordered)).metadata.deletionTimestamp)
  assert.equal((await maps.get('m', ordered)).metadata.deletionTimestamp, undefined)
  await pods.patch('p', ordered, 'merge', { metadata: { finalizers: null } })
  await c.gone(resources.namespaces, ordered)
  await assert.rejects(maps.get('m', ordered), (error) => isStatus(error, 'NotFound'))
})

test('[sig-api-machinery] Servers with support for API chunking should return chunks of results for list calls', async () => {
  const templates = c.client.resource(resources.podTemplates)
  const template = { metadata: { labels: { app: 'x' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const count = 40
  await Promise.all(
    Array.from({ length: count }, (_, i) =>
      c.create(resources.podTemplates, { metadata: { name: `template-${String(i).padStart(4, '0')}` }, template } as never),
    ),
  )
  const whole = await templates.list({ namespace })
  for (const limit of [1, 7, count - 1, count, count + 5]) {
    const names: string[] = []
    let token: string | undefined
    let revision: string | undefined
    do {
      const page = await templates.list({ namespace, limit, ...(token ? { continue: token } : {}) })
      revision ??= page.metadata.resourceVersion
      assert.equal(page.metadata.resourceVersion, revision)
      token = page.metadata.continue
      const left = count - names.length - page.items.length
      assert.equal(page.metadata.remainingItemCount, token ? left : undefined)
      names.push(...page.items.map((t) => t.metadata.name))
    } while (token)
    assert.deepEqual(
      names,
      whole.items.map((t) => t.metadata.name),
    )
  }
})

test('[sig-auth] ServiceAccounts should guarantee kube-root-ca.crt exist in any namespace', async () => {
  const maps = c.client.resource(resources.configMaps)
  await namespaces().create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'rooted' } } as never)
  const there = async () => {
    for await (const event of maps.watch({ namespace: 'rooted', resourceVersion: '0', signal: AbortSignal.timeout(60_000) }))
      if (event.type !== 'BOOKMARK' && event.type !== 'ERROR' && event.type !== 'DELETED' && event.object.data?.['ca.crt'])
        return event.object.data['ca.crt']
    assert.fail('there is no kube-root-ca.crt')
  }
  const certificate = await there()
  await maps.delete('kube-root-ca.crt', 'rooted')
  assert.equal(await there(), certificate)
})

test('[sig-auth] ServiceAccounts should update a ServiceAccount', async () => {
  const accounts = c.client.resource(resources.serviceAccounts)
  const made = await c.create(resources.serviceAccounts, { metadata: { name: 'updated' }, automountServiceAccountToken: false } as never)
  const written = await accounts.update({ ...made, automountServiceAccountToken: true } as never)
  assert.equal(written.automountServiceAccountToken, true)
})

test('[sig-auth] ServiceAccounts should create a serviceAccountToken and ensure a successful TokenReview', async () => {
  const account = await c.create(resources.serviceAccounts, { metadata: { name: 'reviewed' } } as never)
  const request = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: [], expirationSeconds: 600 } }
  const { status } = await c.client
    .resource(resources.serviceAccounts)
    .createSubresource<authentication.TokenRequest>('reviewed', namespace, 'token', request)
  assert.ok(Date.parse(status!.expirationTimestamp!) > Date.now() + 500_000)
  const review = await c.client.raw<authentication.TokenReview>('POST', '/apis/authentication.k8s.io/v1/tokenreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenReview',
    spec: { token: status!.token },
  })
  assert.deepEqual([review.status!.authenticated, review.status!.user!.username], [true, `system:serviceaccount:${namespace}:reviewed`])
  assert.equal(review.status!.user!.uid, account.metadata.uid)
})

test('[sig-auth] ServiceAccounts ServiceAccountIssuerDiscovery should support OIDC discovery of service account issuer', async () => {
  const configuration = await get('/.well-known/openid-configuration')
  assert.deepEqual([configuration.response_types_supported, configuration.subject_types_supported], [['id_token'], ['public']])
  const { keys } = await get(new URL(configuration.jwks_uri).pathname, { accept: 'application/jwk-set+json' })
  assert.ok(keys.length > 0)
  for (const key of keys) assert.deepEqual([key.kty, key.use, typeof key.kid], ['RSA', 'sig', 'string'])
  const { status } = await c.client
    .resource(resources.serviceAccounts)
    .createSubresource<authentication.TokenRequest>('default', namespace, 'token', {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenRequest',
      spec: {},
    })
  const [head, claims] = status!
    .token!.split('.', 2)
    .map((part) => JSON.parse(Buffer.from(part, 'base64url').toString()) as { iss: string; kid: string })
  assert.equal(claims!.iss, configuration.issuer)
  assert.ok(keys.some((key: Loose) => key.kid === head!.kid))
})

test('[sig-auth] SubjectReview should support SubjectReview API operations', async () => {
  const account = `system:serviceaccount:${namespace}:default`
  const resourceAttributes = { namespace, verb: 'list', resource: 'configmaps', version: 'v1' }
  const review = (path: string, kind: string, spec: object, metadata: object = {}) =>
    c.client.raw<authorization.SubjectAccessReview>('POST', path, { apiVersion: 'authorization.k8s.io/v1', kind, metadata, spec })
  const group = '/apis/authorization.k8s.io/v1'
  const everywhere = await review(`${group}/subjectaccessreviews`, 'SubjectAccessReview', { resourceAttributes, user: account })
  const here = await review(
    `${group}/namespaces/${namespace}/localsubjectaccessreviews`,
    'LocalSubjectAccessReview',
    { resourceAttributes, user: account },
    { namespace },
  )
  assert.deepEqual([everywhere.status!.allowed, here.status!.allowed], [false, false])
  const self = await review(`${group}/selfsubjectaccessreviews`, 'SelfSubjectAccessReview', { resourceAttributes })
  assert.equal(self.status!.allowed, true)
  const who = await c.client.raw<authentication.SelfSubjectReview>('POST', '/apis/authentication.k8s.io/v1/selfsubjectreviews', {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'SelfSubjectReview',
  })
  assert.equal(who.status!.userInfo!.username, 'system:apiserver')
})

test('[sig-node] Node Lifecycle should run through the lifecycle of a node', async () => {
  const nodes = c.client.resource(resources.nodes)
  const made = await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'fake' }, spec: { unschedulable: true } } as never)
  assert.equal((await nodes.get('fake')).metadata.uid, made.metadata.uid)
  const labelled = await nodes.patch('fake', undefined, 'merge', { metadata: { labels: { lifecycle: 'yes' } } })
  assert.equal((await nodes.list({ labelSelector: 'lifecycle=yes' })).items.length, 1)
  assert.equal(labelled.metadata.labels!['lifecycle'], 'yes')
  const condition = { type: 'E2E', status: 'True', reason: 'Set', message: 'set by a test' }
  const patched = await nodes.patch('fake', undefined, 'strategic', { status: { conditions: [condition] } }, { subresource: 'status' })
  assert.ok(patched.status!.conditions!.some((k) => k.type === 'E2E'))
  await nodes.deleteCollection({ labelSelector: 'lifecycle=yes' })
  await c.gone(resources.nodes, 'fake')
})

const podObject = (name: string, image = 'pending', metadata: object = {}) =>
  ({ metadata: { name, ...metadata }, spec: { terminationGracePeriodSeconds: 5, containers: [{ name: 'c', image }] } }) as never

test('[sig-node] Pods should patch a pod status', async () => {
  await c.create(resources.pods, podObject('patched'))
  const pods = c.client.resource(resources.pods)
  await pods.patch('patched', namespace, 'strategic', { status: { message: 'by a test', reason: 'E2E' } }, { subresource: 'status' })
  const { status } = await pods.get('patched', namespace)
  assert.deepEqual([status!.message, status!.reason], ['by a test', 'E2E'])
})

test('[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update', async () => {
  const pods = c.client.resource(resources.pods)
  const made = await c.create(resources.pods, podObject('generations'))
  assert.equal(made.metadata.generation, 1)
  const labelled = await pods.patch('generations', namespace, 'merge', { metadata: { labels: { a: 'b' } } })
  assert.equal(labelled.metadata.generation, 1)
  const image = await pods.patch('generations', namespace, 'strategic', { spec: { containers: [{ name: 'c', image: 'pending:2' }] } })
  assert.equal(image.metadata.generation, 2)
  const tolerant = await pods.patch('generations', namespace, 'merge', {
    spec: { tolerations: [...(image.spec.tolerations ?? []), { key: 'k', operator: 'Exists', effect: 'NoSchedule' }] },
  })
  assert.equal(tolerant.metadata.generation, 3)
})

test('[sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete', async () => {
  const pods = c.client.resource(resources.pods)
  const made = await c.create(resources.pods, podObject('custom', 'pending', { generation: 100, finalizers: ['e2e.example.com/hold'] }))
  assert.equal(made.metadata.generation, 1)
  await c.until(resources.pods, 'custom', (pod) => pod.spec.nodeName !== undefined)
  await pods.delete('custom', namespace)
  assert.equal((await pods.get('custom', namespace)).metadata.generation, 2)
  await pods.patch('custom', namespace, 'merge', { metadata: { finalizers: null } })
  await c.gone(resources.pods, 'custom')
})

test('[sig-node] Ephemeral Containers [NodeConformance] should update the ephemeral containers in an existing pod', async () => {
  const pods = c.client.resource(resources.pods)
  await c.create(resources.pods, podObject('debugged'))
  const container = (name: string) => ({ name, image: 'busybox', command: ['sh'] })
  const patch = (name: string) =>
    pods.patch('debugged', namespace, 'strategic', { spec: { ephemeralContainers: [container(name)] } }, { subresource: 'ephemeralcontainers' })
  assert.deepEqual(
    (await patch('debugger')).spec.ephemeralContainers!.map((e) => e.name),
    ['debugger'],
  )
  const next = structuredClone(await pods.get('debugged', namespace)) as core.Pod
  next.spec.ephemeralContainers!.push(container('debugger2') as never)
  const written = await pods.updateSubresource<core.Pod>('debugged', namespace, 'ephemeralcontainers', next)
  assert.deepEqual(written.spec.ephemeralContainers!.map((e) => e.name).sort(), ['debugger', 'debugger2'])
})

for (const [name, ref] of [
  ['ConfigMap', resources.configMaps],
  ['Secrets', resources.secrets],
] as const)
  test(`[sig-storage] ${name} should be immutable if \`immutable\` field is set`, async () => {
    const client = c.client.resource<Loose>(ref as Loose)
    const data = { key: Buffer.from('value').toString('base64') }
    const other = { key: Buffer.from('other').toString('base64') }
    await c.create(ref as Loose, { metadata: { name: 'immutable' }, data } as never)
    await client.patch('immutable', namespace, 'merge', { data: other })
    await client.patch('immutable', namespace, 'merge', { immutable: true })
    for (const patch of [{ data }, { immutable: null }, { immutable: false }])
      await assert.rejects(client.patch('immutable', namespace, 'merge', patch), (error) => isStatus(error, 'Invalid'))
    await client.patch('immutable', namespace, 'merge', { metadata: { labels: { still: 'labelled' } } })
    await client.delete('immutable', namespace)
  })

test('[sig-apps] DisruptionController should block an eviction until the PDB is updated to allow it', async () => {
  const pods = c.client.resource(resources.pods)
  const budgets = c.client.resource(resources.podDisruptionBudgets)
  const labels = { app: 'guarded' }
  for (const name of ['guarded-1', 'guarded-2', 'guarded-3']) await c.create(resources.pods, podObject(name, 'ready', { labels }))
  await c.untilAll(resources.pods, (all) => all.filter((p) => p.metadata.labels?.['app'] === 'guarded' && p.status?.phase === 'Running').length === 3)
  await c.create(resources.podDisruptionBudgets, {
    metadata: { name: 'guard' },
    spec: { minAvailable: 3, selector: { matchLabels: labels } },
  } as never)
  await c.until(resources.podDisruptionBudgets, 'guard', (b) => b.status?.currentHealthy === 3)
  const evict = () =>
    pods.createSubresource('guarded-1', namespace, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'guarded-1' } })
  await assert.rejects(evict(), (error) => isStatus(error, 'TooManyRequests') && error.status.details!.causes![0]!.reason === 'DisruptionBudget')
  await budgets.patch('guard', namespace, 'merge', { spec: { minAvailable: 2 } })
  await c.until(resources.podDisruptionBudgets, 'guard', (b) => b.status?.disruptionsAllowed === 1)
  await evict()
  await c.gone(resources.pods, 'guarded-1')
})
