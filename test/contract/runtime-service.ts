import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { ContainerRuntime, RuntimeEvent, cri } from '#kubelet'
import { isRuntimeError } from '#kubelet'

export interface RuntimeContract {
  name: string
  /** A runtime in which `image` exists; disposed after each test. */
  create(): Promise<ContainerRuntime> | ContainerRuntime
  image: string
  /** A directory for logs. */
  logDirectory: string
  /** A command that runs until it is stopped, and one that ends with the given code. */
  stays: string[]
  exits(code: number): string[]
  /** Set for a runtime that runs nothing: what depends on real processes is left out. */
  hollow?: boolean
}

/** What the kubelet relies on of any runtime. */
export function runtimeServiceContract(contract: RuntimeContract): void {
  let n = 0
  const sandboxConfig = (): cri.PodSandboxConfig => {
    const uid = `contract-${process.pid}-${n++}`
    return {
      metadata: { name: 'p', namespace: 'contract', uid, attempt: 0 },
      labels: { 'io.kubernetes.pod.uid': uid },
      annotations: { note: 'kept' },
      logDirectory: contract.logDirectory,
      linux: { securityContext: { namespaceOptions: { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' } } },
    }
  }
  const containerConfig = (command: string[]): cri.ContainerConfig => ({
    metadata: { name: 'app', attempt: 0 },
    image: { image: contract.image },
    command,
    labels: { 'io.kubernetes.container.name': 'app' },
    annotations: { hash: 'h' },
    logPath: `app-${n++}.log`,
  })

  interface Running extends AsyncDisposable {
    runtime: ContainerRuntime
    sandbox: string
    config: cri.PodSandboxConfig
    add(command: string[]): Promise<string>
  }
  async function sandboxed(): Promise<Running> {
    const runtime = await contract.create()
    const config = sandboxConfig()
    const { podSandboxId } = await runtime.runPodSandbox({ config })
    return {
      runtime,
      sandbox: podSandboxId,
      config,
      async add(command) {
        return (await runtime.createContainer({ podSandboxId, config: containerConfig(command), sandboxConfig: config })).containerId
      },
      async [Symbol.asyncDispose]() {
        await runtime.removePodSandbox({ podSandboxId })
        await runtime[Symbol.asyncDispose]()
      },
    }
  }
  const status = async (runtime: ContainerRuntime, containerId: string) => (await runtime.containerStatus({ containerId })).status
  async function settled(runtime: ContainerRuntime, containerId: string, state: cri.ContainerState): Promise<cri.ContainerStatus> {
    for (let i = 0; i < 500; i++) {
      const now = await status(runtime, containerId)
      if (now.state === state) return now
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return assert.fail(`container is not ${state} within 5 s`)
  }

  describe(`runtime service: ${contract.name}`, () => {
    test('a sandbox is ready, listed by label, and not ready once stopped', async () => {
      await using t = await sandboxed()
      const { status: before } = await t.runtime.podSandboxStatus({ podSandboxId: t.sandbox })
      assert.equal(before.state, 'SANDBOX_READY')
      assert.equal(before.annotations.note, 'kept')
      const { items } = await t.runtime.listPodSandbox({ filter: { labelSelector: { 'io.kubernetes.pod.uid': t.config.metadata.uid } } })
      assert.deepEqual(
        items.map((s) => s.id),
        [t.sandbox],
      )
      await t.runtime.stopPodSandbox({ podSandboxId: t.sandbox })
      assert.equal((await t.runtime.podSandboxStatus({ podSandboxId: t.sandbox })).status.state, 'SANDBOX_NOTREADY')
    })

    test('a container is created, runs and is stopped', async () => {
      await using t = await sandboxed()
      const id = await t.add(contract.stays)
      assert.equal((await status(t.runtime, id)).state, 'CONTAINER_CREATED')
      await t.runtime.startContainer({ containerId: id })
      const running = await status(t.runtime, id)
      assert.equal(running.state, 'CONTAINER_RUNNING')
      assert.ok(running.startedAt > 0 && running.finishedAt === 0)
      assert.equal(running.annotations.hash, 'h')
      await t.runtime.stopContainer({ containerId: id, timeout: 0 })
      const stopped = await settled(t.runtime, id, 'CONTAINER_EXITED')
      assert.ok(stopped.exitCode === 137 || stopped.exitCode === 143)
      assert.ok(stopped.finishedAt >= stopped.startedAt)
    })

    test('exit codes and reasons are kept', { skip: contract.hollow === true }, async () => {
      await using t = await sandboxed()
      const id = await t.add(contract.exits(3))
      await t.runtime.startContainer({ containerId: id })
      const ended = await settled(t.runtime, id, 'CONTAINER_EXITED')
      assert.deepEqual([ended.exitCode, ended.reason], [3, 'Error'])
    })

    test('start and exit are told as events', async () => {
      await using t = await sandboxed()
      const stop = new AbortController()
      const seen: RuntimeEvent[] = []
      const following = (async () => {
        for await (const event of t.runtime.runtimeEvents(stop.signal)) seen.push(event)
      })()
      await new Promise((resolve) => setTimeout(resolve, contract.hollow ? 0 : 200))
      const id = await t.add(contract.stays)
      await t.runtime.startContainer({ containerId: id })
      await t.runtime.stopContainer({ containerId: id, timeout: 0 })
      for (let i = 0; i < 200 && !seen.some((e) => e.containerId === id && e.type === 'exit'); i++)
        await new Promise((resolve) => setTimeout(resolve, 10))
      stop.abort()
      await following
      assert.deepEqual(
        seen.filter((e) => e.containerId === id && (e.type === 'start' || e.type === 'exit')).map((e) => e.type),
        ['start', 'exit'],
      )
    })

    test('removing a sandbox removes its containers', async () => {
      await using t = await sandboxed()
      const id = await t.add(contract.stays)
      await t.runtime.startContainer({ containerId: id })
      await t.runtime.removePodSandbox({ podSandboxId: t.sandbox })
      await assert.rejects(status(t.runtime, id), (error) => isRuntimeError(error, 'notFound'))
    })

    test('what is unknown is not found; stopping and removing it is no error', async () => {
      await using t = await sandboxed()
      const containerId = 'f'.repeat(64)
      await assert.rejects(t.runtime.containerStatus({ containerId }), (error) => isRuntimeError(error, 'notFound'))
      await assert.rejects(t.runtime.podSandboxStatus({ podSandboxId: containerId }), (error) => isRuntimeError(error, 'notFound'))
      await t.runtime.stopContainer({ containerId, timeout: 0 })
      await t.runtime.removeContainer({ containerId })
      await t.runtime.stopPodSandbox({ podSandboxId: containerId })
      await t.runtime.removePodSandbox({ podSandboxId: containerId })
    })

    test('a command runs in a container', { skip: contract.hollow === true }, async () => {
      await using t = await sandboxed()
      const id = await t.add(contract.stays)
      await t.runtime.startContainer({ containerId: id })
      const { exitCode, stdout } = await t.runtime.execSync({ containerId: id, cmd: ['sh', '-c', 'echo hello; exit 4'], timeout: 5 })
      assert.deepEqual([exitCode, Buffer.from(stdout).toString()], [4, 'hello\n'])
      await assert.rejects(t.runtime.execSync({ containerId: id, cmd: ['sleep', '60'], timeout: 1 }), (error) => isRuntimeError(error, 'deadline'))
    })

    test('an image that is there has a status, another has none', async () => {
      await using t = await sandboxed()
      assert.ok((await t.runtime.imageStatus({ image: { image: contract.image } })).image?.id)
      assert.ok(!(await t.runtime.imageStatus({ image: { image: 'localhost/no-such-image:1' } })).image)
    })

    test('a call that is aborted is cancelled', { skip: contract.hollow === true }, async () => {
      await using t = await sandboxed()
      const stop = new AbortController()
      stop.abort()
      await assert.rejects(t.runtime.version({ signal: stop.signal }), (error) => isRuntimeError(error, 'cancelled'))
    })
  })
}
