import type { DeepReadonly, core } from '#api'

/**
 * Fields of features that are off in this release are dropped, unless the object has them already (upstream's
 * DropDisabledPodFields): of alpha features, stop signals and scheduling groups.
 */
export function dropDisabledFields(spec: core.PodSpec, old?: DeepReadonly<core.PodSpec>): void {
  if (spec.schedulingGroup && !old?.schedulingGroup) delete spec.schedulingGroup
  const hadSignals = old !== undefined && containersOf(old).some(({ lifecycle }) => lifecycle?.stopSignal !== undefined)
  if (hadSignals) return
  for (const { lifecycle } of spec.containers) if (lifecycle) delete lifecycle.stopSignal
  if (spec.initContainers) for (const { lifecycle } of spec.initContainers) if (lifecycle) delete lifecycle.stopSignal
}

const containersOf = (spec: DeepReadonly<core.PodSpec>) => [...spec.containers, ...(spec.initContainers ?? [])]
