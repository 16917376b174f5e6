import type { DeepReadonly, StatusCause, core } from '#api'
import { type Causes, forbidden, invalid, same } from '../../validation/causes.ts'
import { mirrorAnnotation } from '../../validation/pod/annotations.ts'
import { compareQuantities } from '../../validation/quantities.ts'
import { podQosClass } from './qos.ts'

type Pod = DeepReadonly<core.Pod>
type Container = DeepReadonly<core.Container>
type Resources = DeepReadonly<core.ResourceRequirements> | undefined
type Amounts = DeepReadonly<Record<string, string>>

const parts = ['requests', 'limits'] as const
const lists = ['containers', 'initContainers'] as const
const resizable = (name: string) => name === 'cpu' || name === 'memory'

/** What a resize may not do (upstream's ValidatePodResize), beside the checks of the pod itself. `own` are the causes of those. */
export function validatePodResize(pod: Pod, old: Pod, own: StatusCause[]): StatusCause[] {
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden('', 'static pods cannot be resized')]
  if (old.spec.os?.name === 'windows') return [forbidden('', 'windows pods cannot be resized')]
  const causes: Causes = [...own]
  if (!sameContainers(causes, pod, old)) return causes
  const before = old.status?.qosClass ?? podQosClass(old.spec)
  if (podQosClass(pod.spec) !== before)
    causes.push(invalid('spec', pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing'))
  if (!nodeCanResize(old)) causes.push(forbidden('spec', 'Pod running on node without support for resize'))
  validatePodLevel(causes, pod.spec.resources, old.spec.resources)
  if (old.status?.nodeAllocatableResourceClaimStatuses?.length)
    causes.push(forbidden('spec', 'pods with node allocatable resource claims cannot be resized'))
  pod.spec.containers.forEach((container, i) => validateContainer(causes, `spec.containers[${i}]`, container, old.spec.containers[i]!))
  pod.spec.initContainers?.forEach((container, i) =>
    validateInitContainer(causes, `spec.initContainers[${i}]`, container, old.spec.initContainers![i]!),
  )
  return causes
}

/** Whether the containers are the ones from before, in their order. */
function sameContainers(causes: Causes, pod: Pod, old: Pod): boolean {
  const before = causes.length
  for (const list of lists) {
    const [now, had] = [pod.spec[list] ?? [], old.spec[list] ?? []]
    if (now.length !== had.length) causes.push(forbidden(`spec.${list}`, `${list} may not be added or removed on resize`))
    else
      now.forEach(({ name }, i) => {
        if (name !== had[i]!.name) causes.push(forbidden(`spec.${list}[${i}].name`, `${list} may not be renamed or reordered on resize`))
      })
  }
  return causes.length === before
}

/** The kubelet of a node that can says what a running container has got. */
const nodeCanResize = ({ status }: Pod) => !status?.containerStatuses?.some(({ state, resources }) => state?.running && !resources)

function validatePodLevel(causes: Causes, now: Resources, had: Resources): void {
  if (!now && !had) return
  if (!now) {
    causes.push(forbidden('spec.resources', 'pod-level resources cannot be removed'))
    return
  }
  for (const part of parts)
    if (isRemoved(now[part], had?.[part])) causes.push(forbidden(`spec.resources.${part}`, `pod-level resource ${part} cannot be removed`))
  const fixed = fixedChanges('spec.resources', now, had)
  if (fixed) causes.push(forbidden('spec', `only cpu and memory resources are mutable at pod-level\n${fixed}`))
}

function validateContainer(causes: Causes, path: string, now: Container, had: Container): void {
  refuseRemovals(causes, path, now, had)
  const fixed = containerChanges(path, now, had)
  if (fixed) causes.push(forbidden('spec', `only cpu and memory resources are mutable\n${fixed}`))
}

function validateInitContainer(causes: Causes, path: string, now: Container, had: Container): void {
  refuseRemovals(causes, path, now, had)
  const fixed = containerChanges(path, now, had)
  if (fixed) causes.push(forbidden(path, `only cpu and memory resources for init or sidecar containers are mutable\n${fixed}`))
  const restarts = had.resizePolicy?.some(({ restartPolicy }) => restartPolicy === 'RestartContainer')
  if (had.restartPolicy !== 'Always' && restarts && !same(now.resources, had.resources))
    causes.push(forbidden(path, 'non-sidecar init containers with a resize policy of RestartContainer cannot be resized'))
}

function refuseRemovals(causes: Causes, path: string, now: Container, had: Container): void {
  for (const part of parts)
    if (isRemoved(now.resources?.[part], had.resources?.[part]))
      causes.push(forbidden(`${path}.resources.${part}`, `resource ${part} cannot be removed`))
}

const isRemoved = (now: Amounts | undefined, had: Amounts | undefined) => Object.keys(had ?? {}).some((name) => now?.[name] === undefined)

function containerChanges(path: string, now: Container, had: Container): string {
  const fixed = fixedChanges(`${path}.resources`, now.resources, had.resources)
  return same(now.resizePolicy, had.resizePolicy) ? fixed : [fixed, `${path}.resizePolicy`].filter(Boolean).join('\n')
}

/** Names what changed and may not; an empty text when that is nothing. */
function fixedChanges(path: string, now: Resources, had: Resources): string {
  const changes: string[] = []
  for (const part of parts) {
    const a: Amounts = now?.[part] ?? {}
    const b: Amounts = had?.[part] ?? {}
    const differs = (name: string) => a[name] === undefined || b[name] === undefined || compareQuantities(a[name], b[name]) !== 0
    const names = [...new Set([...Object.keys(a), ...Object.keys(b)])].filter((name) => !resizable(name) && differs(name))
    if (names.length > 0) changes.push(`${path}.${part}: ${names.sort().join(', ')}`)
  }
  if (!same(now?.claims, had?.claims)) changes.push(`${path}.claims`)
  return changes.join('\n')
}
