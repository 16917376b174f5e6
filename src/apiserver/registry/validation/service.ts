import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, optionalOneOf, required } from './causes.ts'
import { validateCidr, validateIP, validateNonSpecialIP } from './ip.ts'
import { validateLabels } from './object-meta.ts'
import { validatePortOrName } from './pod/probes.ts'
import { isHeadless, validateAddressUpdate, validateServiceAddresses } from './service-addresses.ts'

type Service = DeepReadonly<core.Service>
type Spec = Service['spec']

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const protocols = ['SCTP', 'TCP', 'UDP']
const maxAffinitySeconds = 86400
const sourceRanges = 'service.beta.kubernetes.io/load-balancer-source-ranges'
const onlyBalanced = "may only be used when `type` is 'LoadBalancer'"

export const topologyHints = 'service.kubernetes.io/topology-aware-hints'
export const topologyMode = 'service.kubernetes.io/topology-mode'

/** Reachable from outside, and so with a policy for traffic from there. */
export const externallyAccessible = ({ type, externalIPs }: Spec) =>
  type === 'LoadBalancer' || type === 'NodePort' || (type === 'ClusterIP' && Boolean(externalIPs?.length))

export const needsHealthCheckPort = ({ type, externalTrafficPolicy }: Spec) => type === 'LoadBalancer' && externalTrafficPolicy === 'Local'

/** `old`: what an update replaces; addresses that it has may stay as they are written. */
export function validateService(service: Service, old?: Service): Causes {
  const causes: Causes = []
  const { spec, metadata } = service
  const headless = isHeadless(spec)
  const annotations = metadata.annotations ?? {}
  const [hints, mode] = [annotations[topologyHints], annotations[topologyMode]]
  if (hints !== undefined && mode !== undefined && hints !== mode)
    causes.push(invalid(`metadata.annotations[${topologyMode}]`, mode, `must match annotations[${topologyHints}] when both are specified`))
  if (!spec.ports?.length && !headless && spec.type !== 'ExternalName') causes.push(required('spec.ports'))
  validateTypeFields(causes, spec, headless)
  validatePorts(causes, spec)
  if (spec.selector) validateLabels(causes, 'spec.selector', spec.selector)
  validateAffinity(causes, spec)
  validateServiceAddresses(causes, spec, old?.spec)
  spec.externalIPs?.forEach((address, i) => {
    const at = `spec.externalIPs[${i}]`
    if (validateIP(causes, at, address, old?.spec.externalIPs)) validateNonSpecialIP(causes, at, address)
  })
  if (!spec.type) causes.push(required('spec.type'))
  else if (!types.includes(spec.type)) causes.push(notSupported('spec.type', spec.type, types))
  validateBalancer(causes, service, old)
  validateTrafficPolicies(causes, spec)
  return causes
}

function validateTypeFields(causes: Causes, spec: Spec, headless: boolean): void {
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (headless) causes.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  } else if (spec.type === 'ExternalName') {
    const none = 'may not be set for ExternalName services'
    if (spec.clusterIPs?.length) causes.push(forbidden('spec.clusterIPs', none))
    if (spec.ipFamilies?.length) causes.push(forbidden('spec.ipFamilies', none))
    if (spec.ipFamilyPolicy !== undefined) causes.push(forbidden('spec.ipFamilyPolicy', none))
    // a dot at the end says that the name is whole
    const name = spec.externalName?.replace(/\.$/, '') ?? ''
    if (!name) causes.push(required('spec.externalName'))
    else invalidEach(causes, 'spec.externalName', name, dns1123Subdomain(name))
  }
}

