import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { type DeepReadonly, type KubeObject, type core, isStatus, resources } from '#api'
import { type Logger, silentLogger } from '#base'
import type { Client, ResourceRef } from '#client'
import { type RunningContext, createContext, runControllers } from '#runtime'
import { type TestServer, startTestServer } from '../apiserver/test-server.ts'
import { clusterRoleAggregationController } from './clusterroleaggregation/index.ts'
import { endpointsController } from './endpoints/index.ts'
import { endpointSliceController } from './endpointslice/index.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/index.ts'
import { garbageCollector } from './garbagecollector/index.ts'
import { namespaceController } from './namespace/index.ts'
import { nodeIpamController } from './nodeipam/index.ts'
import { nodeLifecycleController, taintEvictionController } from './nodelifecycle/index.ts'
import { podGarbageCollector } from './podgc/index.ts'
import { rootCaPublisher, serviceAccountController, serviceAccountTokens } from './serviceaccount/index.ts'
import { ttlAfterFinishedController } from './ttlafterfinished/index.ts'

const log: Logger = process.env.LOG ? { ...silentLogger, warn: console.log, error: console.log, debug: console.log, named: () => log } : silentLogger

let server: TestServer
let context: RunningContext
let client: Client
const stop = new AbortController()
let running: Promise<void>

before(async () => {
  server = await startTestServer()
  client = server.client
  context = createContext({ client, component: 'test', log })
  const all = [
    namespaceController,
    serviceAccountController,
    rootCaPublisher({ rootCA: 'CA' }),
    serviceAccountTokens({ rootCA: 'CA', everyAccount: true, sign: (claims) => `signed:${claims.sub}` }),
    endpointsController,
    endpointSliceController(),
    endpointSliceMirroringController,
    garbageCollector,
    nodeLifecycleController({ monitorGracePeriod: 400, startupGracePeriod: 800 }),
    taintEvictionController,
    nodeIpamController({ ranges: [{ cidr: '10.244.0.0/16', blockBits: 24 }] }),
    podGarbageCollector({ period: 50, quarantine: 100 }),
    ttlAfterFinishedController,
    clusterRoleAggregationController,
  ]
  running = runControllers(all, context, { signal: stop.signal })
})

after(async () => {
  stop.abort()
  await running
  await context[Symbol.asyncDispose]()
  await server[Symbol.asyncDispose]()
})

/** Resolves with the object once it is as wanted; watches, so that nothing sleeps. `undefined`: wait until it is gone. */
async function until<T extends KubeObject>(
  ref: ResourceRef<T>,
  name: string,
  namespace: string | undefined,
  wanted: (object: DeepReadonly<T> | undefined) => boolean,
): Promise<DeepReadonly<T> | undefined> {
  const api = client.resource(ref)
  const limit = AbortSignal.timeout(60_000)
  const list = await api.list({ namespace, fieldSelector: `metadata.name=${name}` })
  let current: DeepReadonly<T> | undefined = list.items[0] as DeepReadonly<T> | undefined
  if (wanted(current)) return current
  const watch = api.watch({ namespace, fieldSelector: `metadata.name=${name}`, resourceVersion: list.metadata.resourceVersion, signal: limit })
  for await (const event of watch) {
    if (event.type === 'ERROR' || event.type === 'BOOKMARK') continue
    current = event.type === 'DELETED' ? undefined : event.object
    if (wanted(current)) return current
  }
  assert.fail(`${ref.resource} ${namespace ?? ''}/${name} did not become as wanted: ${JSON.stringify(current, undefined, 1)}`)
}

const gone = <T extends KubeObject>(ref: ResourceRef<T>, name: string, namespace?: string) => until(ref, name, namespace, (o) => o === undefined)
const there = async <T extends KubeObject>(ref: ResourceRef<T>, name: string, namespace?: string) =>
  (await until(ref, name, namespace, (o) => o !== undefined))!

const namespace = (name: string): core.Namespace => ({
  apiVersion: 'v1',
  kind: 'Namespace',
  metadata: { name },
  spec: { finalizers: ['kubernetes'] },
})
const configMap = (name: string, metadata: Partial<core.ConfigMap['metadata']> = {}): core.ConfigMap => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...metadata },
})
const pod = (name: string, over: Partial<core.PodSpec> = {}, metadata: Partial<core.Pod['metadata']> = {}): core.Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', ...metadata },
  spec: { containers: [{ name: 'c', image: 'i', ports: [{ name: 'http', containerPort: 8080 }] }], ...over },
})
const ownedBy = (owner: DeepReadonly<KubeObject>, extra: object = {}) => ({
  ownerReferences: [{ apiVersion: owner.apiVersion, kind: owner.kind, name: owner.metadata.name, uid: owner.metadata.uid!, ...extra }],
})

