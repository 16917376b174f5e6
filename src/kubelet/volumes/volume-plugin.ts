import type { Client } from '#client'
import type { core, DeepReadonly } from '#api'
import type { ObjectSource } from '../env/object-source.ts'
import type { ImageMounts } from '../cri/image-mounts.ts'
import type { Mounter } from './mounter.ts'
import type { TokenSource } from './service-account-token.ts'

/** Where a volume is on the node. */
export interface MountedVolume {
  hostPath: string
  /** Containers may only read it, whatever their volumeMount says. */
  readOnly?: boolean
  /** The claim that it was got by. */
  claim?: { namespace: string; name: string }
  /** There is nothing at `hostPath`: the runtime is a fake one. */
  hollow?: boolean
}

export interface VolumeContext {
  pod: DeepReadonly<core.Pod>
  volume: DeepReadonly<core.Volume>
  /** `<rootDir>/pods/<uid>/volumes/kubernetes.io~<type>/<name>`; nobody has made it yet. */
  dir: string
  /** Makes a directory for the volume that never touches the disk, instead of `dir`. */
  memoryDir(): Promise<string>
  client: Client
  objects: Pick<ObjectSource, 'get'>
  tokens: TokenSource
  mounter: Mounter
  /** The node's allocatable resources. */
  allocatable: DeepReadonly<Record<string, string>>
  signal: AbortSignal
}

/** One kind of volume. A new kind is one file and one line in `plugins.ts`. */
export interface VolumePlugin {
  /** What stands after `kubernetes.io~` in the directory's name. */
  type: string
  supports(volume: DeepReadonly<core.Volume>): boolean
  /**
   * Makes the volume available; called again for a volume that is mounted already, e.g. after a restart of the kubelet. Rejects with an Error whose
   * message completes `MountVolume.SetUp failed for volume "x" : …`.
   */
  mount(context: VolumeContext): Promise<MountedVolume>
  /**
   * Brings the content up to date with the API; plugins without it have nothing to update. Answers the wall time (milliseconds) at which to call it
   * again at the latest, where there is one.
   */
  refresh?(context: VolumeContext): Promise<number | undefined>
  /** Gives back what unmounting and removing `dir` does not; called before that for each volume of the type, whatever became of it. */
  unmount?(dir: string, images: ImageMounts): Promise<void>
}
