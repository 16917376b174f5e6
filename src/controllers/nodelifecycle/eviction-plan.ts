import type { DeepReadonly, core } from '#api'

type Taint = DeepReadonly<core.Taint>
type Toleration = DeepReadonly<core.Toleration>

/** Whether a toleration covers a taint (https://kubernetes.io/docs/concepts/scheduling-eviction/taint-and-toleration/). */
export function tolerates(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect && toleration.effect !== taint.effect) return false
  if (toleration.key && toleration.key !== taint.key) return false
  if (toleration.operator === 'Exists') return true
  return (!toleration.operator || toleration.operator === 'Equal') && !!toleration.key && (toleration.value ?? '') === (taint.value ?? '')
}

/** When a pod has to leave a node because of its NoExecute taints: milliseconds after they came, 0 for at once, undefined for never. */
export function evictAfter(taints: readonly Taint[], tolerations: readonly Toleration[]): number | undefined {
  let shortest: number | undefined
  for (const taint of taints) {
    const covering = tolerations.filter((t) => tolerates(t, taint))
    if (covering.length === 0) return 0
    for (const { tolerationSeconds } of covering) {
      if (tolerationSeconds === undefined) continue
      shortest = Math.min(shortest ?? Infinity, Math.max(tolerationSeconds, 0) * 1000)
    }
  }
  return shortest
}

export const noExecute = (node: DeepReadonly<core.Node> | undefined): Taint[] => (node?.spec?.taints ?? []).filter((t) => t.effect === 'NoExecute')
