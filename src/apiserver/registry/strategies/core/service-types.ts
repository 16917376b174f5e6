import type { DeepReadonly, core } from '#api'
import { same } from '../../validation/causes.ts'
import { externallyAccessible, needsHealthCheckPort } from '../../validation/service.ts'

type Spec = DeepReadonly<core.ServiceSpec>

export const needsClusterIP = ({ type }: Spec) => type !== 'ExternalName'

/** Types that can have node ports, whether or not they get some by themselves. */
const mayHaveNodePorts = ({ type }: Spec) => type === 'NodePort' || type === 'LoadBalancer'

export const needsNodePorts = (spec: Spec) => mayHaveNodePorts(spec) && (spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false)

/** `clusterIP` and the first of `clusterIPs` are one: whichever a client set or cleared, the other follows. */
export function normalizeClusterIPs(spec: core.ServiceSpec, old?: Spec): void {
  if (!old) {
    if (spec.clusterIP && !spec.clusterIPs?.length) spec.clusterIPs = [spec.clusterIP]
    return
  }
  const [now, before] = [spec.clusterIP ?? '', old.clusterIP ?? '']
  // an old client, which does not know the list
  if (old.clusterIPs?.length && !spec.clusterIPs?.length && now === before) spec.clusterIPs = [...old.clusterIPs]
  if (now === before || !sameList(spec.clusterIPs, old.clusterIPs)) return
  if (now === '') delete spec.clusterIPs
  else spec.clusterIPs = [now]
}

const sameList = (a: readonly string[] = [], b: readonly string[] = []) => a.length === b.length && a.every((one, i) => one === b[i])

/** A client that applies a manifest does not know what was allocated: what it leaves out stays. */
export function keepAllocated(spec: core.ServiceSpec, old: Spec): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    if (!spec.clusterIP && old.clusterIP) spec.clusterIP = old.clusterIP
    if (!spec.clusterIPs?.length && old.clusterIPs?.length) spec.clusterIPs = [...old.clusterIPs]
  }
  if (needsNodePorts(old) && needsNodePorts(spec)) keepNodePorts(spec.ports ?? [], old.ports ?? [])
  if (needsHealthCheckPort(old) && needsHealthCheckPort(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort !== undefined)
    spec.healthCheckNodePort = old.healthCheckNodePort
}

/** Ports are known by their names, whatever else of them changed. */
function keepNodePorts(ports: core.ServicePort[], old: DeepReadonly<core.ServicePort[]>): void {
  const taken = new Set(ports.map((port) => port.nodePort).filter(Boolean))
  for (const port of ports) {
    if (port.nodePort) continue
    const had = old.findLast((one) => (one.name ?? '') === (port.name ?? ''))?.nodePort
    if (had && !taken.has(had)) port.nodePort = had
  }
}

/** A change of type takes away what only the old type had, where the client did not set it anew. */
export function dropWhatTheTypeLost(service: core.Service, { spec: old }: DeepReadonly<core.Service>): void {
  const { spec } = service
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    if ((spec.clusterIP ?? '') === (old.clusterIP ?? '') && sameList(spec.clusterIPs, old.clusterIPs)) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    if (same(spec.ipFamilies, old.ipFamilies)) delete spec.ipFamilies
    if (spec.ipFamilyPolicy === old.ipFamilyPolicy) delete spec.ipFamilyPolicy
  }
  if (mayHaveNodePorts(old) && !mayHaveNodePorts(spec) && addsNoNodePort(spec, old)) for (const port of spec.ports ?? []) delete port.nodePort
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
  if (externallyAccessible(old) && !externallyAccessible(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy)
    delete spec.externalTrafficPolicy
  // taking a balancer down takes its time, which clients need not see
  if (spec.type !== 'LoadBalancer' && service.status) service.status = { ...service.status, loadBalancer: {} }
}

function addsNoNodePort(spec: Spec, old: Spec): boolean {
  const had = new Set(old.ports?.map((port) => port.nodePort))
  return (spec.ports ?? []).every((port) => !port.nodePort || had.has(port.nodePort))
}

/** A policy that means nothing for services that are names, and that was once defaulted for them: it is not shown. */
export function dropInternalPolicyOfNames(spec: core.ServiceSpec): void {
  if (spec.type === 'ExternalName' && (spec.internalTrafficPolicy === 'Cluster' || spec.internalTrafficPolicy === 'Local'))
    delete spec.internalTrafficPolicy
}
