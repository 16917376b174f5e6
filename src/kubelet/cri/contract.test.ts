import assert from 'node:assert/strict'
import { tmpdir } from 'node:os'
import { test } from 'node:test'
import { runtimeServiceContract } from '../../../test/contract/runtime-service.ts'
import { connectContainerd, createFakeRuntime, isRuntimeError } from './index.ts'

runtimeServiceContract({
  name: 'fake',
  create: () => createFakeRuntime({ images: ['app:1'] }),
  image: 'app:1',
  logDirectory: tmpdir(),
  stays: ['stay'],
  exits: (code) => ['exit', String(code)],
  hollow: true,
})

// Against a real containerd where one is offered, with an image that has a shell.
const { K8TS_TEST_CONTAINERD: socket, K8TS_TEST_IMAGE: image = 'docker.io/library/busybox:1.29' } = process.env
if (socket) {
  runtimeServiceContract({
    name: 'containerd',
    create: () => connectContainerd({ socket }),
    image,
    logDirectory: tmpdir(),
    stays: ['sleep', '3600'],
    exits: (code) => ['sh', '-c', `exit ${code}`],
  })
}

test('a runtime that is not there is unavailable', async () => {
  await using runtime = connectContainerd({ socket: '/nonexistent/containerd.sock' })
  await assert.rejects(runtime.version({ timeoutMs: 5000 }), (error) => isRuntimeError(error, 'unavailable') || isRuntimeError(error, 'deadline'))
})
