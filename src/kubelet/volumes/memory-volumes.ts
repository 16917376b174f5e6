import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Mounter } from './mounter.ts'

/** Directories that never touch the disk, by pod. */
export interface MemoryVolumes {
  /** The directory of one volume; it exists. */
  directory(podUid: string, type: string, volume: string): Promise<string>
  remove(podUid: string): Promise<void>
  /** Uids of the pods that have something here. */
  pods(): Promise<string[]>
}

/**
 * All of them stand on one tmpfs of the node's, mounted when the first is asked for and left mounted for the pods that outlive the kubelet. A mount each, as
 * upstream makes, would cost two processes a pod; a volume that has a size limit needs its own.
 */
export function memoryVolumes({ dir, mounter }: { dir: string; mounter: Mounter }): MemoryVolumes {
  const podDir = (uid: string) => join(dir, uid)
  let mounted: Promise<void> | undefined
  async function mount(): Promise<void> {
    await mkdir(dir, { recursive: true })
    if ((await mounter.below(dir)).length === 0) await mounter.tmpfs(dir, ['mode=0755'])
  }
  return {
    async directory(podUid, type, volume) {
      mounted ??= mount()
      await mounted.catch((error: unknown) => {
        mounted = undefined
        throw error
      })
      const directory = join(podDir(podUid), `kubernetes.io~${type}`, volume)
      await mkdir(directory, { recursive: true })
      return directory
    },
    remove: (podUid) => rm(podDir(podUid), { recursive: true, force: true }),
    pods: () => readdir(dir).catch(() => []),
  }
}
