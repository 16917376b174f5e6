import type { DeepReadonly, core } from '#api'

type PodSpec = DeepReadonly<core.PodSpec>
type Container = DeepReadonly<core.Container>

const lists = ['initContainers', 'containers', 'ephemeralContainers'] as const

/** Visits all containers of a pod in the order in which upstream does: init containers, containers, ephemeral containers. */
export function forEveryContainer(spec: PodSpec, path: string, visit: (container: Container, path: string) => void): void {
  for (const list of lists) {
    const containers = spec[list] as readonly Container[] | undefined
    if (containers) for (let i = 0; i < containers.length; i++) visit(containers[i]!, `${path}.${list}[${i}]`)
  }
}
