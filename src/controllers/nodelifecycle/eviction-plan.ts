import type { DeepReadonly, core } from '#api'
import { toleratesTaint } from '#api'

type Taint = DeepReadonly<core.Taint>
type Toleration = DeepReadonly<core.Toleration>

/** When a pod has to leave a node because of its NoExecute taints: milliseconds after they came, 0 for at once, undefined for never. */
export function evictAfter(taints: readonly Taint[], tolerations: readonly Toleration[]): number | undefined {
  let shortest: number | undefined
  for (const taint of taints) {
    const covering = tolerations.filter((t) => toleratesTaint([t], taint))
    if (covering.length === 0) return 0
    for (const { tolerationSeconds } of covering) {
      if (tolerationSeconds === undefined) continue
      shortest = Math.min(shortest ?? Infinity, Math.max(tolerationSeconds, 0) * 1000)
    }
  }
  return shortest
}

export const noExecute = (node: DeepReadonly<core.Node> | undefined): Taint[] => (node?.spec?.taints ?? []).filter((t) => t.effect === 'NoExecute')
