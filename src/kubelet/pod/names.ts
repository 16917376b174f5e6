import { createHash } from 'node:crypto'
import { join } from 'node:path'
import type { DeepReadonly, core } from '#api'

export type Pod = DeepReadonly<core.Pod>
/** A container of any role; ephemeral containers have the same fields. */
export type ContainerSpec = DeepReadonly<core.Container> & { readonly targetContainerName?: string }

/** Labels and annotations on sandboxes and containers: upstream's, so that `crictl` and other tools know whose they are. */
export const labels = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const

export const annotations = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
  terminationGracePeriod: 'io.kubernetes.pod.terminationGracePeriod',
} as const

export type ContainerRole = 'init' | 'sidecar' | 'regular' | 'ephemeral'

export interface RoledContainer {
  spec: ContainerSpec
  role: ContainerRole
}

/** Every container of the pod in the order in which they start: init containers and sidecars, then regular, then ephemeral ones. */
export function containersOf(pod: Pod): RoledContainer[] {
  return [
    ...(pod.spec?.initContainers ?? []).map((spec): RoledContainer => ({ spec, role: spec.restartPolicy === 'Always' ? 'sidecar' : 'init' })),
    ...(pod.spec?.containers ?? []).map((spec): RoledContainer => ({ spec, role: 'regular' })),
    ...(pod.spec?.ephemeralContainers ?? []).map((spec): RoledContainer => ({ spec: spec as ContainerSpec, role: 'ephemeral' })),
  ]
}

/** Where an event about a container points, e.g. `spec.containers{app}`. */
export function fieldPath({ spec, role }: RoledContainer): string {
  const list = role === 'regular' ? 'containers' : role === 'ephemeral' ? 'ephemeralContainers' : 'initContainers'
  return `spec.${list}{${spec.name}}`
}

/**
 * Changes when a running container no longer is what the spec asks for. As in Kubernetes since 1.31 only name and image count: what else may
 * change in a running pod (resources) is applied in place.
 */
export function containerHash(container: ContainerSpec): string {
  return createHash('sha256')
    .update(JSON.stringify([container.name, container.image ?? '']))
    .digest('hex')
    .slice(0, 8)
}

/** `name_namespace(uid)`, as messages name a pod. */
export function podDescription(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`
}

/** Where a node keeps what belongs to its pods, all under its root directory. */
export interface NodePaths {
  root: string
  /** Pods' volumes, hosts files and termination logs. */
  podDir(uid: string): string
  /** The directory of a pod's container logs. */
  podLogs(pod: { namespace: string; name: string; uid: string }): string
  /** Parent of all pods' logs. */
  logs: string
  /** Root of the seccomp profiles of type Localhost. */
  seccomp: string
}

export function nodePaths(root: string, logs = join(root, 'logs', 'pods')): NodePaths {
  return {
    root,
    logs,
    podDir: (uid) => join(root, 'pods', uid),
    podLogs: ({ namespace, name, uid }) => join(logs, `${namespace}_${name}_${uid}`),
    seccomp: join(root, 'seccomp'),
  }
}

/** Log file of one attempt of a container, relative to its pod's log directory. */
export const containerLog = (container: string, attempt: number) => `${container}/${attempt}.log`
