import type { DeepReadonly, StatusCause, core } from '#api'
import { validatePodResize } from '../strategies/pod/resize.ts'
import { podStrategy } from '../strategies/pod/strategy.ts'

type Pod = DeepReadonly<core.Pod>
type Containers = DeepReadonly<core.Container[]> | undefined

/**
 * The pod with the resources and resize policies of `next`, and all else as it was (upstream's dropNonResizeUpdates). Other
 * containers than before stay in, to be refused.
 */
export function resizedPod(next: Pod, old: Pod): object {
  const spec: Record<string, unknown> = { ...old.spec }
  for (const list of ['containers', 'initContainers'] as const) {
    const containers = resized(next.spec[list], old.spec[list])
    if (containers) spec[list] = containers
    else delete spec[list]
  }
  if (next.spec.resources) spec.resources = next.spec.resources
  else delete spec.resources
  return { ...old, spec }
}

function resized(next: Containers, old: Containers): Containers {
  if (!next || next.length !== old?.length || next.some(({ name }, i) => name !== old[i]!.name)) return next
  return next.map(({ resources = {}, resizePolicy }, i) => ({ ...old[i]!, resources, ...(resizePolicy ? { resizePolicy } : {}) }))
}

/** What the resize subresource refuses; `pod` is the resized one. */
export function validateResizedPod(pod: Pod, old: Pod): StatusCause[] {
  const own = podStrategy.validate!(pod, undefined, old)
  return validatePodResize(pod, old, own)
}
