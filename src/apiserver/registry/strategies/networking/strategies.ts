import { isIP } from 'node:net'
import type { DeepReadonly, discovery, networking } from '#api'
import { dns1035Label, dns1123Label, dns1123Subdomain, pathSegmentName, portName, portNumber, qualifiedName, wildcardDns1123Subdomain } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import {
  type Causes,
  duplicate,
  forbidden,
  immutable,
  invalid,
  invalidEach,
  notSupported,
  optionalOneOf,
  required,
  tooLong,
  tooMany,
} from '../../validation/causes.ts'
import { validateLoadBalancer } from '../../validation/load-balancer.ts'
import { validateLabels } from '../../validation/object-meta.ts'
import { validatePortOrName } from '../../validation/pod/probes.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { isCidr } from '../../validation/service.ts'
import { validateEndpointIP } from '../core/objects.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const classAnnotation = 'kubernetes.io/ingress.class'
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']

export const ingressStrategy: ResourceStrategy<networking.Ingress> = {
  default(object) {
    object.spec ??= {}
    const status = (object.status ??= {})
    status.loadBalancer ??= {}
  },
  prepareForCreate(object) {
    object.status = { loadBalancer: {} }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec }) {
    const causes: Causes = []
    const { defaultBackend, rules = [], tls, ingressClassName } = spec
    if (!defaultBackend && rules.length === 0)
      causes.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
    if (defaultBackend) validateBackend(causes, 'spec.defaultBackend', defaultBackend)
    tls?.forEach((entry, i) => {
      entry.hosts?.forEach((host, j) => invalidEach(causes, `spec.tls[${i}].hosts[${j}]`, host, hostMessages(host)))
      if (entry.secretName) invalidEach(causes, `spec.tls[${i}].secretName`, entry.secretName, dns1123Subdomain(entry.secretName))
    })
    rules.forEach((rule, i) => validateRule(causes, `spec.rules[${i}]`, rule))
    if (ingressClassName !== undefined) {
      invalidEach(causes, 'spec.ingressClassName', ingressClassName, dns1123Subdomain(ingressClassName))
      // Only checked for new objects upstream: old ones may carry both while they migrate.
      const annotated = metadata.annotations?.[classAnnotation]
      if (annotated !== undefined && !metadata.resourceVersion && annotated !== ingressClassName)
        causes.push(invalid(`annotations.${classAnnotation}`, annotated, 'must match `ingressClassName` when both are specified'))
    }
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateLoadBalancer(causes, status?.loadBalancer?.ingress)
    return causes
  },
}

function hostMessages(host: string): readonly string[] {
  return host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host)
}

