import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandError } from '#base'
import { fromPod, mirrorName } from './credentials.ts'
import { reason } from './transfer.ts'

const registry = { host: 'localhost:5002', address: 'registry.svc:5000' }
const ping =
  'pushing image "a" to "docker://registry.svc:5000/a": trying to reuse blob sha256:0 at destination: pinging container registry registry.svc:5000: Get "https://registry.svc:5000/v2/": '

const reasons: [string, string, string][] = [
  [
    'a registry that is down',
    `Copying blob x\nError: ${ping}dial tcp 10.85.72.1:5000: connect: connection refused`,
    'it does not answer (connection refused)',
  ],
  ['one that is not reached', `Error: ${ping}dial tcp 127.0.0.1:5002: i/o timeout`, 'it does not answer (i/o timeout)'],
  [
    'a login that is missing',
    'Error: writing blob: initiating layer upload: unauthorized: authentication required',
    'not logged in, or not allowed (docker login)',
  ],
  ['a wrong password', 'Error: logging into "registry.svc:5000": invalid username/password', 'not logged in, or not allowed (docker login)'],
  ['anything else', 'Error: writing blob: no space left on device', 'writing blob: no space left on device'],
]
for (const [name, stderr, why] of reasons)
  test(`${name} is said shortly`, () => assert.equal(reason(new CommandError('buildah', [], 125, stderr)), why))

test('localhost is the registry’s Service from inside a pod, and other names stay', () => {
  assert.equal(fromPod('localhost:5002/app:1', registry), 'registry.svc:5000/app:1')
  assert.equal(fromPod('localhost:50021/app:1', registry), 'localhost:50021/app:1')
  assert.equal(fromPod('localhost:5002/app:1', undefined), 'localhost:5002/app:1')
  assert.equal(mirrorName('docker.io/library/debian:bookworm', registry.address), 'registry.svc:5000/docker.io/library/debian:bookworm')
})
