import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, core } from '#api'
import {
  addressesOf,
  familiesOf,
  familyOf,
  hasNoAddress,
  hostnameFor,
  isHeadless,
  isListed,
  isReady,
  targetPortOf,
} from '../service-endpoints/pods.ts'
import { triggerTimeAnnotation } from '../service-endpoints/trigger-time.ts'

export const headlessLabel = 'service.kubernetes.io/headless'
export const managedByLabel = 'endpoints.kubernetes.io/managed-by'
export const managedBy = 'endpoint-controller'
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
/** Addresses that one Endpoints object holds at most; who wants all reads EndpointSlices. */
const capacity = 1000

type Subset = core.EndpointSubset
type Address = core.EndpointAddress
type Port = core.EndpointPort

/** The Endpoints that a service with these pods should have, on top of what is there; undefined when that is it already. */
export function planEndpoints(
  service: DeepReadonly<core.Service>,
  pods: readonly DeepReadonly<core.Pod>[],
  existing: DeepReadonly<core.Endpoints> | undefined,
  triggerTime: string | undefined,
): core.Endpoints | undefined {
  const { subsets, truncated } = truncate(repack(subsetsOf(service, pods)))
  const labels = { ...service.metadata.labels, [managedByLabel]: managedBy, ...(hasNoAddress(service) ? { [headlessLabel]: '' } : {}) }
  if (!hasNoAddress(service)) delete (labels as Record<string, string>)[headlessLabel]
  const isOver = existing?.metadata.annotations?.[overCapacityAnnotation] !== undefined
  if (
    existing &&
    isOver === truncated &&
    isDeepStrictEqual(existing.metadata.labels ?? {}, labels) &&
    isDeepStrictEqual(repack(existing.subsets ?? []), subsets)
  )
    return undefined
  const annotations: Record<string, string> = { ...existing?.metadata.annotations }
  delete annotations[triggerTimeAnnotation]
  delete annotations[overCapacityAnnotation]
  if (triggerTime) annotations[triggerTimeAnnotation] = triggerTime
  if (truncated) annotations[overCapacityAnnotation] = 'truncated'
  const { name, namespace } = service.metadata
  const metadata = { ...(existing?.metadata as core.Endpoints['metadata'] | undefined), name, namespace, labels, annotations }
  return { apiVersion: 'v1', kind: 'Endpoints', metadata, subsets }
}

/** One subset per pod and port; `repack` makes the compact form of it. */
function subsetsOf(service: DeepReadonly<core.Service>, pods: readonly DeepReadonly<core.Pod>[]): Subset[] {
  const publishAll = publishesNotReady(service)
  const family = familiesOf(service)[0]
  const ambiguous = !service.spec?.ipFamilies?.length && isHeadless(service)
  const subsets: Subset[] = []
  for (const pod of pods) {
    if (!isListed(pod, publishAll)) continue
    const ip = addressesOf(pod).find((a) => ambiguous || familyOf(a) === family)
    if (!ip) continue
    const { name, namespace, uid } = pod.metadata
    const hostname = hostnameFor(pod, service)
    const address: Address = {
      ip,
      ...(hostname ? { hostname } : {}),
      ...(pod.spec.nodeName ? { nodeName: pod.spec.nodeName } : {}),
      targetRef: { kind: 'Pod', namespace, name, uid },
    }
    const side = publishAll || isReady(pod) ? { addresses: [address] } : { notReadyAddresses: [address] }
    const ports = service.spec?.ports ?? []
    // a headless service may do without ports: its names are all that is asked for
    if (ports.length === 0 && isHeadless(service)) subsets.push(side)
    for (const port of ports) {
      const number = targetPortOf(pod, port)
      if (number === undefined) continue
      const { name, appProtocol, protocol = 'TCP' } = port
      subsets.push({ ...side, ports: [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }] })
    }
  }
  return subsets
}

function publishesNotReady(service: DeepReadonly<core.Service>): boolean {
  const old = service.metadata.annotations?.['service.alpha.kubernetes.io/tolerate-unready-endpoints']
  if (old === 'true' || old === 'false') return old === 'true'
  return service.spec?.publishNotReadyAddresses ?? false
}

