import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, portNumber, qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalidEach, notSupported, required } from '../../validation/causes.ts'
import { ipWarnings, validateIP, validateNonSpecialIP } from '../../validation/ip.ts'

type Subsets = DeepReadonly<core.EndpointSubset[]> | undefined

const protocols = ['SCTP', 'TCP', 'UDP']
const lists = ['addresses', 'notReadyAddresses'] as const

export const endpointsStrategy: ResourceStrategy<core.Endpoints> = {
  default(object) {
    for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate({ subsets }, _apiVersion, old) {
    const causes: Causes = []
    const known = addressesOf(old?.subsets)
    subsets?.forEach((subset, i) => validateSubset(causes, `subsets[${i}]`, subset, known))
    return causes
  },
  allowCreateOnUpdate: true,
  warnings({ metadata, subsets }) {
    // the controller writes canonical addresses
    if (metadata.labels?.['endpoints.kubernetes.io/managed-by'] === 'endpoint-controller') return []
    return (subsets ?? []).flatMap((subset, i) =>
      lists.flatMap((list) => (subset[list] ?? []).flatMap(({ ip }, j) => ipWarnings(`subsets[${i}].${list}[${j}].ip`, ip))),
    )
  },
}

const addressesOf = (subsets: Subsets) => subsets?.flatMap((subset) => lists.flatMap((list) => (subset[list] ?? []).map(({ ip }) => ip)))

function validateSubset(causes: Causes, path: string, subset: DeepReadonly<core.EndpointSubset>, known: readonly string[] | undefined): void {
  if (lists.every((list) => !subset[list]?.length)) causes.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
  for (const list of lists) subset[list]?.forEach((address, i) => validateAddress(causes, `${path}.${list}[${i}]`, address, known))
  const ports = subset.ports ?? []
  ports.forEach((port, i) => {
    const at = `${path}.ports[${i}]`
    if (!port.name) {
      if (ports.length > 1) causes.push(required(`${at}.name`))
    } else invalidEach(causes, `${at}.name`, port.name, dns1123Label(port.name))
    invalidEach(causes, `${at}.port`, port.port ?? 0, portNumber(port.port ?? 0))
    if (!port.protocol) causes.push(required(`${at}.protocol`))
    else if (!protocols.includes(port.protocol)) causes.push(notSupported(`${at}.protocol`, port.protocol, protocols))
    if (port.appProtocol !== undefined) invalidEach(causes, `${at}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol))
  })
}

function validateAddress(causes: Causes, path: string, address: DeepReadonly<core.EndpointAddress>, known: readonly string[] | undefined): void {
  const { ip = '', hostname, nodeName } = address
  validateIP(causes, `${path}.ip`, ip, known)
  if (hostname) invalidEach(causes, `${path}.hostname`, hostname, dns1123Label(hostname))
  if (nodeName !== undefined) invalidEach(causes, `${path}.nodeName`, nodeName, dns1123Subdomain(nodeName))
  // what is no address at all is named twice, as upstream does
  validateNonSpecialIP(causes, `${path}.ip`, ip)
}
