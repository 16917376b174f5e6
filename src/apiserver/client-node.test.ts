import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ApiException,
  AppsV1Api,
  CoreV1Api,
  KubeConfig,
  KubernetesObjectApi,
  PatchStrategy,
  PolicyV1Api,
  Watch,
  makeInformer,
  setHeaderOptions,
} from '@kubernetes/client-node'
import { startTestServer } from './test-server.ts'

// Upstream's client for JavaScript, over a socket: what it sends and what it makes of the answers.
test('@kubernetes/client-node creates, reads, patches, watches and deletes', async () => {
  await using t = await startTestServer()
  const config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'c', server: t.url, skipTLSVerify: true }],
    users: [{ name: 'u', token: 'admintoken' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }],
    currentContext: 'x',
  })
  const core = config.makeApiClient(CoreV1Api)
  const apps = config.makeApiClient(AppsV1Api)
  const namespace = 'default'

  const seen: string[] = []
  const { promise: gone, resolve } = Promise.withResolvers<void>()
  const watching = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`,
    { allowWatchBookmarks: true },
    (type: string, object: { metadata: { name: string } }) => {
      // the end of what was there at the beginning, as 1.36 marks it for whoever takes bookmarks
      seen.push(type === 'BOOKMARK' ? type : `${type} ${object.metadata.name}`)
      if (type === 'DELETED') resolve()
    },
    () => {},
  )
  const made = await core.createNamespacedConfigMap({ namespace, body: { metadata: { name: 'a', labels: { x: 'y' } }, data: { k: 'v' } } })
  assert.ok(made.metadata?.creationTimestamp instanceof Date)
  const patched = await core.patchNamespacedConfigMap(
    { name: 'a', namespace, body: { data: { k: 'w' } } },
    setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch),
  )
  assert.deepEqual(patched.data, { k: 'w' })
  const list = await core.listNamespacedConfigMap({ namespace, labelSelector: 'x=y', limit: 5 })
  assert.deepEqual(
    list.items.map((item) => item.metadata?.name),
    ['a'],
  )
  await assert.rejects(core.readNamespacedConfigMap({ name: 'b', namespace }), (error) => error instanceof ApiException && error.code === 404)
  await core.deleteNamespacedConfigMap({ name: 'a', namespace })
  await gone
  watching.abort()
  assert.deepEqual(seen, ['BOOKMARK', 'ADDED a', 'MODIFIED a', 'DELETED a'])

  const labels = { app: 'web' }
  await apps.createNamespacedDeployment({
    namespace,
    body: {
      metadata: { name: 'web' },
      spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } },
    },
  })
  const scale = await apps.readNamespacedDeploymentScale({ name: 'web', namespace })
  scale.spec = { replicas: 3 }
  await apps.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: scale })
  assert.equal((await apps.readNamespacedDeployment({ name: 'web', namespace })).spec?.replicas, 3)
  await config.makeApiClient(PolicyV1Api).createNamespacedPodDisruptionBudget({
    namespace,
    body: { metadata: { name: 'p' }, spec: { maxUnavailable: '50%', selector: { matchLabels: labels } } },
  })

  // This one knows no kinds of its own: it asks discovery.
  const objects = KubernetesObjectApi.makeApiClient(config)
  const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'l', namespace } }
  await objects.create(lease)
  assert.equal((await objects.read(lease)).kind, 'Lease')

  const informer = makeInformer(config, `/apis/apps/v1/namespaces/${namespace}/deployments`, () => apps.listNamespacedDeployment({ namespace }))
  const { promise: informed, resolve: inform } = Promise.withResolvers<string | undefined>()
  informer.on('add', (deployment) => inform(deployment.metadata?.name))
  await informer.start()
  assert.equal(await informed, 'web')
  await informer.stop()
})