function validateRule(causes: Causes, path: string, rule: DeepReadonly<networking.IngressRule>): void {
  if (rule.host) {
    if (isIP(rule.host) !== 0) causes.push(invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'))
    invalidEach(causes, `${path}.host`, rule.host, hostMessages(rule.host))
  }
  if (!rule.http) return
  if (!rule.http.paths?.length) causes.push(required(`${path}.http.paths`))
  rule.http.paths?.forEach((entry, i) => {
    const at = `${path}.http.paths[${i}]`
    if (!entry.pathType) {
      causes.push(required(`${at}.pathType`, 'pathType must be specified'))
      return
    }
    if (!pathTypes.includes(entry.pathType)) causes.push(notSupported(`${at}.pathType`, entry.pathType, pathTypes))
    else if (entry.pathType === 'ImplementationSpecific') {
      if (entry.path && !entry.path.startsWith('/')) causes.push(invalid(`${at}.path`, entry.path, 'must be an absolute path'))
    } else validatePath(causes, `${at}.path`, entry.path ?? '')
    validateBackend(causes, `${at}.backend`, entry.backend ?? {})
  })
}

const invalidSequences = ['//', '/./', '/../', '%2f', '%2F']
const invalidSuffixes = ['/..', '/.']

function validatePath(causes: Causes, path: string, value: string): void {
  if (!value.startsWith('/')) causes.push(invalid(path, value, 'must be an absolute path'))
  for (const sequence of invalidSequences) if (value.includes(sequence)) causes.push(invalid(path, value, `must not contain '${sequence}'`))
  for (const suffix of invalidSuffixes) if (value.endsWith(suffix)) causes.push(invalid(path, value, `cannot end with '${suffix}'`))
}

function validateBackend(causes: Causes, path: string, backend: DeepReadonly<networking.IngressBackend>): void {
  const { service, resource } = backend
  if (resource && service) causes.push(invalid(path, '', 'cannot set both resource and service backends'))
  else if (resource) {
    validateReference(causes, `${path}.resource`, resource)
  } else if (service) {
    if (!service.name) causes.push(required(`${path}.service.name`))
    else invalidEach(causes, `${path}.service.name`, service.name, dns1035Label(service.name))
    const { name, number } = service.port ?? {}
    if (name && number) causes.push(invalid(path, '', 'cannot set both port name & port number'))
    else if (name) invalidEach(causes, `${path}.service.port.name`, name, portName(name))
    else if (number) invalidEach(causes, `${path}.service.port.number`, number, portNumber(number))
    else causes.push(required(path, 'port name or number is required'))
  } else causes.push(invalid(path, '', 'resource or service backend is required'))
}

/** Checks what names an object of a kind that the server need not know. */
function validateReference(
  causes: Causes,
  path: string,
  { apiGroup, kind, name }: DeepReadonly<{ apiGroup?: string; kind: string; name: string }>,
): void {
  if (apiGroup !== undefined) invalidEach(causes, `${path}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup))
  if (!kind) causes.push(required(`${path}.kind`, 'kind is required'))
  else invalidEach(causes, `${path}.kind`, kind, pathSegmentName(kind))
  if (!name) causes.push(required(`${path}.name`, 'name is required'))
  else invalidEach(causes, `${path}.name`, name, pathSegmentName(name))
}

export const ingressClassStrategy: ResourceStrategy<networking.IngressClass> = {
  default(object) {
    if (object.spec?.parameters) object.spec.parameters.scope ??= 'Cluster'
  },
  validate({ spec }) {
    const causes: Causes = []
    const controller = spec?.controller ?? ''
    if (controller.length > 250) causes.push(tooLong('spec.controller', 250))
    if (!controller) causes.push(required('spec.controller'))
    else {
      const slash = controller.indexOf('/')
      if (slash <= 0 || slash === controller.length - 1)
        causes.push(invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
      else invalidEach(causes, 'spec.controller', controller, dns1123Subdomain(controller.slice(0, slash)))
    }
    const parameters = spec?.parameters
    if (!parameters) return causes
    validateReference(causes, 'spec.parameters', parameters)
    optionalOneOf(causes, 'spec.parameters.scope', parameters.scope, ['Cluster', 'Namespace'])
    if (parameters.scope === 'Namespace' && !parameters.namespace)
      causes.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
    if (parameters.scope === 'Cluster' && parameters.namespace)
      causes.push(forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec.controller', object.spec.controller, old.spec.controller)
    return causes
  },
}

export const networkPolicyStrategy: ResourceStrategy<networking.NetworkPolicy> = {
  default(object) {
    const spec = (object.spec ??= {})
    spec.podSelector ??= {}
    if (!spec.policyTypes?.length) spec.policyTypes = spec.egress?.length ? ['Ingress', 'Egress'] : ['Ingress']
    for (const rule of spec.ingress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
    for (const rule of spec.egress ?? []) for (const port of rule.ports ?? []) port.protocol ??= 'TCP'
  },
  validate({ spec }) {
    const causes: Causes = []
    validateLabelSelector(causes, 'spec.podSelector', spec.podSelector)
    spec.ingress?.forEach((rule, i) => {
      rule.ports?.forEach((port, j) => validatePolicyPort(causes, `spec.ingress[${i}].ports[${j}]`, port))
      rule.from?.forEach((peer, j) => validatePeer(causes, `spec.ingress[${i}].from[${j}]`, peer))
    })
    spec.egress?.forEach((rule, i) => {
      rule.ports?.forEach((port, j) => validatePolicyPort(causes, `spec.egress[${i}].ports[${j}]`, port))
      rule.to?.forEach((peer, j) => validatePeer(causes, `spec.egress[${i}].to[${j}]`, peer))
    })
    const types = spec.policyTypes ?? []
    if (types.length > 2) causes.push(invalid('spec.policyTypes', types, 'may not specify more than two policyTypes'))
    else
      types.forEach((type, i) => {
        if (type !== 'Ingress' && type !== 'Egress') causes.push(notSupported(`spec.policyTypes[${i}]`, type, ['Ingress', 'Egress']))
      })
    return causes
  },
}

function validatePolicyPort(causes: Causes, path: string, port: DeepReadonly<networking.NetworkPolicyPort>): void {
  if (port.protocol !== undefined && !['SCTP', 'TCP', 'UDP'].includes(port.protocol))
    causes.push(notSupported(`${path}.protocol`, port.protocol, ['TCP', 'UDP', 'SCTP']))
  if (port.port !== undefined) validatePortOrName(causes, `${path}.port`, port.port)
  if (port.endPort === undefined) return
  if (typeof port.port === 'string') causes.push(invalid(`${path}.endPort`, port.endPort, 'may not be specified when `port` is non-numeric'))
  else if (port.port === undefined) causes.push(invalid(`${path}.endPort`, port.endPort, 'may not be specified when `port` is not specified'))
  else if (port.endPort < port.port) causes.push(invalid(`${path}.endPort`, port.endPort, 'must be greater than or equal to `port`'))
  invalidEach(causes, `${path}.endPort`, port.endPort, portNumber(port.endPort))
}

function validatePeer(causes: Causes, path: string, peer: DeepReadonly<networking.NetworkPolicyPeer>): void {
  const { podSelector, namespaceSelector, ipBlock } = peer
  validateLabelSelector(causes, `${path}.podSelector`, podSelector)
  validateLabelSelector(causes, `${path}.namespaceSelector`, namespaceSelector)
  if (!podSelector && !namespaceSelector && !ipBlock) causes.push(required(path, 'must specify a peer'))
  if (!ipBlock) return
  if (podSelector || namespaceSelector) causes.push(forbidden(path, 'may not specify both ipBlock and another peer'))
  if (!ipBlock.cidr) {
    causes.push(required(`${path}.ipBlock.cidr`))
    return
  }
  const message = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'
  if (!isCidr(ipBlock.cidr)) {
    causes.push(invalid(`${path}.ipBlock.cidr`, ipBlock.cidr, message))
    return
  }
  ipBlock.except?.forEach((cidr, i) => {
    const at = `${path}.ipBlock.except[${i}]`
    if (!isCidr(cidr)) causes.push(invalid(at, cidr, message))
    else if (!strictlyWithin(cidr, ipBlock.cidr)) causes.push(invalid(at, cidr, 'must be a strict subset of `cidr`'))
  })
}

/** Whether IPv4 range `inner` lies in `outer` and is smaller; IPv6 ranges are compared by length alone. */
function strictlyWithin(inner: string, outer: string): boolean {
  const [a, bitsA] = inner.split('/') as [string, string]
  const [b, bitsB] = outer.split('/') as [string, string]
  if (isIP(a) !== isIP(b) || Number(bitsA) <= Number(bitsB)) return false
  if (isIP(a) === 6) return true
  const shift = 32 - Number(bitsB)
  return shift === 32 || number(a) >>> shift === number(b) >>> shift
}

const number = (address: string) => address.split('.').reduce((sum, part) => ((sum << 8) | Number(part)) >>> 0, 0)

export const endpointSliceStrategy: ResourceStrategy<discovery.EndpointSlice> = {
  default(object) {
    object.endpoints ??= []
    for (const port of object.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  validate(object) {
    const causes: Causes = []
    const { addressType, endpoints = [], ports = [] } = object
    if (!addressType) causes.push(required('addressType'))
    else if (!['FQDN', 'IPv4', 'IPv6'].includes(addressType)) causes.push(notSupported('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']))
    if (endpoints.length > 1000) causes.push(tooMany('endpoints', endpoints.length, 1000))
    endpoints.forEach((endpoint, i) => validateEndpoint(causes, `endpoints[${i}]`, endpoint, addressType))
    if (ports.length > 20000) causes.push(tooMany('ports', ports.length, 20000))
    const names = new Set<string>()
    ports.forEach((port, i) => {
      const at = `ports[${i}]`
      const name = port.name ?? ''
      if (name) invalidEach(causes, `${at}.name`, name, dns1123Label(name))
      if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
      names.add(name)
      if (!port.protocol) causes.push(required(`${at}.protocol`))
      else if (!['SCTP', 'TCP', 'UDP'].includes(port.protocol)) causes.push(notSupported(`${at}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
      if (port.port !== undefined) invalidEach(causes, `${at}.port`, port.port, portNumber(port.port))
      if (port.appProtocol !== undefined) invalidEach(causes, `${at}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol))
    })
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'addressType', object.addressType, old.addressType)
    return causes
  },
}

function validateEndpoint(causes: Causes, path: string, endpoint: DeepReadonly<discovery.Endpoint>, addressType: string): void {
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) causes.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  else if (addresses.length > 100) causes.push(tooMany(`${path}.addresses`, addresses.length, 100))
  addresses.forEach((address, i) => {
    const at = `${path}.addresses[${i}]`
    if (addressType === 'FQDN') invalidEach(causes, at, address, dns1123Subdomain(address))
    else if (addressType === 'IPv4' && isIP(address) !== 4) causes.push(invalid(at, address, 'must be a valid IPv4 address'))
    else if (addressType === 'IPv6' && isIP(address) !== 6) causes.push(invalid(at, address, 'must be a valid IPv6 address'))
    else validateEndpointIP(causes, at, address)
  })
  if (endpoint.hostname !== undefined) invalidEach(causes, `${path}.hostname`, endpoint.hostname, dns1123Label(endpoint.hostname))
  const topology = endpoint.deprecatedTopology
  if (topology) {
    const keys = Object.keys(topology).length
    if (keys > 16) causes.push(tooMany(`${path}.deprecatedTopology`, keys, 16))
    validateLabels(causes, `${path}.deprecatedTopology`, topology)
  }
  if (endpoint.nodeName !== undefined) invalidEach(causes, `${path}.nodeName`, endpoint.nodeName, dns1123Subdomain(endpoint.nodeName))
  endpoint.hints?.forZones?.forEach((zone, i) => {
    if (!zone.name) causes.push(required(`${path}.hints.forZones[${i}].name`))
  })
}
