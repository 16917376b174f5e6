import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { resources } from '#api'
import type { TestCluster } from './cluster.ts'
import { startTestCluster } from './cluster.ts'

let c: TestCluster
before(async () => void (c = await startTestCluster({ only: ['validatingadmissionpolicy-status'], nodes: 0 })))
after(() => c[Symbol.asyncDispose]())

test('what a policy gets wrong about its kinds is said in its status, for each generation', async () => {
  const ref = resources.validatingAdmissionPolicies
  const resourceRules = [{ apiGroups: ['apps'], apiVersions: ['v1'], operations: ['CREATE' as const], resources: ['deployments'] }]
  const made = await c.create(ref, {
    metadata: { name: 'p' },
    spec: { matchConstraints: { resourceRules }, validations: [{ expression: 'object.foo == 1' }] },
  })
  assert.deepEqual(made.status, {})
  const { status } = await c.until(ref, 'p', (policy) => policy.status?.observedGeneration === 1)
  assert.deepEqual(status?.typeChecking, {
    expressionWarnings: [
      {
        fieldRef: 'spec.validations[0].expression',
        warning: "apps/v1, Kind=Deployment: ERROR: <input>:1:7: undefined field 'foo'\n | object.foo == 1\n | ......^\n",
      },
    ],
  })
  const validations = [{ expression: 'object.spec.replicas > 1' }]
  await c.client.resource(ref).patch('p', undefined, 'merge', { spec: { validations } })
  const mended = await c.until(ref, 'p', (policy) => policy.status?.observedGeneration === 2)
  assert.equal(mended.status?.typeChecking?.expressionWarnings, undefined)
})