test('a new namespace gets its service account, a token for it and the cluster CA', async () => {
  await client.resource(resources.namespaces).create(namespace('fresh'))
  await there(resources.serviceAccounts, 'default', 'fresh')
  const published = await there(resources.configMaps, 'kube-root-ca.crt', 'fresh')
  assert.equal(published.data?.['ca.crt'], 'CA')
  const account = (await until(resources.serviceAccounts, 'default', 'fresh', (a) => !!a?.secrets?.length))!
  const secret = await there(resources.secrets, account.secrets![0]!.name!, 'fresh')
  assert.equal(secret.type, 'kubernetes.io/service-account-token')
  assert.equal(Buffer.from(secret.data!.token!, 'base64').toString(), 'signed:system:serviceaccount:fresh:default')
  assert.equal(Buffer.from(secret.data!['ca.crt']!, 'base64').toString(), 'CA')
  // what is changed or deleted comes back
  await client.resource(resources.configMaps).patch('kube-root-ca.crt', 'fresh', 'merge', { data: { 'ca.crt': 'other' } })
  await until(resources.configMaps, 'kube-root-ca.crt', 'fresh', (c) => c?.data?.['ca.crt'] === 'CA')
  await client.resource(resources.serviceAccounts).delete('default', 'fresh')
  await until(resources.serviceAccounts, 'default', 'fresh', (a) => a !== undefined && a.metadata.uid !== account.metadata.uid)
  await gone(resources.secrets, secret.metadata.name, 'fresh')
})

test('a deleted namespace goes with its content, and waits for finalizers, saying so', async () => {
  await client.resource(resources.namespaces).create(namespace('doomed'))
  await client.resource(resources.configMaps).create(configMap('held', { namespace: 'doomed', finalizers: ['example.com/hold'] }))
  await client.resource(resources.secrets).create({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'doomed' } })
  await client.resource(resources.namespaces).delete('doomed')
  const waiting = await until(resources.namespaces, 'doomed', undefined, (n) =>
    (n?.status?.conditions ?? []).some((c) => c.type === 'NamespaceFinalizersRemaining' && c.status === 'True'),
  )
  assert.equal(waiting?.status?.phase, 'Terminating')
  assert.match(
    waiting!.status!.conditions!.find((c) => c.type === 'NamespaceContentRemaining')!.message!,
    /^Some resources are remaining: configmaps\. has 1 resource instances$/,
  )
  await gone(resources.secrets, 's', 'doomed')
  await client.resource(resources.configMaps).patch('held', 'doomed', 'merge', { metadata: { finalizers: null } })
  await gone(resources.namespaces, 'doomed')
})

test('endpoints and slices follow the pods that a service selects', async () => {
  await client.resource(resources.services).create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', labels: { team: 'a' } },
    spec: {
      selector: { app: 'web' },
      clusterIP: '10.96.0.9',
      ipFamilies: ['IPv4'],
      ports: [{ name: 'http', port: 80, targetPort: 'http', protocol: 'TCP' }],
    },
  })
  const pods = client.resource(resources.pods)
  const created = await pods.create(pod('web-1', { nodeName: 'elsewhere' }, { labels: { app: 'web' } }))
  const status = (ready: 'True' | 'False'): core.PodStatus => ({
    phase: 'Running',
    podIP: '10.0.0.1',
    podIPs: [{ ip: '10.0.0.1' }],
    conditions: [{ type: 'Ready', status: ready, lastTransitionTime: '2026-01-01T00:00:00Z' }],
  })
  await client
    .resource(resources.nodes)
    .create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'elsewhere', labels: { 'topology.kubernetes.io/zone': 'z1' } }, spec: {} })
  const notReady = await pods.updateStatus({ ...created, status: status('False') })
  await until(resources.endpoints, 'web', 'default', (e) => e?.subsets?.[0]?.notReadyAddresses?.[0]?.ip === '10.0.0.1')
  await pods.updateStatus({ ...notReady, status: status('True') })
  const endpoints = await until(resources.endpoints, 'web', 'default', (e) => e?.subsets?.[0]?.addresses?.[0]?.ip === '10.0.0.1')
  assert.deepEqual(endpoints!.subsets![0]!.ports, [{ name: 'http', port: 8080, protocol: 'TCP' }])
  assert.equal(endpoints!.metadata.labels?.team, 'a')
  const slices = client.resource(resources.endpointSlices)
  const find = async () => (await slices.list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=web' })).items
  let name = ''
  while (!name) name = (await find())[0]?.metadata.name ?? ''
  const slice = await until(
    resources.endpointSlices,
    name,
    'default',
    (s) => s?.endpoints?.[0]?.conditions?.ready === true && s.endpoints[0].zone === 'z1',
  )
  assert.equal(slice!.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'endpointslice-controller.k8s.io')
  assert.equal(slice!.endpoints![0]!.nodeName, 'elsewhere')
  assert.equal((await find()).length, 1)
  await client.resource(resources.services).delete('web', 'default')
  await gone(resources.endpoints, 'web', 'default')
  await gone(resources.endpointSlices, name, 'default')
  await pods.delete('web-1', 'default', { gracePeriodSeconds: 0 })
})

