import { isIP } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, immutable, invalid, invalidEach, notSupported, optionalOneOf, required } from './causes.ts'
import { validateLabels } from './object-meta.ts'
import { validatePortOrName } from './pod/probes.ts'

type Service = DeepReadonly<core.Service>

const types = ['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort']
const protocols = ['SCTP', 'TCP', 'UDP']
const ipMessage = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const maxAffinitySeconds = 86400

export function validateService(service: Service): Causes {
  const causes: Causes = []
  const { spec } = service
  const headless = spec.clusterIP === 'None'
  const ports = spec.ports ?? []
  if (ports.length === 0 && !headless && spec.type !== 'ExternalName') causes.push(required('spec.ports'))
  validateTypeFields(causes, spec, headless)
  validatePorts(causes, spec, headless)
  if (spec.selector) validateLabels(causes, 'spec.selector', spec.selector)
  validateAffinity(causes, spec)
  spec.externalIPs?.forEach((address, i) => validateExternalAddress(causes, `spec.externalIPs[${i}]`, address))
  spec.loadBalancerSourceRanges?.forEach((range, i) => {
    if (!isCidr(range))
      causes.push(invalid(`spec.LoadBalancerSourceRanges[${i}]`, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
  })
  if (spec.loadBalancerSourceRanges?.length && spec.type !== 'LoadBalancer')
    causes.push(forbidden('spec.LoadBalancerSourceRanges', "may only be used when `type` is 'LoadBalancer'"))
  if (spec.loadBalancerClass !== undefined) {
    if (spec.type !== 'LoadBalancer') causes.push(forbidden('spec.loadBalancerClass', "may only be used when `type` is 'LoadBalancer'"))
    else invalidEach(causes, 'spec.loadBalancerClass', spec.loadBalancerClass, qualifiedName(spec.loadBalancerClass))
  }
  validateTrafficPolicies(causes, spec)
  validateClusterIPs(causes, spec, headless)
  return causes
}

function validateTypeFields(causes: Causes, spec: Service['spec'], headless: boolean): void {
  if (!spec.type) causes.push(required('spec.type'))
  else if (!types.includes(spec.type)) causes.push(notSupported('spec.type', spec.type, types))
  if (spec.type === 'LoadBalancer' || spec.type === 'NodePort') {
    if (headless) causes.push(invalid('spec.clusterIPs[0]', 'None', `may not be set to 'None' for ${spec.type} services`))
  }
  if (spec.type === 'ExternalName') {
    if (spec.clusterIPs?.length) causes.push(forbidden('spec.clusterIPs', 'may not be set for ExternalName services'))
    const name = spec.externalName?.replace(/\.$/, '') ?? ''
    if (!name) causes.push(required('spec.externalName'))
    else invalidEach(causes, 'spec.externalName', spec.externalName, dns1123Subdomain(name))
  }
  if (spec.allocateLoadBalancerNodePorts !== undefined && spec.type !== 'LoadBalancer')
    causes.push(forbidden('spec.allocateLoadBalancerNodePorts', "may only be used when `type` is 'LoadBalancer'"))
}

function validatePorts(causes: Causes, spec: Service['spec'], headless: boolean): void {
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
    if (!headless) {
      const key = `${port.protocol}/${port.port}`
      if (numbers.has(key)) causes.push(duplicate(at, { port: port.port, protocol: port.protocol }))
      numbers.add(key)
    }
    if (!port.nodePort) return
    if (spec.type === 'ClusterIP' || spec.type === 'ExternalName')
      causes.push(forbidden(`${at}.nodePort`, `may not be used when \`type\` is '${spec.type}'`))
    const key = `${port.protocol}/${port.nodePort}`
    if (nodePorts.has(key)) causes.push(duplicate(`${at}.nodePort`, port.nodePort))
    nodePorts.add(key)
  })
}

function validateAffinity(causes: Causes, spec: Service['spec']): void {
  if (!spec.sessionAffinity) causes.push(required('spec.sessionAffinity'))
  else if (spec.sessionAffinity !== 'ClientIP' && spec.sessionAffinity !== 'None')
    causes.push(notSupported('spec.sessionAffinity', spec.sessionAffinity, ['ClientIP', 'None']))
  if (spec.sessionAffinity === 'ClientIP') {
    const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds
    const path = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds'
    if (seconds === undefined) causes.push(required(path))
    else if (seconds <= 0 || seconds > maxAffinitySeconds)
      causes.push(invalid(path, seconds, `must be greater than 0 and less than ${maxAffinitySeconds}`))
  } else if (spec.sessionAffinityConfig) causes.push(forbidden('spec.sessionAffinityConfig', `must not be set when session affinity is None`))
}

