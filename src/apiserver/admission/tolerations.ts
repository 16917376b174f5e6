import type { core } from '#api'
import type { AdmissionPlugin } from './admission.ts'
import { targets } from './rejection.ts'

const onTrouble = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const

/** Pods stay on a node that is in trouble for a while, unless they say otherwise. */
export function defaultTolerationSeconds(seconds = 300): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    resources: ['/pods'],
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'pods'),
    mutate({ object }) {
      const { spec } = object as core.Pod
      if (!spec) return
      for (const key of onTrouble) {
        const own = spec.tolerations?.some((t) => (t.key === key || !t.key) && (!t.effect || t.effect === 'NoExecute'))
        if (!own) spec.tolerations = [...(spec.tolerations ?? []), { key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds }]
      }
    },
  }
}

/** A pod that asks for a device may run on nodes that are kept for those who do. Off by default, as upstream. */
export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    resources: ['/pods'],
    handles: (request) => (request.operation === 'CREATE' || request.operation === 'UPDATE') && targets(request, '', 'pods'),
    mutate({ object }) {
      const { spec } = object as core.Pod
      if (!spec) return
      const requested = [...spec.containers, ...(spec.initContainers ?? [])].flatMap((container) => Object.keys(container.resources?.requests ?? {}))
      for (const key of [...new Set(requested)].filter(isExtendedResource).sort()) {
        const kept = (spec.tolerations ?? []).filter((t) => !(t.key === key && t.effect === 'NoSchedule' && t.operator === 'Exists'))
        spec.tolerations = [...kept, { key, operator: 'Exists', effect: 'NoSchedule' }]
      }
    },
  }
}

/** Whether a resource is one that a device plugin or an administrator added: its name has a domain that is not Kubernetes' own. */
export function isExtendedResource(name: string): boolean {
  if (!name.includes('/') || name.startsWith('requests.')) return false
  const domain = name.slice(0, name.indexOf('/'))
  return domain !== 'kubernetes.io' && !domain.endsWith('.kubernetes.io')
}
