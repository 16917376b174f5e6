import type { cri } from '../cri/index.ts'
import type { EnvironmentVariable } from '../env/index.ts'
import { expand } from '../env/index.ts'
import type { ContainerSpec, Pod } from './names.ts'
import { annotations, containerHash, containerLog, labels } from './names.ts'
import { containerResources } from './resources.ts'
import { ownGrace } from './plan.ts'

export interface ContainerConfigInput {
  pod: Pod
  container: ContainerSpec
  attempt: number
  /** The image as the runtime named it when it was found or pulled. */
  imageRef: string
  environment: readonly EnvironmentVariable[]
  /** The pod's volumes, as far as this container mounts them. */
  volumeMounts: readonly cri.Mount[]
  /** Host path of the hosts file, where the kubelet keeps one for the pod. */
  hostsFile?: string
  /** Host path of the file that takes the termination message. */
  terminationLog: string
  security: cri.LinuxContainerSecurityContext
  /** The node's memory, bytes. */
  memoryCapacity: number
}

export const defaultTerminationPath = '/dev/termination-log'

/** What the runtime is asked for as one attempt of a container. */
export function containerConfig(input: ContainerConfigInput): cri.ContainerConfig {
  const { pod, container, attempt, environment } = input
  const values = new Map(environment.map((e) => [e.key, e.value]))
  const expanded = (list: readonly string[] | undefined) => (list ?? []).map((text) => expand(text, (name) => values.get(name)))
  const terminationPath = container.terminationMessagePath || defaultTerminationPath
  const mounts: cri.Mount[] = input.volumeMounts.map((m) => ({ ...m }))
  const taken = new Set(mounts.map((m) => m.containerPath))
  if (input.hostsFile && !taken.has('/etc/hosts')) mounts.push({ containerPath: '/etc/hosts', hostPath: input.hostsFile, selinuxRelabel: true })
  mounts.push({ containerPath: terminationPath, hostPath: input.terminationLog, selinuxRelabel: true })
  return {
    metadata: { name: container.name, attempt },
    image: { image: input.imageRef, userSpecifiedImage: container.image ?? '' },
    command: expanded(container.command),
    args: expanded(container.args),
    workingDir: container.workingDir ?? '',
    envs: environment.map(({ key, value }) => ({ key, value: Buffer.from(value) })),
    mounts,
    labels: {
      [labels.podName]: pod.metadata.name,
      [labels.podNamespace]: pod.metadata.namespace ?? 'default',
      [labels.podUid]: pod.metadata.uid ?? '',
      [labels.containerName]: container.name,
    },
    annotations: {
      [annotations.hash]: containerHash(container),
      [annotations.restartCount]: String(attempt),
      [annotations.terminationMessagePath]: terminationPath,
      [annotations.terminationMessagePolicy]: container.terminationMessagePolicy ?? 'File',
      [annotations.terminationGracePeriod]: String(ownGrace(pod)),
    },
    logPath: containerLog(container.name, attempt),
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: { resources: containerResources(pod, container, input.memoryCapacity), securityContext: input.security },
  }
}