const addressId = (address: DeepReadonly<Address>) => `${address.ip}\0${address.targetRef?.uid ?? ''}`
const portId = ({ name = '', port, protocol = 'TCP', appProtocol = '' }: DeepReadonly<Port>) => `${name}\0${port}\0${protocol}\0${appProtocol}`

/**
 * The compact form: ports that are offered by the same addresses share a subset, and every address stands once in it. Not ready trumps ready.
 *
 *     a:80 a:443 b:80 b:443 c:80  →  {a, b}: 443   {a, b, c}: 80
 */
export function repack(subsets: readonly DeepReadonly<Subset>[]): Subset[] {
  const addresses = new Map<string, DeepReadonly<Address>>()
  // port → address → ready
  const offers = new Map<string, { port: DeepReadonly<Port> | undefined; ready: Map<string, boolean> }>()
  for (const subset of subsets) {
    const ports: (DeepReadonly<Port> | undefined)[] = subset.ports?.length ? [...subset.ports] : [undefined]
    for (const port of ports) {
      const id = port ? portId(port) : ''
      let offer = offers.get(id)
      if (!offer) offers.set(id, (offer = { port, ready: new Map() }))
      const add = (address: DeepReadonly<Address>, ready: boolean) => {
        const key = addressId(address)
        if (!addresses.has(key)) addresses.set(key, address)
        offer.ready.set(key, ready && (offer.ready.get(key) ?? true))
      }
      for (const address of subset.addresses ?? []) add(address, true)
      for (const address of subset.notReadyAddresses ?? []) add(address, false)
    }
  }
  const groups = new Map<string, { ready: Map<string, boolean>; ports: DeepReadonly<Port>[] }>()
  for (const { port, ready } of offers.values()) {
    const id = [...ready]
      .map(([key, isReady]) => `${key}\0${isReady}`)
      .sort()
      .join('\n')
    let group = groups.get(id)
    if (!group) groups.set(id, (group = { ready, ports: [] }))
    if (port) group.ports.push(port)
  }
  const packed = [...groups].map(([id, { ready, ports }]) => {
    const pick = (wanted: boolean) =>
      [...ready]
        .filter(([, isReady]) => isReady === wanted)
        .map(([key]) => key)
        .sort()
        .map((key) => addresses.get(key) as Address)
    const [on, off] = [pick(true), pick(false)]
    const sorted = ports.toSorted((a, b) => (portId(a) < portId(b) ? -1 : 1)) as Port[]
    const subset: Subset = {
      ...(on.length > 0 ? { addresses: on } : {}),
      ...(off.length > 0 ? { notReadyAddresses: off } : {}),
      ...(sorted.length > 0 ? { ports: sorted } : {}),
    }
    return { id: `${sorted.map(portId).join()}\n${id}`, subset }
  })
  return packed.sort((a, b) => (a.id < b.id ? -1 : 1)).map(({ subset }) => subset)
}

/** Ready addresses first, up to the capacity. */
function truncate(subsets: Subset[]): { subsets: Subset[]; truncated: boolean } {
  const total = subsets.reduce((sum, s) => sum + (s.addresses?.length ?? 0) + (s.notReadyAddresses?.length ?? 0), 0)
  if (total <= capacity) return { subsets, truncated: false }
  let left = capacity
  const take = (list: Address[] | undefined) => {
    const taken = (list ?? []).slice(0, left)
    left -= taken.length
    return taken
  }
  const ready = subsets.map((s) => take(s.addresses))
  const notReady = subsets.map((s) => take(s.notReadyAddresses))
  const kept = subsets.flatMap(({ ports }, i): Subset[] => {
    const [on, off] = [ready[i]!, notReady[i]!]
    if (on.length + off.length === 0) return []
    return [{ ...(on.length > 0 ? { addresses: on } : {}), ...(off.length > 0 ? { notReadyAddresses: off } : {}), ...(ports ? { ports } : {}) }]
  })
  return { subsets: kept, truncated: true }
}
