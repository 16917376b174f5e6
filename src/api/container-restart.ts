import type { core } from './types/index.ts'
import type { DeepReadonly } from './object.ts'

type Container = DeepReadonly<Pick<core.Container, 'restartPolicy' | 'restartPolicyRules'>>

export type RestartAction = 'Restart' | 'RestartAllContainers'

/** What the first of a container's rules that speaks of this exit code asks for; undefined where none does (KEP-5307, KEP-5532). */
export function restartRuleAction({ restartPolicyRules }: Container, exitCode: number): RestartAction | undefined {
  for (const { action, exitCodes } of restartPolicyRules ?? []) {
    if (!exitCodes) continue
    const listed = exitCodes.values?.includes(exitCode) ?? false
    if (listed === (exitCodes.operator === 'In')) return action as RestartAction
  }
  return undefined
}

/** Whether a container that exited runs again by itself: a rule that restarts it, then the container's own policy, then the pod's. */
export function restartsAfterExit(container: Container, podPolicy: string | undefined, exitCode: number): boolean {
  if (restartRuleAction(container, exitCode) === 'Restart') return true
  const policy = container.restartPolicy ?? podPolicy ?? 'Always'
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}
