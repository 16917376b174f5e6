import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type DeepReadonly, type core, resources } from '#api'
import { createContext, runControllers } from '#runtime'
import { countedResources, quotaStatus } from '../../apiserver/admission/index.ts'
import { startTestServer } from '../../apiserver/test-server.ts'
import { resourceQuotaController } from './index.ts'

test('a quota says what is used, and gives back what is deleted or has ended', async () => {
  await using server = await startTestServer()
  const { client } = server
  const quotas = client.resource(resources.resourceQuotas)
  const pods = client.resource(resources.pods)
  const pod = (name: string): core.Pod => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default' },
    spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i', resources: { requests: { cpu: '500m' } } }] },
  })
  await pods.create(pod('a'))
  const b = await pods.create(pod('b'))
  await quotas.create({
    apiVersion: 'v1',
    kind: 'ResourceQuota',
    metadata: { name: 'q', namespace: 'default' },
    spec: { hard: { pods: '5', 'requests.cpu': '2', 'count/deployments.apps': '1', secrets: '3' } },
  })
  const stop = new AbortController()
  const context = createContext({ client, component: 'test' })
  const running = runControllers([resourceQuotaController({ quotaStatus, countedResources })], context, { signal: stop.signal })
  const until = async (wanted: (used: DeepReadonly<Record<string, string>>) => boolean) => {
    let used: DeepReadonly<Record<string, string>> = {}
    for await (const event of quotas.watch({ namespace: 'default', signal: AbortSignal.timeout(60_000) })) {
      if (event.type !== 'ADDED' && event.type !== 'MODIFIED') continue
      used = event.object.status?.used ?? {}
      if (wanted(used)) return used
    }
    assert.fail(`used: ${JSON.stringify(used)}`)
  }
  const used = await until((u) => u.pods === '2')
  assert.deepEqual({ ...used }, { 'count/deployments.apps': '0', pods: '2', 'requests.cpu': '1', secrets: '0' })
  assert.equal((await quotas.get('q', 'default')).status?.hard?.pods, '5')
  await pods.delete('a', 'default', { gracePeriodSeconds: 0 })
  await until((u) => u.pods === '1' && u['requests.cpu'] === '500m')
  await pods.updateStatus({ ...b, status: { ...b.status, phase: 'Succeeded' } })
  await until((u) => u.pods === '0')
  stop.abort()
  await running
  await context[Symbol.asyncDispose]()
})
