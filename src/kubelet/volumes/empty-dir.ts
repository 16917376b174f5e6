import { chmod, mkdir } from 'node:fs/promises'
import type { core, DeepReadonly } from '#api'
import { quantityValue } from '#api'
import { setVolumeOwnership } from './ownership.ts'
import type { VolumePlugin } from './volume-plugin.ts'

export const emptyDirPlugin: VolumePlugin = {
  type: 'empty-dir',
  supports: (volume) => volume.emptyDir !== undefined,
  async mount({ dir, volume, pod, mounter }) {
    const { medium = '', sizeLimit } = volume.emptyDir!
    if (medium !== '' && medium !== 'Memory') throw new Error(`unknown storage medium "${medium}"`)
    const made = await mkdir(dir, { recursive: true })
    if (medium === 'Memory' && (await mounter.below(dir)).length === 0) {
      const size = smallest(sizeLimit ? quantityValue(sizeLimit) : undefined, memoryLimit(pod))
      await mounter.tmpfs(dir, size === undefined ? [] : [`size=${size}`])
    } else if (made === undefined) {
      // it was set up before; containers may have changed modes in it since
      return { hostPath: dir }
    }
    await chmod(dir, 0o777)
    await setVolumeOwnership(dir, pod, { readOnly: false })
    return { hostPath: dir }
  },
}

/** What the pod's containers may use together; undefined when one of them has no limit. */
function memoryLimit(pod: DeepReadonly<core.Pod>): number | undefined {
  const own = pod.spec.resources?.limits?.memory
  if (own !== undefined) return quantityValue(own)
  let sum = 0
  for (const { resources } of pod.spec.containers) {
    if (!resources?.limits?.memory) return undefined
    sum += quantityValue(resources.limits.memory)
  }
  return sum
}

function smallest(...sizes: (number | undefined)[]): number | undefined {
  const known = sizes.filter((size) => size !== undefined && size > 0) as number[]
  return known.length > 0 ? Math.min(...known) : undefined
}
