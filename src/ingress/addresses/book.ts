import type { DeepReadonly, core } from '#api'
import { dns1123Label, isStatus, resources } from '#api'
import type { Client } from '#client'
import type { AddressClaim } from './plan.ts'
import type { AddressPool } from './pool.ts'

/** Where static addresses are kept: one ConfigMap, an entry `name: address` each. */
export const bookNamespace = 'kube-system'
export const bookName = 'k8ts-addresses'

/** The static addresses by name; entries that are no address of the pool are left out. */
export function staticAddresses(book: DeepReadonly<core.ConfigMap> | undefined, pool: AddressPool): Map<string, string> {
  return new Map(Object.entries(book?.data ?? {}).filter(([, ip]) => pool.contains(ip)))
}

export interface ReserveOptions {
  name: string
  /** One is chosen when absent. */
  address?: string
  pool: AddressPool
  /** What the cluster uses addresses for. */
  claims: readonly AddressClaim[]
}

/** Reserves an address under a name; throws, saying why, when the name or the address is taken. */
export async function reserveAddress(client: Client, options: ReserveOptions): Promise<string> {
  const { name, address, pool, claims } = options
  const wrong = dns1123Label(name)
  if (wrong.length > 0) throw new Error(`invalid name ${JSON.stringify(name)}: ${wrong.join('; ')}`)
  if (address !== undefined && !pool.contains(address)) throw new Error(`${address} is not in the cluster's pool ${pool.cidr}`)
  return await changeBook(client, pool, (known) => {
    if (known.has(name)) throw new Error(`there is an address ${name} already: ${known.get(name)}`)
    const reserved = new Map([...known].map(([other, ip]) => [ip, other]))
    const held = new Map(claims.flatMap((claim) => (claim.held ? [[claim.held, `${claim.kind} ${claim.key}`]] : [])))
    if (address !== undefined) {
      if (reserved.has(address)) throw new Error(`${address} is reserved as ${reserved.get(address)}`)
      if (held.has(address)) throw new Error(`${address} is used by ${held.get(address)}`)
    }
    const chosen = address ?? pool.free(new Set([...reserved.keys(), ...held.keys()]), 'upper')
    if (!chosen) throw new Error(`no address is free in ${pool.cidr}`)
    return { entries: { [name]: chosen }, answer: chosen }
  })
}

/** Gives a reserved address back; refused while an Ingress or a Service asks for it by name or has it. */
export async function releaseAddress(client: Client, options: { name: string; pool: AddressPool; claims: readonly AddressClaim[] }): Promise<void> {
  const { name, pool, claims } = options
  await changeBook(client, pool, (known) => {
    const ip = known.get(name)
    if (ip === undefined) throw new Error(`there is no address ${name}`)
    const users = usersOf(name, ip, claims)
    if (users.length > 0) throw new Error(`address ${name} (${ip}) is in use by ${users.join(', ')}: change or delete that first`)
    return { entries: { [name]: null }, answer: undefined }
  })
}

/** Who asks for a static address by its name, or has it. */
export function usersOf(name: string, ip: string, claims: readonly AddressClaim[]): string[] {
  return claims
    .filter(
      (claim) =>
        claim.held === ip || (typeof claim.wants === 'object' && ('name' in claim.wants ? claim.wants.name === name : claim.wants.ip === ip)),
    )
    .map((claim) => `${claim.kind} ${claim.key}`)
}

/** Reads, decides and writes until nobody else wrote in between. */
async function changeBook<T>(
  client: Client,
  pool: AddressPool,
  decide: (known: Map<string, string>) => { entries: Record<string, string | null>; answer: T },
): Promise<T> {
  const books = client.resource<core.ConfigMap>(resources.configMaps)
  for (;;) {
    const book = await books.get(bookName, bookNamespace).catch((error: unknown) => {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    })
    const { entries, answer } = decide(staticAddresses(book, pool))
    try {
      if (!book)
        await books.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: bookName, namespace: bookNamespace },
          data: entries as Record<string, string>,
        })
      else await books.patch(bookName, bookNamespace, 'merge', { metadata: { resourceVersion: book.metadata.resourceVersion }, data: entries })
      return answer
    } catch (error) {
      if (!isStatus(error, 'Conflict') && !isStatus(error, 'AlreadyExists')) throw error
    }
  }
}
