import type { SchedulerPlugin } from '../framework.ts'
import { maxScore } from '../framework.ts'

const mega = 1024 * 1024
// below, an image is not worth moving a pod for; above, more counts no more (per container)
const smallest = 23 * mega
const largest = 1000 * mega
const key = 'ImageLocality'

/** Prefers nodes that have the pod's images, weighted by how many nodes have them, so that one node does not attract everything. */
export const imageLocality: SchedulerPlugin = {
  name: 'ImageLocality',
  preScore: (state, pod, nodes, snapshot) => {
    if (!nodes.some((info) => info.hasImages)) return 'skip'
    const spread = new Map<string, number>()
    const wanted = pod.spec.containers.map((c) => withTag(c.image ?? ''))
    for (const info of snapshot.nodes)
      for (const image of wanted) if (info.imageSize(image) !== undefined) spread.set(image, (spread.get(image) ?? 0) + 1)
    state.set(key, { wanted, spread, total: snapshot.nodes.length })
    return undefined
  },
  score: (state, _, info) => {
    const { wanted, spread, total } = state.get(key) as { wanted: string[]; spread: Map<string, number>; total: number }
    let sum = 0
    for (const image of wanted) sum += ((info.imageSize(image) ?? 0) * (spread.get(image) ?? 0)) / total
    const top = largest * wanted.length
    return Math.floor((maxScore * (Math.min(Math.max(sum, smallest), top) - smallest)) / (top - smallest))
  },
}

const withTag = (image: string) => (image.includes('@') || image.lastIndexOf(':') > image.lastIndexOf('/') ? image : `${image}:latest`)
