import type { Creatable, meta, networking } from '#api'
import { findCondition, formatTime, isStatus, resources } from '#api'
import type { Clock, Logger } from '#base'
import type { Client } from '#client'
import { defaultServiceCidr } from './service-ranges.ts'

export interface DefaultCidrOptions {
  /** As the server itself. */
  client: Client
  /** The server's own ranges. */
  cidrs: readonly string[]
  clock: Clock
  log: Logger
}

/** Makes the ServiceCIDR of the server's own ranges, and says that it is ready; what somebody else said of it stays. */
export async function ensureDefaultCidr({ client, cidrs, clock, log }: DefaultCidrOptions): Promise<void> {
  const api = client.resource(resources.serviceCIDRs)
  let object = await unless('NotFound', api.get(defaultServiceCidr))
  if (!object) {
    const wanted = { apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: defaultServiceCidr }, spec: { cidrs: [...cidrs] } }
    // another server of the cluster may have been faster
    object = (await unless('AlreadyExists', api.create(wanted as Creatable<networking.ServiceCIDR>))) ?? (await api.get(defaultServiceCidr))
  }
  if (object.metadata.deletionTimestamp) return
  const found = object.spec.cidrs ?? []
  if (cidrs.length === 2 && found.length === 1 && found[0] === cidrs[0]) object = await api.update({ ...object, spec: { cidrs: [...cidrs] } })
  else if (found.join() !== cidrs.join()) {
    log.warn('the default ServiceCIDR does not match the ranges of this server', { found: found.join(), configured: cidrs.join() })
    return
  }
  const conditions = object.status?.conditions ?? []
  if ((findCondition(conditions, 'Ready')?.status ?? 'Unknown') !== 'Unknown') return
  const ready: meta.Condition = {
    type: 'Ready',
    status: 'True',
    reason: '',
    message: 'Kubernetes default Service CIDR is ready',
    lastTransitionTime: formatTime(clock.now()),
  }
  const others = conditions.filter(({ type }) => type !== 'Ready')
  // who was faster has said it already
  await unless('Conflict', api.updateStatus({ ...object, status: { conditions: [...others, ready] } }))
}

async function unless<T>(reason: 'NotFound' | 'AlreadyExists' | 'Conflict', request: Promise<T>): Promise<T | undefined> {
  try {
    return await request
  } catch (error) {
    if (isStatus(error, reason)) return undefined
    throw error
  }
}