function validateExternalAddress(causes: Causes, path: string, address: string): void {
  if (isIP(address) === 0) causes.push(invalid(path, address, ipMessage))
  else if (address === '0.0.0.0' || address === '::') causes.push(invalid(path, address, `may not be unspecified (${address})`))
  else if (/^127\.|^::1$/.test(address)) causes.push(invalid(path, address, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  else if (/^169\.254\.|^fe[89ab]/i.test(address))
    causes.push(invalid(path, address, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  else if (/^224\.0\.0\.|^ff02:/i.test(address))
    causes.push(invalid(path, address, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
}

function validateTrafficPolicies(causes: Causes, spec: Service['spec']): void {
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer' || Boolean(spec.externalIPs?.length)
  const policy = spec.externalTrafficPolicy
  if (!external) {
    if (policy) causes.push(invalid('spec.externalTrafficPolicy', policy, 'may only be set for externally-accessible services'))
  } else if (!policy) causes.push(required('spec.externalTrafficPolicy'))
  else if (policy !== 'Cluster' && policy !== 'Local') causes.push(notSupported('spec.externalTrafficPolicy', policy, ['Cluster', 'Local']))
  const needsHealth = spec.type === 'LoadBalancer' && policy === 'Local'
  if (spec.healthCheckNodePort && !needsHealth)
    causes.push(
      invalid(
        'spec.healthCheckNodePort',
        spec.healthCheckNodePort,
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ),
    )
  if (spec.internalTrafficPolicy !== undefined || (spec.type !== 'ExternalName' && types.includes(spec.type ?? ''))) {
    if (spec.internalTrafficPolicy === undefined) causes.push(required('spec.internalTrafficPolicy'))
    else optionalOneOf(causes, 'spec.internalTrafficPolicy', spec.internalTrafficPolicy, ['Cluster', 'Local'])
  }
  if (spec.trafficDistribution !== undefined && spec.trafficDistribution !== '')
    optionalOneOf(causes, 'spec.trafficDistribution', spec.trafficDistribution, ['PreferClose', 'PreferSameNode', 'PreferSameZone'])
}

function validateClusterIPs(causes: Causes, spec: Service['spec'], headless: boolean): void {
  if (spec.type === 'ExternalName') return
  const { clusterIP, clusterIPs } = spec
  if (clusterIP && !clusterIPs?.length) causes.push(required('spec.clusterIPs'))
  if (clusterIPs?.length && clusterIPs[0] !== (clusterIP ?? ''))
    causes.push(invalid('spec.clusterIPs', clusterIPs, 'first value must match `clusterIP`'))
  clusterIPs?.forEach((address, i) => {
    const path = `spec.clusterIPs[${i}]`
    if (address === 'None') {
      if (clusterIPs.length > 1) causes.push(invalid(path, address, "'None' must be the first and only value"))
    } else if (isIP(address) === 0) causes.push(invalid(path, address, ipMessage))
  })
  if (!headless && (clusterIPs?.length ?? 0) > 2) causes.push(invalid('spec.clusterIPs', clusterIPs, 'may only hold up to 2 values'))
  if (spec.ipFamilies) {
    const seen = new Set<string>()
    spec.ipFamilies.forEach((family, i) => {
      if (family !== 'IPv4' && family !== 'IPv6') causes.push(notSupported(`spec.ipFamilies[${i}]`, family, ['IPv4', 'IPv6']))
      else if (seen.has(family)) causes.push(duplicate(`spec.ipFamilies[${i}]`, family))
      seen.add(family)
    })
  }
  optionalOneOf(causes, 'spec.ipFamilyPolicy', spec.ipFamilyPolicy, ['PreferDualStack', 'RequireDualStack', 'SingleStack'])
}

/** The primary cluster IP never changes while the service needs one; a set class of load balancer never changes. */
export function validateServiceUpdate(service: Service, old: Service): Causes {
  const causes: Causes = []
  const { spec } = service
  const before = old.spec
  if (spec.type !== 'ExternalName' && before.type !== 'ExternalName' && before.clusterIP) {
    if (spec.clusterIPs?.[0] !== before.clusterIPs?.[0])
      causes.push(invalid('spec.clusterIPs[0]', spec.clusterIPs ?? null, 'may not change once set'))
    else if (spec.ipFamilies?.[0] !== before.ipFamilies?.[0] && before.ipFamilies?.length)
      causes.push(invalid('spec.ipFamilies[0]', spec.ipFamilies ?? null, 'may not change once set'))
  }
  if (before.type === 'LoadBalancer' && spec.type === 'LoadBalancer' && before.loadBalancerClass !== spec.loadBalancerClass)
    causes.push(invalid('spec.loadBalancerClass', spec.loadBalancerClass ?? null, 'may not change once set'))
  if (needsHealthPort(before) && needsHealthPort(spec))
    immutable(causes, 'spec.healthCheckNodePort', spec.healthCheckNodePort, before.healthCheckNodePort)
  return causes
}

const needsHealthPort = (spec: Service['spec']) => spec.type === 'LoadBalancer' && spec.externalTrafficPolicy === 'Local'

export function isCidr(text: string): boolean {
  const slash = text.indexOf('/')
  if (slash < 0) return false
  const family = isIP(text.slice(0, slash))
  const bits = text.slice(slash + 1)
  return family !== 0 && /^[0-9]{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}
