import type { DeepReadonly, discovery } from '#api'
import { dns1123Label, dns1123Subdomain, labelValue, portNumber, qualifiedName } from '#api'
import type { ResourceStrategy, WriteContext } from '../../strategy.ts'
import { type Causes, duplicate, immutable, internal, invalid, invalidEach, notSupported, required, same, tooMany } from '../../validation/causes.ts'
import { ipWarnings, parseIP, validateIP, validateNonSpecialIP } from '../../validation/ip.ts'
import { validateLabels } from '../../validation/object-meta.ts'

type Slice = DeepReadonly<discovery.EndpointSlice>
type Endpoint = DeepReadonly<discovery.Endpoint>

const hostnameLabel = 'kubernetes.io/hostname'
const zoneLabel = 'topology.kubernetes.io/zone'
const maxHints = 8

/** Their addresses are canonical: they make them so. */
const controllers = ['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io']

export const endpointSliceStrategy: ResourceStrategy<discovery.EndpointSlice> = {
  default(object) {
    object.endpoints ??= []
    for (const port of object.ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  prepareForCreate: (object, context) => dropTopology(object, undefined, context),
  prepareForUpdate: dropTopology,
  validate(object, _apiVersion, old) {
    const causes: Causes = []
    const { addressType, endpoints = [], ports = [] } = object
    if (!addressType) causes.push(required('addressType'))
    else if (!['FQDN', 'IPv4', 'IPv6'].includes(addressType)) causes.push(notSupported('addressType', addressType, ['FQDN', 'IPv4', 'IPv6']))
    const known = old?.endpoints?.flatMap((endpoint) => endpoint.addresses ?? [])
    if (endpoints.length > 1000) causes.push(tooMany('endpoints', endpoints.length, 1000))
    else endpoints.forEach((endpoint, i) => validateEndpoint(causes, `endpoints[${i}]`, endpoint, addressType, known))
    if (ports.length > 20000) causes.push(tooMany('ports', ports.length, 20000))
    else validatePorts(causes, ports)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'addressType', object.addressType, old.addressType)
    return causes
  },
  generationChanged: (object, old) => !same(contentOf(object), contentOf(old)) || !same(object.metadata.labels, old.metadata.labels),
  warnings(object) {
    const warnings = object.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []
    if (controllers.includes(object.metadata.labels?.['endpointslice.kubernetes.io/managed-by'] ?? '')) return warnings
    object.endpoints?.forEach((endpoint, i) =>
      endpoint.addresses?.forEach((address, j) => warnings.push(...ipWarnings(`endpoints[${i}].addresses[${j}]`, address))),
    )
    return warnings
  },
}

const contentOf = ({ addressType, endpoints, ports }: Slice) => ({ addressType, endpoints, ports })

/**
 * The topology labels of v1beta1 are read in v1 and not written: writes drop them, where the endpoints changed. A node's name that stood there
 * alone moves to the field.
 */
function dropTopology(object: discovery.EndpointSlice, old: Slice | undefined, { request }: WriteContext): void {
  if (request.resource?.version === 'v1beta1') return
  if (old && same(old.endpoints, object.endpoints)) return
  const nodes = new Set(old?.endpoints?.flatMap(({ deprecatedTopology }) => deprecatedTopology?.[hostnameLabel] || []))
  for (const endpoint of object.endpoints ?? []) {
    const node = endpoint.deprecatedTopology?.[hostnameLabel]
    if (endpoint.nodeName === undefined && node !== undefined && nodes.has(node) && dns1123Subdomain(node).length === 0) endpoint.nodeName = node
    delete endpoint.deprecatedTopology
  }
}

function validateEndpoint(causes: Causes, path: string, endpoint: Endpoint, addressType: string, known: readonly string[] | undefined): void {
  const addresses = endpoint.addresses ?? []
  if (addresses.length === 0) causes.push(required(`${path}.addresses`, 'must contain at least 1 address'))
  else if (addresses.length > 100) causes.push(tooMany(`${path}.addresses`, addresses.length, 100))
  addresses.forEach((address, i) => validateAddress(causes, `${path}.addresses[${i}]`, address, addressType, known))
  if (endpoint.nodeName !== undefined) invalidEach(causes, `${path}.nodeName`, endpoint.nodeName, dns1123Subdomain(endpoint.nodeName))
  const topology = endpoint.deprecatedTopology
  if (topology) {
    const at = `${path}.deprecatedTopology`
    const keys = Object.keys(topology).length
    if (keys > 16) causes.push(tooMany(at, keys, 16))
    validateLabels(causes, at, topology)
    if (zoneLabel in topology) causes.push(internal(`${at}[${zoneLabel}]`, 'reserved key was not removed in conversion'))
  }
  if (endpoint.hostname !== undefined) invalidEach(causes, `${path}.hostname`, endpoint.hostname, dns1123Label(endpoint.hostname))
  validateHints(causes, `${path}.hints.forZones`, endpoint.hints?.forZones, labelValue)
  validateHints(causes, `${path}.hints.forNodes`, endpoint.hints?.forNodes, dns1123Subdomain)
}

function validateAddress(causes: Causes, path: string, address: string, addressType: string, known: readonly string[] | undefined): void {
  if (addressType === 'FQDN') validateDomain(causes, path, address)
  else if (addressType === 'IPv4' || addressType === 'IPv6') {
    if (!validateIP(causes, path, address, known)) return
    const family = addressType === 'IPv4' ? 4 : 6
    if (parseIP(address)?.family !== family) causes.push(invalid(path, address, `must be an ${addressType} address`))
    validateNonSpecialIP(causes, path, address)
  }
}

/** apimachinery's IsFullyQualifiedDomainName: it may end with a dot, and stops at what it finds first. */
function validateDomain(causes: Causes, path: string, text: string): void {
  if (!text) {
    causes.push(required(path))
    return
  }
  const name = text.replace(/\.$/, '')
  const problems = dns1123Subdomain(name)
  if (problems.length > 0) causes.push(invalid(path, name, problems.join(',')))
  else if (!name.includes('.')) causes.push(invalid(path, name, 'should be a domain with at least two segments separated by dots'))
  else {
    const label = name.split('.').find((one) => dns1123Label(one).length > 0)
    if (label !== undefined) causes.push(invalid(path, label, dns1123Label(label).join(',')))
  }
}

function validateHints(
  causes: Causes,
  path: string,
  hints: DeepReadonly<{ name: string }[]> | undefined,
  check: (name: string) => readonly string[],
): void {
  if (!hints) return
  if (hints.length > maxHints) {
    causes.push(tooMany(path, hints.length, maxHints))
    return
  }
  const names = new Set<string>()
  hints.forEach(({ name = '' }, i) => {
    const at = `${path}[${i}].name`
    if (names.has(name)) causes.push(duplicate(at, name))
    names.add(name)
    invalidEach(causes, at, name, check(name))
  })
}

function validatePorts(causes: Causes, ports: DeepReadonly<discovery.EndpointPort[]>): void {
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
}
