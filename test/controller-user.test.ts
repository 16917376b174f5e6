import assert from 'node:assert/strict'
import { test } from 'node:test'
import { controllers } from '#controllers'
import { controllerUser } from '../src/cluster/controller-user.ts'

test('every controller writes as a service account of the bootstrap policy', () => {
  const all = controllers({ rootCA: '', legacyTokens: { sign: () => '' }, nodeIpam: { clusterCidr: '10.64.0.0/16' } as never, quota: {} as never })
  // signing tokens into Secrets is the controller manager's own right upstream, too
  const own = all
    .map((c) => c.name)
    .filter((name) => name !== 'serviceaccount-token' && !controllerUser(name).username.startsWith('system:serviceaccount:'))
  assert.deepEqual(own, [])
})