function validatePorts(causes: Causes, spec: Spec): void {
  const ports = spec.ports ?? []
  const names = new Set<string>()
  const numbers = new Set<string>()
  const nodePorts = new Set<string>()
  const manyPorts = ports.length > 1
  ports.forEach((port, i) => {
    const at = `spec.ports[${i}]`
    if (!port.name) {
      if (manyPorts) causes.push(required(`${at}.name`))
    } else {
      invalidEach(causes, `${at}.name`, port.name, dns1123Label(port.name))
      if (names.has(port.name)) causes.push(duplicate(`${at}.name`, port.name))
      names.add(port.name)
    }
    invalidEach(causes, `${at}.port`, port.port ?? 0, portNumber(port.port ?? 0))
    if (!port.protocol) causes.push(required(`${at}.protocol`))
    else if (!protocols.includes(port.protocol)) causes.push(notSupported(`${at}.protocol`, port.protocol, protocols))
    validatePortOrName(causes, `${at}.targetPort`, port.targetPort)
    if (port.appProtocol !== undefined) invalidEach(causes, `${at}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol))
    const number = `${port.protocol}/${port.port}`
    if (numbers.has(number)) causes.push(duplicate(at, portAsGo(port)))
    numbers.add(number)
    if (!port.nodePort) return
    if (spec.type === 'ClusterIP') causes.push(forbidden(`${at}.nodePort`, "may not be used when `type` is 'ClusterIP'"))
    const key = `${port.protocol}/${port.nodePort}`
    if (nodePorts.has(key)) causes.push(duplicate(`${at}.nodePort`, port.nodePort))
    nodePorts.add(key)
  })
}

/** What is the same of two ports, as upstream prints it: a struct whose fields have the names that Go gives them. */
const portAsGo = ({ protocol, port }: DeepReadonly<core.ServicePort>) => ({
  Name: '',
  Protocol: protocol,
  AppProtocol: null,
  Port: port,
  TargetPort: 0,
  NodePort: 0,
})

function validateAffinity(causes: Causes, spec: Spec): void {
  if (!spec.sessionAffinity) causes.push(required('spec.sessionAffinity'))
  else if (spec.sessionAffinity !== 'ClientIP' && spec.sessionAffinity !== 'None')
    causes.push(notSupported('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']))
  const path = 'spec.sessionAffinityConfig'
  if (spec.sessionAffinity === 'ClientIP') {
    const config = spec.sessionAffinityConfig
    const seconds = config?.clientIP?.timeoutSeconds
    if (!config) causes.push(required(path, 'when session affinity type is ClientIP'))
    else if (!config.clientIP) causes.push(required(`${path}.clientIP`, 'when session affinity type is ClientIP'))
    else if (seconds === undefined) causes.push(required(`${path}.clientIP.timeoutSeconds`, 'when session affinity type is ClientIP'))
    else if (seconds <= 0 || seconds > maxAffinitySeconds)
      causes.push(invalid(`${path}.clientIP.timeoutSeconds`, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`))
  } else if (spec.sessionAffinity === 'None' && spec.sessionAffinityConfig)
    causes.push(forbidden(path, 'must not be set when session affinity is None'))
}

/** What only balanced services may have. */
function validateBalancer(causes: Causes, { spec, metadata }: Service, old: Service | undefined): void {
  const balanced = spec.type === 'LoadBalancer'
  const annotation = metadata.annotations?.[sourceRanges]
  if (spec.loadBalancerSourceRanges?.length) {
    const path = 'spec.LoadBalancerSourceRanges'
    if (!balanced) causes.push(forbidden(path, onlyBalanced))
    // blanks around them were once allowed, in the annotation
    const before = old?.spec.loadBalancerSourceRanges?.map((range) => range.trim())
    spec.loadBalancerSourceRanges.forEach((range, i) => validateCidr(causes, `${path}[${i}]`, range.trim(), before))
  } else if (annotation !== undefined) {
    const path = `metadata.annotations[${sourceRanges}]`
    if (!balanced) causes.push(forbidden(path, onlyBalanced))
    if (annotation.trim() !== '' && annotation !== old?.metadata.annotations?.[sourceRanges])
      for (const range of annotation.split(',')) validateCidr(causes, path, range.trim())
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && !balanced) causes.push(forbidden('spec.allocateLoadBalancerNodePorts', onlyBalanced))
  // the path is upstream's
  if (balanced && spec.allocateLoadBalancerNodePorts === undefined) causes.push(required('allocateLoadBalancerNodePorts'))
  if (spec.loadBalancerClass !== undefined) {
    if (!balanced) causes.push(forbidden('spec.loadBalancerClass', onlyBalanced))
    else invalidEach(causes, 'spec.loadBalancerClass', spec.loadBalancerClass, qualifiedName(spec.loadBalancerClass))
  }
}

function validateTrafficPolicies(causes: Causes, spec: Spec): void {
  const policy = spec.externalTrafficPolicy
  if (!externallyAccessible(spec)) {
    if (policy) causes.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'))
  } else if (!policy) causes.push(required('spec.externalTrafficPolicy'))
  else if (policy !== 'Cluster' && policy !== 'Local') causes.push(notSupported('spec.externalTrafficPolicy', policy, ['Cluster', 'Local']))
  const port = spec.healthCheckNodePort
  if (!needsHealthCheckPort(spec)) {
    if (port)
      causes.push(invalid('spec.healthCheckNodePort', port, "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'"))
  } else if (!port) causes.push(required('spec.healthCheckNodePort'))
  else invalidEach(causes, 'spec.healthCheckNodePort', port, portNumber(port))
  if (spec.internalTrafficPolicy === undefined) {
    if (spec.type !== 'ExternalName' && types.includes(spec.type ?? '')) causes.push(required('spec.internalTrafficPolicy'))
  } else optionalOneOf(causes, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local'])
  optionalOneOf(causes, 'spec.trafficDistribution', spec.trafficDistribution, ['PreferClose', 'PreferSameZone', 'PreferSameNode'])
}

/** What an update of a valid service to a valid service may not do. */
export function validateServiceUpdate({ spec }: Service, { spec: old }: Service): Causes {
  const causes: Causes = []
  validateAddressUpdate(causes, spec, old)
  if (old.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && old.loadBalancerClass !== spec.loadBalancerClass)
    causes.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'))
  if (needsHealthCheckPort(old) && needsHealthCheckPort(spec) && spec.healthCheckNodePort !== old.healthCheckNodePort)
    causes.push(forbidden('spec.healthCheckNodePort', 'field is immutable'))
  return causes
}