test('endpoints that are written by hand are mirrored', async () => {
  await client.resource(resources.services).create({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'outside', namespace: 'default' },
    spec: { clusterIP: '10.96.0.10', ports: [{ port: 80, targetPort: 80, protocol: 'TCP' }] },
  })
  await client.resource(resources.endpoints).create({
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: { name: 'outside', namespace: 'default' },
    subsets: [{ addresses: [{ ip: '192.0.2.7' }], ports: [{ port: 80, protocol: 'TCP' }] }],
  })
  const slices = client.resource(resources.endpointSlices)
  const find = async () => (await slices.list({ namespace: 'default', labelSelector: 'kubernetes.io/service-name=outside' })).items
  let name = ''
  while (!name) name = (await find())[0]?.metadata.name ?? ''
  const slice = (await slices.get(name, 'default'))!
  assert.deepEqual(slice.endpoints![0]!.addresses, ['192.0.2.7'])
  assert.equal(slice.metadata.labels?.['endpointslice.kubernetes.io/managed-by'], 'endpointslicemirroring-controller.k8s.io')
  await client.resource(resources.services).delete('outside', 'default')
  await gone(resources.endpointSlices, name, 'default')
})

test('what has lost its owner goes; what has another stays and forgets it', async () => {
  const api = client.resource(resources.configMaps)
  const [first, second] = [await api.create(configMap('owner-1')), await api.create(configMap('owner-2'))]
  await api.create(configMap('only', ownedBy(first)))
  await api.create(configMap('both', { ownerReferences: [...ownedBy(first).ownerReferences, ...ownedBy(second).ownerReferences] }))
  await api.delete('owner-1', 'default')
  await gone(resources.configMaps, 'only', 'default')
  const both = await until(resources.configMaps, 'both', 'default', (c) => c?.metadata.ownerReferences?.length === 1)
  assert.equal(both?.metadata.ownerReferences?.[0]?.uid, second.metadata.uid)
})

test('an object whose owner never existed goes, and one of the same name but another uid is no owner', async () => {
  const api = client.resource(resources.configMaps)
  const real = await api.create(configMap('real'))
  await api.create(configMap('of-ghost', ownedBy({ ...real, metadata: { ...real.metadata, uid: 'no-such-uid' } })))
  await gone(resources.configMaps, 'of-ghost', 'default')
  await there(resources.configMaps, 'real', 'default')
})

test('a foreground deletion waits for dependents that block, all the way down', async () => {
  const api = client.resource(resources.configMaps)
  const top = await api.create(configMap('top'))
  const middle = await api.create(configMap('middle', ownedBy(top, { blockOwnerDeletion: true })))
  await api.create(configMap('bottom', { ...ownedBy(middle, { blockOwnerDeletion: true }), finalizers: ['example.com/hold'] }))
  await api.delete('top', 'default', { propagationPolicy: 'Foreground' })
  await until(resources.configMaps, 'bottom', 'default', (c) => c?.metadata.deletionTimestamp !== undefined)
  assert.ok((await api.get('top', 'default')).metadata.deletionTimestamp)
  assert.ok((await api.get('middle', 'default')).metadata.finalizers?.includes('foregroundDeletion'))
  await api.patch('bottom', 'default', 'merge', { metadata: { finalizers: null } })
  await gone(resources.configMaps, 'top', 'default')
  await assert.rejects(api.get('middle', 'default'), (error) => isStatus(error, 'NotFound'))
})

