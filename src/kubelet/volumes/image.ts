import { mkdir } from 'node:fs/promises'
import type { VolumePlugin } from './volume-plugin.ts'

/**
 * The content of an image, always read-only. Here it gets its place; what it holds comes with the first container that mounts it, since an image that
 * cannot be pulled is that container's reason to wait, as its own image is.
 */
export const imagePlugin: VolumePlugin = {
  type: 'image',
  supports: (volume) => volume.image !== undefined,
  async mount({ dir }) {
    await mkdir(dir, { recursive: true })
    return { hostPath: dir, readOnly: true }
  },
  async unmount(dir, images) {
    await images.unmountImage(dir)
  },
}
