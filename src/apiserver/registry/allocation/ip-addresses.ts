import { randomUUID } from 'node:crypto'
import { isIPv6 } from 'node:net'
import type { DeepReadonly, core, networking } from '#api'
import type { Clock } from '#base'
import type { Store } from '#store'
import type { ObjectReader } from '../../object-reader.ts'
import { deletion } from '../deletion.ts'
import { timestamp } from '../registry.ts'
import { resourcePrefix } from '../watch-cache.ts'
import { decodeStored, encodeStored } from '../wire.ts'
import type { Ledger, Owner } from './ledger.ts'

type IPAddress = DeepReadonly<networking.IPAddress>
type Parent = Pick<Owner, 'namespace' | 'name'>

const group = 'networking.k8s.io'
const prefix = resourcePrefix(group, 'ipaddresses')
const familyLabel = 'ipaddress.kubernetes.io/ip-family'
const managerLabel = 'ipaddress.kubernetes.io/managed-by'
const manager = 'ipallocator.k8s.io'

/** An address without its service is forgotten after this time: until then its write may still be under way. */
const graceMs = 60_000

export interface AddressLedgerOptions {
  store: Store
  reader(): ObjectReader
  clock: Clock
}

export interface AddressLedger extends Ledger {
  /** What has to be done so that each service has its addresses and nobody else does. Services whose addresses are in no range are left out by the caller. */
  repair(holders: readonly AddressHolder[]): Promise<AddressRepair[]>
}

export interface AddressHolder extends Parent {
  uid: string
  /** Canonical. */
  addresses: readonly string[]
}

/** What a repair did, or found and could not change. */
export interface AddressRepair {
  address: string
  action: 'claimed' | 'released' | 'twice'
  service: string
}

/**
 * Who has which address of services, as IPAddress objects (KEP-1880). The object is the allocation: it is made by one write to the store under its own key, which only
 * one server can make, and everybody sees it.
 */
export function addressLedger({ store, reader, clock }: AddressLedgerOptions): AddressLedger {
  const known = (text: string) => reader().get<networking.IPAddress>(group, 'ipaddresses', '', text)

  async function create(text: string, owner: Parent): Promise<boolean> {
    return (await store.create(prefix + text, encodeStored(ipAddress(text, owner, timestamp(clock.now()))))).ok
  }

  /** Strikes the address out if it is what `condition` says, be it only once its finalizers let it go. */
  async function remove(text: string, condition: (address: IPAddress) => boolean): Promise<boolean> {
    for (;;) {
      const current = await store.get(prefix + text)
      if (!current) return false
      const address = decodeStored(current.value, current.modRevision) as IPAddress
      if (!condition(address)) return false
      const plan = deletion(address, 'ipaddresses', {}, {}, clock.now())
      if (plan.action === 'nothing') return false
      const { key, modRevision } = current
      const result = await (plan.action === 'mark' ? store.update(key, encodeStored(plan.object), modRevision) : store.delete(key, modRevision))
      if (result.ok) return plan.action === 'remove'
    }
  }

  return {
    create,
    has: async (text) => (await store.get(prefix + text)) !== undefined,
    knows: (text) => known(text) !== undefined,
    async release(text, owner) {
      await remove(text, (address) => isOf(address, owner))
    },
    async repair(holders) {
      const done: AddressRepair[] = []
      const owners = new Map<string, AddressHolder>()
      // what is allocated now: what is allocated while this goes on is no leftover
      const all = reader().list<networking.IPAddress>(group, 'ipaddresses')
      for (const holder of holders)
        for (const address of holder.addresses) {
          const service = `${holder.namespace}/${holder.name}`
          const other = owners.get(address)
          owners.set(address, other ?? holder)
          if (other) {
            done.push({ address, action: 'twice', service })
            continue
          }
          const found = known(address)
          if (found && isOf(found, holder) && isOurs(found)) continue
          const parent = parentOf(found)
          if (parent && holders.some((one) => one !== holder && sameService(one, parent) && one.addresses.includes(address))) {
            done.push({ address, action: 'twice', service })
            continue
          }
          if (found) await remove(address, (current) => !isOf(current, holder) || !isOurs(current))
          if (await create(address, holder)) done.push({ address, action: 'claimed', service })
        }
      const old = clock.now() - graceMs
      for (const address of all) {
        const text = address.metadata.name
        if (!isManaged(address) || owners.has(text) || Date.parse(address.metadata.creationTimestamp ?? '') > old) continue
        const { namespace = '', name = '' } = address.spec.parentRef ?? {}
        if (await remove(text, (current) => current.metadata.uid === address.metadata.uid))
          done.push({ address: text, action: 'released', service: `${namespace}/${name}` })
      }
      return done
    },
  }
}

/** The addresses of a service that are allocated to it. */
export function clusterAddresses({ spec }: DeepReadonly<core.Service>): readonly string[] {
  return spec.type === 'ExternalName' || spec.clusterIP === 'None' ? [] : (spec.clusterIPs ?? [])
}

const isManaged = ({ metadata }: IPAddress) => metadata.labels?.[managerLabel] === manager

const isOurs = (address: IPAddress) => isManaged(address) && address.metadata.labels?.[familyLabel] === familyOf(address.metadata.name)

const familyOf = (address: string) => (isIPv6(address) ? 'IPv6' : 'IPv4')

function parentOf(address: IPAddress | undefined): Parent | undefined {
  const ref = address?.spec.parentRef
  return ref && !ref.group && ref.resource === 'services' ? { namespace: ref.namespace ?? '', name: ref.name ?? '' } : undefined
}

const sameService = (a: Parent, b: Parent) => a.namespace === b.namespace && a.name === b.name

function isOf(address: IPAddress, owner: Parent): boolean {
  const parent = parentOf(address)
  return parent !== undefined && sameService(parent, owner)
}

/** As the server's own client would make it. */
function ipAddress(name: string, owner: Parent, now: string): networking.IPAddress {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IPAddress',
    metadata: {
      name,
      uid: randomUUID(),
      creationTimestamp: now,
      labels: { [familyLabel]: familyOf(name), [managerLabel]: manager },
      managedFields: [
        { manager: 'kube-apiserver', operation: 'Update', apiVersion: 'networking.k8s.io/v1', time: now, fieldsType: 'FieldsV1', fieldsV1 },
      ],
    },
    spec: { parentRef: { resource: 'services', namespace: owner.namespace, name: owner.name } },
  }
}

const fieldsV1 = {
  'f:metadata': { 'f:labels': { '.': {}, [`f:${familyLabel}`]: {}, [`f:${managerLabel}`]: {} } },
  'f:spec': { 'f:parentRef': { '.': {}, 'f:name': {}, 'f:namespace': {}, 'f:resource': {} } },
}
