import type { DeepReadonly, core } from '#api'
import { restartsAfterExit } from '#api'
import { type Causes, forbidden } from '../../validation/causes.ts'

type Spec = DeepReadonly<core.PodSpec>
type Status = DeepReadonly<core.PodStatus>
type Statuses = DeepReadonly<core.ContainerStatus[]> | undefined

/** A container that has ended runs again only if its policy says so. */
export function validateTransitions(causes: Causes, status: Status, before: Status, spec: Spec): void {
  if (!mayRestartAll(spec)) {
    validate(causes, 'status.containerStatuses', status.containerStatuses, before.containerStatuses, (name, exitCode) => {
      const container = spec.containers.find((one) => one.name === name)
      return container !== undefined && restartsAfterExit(container, spec.restartPolicy, exitCode)
    })
    validate(causes, 'status.initContainerStatuses', status.initContainerStatuses, before.initContainerStatuses, (name, exitCode) => {
      const container = spec.initContainers?.find((one) => one.name === name)
      return container !== undefined && restartsAfterExit(container, spec.restartPolicy, exitCode)
    })
  }
  validate(causes, 'status.ephemeralContainerStatuses', status.ephemeralContainerStatuses, before.ephemeralContainerStatuses, () => false)
}

/** Whether some exit of some container starts all of them again, whatever their own policies are. */
const mayRestartAll = (spec: Spec) =>
  [...spec.containers, ...(spec.initContainers ?? [])].some((container) =>
    container.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers'),
  )

function validate(causes: Causes, path: string, now: Statuses, before: Statuses, mayLeave: (name: string, exitCode: number) => boolean): void {
  before?.forEach(({ name, state }, i) => {
    if (!state?.terminated) return
    const current = now?.find((status) => status.name === name)
    if (current && !current.state?.terminated && !mayLeave(name, state.terminated.exitCode))
      causes.push(forbidden(`${path}[${i}].state`, 'may not be transitioned to non-terminated state'))
  })
}
