import type { DeepReadonly, core } from '#api'

/** How long it takes until everybody knows that a pod is leaving its services, milliseconds: a write of its endpoint slices, and one of the rules on each node. */
const withdrawalMs = 200

type Pod = DeepReadonly<core.Pod>

/**
 * How long a container goes on serving after its pod was deleted, before the stop signal, milliseconds. Endpoints are withdrawn at the same moment as the
 * kubelet hears of the deletion; a program that stops listening at once would refuse what is on its way. Only where a service leads to the pod, nothing
 * else holds the end back (a preStop hook), and there is time for it.
 */
export function withdrawalTime(pod: Pod, services: readonly DeepReadonly<core.Service>[], graceSeconds: number): number {
  if (!pod.metadata.deletionTimestamp || graceSeconds < 2) return 0
  const ready = pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
  if (!ready || pod.spec?.containers.some((c) => c.lifecycle?.preStop)) return 0
  return services.some((service) => leadsTo(service, pod)) ? withdrawalMs : 0
}

function leadsTo({ metadata, spec }: DeepReadonly<core.Service>, pod: Pod): boolean {
  const selector = Object.entries(spec?.selector ?? {})
  return (
    metadata.namespace === pod.metadata.namespace && selector.length > 0 && selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
  )
}
