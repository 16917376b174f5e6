import type { core } from '#api'
import type { AdmissionPlugin } from './admission.ts'
import { targets } from './rejection.ts'

const key = 'node.kubernetes.io/not-ready'

/** A new node takes no pods before the node controller has seen it ready. */
export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    resources: ['/nodes'],
    handles: (request) => request.operation === 'CREATE' && targets(request, '', 'nodes'),
    mutate({ object }) {
      const node = object as core.Node
      const spec = (node.spec ??= {} as core.NodeSpec)
      const known = spec.taints?.some((taint) => taint.key === key && taint.effect === 'NoSchedule')
      if (!known) spec.taints = [...(spec.taints ?? []), { key, effect: 'NoSchedule' }]
    },
  }
}
