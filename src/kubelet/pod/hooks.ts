import type { Clock } from '#base'
import type { DeepReadonly, core } from '#api'
import type { RuntimeService } from '../cri/index.ts'
import { actionUrl, httpGet } from '../probes/http-get.ts'
import type { ContainerSpec } from './names.ts'

export interface HookTarget {
  runtime: Pick<RuntimeService, 'execSync'>
  clock: Clock
  containerId: string
  container: ContainerSpec
  podIP: string
  signal: AbortSignal
}

const userAgent = 'kube-lifecycle/1.36'

/** Runs a postStart or preStop handler; rejects when it fails. */
export async function runHook(hook: DeepReadonly<core.LifecycleHandler>, target: HookTarget): Promise<void> {
  const { runtime, clock, containerId, container, podIP, signal } = target
  if (hook.exec) {
    const cmd = [...(hook.exec.command ?? [])]
    const { exitCode, stdout, stderr } = await runtime.execSync({ containerId, cmd }, { signal })
    if (exitCode === 0) return
    const output = Buffer.concat([stdout, stderr]).toString().trim()
    throw new Error(`command '${cmd.join(' ')}' exited with ${exitCode}: ${output}`)
  }
  if (hook.httpGet) {
    const action = hook.httpGet
    const answer = await httpGet(action, container, podIP, { timeoutMs: 30_000, userAgent, signal }).catch((error: unknown) => {
      throw new Error(`HTTP lifecycle hook (${actionUrl(action, container, podIP)}) for container "${container.name}" failed`, { cause: error })
    })
    if (answer.status >= 400)
      throw new Error(`HTTP lifecycle hook (${action.path ?? '/'}) for container "${container.name}" failed: status ${answer.status}`)
    return
  }
  if (hook.sleep) return clock.sleep(hook.sleep.seconds * 1000, signal)
  throw new Error(`invalid handler: ${JSON.stringify(hook)}`)
}
