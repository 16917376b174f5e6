import { mkdir } from 'node:fs/promises'
import { run } from '#base'
import { systemMounter } from '../volumes/mounter.ts'

/**
 * The content of images as directories of the node, for volumes that are images (KEP-4639). Runtimes from containerd 2.1 on do this in CRI; before, it is the
 * snapshotter's, which containerd's own client reaches.
 */
export interface ImageMounts {
  /** Mounts an image, by its id, read-only at `target`; what is mounted there already stays. */
  mountImage(imageRef: string, target: string): Promise<void>
  /** Unmounts and forgets what `mountImage` mounted at `target`; nothing happens where it did not. */
  unmountImage(target: string): Promise<void>
}

// where CRI keeps its images
const namespace = 'k8s.io'

export function containerdImageMounts(socket: string): ImageMounts {
  const ctr = (...args: string[]) => run('ctr', ['-a', socket, '-n', namespace, ...args])
  const views = async () => new Set((await ctr('snapshots', 'list')).split('\n').map((line) => line.split(/\s+/)[0]))
  return {
    async mountImage(imageRef, target) {
      if ((await systemMounter.below(target)).includes(target)) return
      await mkdir(target, { recursive: true })
      await ctr('images', 'mount', imageRef, target)
      // without it the garbage collection takes the view's layers away after a day, with the lease that ctr gives it
      await ctr('snapshots', 'label', target, `containerd.io/gc.root=k8ts`)
    },
    async unmountImage(target) {
      if ((await views()).has(target)) await ctr('images', 'unmount', '--rm', target)
    },
  }
}

/** For runtimes that have no content to show. */
export const noImageMounts: ImageMounts = {
  async mountImage() {},
  async unmountImage() {},
}