test('an orphaning deletion leaves the dependents without owner', async () => {
  const api = client.resource(resources.configMaps)
  const owner = await api.create(configMap('parent'))
  await api.create(configMap('child', ownedBy(owner)))
  // the owner is let go once its dependents are known to have been
  await context.cache(resources.configMaps).ready()
  await api.delete('parent', 'default', { propagationPolicy: 'Orphan' })
  await gone(resources.configMaps, 'parent', 'default')
  const child = await there(resources.configMaps, 'child', 'default')
  assert.equal(child.metadata.ownerReferences, undefined)
})

test('a node gets its pod addresses; when its kubelet falls silent it is unreachable, its pods unready and driven off in time', async () => {
  const nodes = client.resource(resources.nodes)
  const ready = (): core.NodeStatus => ({
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        reason: 'KubeletReady',
        lastHeartbeatTime: new Date().toISOString(),
        lastTransitionTime: '2026-01-01T00:00:00Z',
      },
    ],
  })
  // another one lives on, or nothing would be driven off
  await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'alive' }, spec: {} })
  const beat = setInterval(() => void nodes.patch('alive', undefined, 'merge', { status: ready() }, { subresource: 'status' }).catch(() => {}), 100)
  try {
    await nodes.patch('alive', undefined, 'merge', { status: ready() }, { subresource: 'status' })
    await nodes.create({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'silent' }, spec: {} })
    await nodes.patch('silent', undefined, 'merge', { status: ready() }, { subresource: 'status' })
    await until(resources.nodes, 'silent', undefined, (n) => /^10\.244\.\d+\.0\/24$/.test(n?.spec?.podCIDR ?? ''))
    const tolerant = [{ key: 'node.kubernetes.io/unreachable', operator: 'Exists' as const, effect: 'NoExecute' as const }]
    const pods = client.resource(resources.pods)
    await pods.create(pod('leaves', { nodeName: 'silent' }))
    const stays = await pods.create(pod('stays', { nodeName: 'silent', tolerations: tolerant }))
    await pods.updateStatus({ ...stays, status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } })
    const tainted = await until(resources.nodes, 'silent', undefined, (n) => (n?.spec?.taints ?? []).some((t) => t.effect === 'NoExecute'))
    assert.equal(tainted?.status?.conditions?.find((c) => c.type === 'Ready')?.reason, 'NodeStatusUnknown')
    await until(resources.pods, 'leaves', 'default', (p) => !p || p.metadata.deletionTimestamp !== undefined)
    const unready = await until(resources.pods, 'stays', 'default', (p) => p?.status?.conditions?.find((c) => c.type === 'Ready')?.status === 'False')
    assert.equal(unready?.metadata.deletionTimestamp, undefined)
    // a node that is taken away takes its pods along
    await nodes.delete('silent')
    await gone(resources.pods, 'stays', 'default')
    await gone(resources.pods, 'leaves', 'default')
  } finally {
    clearInterval(beat)
    await nodes.delete('alive')
  }
})

test('a finished job goes after its time', async () => {
  const jobs = client.resource(resources.jobs)
  const job = await jobs.create({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'once', namespace: 'default' },
    spec: { ttlSecondsAfterFinished: 0, template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } } },
  })
  const time = '2026-01-01T00:00:00Z'
  await jobs.updateStatus({
    ...job,
    status: {
      conditions: ['SuccessCriteriaMet', 'Complete'].map((type) => ({ type, status: 'True', lastTransitionTime: time, lastProbeTime: time })),
      startTime: time,
      completionTime: time,
    },
  })
  await gone(resources.jobs, 'once', 'default')
})

test('an aggregated cluster role follows the roles it selects', async () => {
  const roles = client.resource(resources.clusterRoles)
  const kind = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole' } as const
  await roles.create({ ...kind, metadata: { name: 'sum' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { part: 'sum' } }] }, rules: [] })
  const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
  await roles.create({ ...kind, metadata: { name: 'part', labels: { part: 'sum' } }, rules: [rule] })
  const sum = await until(resources.clusterRoles, 'sum', undefined, (r) => r?.rules?.length === 1)
  assert.deepEqual(sum?.rules, [rule])
})
