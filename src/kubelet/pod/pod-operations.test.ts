import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { core } from '#api'
import { nodePaths } from './names.ts'
import { podOperations } from './pod-operations.ts'
import type { PodOperationsOptions } from './pod-operations.ts'
import type { ContainerRecord } from './records.ts'

/** The kernel refuses a pod's cgroup less than one of its containers has: so its container comes first when it shrinks. */
async function orderOfResize(refusals: number): Promise<string[]> {
  const steps: string[] = []
  let left = refusals
  const options = {
    cgroups: {
      async ensure() {
        if (left-- > 0) throw new Error('EINVAL: invalid argument, write')
        steps.push('pod')
      },
    },
    runtime: { updateContainerResources: async () => void steps.push('container') },
    records: { refreshContainer: async () => void steps.push('look') },
    node: { memoryCapacity: 1 },
  } as unknown as PodOperationsOptions
  const spec: core.Container = { name: 'app', resources: { limits: { cpu: '1' } } }
  const pod: core.Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', uid: 'u' }, spec: { containers: [spec] } }
  await podOperations(options).resize(pod, { id: 'c' } as ContainerRecord, { spec, role: 'regular' })
  return steps
}

test('a pod grows before its container', async () => assert.deepEqual(await orderOfResize(0), ['pod', 'container', 'look']))
test('a pod shrinks after its container', async () => assert.deepEqual(await orderOfResize(1), ['container', 'pod', 'look']))
test('a resize that the kernel refuses has failed', () => assert.rejects(orderOfResize(2), /EINVAL/))

test('limits that do not fit what runs already keep no pod from being prepared; of a new pod they must', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'operations-'))
  const prepare = (state: ContainerRecord['state']) =>
    podOperations({
      cgroups: { ensure: () => Promise.reject(new Error('EINVAL')) },
      records: { get: () => ({ containers: [{ state }] }) },
      volumes: { mount: () => Promise.resolve(new Map()) },
      paths: nodePaths(dir),
    } as unknown as PodOperationsOptions).prepare(
      { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'd', uid: 'u' }, spec: { containers: [] } },
      AbortSignal.timeout(5000),
    )
  try {
    await prepare('running')
    await assert.rejects(prepare('exited'), /EINVAL/)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
})
