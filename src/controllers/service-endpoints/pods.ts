import { isIPv6 } from 'node:net'
import { type DeepReadonly, type core, isConditionTrue } from '#api'

type Pod = DeepReadonly<core.Pod>
type Service = DeepReadonly<core.Service>

/** Whether a pod that a service selects is listed at all: it has an address and runs still. */
export function isListed(pod: Pod, includeTerminating: boolean): boolean {
  const { phase, podIP, podIPs } = pod.status ?? {}
  if (phase === 'Failed' || phase === 'Succeeded') return false
  if (!podIP && !podIPs?.length) return false
  return includeTerminating || !pod.metadata.deletionTimestamp
}

export const isReady = (pod: Pod): boolean => isConditionTrue(pod.status?.conditions, 'Ready')

/** A pod's addresses; old kubelets report only one. */
export function addressesOf(pod: Pod): string[] {
  const { podIP, podIPs } = pod.status ?? {}
  const ips = (podIPs ?? []).map((entry) => entry.ip).filter((ip): ip is string => !!ip)
  return ips.length > 0 ? ips : podIP ? [podIP] : []
}

export const isHeadless = (service: Service): boolean => service.spec?.clusterIP === 'None'
/** What the label service.kubernetes.io/headless says: no address of its own, also while none is given yet. */
export const hasNoAddress = (service: Service): boolean => !service.spec?.clusterIP || isHeadless(service)

/** The address families of a service, the primary one first. */
export function familiesOf(service: Service): ('IPv4' | 'IPv6')[] {
  const { ipFamilies, clusterIP } = service.spec ?? {}
  if (ipFamilies?.length) return [...ipFamilies] as ('IPv4' | 'IPv6')[]
  if (clusterIP && clusterIP !== 'None') return [isIPv6(clusterIP) ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

export const familyOf = (ip: string): 'IPv4' | 'IPv6' => (isIPv6(ip) ? 'IPv6' : 'IPv4')

/** The port of a pod that a service's port leads to; undefined when the pod has none of that name. */
export function targetPortOf(pod: Pod, port: DeepReadonly<core.ServicePort>): number | undefined {
  const { targetPort, protocol = 'TCP' } = port
  if (targetPort === undefined || targetPort === 0 || targetPort === '') return port.port
  if (typeof targetPort === 'number') return targetPort
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  for (const container of [...pod.spec.containers, ...sidecars]) {
    const found = container.ports?.find((p) => p.name === targetPort && (p.protocol ?? 'TCP') === protocol)
    if (found) return found.containerPort
  }
  return undefined
}

/** The name that DNS gives the pod below the service, if any. */
export function hostnameFor(pod: Pod, service: Service): string | undefined {
  const { hostname, subdomain } = pod.spec
  return hostname && subdomain === service.metadata.name && pod.metadata.namespace === service.metadata.namespace ? hostname : undefined
}

/** Whether a change of a pod can change the endpoints of a service that selects it in both states. */
export function endpointsChange(old: Pod, pod: Pod): boolean {
  return (
    isReady(old) !== isReady(pod) ||
    isListed(old, true) !== isListed(pod, true) ||
    !old.metadata.deletionTimestamp !== !pod.metadata.deletionTimestamp ||
    old.spec.nodeName !== pod.spec.nodeName ||
    old.spec.hostname !== pod.spec.hostname ||
    old.spec.subdomain !== pod.spec.subdomain ||
    addressesOf(old).join() !== addressesOf(pod).join()
  )
}

export function selects(service: Service, labels: { readonly [name: string]: string } | undefined): boolean {
  const { selector } = service.spec ?? {}
  // a service without a selector is fed by somebody else
  return !!selector && Object.entries(selector).every(([name, value]) => labels?.[name] === value)
}
