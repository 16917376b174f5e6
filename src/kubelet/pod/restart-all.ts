import { restartRuleAction } from '#api'
import type { Pod } from './names.ts'
import { containersOf } from './names.ts'
import type { ContainerRecord, PodRecord } from './records.ts'

/** Whether some exit of some container starts all of the pod's containers again, in place (KEP-5532). */
export const mayRestartAll = (pod: Pod): boolean =>
  containersOf(pod).some(({ spec }) => spec.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'))

/**
 * The exit that last began the pod's life anew: every container that was created before it ends, and starts again from the init containers on.
 * Undefined when there was none, or when all that it ended has been replaced since.
 */
export function restartAllTrigger(pod: Pod, record: PodRecord): ContainerRecord | undefined {
  if (!mayRestartAll(pod)) return undefined
  const specs = new Map(containersOf(pod).flatMap(({ spec, role }) => (role === 'ephemeral' ? [] : [[spec.name, spec]])))
  let last: ContainerRecord | undefined
  for (const container of record.containers) {
    const spec = specs.get(container.name)
    if (!spec || container.state !== 'exited' || restartRuleAction(spec, container.exitCode) !== 'RestartAllContainers') continue
    if (!last || container.finishedAt > last.finishedAt) last = container
  }
  return last
}
