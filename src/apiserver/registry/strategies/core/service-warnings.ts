import type { DeepReadonly, core } from '#api'
import { cidrWarnings, ipWarnings } from '../../validation/ip.ts'
import { topologyHints, topologyMode } from '../../validation/service.ts'

/** What the server says about a service that it takes: deprecated fields, and fields that mean nothing here. */
export function serviceWarnings({ metadata, spec }: DeepReadonly<core.Service>): string[] {
  const warnings: string[] = []
  const headless = spec.type === 'ClusterIP' && spec.clusterIP === 'None'
  const named = spec.type === 'ExternalName'
  if (metadata.annotations?.[topologyHints] !== undefined)
    warnings.push(`annotation ${topologyHints} is deprecated, please use ${topologyMode} instead`)
  if (spec.clusterIP && spec.clusterIP !== 'None')
    spec.clusterIPs?.forEach((address, i) => warnings.push(...ipWarnings(`spec.clusterIPs[${i}]`, address)))
  if (headless) {
    if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
    if (spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored for headless services')
    if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  }
  spec.externalIPs?.forEach((address, i) => warnings.push(...ipWarnings(`spec.externalIPs[${i}]`, address)))
  if (spec.externalIPs?.length && !headless && !named)
    warnings.push('spec.externalIPs is deprecated and may no longer be implemented in some clusters')
  if (spec.loadBalancerIP) warnings.push(...ipWarnings('spec.loadBalancerIP', spec.loadBalancerIP))
  spec.loadBalancerSourceRanges?.forEach((range, i) => warnings.push(...cidrWarnings(`spec.loadBalancerSourceRanges[${i}]`, range)))
  if (named && spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (!named && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (spec.trafficDistribution === 'PreferClose') warnings.push('spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"')
  return warnings
}
