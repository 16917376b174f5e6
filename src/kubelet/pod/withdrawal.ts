import type { DeepReadonly, core, discovery } from '#api'
import type { Clock } from '#base'
import type { Cache } from '#runtime'

/** How long everybody has to act on endpoints that are withdrawn, milliseconds: the rules of each node, the proxy of ingresses. */
const settleMs = 250
/** The longest that the end of a pod is held back for its endpoints, milliseconds. */
const longestMs = 2000

type Pod = DeepReadonly<core.Pod>

/**
 * Whether a container goes on serving for a moment after its pod was deleted, before the stop signal. Endpoints are withdrawn when the control plane hears of
 * the deletion, as the kubelet does at the same time; a program that stops listening at once would refuse what is on its way. Only where a service leads
 * to the pod, nothing else holds the end back (a preStop hook), and there is time for it.
 */
export function isWithdrawnFirst(pod: Pod, services: readonly DeepReadonly<core.Service>[], graceSeconds: number): boolean {
  if (!pod.metadata.deletionTimestamp || graceSeconds <= longestMs / 1000) return false
  const ready = pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false
  if (!ready || pod.spec?.containers.some((c) => c.lifecycle?.preStop)) return false
  return services.some((service) => leadsTo(service, pod))
}

function leadsTo({ metadata, spec }: DeepReadonly<core.Service>, pod: Pod): boolean {
  const selector = Object.entries(spec?.selector ?? {})
  return (
    metadata.namespace === pod.metadata.namespace && selector.length > 0 && selector.every(([key, value]) => pod.metadata.labels?.[key] === value)
  )
}

/** Waits until no endpoint slice leads new requests to the pod, and everybody had time to act on it; without slices to look at, for that time alone. */
export async function withdrawn(pod: Pod, slices: Cache<discovery.EndpointSlice> | undefined, clock: Clock): Promise<void> {
  if (slices) await unlisted(pod, slices, clock)
  await clock.sleep(settleMs)
}

function unlisted(pod: Pod, slices: Cache<discovery.EndpointSlice>, clock: Clock): Promise<void> {
  const { uid, namespace } = pod.metadata
  const leads = () =>
    slices
      .list(namespace)
      .some((slice) => slice.endpoints?.some((e) => e.targetRef?.uid === uid && (e.conditions?.ready ?? true) && !e.conditions?.terminating))
  if (!leads()) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      stop()
      cancel()
      resolve()
    }
    const cancel = clock.schedule(longestMs, finish)
    let stop = () => {}
    stop = slices.subscribe((event) => {
      if (event.type !== 'added' && event.object.metadata.namespace === namespace && !leads()) finish()
    })
  })
}
