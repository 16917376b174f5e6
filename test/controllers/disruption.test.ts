import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isConditionTrue, isStatus, resources } from '#api'
import { namespace, startTestCluster } from './cluster.ts'

const labels = { app: 'web' }

test('a disruption budget follows its pods, and evictions obey it', async () => {
  await using c = await startTestCluster({ only: ['disruption', 'deployment', 'replicaset'] })
  await c.create(resources.podDisruptionBudgets, {
    metadata: { name: 'web' },
    spec: { selector: { matchLabels: labels }, maxUnavailable: 1 },
  } as never)
  await c.until(resources.podDisruptionBudgets, 'web', (b) => b.status?.observedGeneration === 1 && b.status.expectedPods === 0)
  await c.create(resources.deployments, {
    metadata: { name: 'web' },
    spec: {
      replicas: 3,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [{ name: 'app', image: 'v1' }] } },
    },
  } as never)
  const full = await c.until(resources.podDisruptionBudgets, 'web', (b) => b.status?.disruptionsAllowed === 1)
  assert.deepEqual([full.status?.currentHealthy, full.status?.desiredHealthy, full.status?.expectedPods], [3, 2, 3])
  assert.ok(isConditionTrue(full.status?.conditions, 'DisruptionAllowed'))

  const pods = await c.list(resources.pods)
  // of two at the same time one has to wait
  const evict = (name: string) =>
    c.client
      .resource(resources.pods)
      .createSubresource(name, namespace, 'eviction', { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } })
  const results = await Promise.allSettled([evict(pods[0]!.metadata.name), evict(pods[1]!.metadata.name)])
  assert.deepEqual(results.map((r) => r.status).sort(), ['fulfilled', 'rejected'])
  assert.ok(isStatus(results.find((r) => r.status === 'rejected')!.reason, 'TooManyRequests'))
  await c.until(resources.podDisruptionBudgets, 'web', (b) => b.status?.disruptionsAllowed === 1 && !b.status.disruptedPods)
})
