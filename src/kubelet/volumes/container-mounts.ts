import { isAbsolute, join } from 'node:path'
import type { core, DeepReadonly } from '#api'
import type { cri } from '../cri/index.ts'
import type { EnvironmentVariable } from '../env/container-environment.ts'
import { ContainerConfigError } from '../env/container-environment.ts'
import { expand, unknownReferences } from '../env/expand.ts'
import type { Mounter } from './mounter.ts'
import { systemMounter } from './mounter.ts'
import { mountSubPath } from './sub-path.ts'
import type { MountedVolume } from './volume-plugin.ts'

const propagations: Record<string, cri.MountPropagation> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
}

/**
 * The CRI mounts of a container's volumeMounts. A subPath is mounted on the node first, below `pods/<uid>/volume-subpaths`; `unmount` of PodVolumes
 * removes it. Rejects with ContainerConfigError when a subPath is not possible.
 */
export async function containerMounts(options: {
  pod: DeepReadonly<core.Pod>
  container: DeepReadonly<Pick<core.Container, 'name' | 'volumeMounts'>>
  mounted: ReadonlyMap<string, MountedVolume>
  /** The container's environment, for subPathExpr. */
  environment: readonly EnvironmentVariable[]
  rootDir: string
  mounter?: Mounter
  /** The runtime can make what is mounted below a mount read-only with it. */
  recursiveReadOnly?: boolean
}): Promise<cri.Mount[]> {
  const { pod, container, mounted, rootDir, mounter = systemMounter } = options
  const variables = new Map(options.environment.map(({ key, value }) => [key, value]))
  const mounts: cri.Mount[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries()) {
    const volume = mounted.get(mount.name)
    if (!volume) throw new ContainerConfigError(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
    let hostPath = volume.hostPath
    const subPath = subPathOf(mount, variables)
    if (subPath && !volume.hollow) {
      const target = join(rootDir, 'pods', pod.metadata.uid!, 'volume-subpaths', mount.name, container.name, String(index))
      hostPath = await mountSubPath({ volumeDir: volume.hostPath, subPath, target, mounter }).catch((error: unknown) => {
        throw new ContainerConfigError(`failed to prepare subPath for volumeMount "${mount.name}" of container "${container.name}"`, { cause: error })
      })
    }
    const recursive = isRecursivelyReadOnly(mount, options.recursiveReadOnly ?? false)
    mounts.push({
      hostPath,
      containerPath: isAbsolute(mount.mountPath) ? mount.mountPath : join('/', mount.mountPath),
      readonly: mount.readOnly === true || volume.readOnly === true,
      propagation: propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE',
      ...(recursive ? { recursiveReadOnly: true } : {}),
    })
  }
  return mounts
}

/** Rejects where it is asked for without an alternative and the runtime cannot (KEP-3857). */
export function isRecursivelyReadOnly(
  { name, readOnly, recursiveReadOnly = 'Disabled' }: DeepReadonly<core.VolumeMount>,
  supported: boolean,
): boolean {
  if (!readOnly || recursiveReadOnly === 'Disabled') return false
  if (recursiveReadOnly === 'Enabled' && !supported) {
    const why = `volume "${name}" requested recursive read-only mode, but it is not supported by the runtime`
    throw new ContainerConfigError(`failed to resolve recursive read-only mode: ${why}`)
  }
  return supported
}

function subPathOf(mount: DeepReadonly<core.VolumeMount>, variables: ReadonlyMap<string, string>): string | undefined {
  let subPath = mount.subPath
  if (mount.subPathExpr) {
    const unknown = unknownReferences(mount.subPathExpr, (name) => variables.get(name))
    if (unknown.length > 0) throw new ContainerConfigError(`missing value for "${unknown[0]}"`)
    subPath = expand(mount.subPathExpr, (name) => variables.get(name))
  }
  if (!subPath) return undefined
  if (isAbsolute(subPath)) throw new ContainerConfigError(`error SubPath \`${subPath}\` must not be an absolute path`)
  if (subPath.split('/').includes('..')) throw new ContainerConfigError(`unable to provision SubPath \`${subPath}\`: must not contain '..'`)
  return subPath
}
