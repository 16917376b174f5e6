import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dockerConfig } from './access.ts'
import { clusterAddress, referenceInPod, registriesConf } from './addresses.ts'

test('an image of the registry is found by the name of its Service inside a pod', () => {
  const table: [string, string][] = [
    ['localhost:5000/app:1', `${clusterAddress}/app:1`],
    ['localhost:5000/team/app@sha256:00', `${clusterAddress}/team/app@sha256:00`],
    ['localhost:50001/app:1', 'localhost:50001/app:1'],
    ['localhost/app:1', 'localhost/app:1'],
    ['docker.io/library/app', 'docker.io/library/app'],
  ]
  for (const [reference, inPod] of table) assert.equal(referenceInPod(reference, 'localhost:5000'), inPod)
})

test('credentials stand under the address of the host and of the cluster', () => {
  const { auths } = dockerConfig({ host: 'localhost:5000', cluster: clusterAddress, username: 'k8ts', password: 'p:w' })
  assert.deepEqual(Object.keys(auths), ['localhost:5000', clusterAddress])
  assert.equal(Buffer.from(auths['localhost:5000']!.auth, 'base64').toString(), 'k8ts:p:w')
})

test('pulls inside a pod are remapped to the Service', () => {
  assert.equal(registriesConf('localhost:5000'), `[[registry]]\nprefix = "localhost:5000"\nlocation = "${clusterAddress}"\n`)
})
