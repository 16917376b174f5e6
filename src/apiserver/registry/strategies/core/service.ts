import { isIP, isIPv6 } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1035Label } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import type { Causes } from '../../validation/causes.ts'
import { validateLoadBalancer } from '../../validation/load-balancer.ts'
import { validateService, validateServiceUpdate } from '../../validation/service.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultService } from './service-defaults.ts'

type Service = DeepReadonly<core.Service>
type Port = core.ServicePort

export const serviceStrategy: ResourceStrategy<core.Service> = {
  default: defaultService,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} }
    normalizeClusterIPs(service)
    settleFamilies(service.spec)
  },
  prepareForUpdate(service, old) {
    keepStatus(service, old)
    keepAllocated(service.spec, old.spec)
    normalizeClusterIPs(service, old)
    dropWhatTheTypeLost(service.spec, old.spec)
    settleFamilies(service.spec)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate: validateService,
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateLoadBalancer(causes, status?.loadBalancer?.ingress)
    return causes
  },
  validateName: dns1035Label,
  allowCreateOnUpdate: true,
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
}

export const needsClusterIP = ({ type }: DeepReadonly<core.ServiceSpec>) => type !== 'ExternalName'

export const needsNodePorts = (spec: DeepReadonly<core.ServiceSpec>) =>
  spec.type === 'NodePort' || (spec.type === 'LoadBalancer' && spec.allocateLoadBalancerNodePorts !== false)

export const needsHealthCheckPort = (spec: DeepReadonly<core.ServiceSpec>) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

/** `clusterIP` and the first of `clusterIPs` are one: whichever a client set or cleared, the other follows. */
function normalizeClusterIPs({ spec }: core.Service, old?: Service): void {
  const { clusterIP, clusterIPs } = spec
  if (!old) {
    if (clusterIP && !clusterIPs?.length) spec.clusterIPs = [clusterIP]
    return
  }
  const had = old.spec.clusterIP ?? ''
  const firstHad = old.spec.clusterIPs?.[0] ?? ''
  if ((clusterIP ?? '') !== had) {
    if (clusterIP && (clusterIPs?.[0] ?? '') === firstHad) spec.clusterIPs = [clusterIP]
    else if (!clusterIP && (clusterIPs?.[0] ?? '') === firstHad) delete spec.clusterIPs
  } else if ((clusterIPs?.[0] ?? '') !== firstHad && clusterIPs?.length === 0) delete spec.clusterIP
}

/** A client that applies a manifest does not know what was allocated: what it leaves out stays. */
function keepAllocated(spec: core.ServiceSpec, old: DeepReadonly<core.ServiceSpec>): void {
  if (needsClusterIP(old) && needsClusterIP(spec)) {
    if (!spec.clusterIP && (!spec.clusterIPs?.length || spec.clusterIPs[0] === old.clusterIP)) {
      if (old.clusterIP !== undefined) spec.clusterIP = old.clusterIP
      if (!spec.clusterIPs?.length && old.clusterIPs) spec.clusterIPs = [...old.clusterIPs]
    }
    if (!spec.ipFamilies?.length && old.ipFamilies && spec.clusterIP === old.clusterIP) spec.ipFamilies = [...old.ipFamilies]
    if (!spec.ipFamilyPolicy && old.ipFamilyPolicy && spec.clusterIP === old.clusterIP) spec.ipFamilyPolicy = old.ipFamilyPolicy
  }
  if (needsNodePorts(old) && needsNodePorts(spec) && spec.ports && old.ports) {
    const taken = new Set(spec.ports.map((port) => port.nodePort).filter(Boolean))
    for (const port of spec.ports) {
      if (port.nodePort) continue
      const had = old.ports.find((one) => one.protocol === port.protocol && one.port === port.port)
      if (had?.nodePort && !taken.has(had.nodePort)) port.nodePort = had.nodePort
    }
  }
  if (needsHealthCheckPort(old) && needsHealthCheckPort(spec) && !spec.healthCheckNodePort && old.healthCheckNodePort !== undefined)
    spec.healthCheckNodePort = old.healthCheckNodePort
}

/** A change of type takes away what only the old type had, where the client did not set it anew. */
function dropWhatTheTypeLost(spec: core.ServiceSpec, old: DeepReadonly<core.ServiceSpec>): void {
  if (needsClusterIP(old) && !needsClusterIP(spec)) {
    if (spec.clusterIP === old.clusterIP) {
      delete spec.clusterIP
      delete spec.clusterIPs
    }
    delete spec.ipFamilies
    delete spec.ipFamilyPolicy
    delete spec.internalTrafficPolicy
  }
  if (needsNodePorts(old) && !needsNodePorts(spec) && sameNodePorts(spec.ports, old.ports)) {
    for (const port of spec.ports ?? []) delete port.nodePort
  }
  if (needsHealthCheckPort(old) && !needsHealthCheckPort(spec) && spec.healthCheckNodePort === old.healthCheckNodePort)
    delete spec.healthCheckNodePort
  const external = (one: DeepReadonly<core.ServiceSpec>) => one.type === 'NodePort' || one.type === 'LoadBalancer' || Boolean(one.externalIPs?.length)
  if (external(old) && !external(spec) && spec.externalTrafficPolicy === old.externalTrafficPolicy) delete spec.externalTrafficPolicy
  if (old.type === 'LoadBalancer' && spec.type !== 'LoadBalancer') {
    if (spec.allocateLoadBalancerNodePorts === old.allocateLoadBalancerNodePorts) delete spec.allocateLoadBalancerNodePorts
    if (spec.loadBalancerClass === old.loadBalancerClass) delete spec.loadBalancerClass
  }
}

function sameNodePorts(ports: Port[] | undefined, old: DeepReadonly<Port[]> | undefined): boolean {
  const had = new Set(old?.map((port) => port.nodePort))
  return (ports ?? []).every((port) => !port.nodePort || had.has(port.nodePort))
}

/** Single-stack clusters: one family, that of the address where one is asked for. */
function settleFamilies(spec: core.ServiceSpec): void {
  if (!needsClusterIP(spec)) return
  const headlessWithoutSelector = spec.clusterIP === 'None' && !spec.selector
  spec.ipFamilyPolicy ||= headlessWithoutSelector ? 'RequireDualStack' : 'SingleStack'
  if (spec.ipFamilies?.length) return
  if (headlessWithoutSelector && spec.ipFamilyPolicy !== 'SingleStack') spec.ipFamilies = ['IPv4', 'IPv6']
  else spec.ipFamilies = [spec.clusterIP && isIP(spec.clusterIP) && isIPv6(spec.clusterIP) ? 'IPv6' : 'IPv4']
}
