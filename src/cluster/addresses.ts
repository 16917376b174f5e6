import type { core, networking } from '#api'
import { isStatus, resources } from '#api'
import type { Client } from '#client'
import type { AddressClaim } from '#ingress'
import { addressPool, bookName, bookNamespace, claimsOf, ofOurClass, releaseAddress, reserveAddress, staticAddresses, usersOf } from '#ingress'
import { adminClient } from './access.ts'
import type { ClusterConfig } from './config.ts'
import { rangesOf } from './config.ts'

/** A static address of the cluster. */
export interface StaticAddress {
  name: string
  address: string
  /** `Kind namespace/name` of who asks for it. */
  users: string[]
}

const poolOf = (cluster: ClusterConfig) => addressPool(rangesOf(cluster.index).balancers)

export async function createAddress(cluster: ClusterConfig, options: { name: string; address?: string }): Promise<string> {
  await using admin = await adminClient(cluster.name)
  return await reserveAddress(admin.client, { ...options, pool: poolOf(cluster), claims: await claims(cluster, admin.client) })
}

export async function deleteAddress(cluster: ClusterConfig, name: string): Promise<void> {
  await using admin = await adminClient(cluster.name)
  await releaseAddress(admin.client, { name, pool: poolOf(cluster), claims: await claims(cluster, admin.client) })
}

export async function listAddresses(cluster: ClusterConfig): Promise<StaticAddress[]> {
  await using admin = await adminClient(cluster.name)
  const book = await admin.client
    .resource<core.ConfigMap>(resources.configMaps)
    .get(bookName, bookNamespace)
    .catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    })
  const used = await claims(cluster, admin.client)
  return [...staticAddresses(book, poolOf(cluster))].toSorted().map(([name, address]) => ({ name, address, users: usersOf(name, address, used) }))
}

async function claims(cluster: ClusterConfig, client: Client): Promise<AddressClaim[]> {
  const [ingresses, services, classes] = await Promise.all([
    client.resource<networking.Ingress>(resources.ingresses).list(),
    client.resource<core.Service>(resources.services).list(),
    client.resource<networking.IngressClass>(resources.ingressClasses).list(),
  ])
  return claimsOf(ingresses.items, services.items, ofOurClass(classes.items), poolOf(cluster))
}
