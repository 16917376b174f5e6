import type { core, DeepReadonly } from '#api'
import { errors } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { Backend, Dial, TlsClient } from './backend.ts'

const addressTypes = ['InternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS', 'ExternalIP']

/** How the kubelet of a node is reached, by what its node object says; throws StatusError. */
export function kubeletBackend(reader: ObjectReader, nodeName: string, tls: TlsClient, dial: Dial): Backend {
  const node = reader.get<core.Node>('', 'nodes', '', nodeName)
  if (!node) throw errors.notFound({ group: '', resource: 'nodes' }, nodeName)
  return { ...nodeAddress(node), tls, dial }
}

export function nodeAddress(node: DeepReadonly<core.Node>): { address: string; port: number } {
  const addresses = node.status?.addresses ?? []
  const address = addressTypes.map((type) => addresses.find((a) => a.type === type)).find((found) => found)?.address
  if (!address) throw errors.internal(`no preferred addresses found; known addresses: [${addresses.map((a) => a.address).join(' ')}]`)
  return { address, port: node.status?.daemonEndpoints?.kubeletEndpoint?.Port || 10250 }
}
