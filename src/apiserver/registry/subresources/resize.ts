import type { DeepReadonly, StatusCause, core } from '#api'
import { deepEqual } from '../metadata.ts'
import { validateResize } from '../strategies/pod/strategy.ts'
import { forbidden } from '../validation/causes.ts'

type Pod = DeepReadonly<core.Pod>
type Containers = DeepReadonly<core.Container[]> | undefined

/** The pod with the resources and resize policies of `next`, and all else as it was (upstream's dropNonResizeUpdates). */
export function resizedPod(next: Pod, old: Pod): object {
  const resized = (containers: Containers, from: Containers) =>
    containers?.map((container) => {
      const wanted = from?.find((c) => c.name === container.name)
      return wanted
        ? { ...container, resources: wanted.resources ?? {}, ...(wanted.resizePolicy ? { resizePolicy: wanted.resizePolicy } : {}) }
        : container
    })
  const spec: Record<string, unknown> = { ...old.spec, containers: resized(old.spec.containers, next.spec.containers) }
  if (old.spec.initContainers) spec.initContainers = resized(old.spec.initContainers, next.spec.initContainers)
  return { ...old, spec }
}

/** What the resize subresource refuses (upstream's ValidatePodResize); `pod` is the resized one. */
export function validateResizedPod(pod: Pod, old: Pod): StatusCause[] {
  const causes: StatusCause[] = validateResize(pod, old)
  if (old.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) causes.push(forbidden('', 'static pods cannot be resized'))
  if (old.spec.os?.name === 'windows') causes.push(forbidden('spec', 'windows pods cannot be resized'))
  const restartable = (container: DeepReadonly<core.Container>) => container.restartPolicy === 'Always'
  compareContainers(causes, 'spec.containers', pod.spec.containers, old.spec.containers, () => true)
  compareContainers(causes, 'spec.initContainers', pod.spec.initContainers, old.spec.initContainers, restartable)
  return causes
}

const resizable = new Set(['cpu', 'memory'])

function compareContainers(
  causes: StatusCause[],
  path: string,
  containers: Containers,
  before: Containers,
  mayResize: (container: DeepReadonly<core.Container>) => boolean,
): void {
  containers?.forEach((container, i) => {
    const was = before![i]!
    if (deepEqual(container.resources ?? {}, was.resources ?? {})) return
    if (!mayResize(was)) {
      causes.push(forbidden(`${path}[${i}]`, 'resources for non-sidecar init containers are immutable'))
      return
    }
    for (const part of ['requests', 'limits'] as const) {
      const now = container.resources?.[part] ?? {}
      const had = was.resources?.[part] ?? {}
      const removed = Object.keys(had).some((name) => resizable.has(name) && now[name] === undefined)
      if (removed) causes.push(forbidden(`${path}[${i}].resources.${part}`, `resource ${part} cannot be removed`))
      const others = [...new Set([...Object.keys(now), ...Object.keys(had)])].filter((name) => !resizable.has(name) && now[name] !== had[name])
      if (others.length > 0)
        causes.push(forbidden('spec', `only cpu and memory resources are mutable\n${path}[${i}].resources.${part}: ${others.sort().join(', ')}`))
    }
    if (!deepEqual(container.resources?.claims ?? [], was.resources?.claims ?? []))
      causes.push(forbidden('spec', `only cpu and memory resources are mutable\n${path}[${i}].resources.claims`))
  })
}
