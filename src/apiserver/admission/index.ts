import type { Clock } from '#base'
import { realClock } from '#base'
import type { Client } from '#client'
import type { Authorizer } from '../authz/authorizer.ts'
import type { RuleResolver } from '../authz/rbac.ts'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import type { AdmissionConfiguration } from './configuration.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { claimStatusAuthorization, deviceAdminAccess } from './dynamic-resources.ts'
import { eventRateLimit } from './event-rate-limit.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { taintNodesByCondition } from './node-taint.ts'
import {
  alwaysAdmit,
  alwaysDeny,
  alwaysPullImages,
  denyServiceExternalIPs,
  limitPodHardAntiAffinityTopology,
  namespaceAutoProvision,
  namespaceExists,
  podNodeSelector,
} from './optional-plugins.ts'
import type { OwnerKind } from './owner-references.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references.ts'
import { podSecurity } from './pod-security.ts'
import type { PolicyMetrics } from './policies/index.ts'
import { admissionPolicies, policyMetrics } from './policies/index.ts'
import { podTolerationRestriction } from './pod-tolerations.ts'
import { policyParameters } from './policy-params.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { persistentVolumeClaimResize, storageObjectInUseProtection } from './storage-protection.ts'
import { podTopologyLabels } from './topology-labels.ts'
import { defaultTolerationSeconds, extendedResourceToleration } from './tolerations.ts'

export type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
export type { OwnerKind } from './owner-references.ts'
export { policyMetrics } from './policies/index.ts'
export { countedResources, quotaStatus } from './resource-quota.ts'
export type { AdmissionConfiguration } from './configuration.ts'
export { rejected, targets } from './rejection.ts'
export { runAdmission } from './run.ts'

export interface AdmissionDeps {
  reader: ObjectReader
  /** The whole union, as requests are decided. */
  authorizer: Authorizer
  rules: RuleResolver
  /** A client of this API server that may write quota status; asked for when it is first needed. */
  client: () => Client
  clock: Clock
  /** Kinds beside the built-in ones, for owner references. */
  kindsOf?: (apiVersion: string, kind: string) => OwnerKind[]
  /** Counts what admission policies do. */
  policyMetrics?: PolicyMetrics
  /** What plugins are told beside the API's objects. */
  configuration?: AdmissionConfiguration
  /** Plugin names to turn on beside the default ones, as `--enable-admission-plugins`. */
  enable?: readonly string[]
  /** Plugin names to leave out, as `--disable-admission-plugins`. */
  disable?: readonly string[]
}

const offByDefault = new Set([
  'AlwaysAdmit',
  'AlwaysDeny',
  'AlwaysPullImages',
  'DenyServiceExternalIPs',
  'EventRateLimit',
  'ExtendedResourceToleration',
  'LimitPodHardAntiAffinityTopology',
  'NamespaceAutoProvision',
  'NamespaceExists',
  'OwnerReferencesPermissionEnforcement',
  'PodNodeSelector',
  'PodTolerationRestriction',
])

/** What upstream does outside of admission: there is no turning it off. */
const always = new Set(['RBACEscalation', 'DeviceAdminAccess', 'ResourceClaimStatusAuthorization', 'AdmissionPolicyParameters'])

/** Refuses names of plugins that there are not, and plugins that are to be on and off. Throws Error in upstream's words. */
export function checkPluginNames(enable: readonly string[], disable: readonly string[]): void {
  const known = new Set(pluginNames())
  const wrong = [
    ...enable.filter((name) => !known.has(name)).map((name) => `enable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
    ...disable.filter((name) => !known.has(name)).map((name) => `disable-admission-plugins plugin ${JSON.stringify(name)} is unknown`),
  ]
  const both = enable.filter((name) => disable.includes(name))
  if (both.length > 0) wrong.push(`${JSON.stringify(both)} in enable-admission-plugins and disable-admission-plugins overlapped`)
  if (wrong.length > 0) throw new Error(wrong.join('; '))
}

/** The admission plugins in upstream's order: what decides over quota comes last, when nothing else can refuse any more. */
export function defaultAdmission(deps: AdmissionDeps): AdmissionPlugin[] {
  const { enable = [], disable = [] } = deps
  const isOn = ({ name }: AdmissionPlugin) => always.has(name) || (!disable.includes(name) && (!offByDefault.has(name) || enable.includes(name)))
  return allPlugins(deps).filter(isOn)
}

function allPlugins({
  reader,
  authorizer,
  rules,
  client,
  clock,
  kindsOf,
  configuration = {},
  policyMetrics: metrics = policyMetrics(),
}: AdmissionDeps): AdmissionPlugin[] {
  const policies = admissionPolicies({ reader, authorizer, clock, metrics })
  return [
    alwaysAdmit(),
    namespaceAutoProvision(reader, client),
    namespaceLifecycle(reader),
    namespaceExists(reader),
    limitPodHardAntiAffinityTopology(),
    limitRanger(reader),
    serviceAccount({ reader, clock }),
    nodeRestriction(reader),
    taintNodesByCondition(),
    alwaysPullImages(),
    podSecurity(reader, configuration.podSecurity),
    podNodeSelector(reader, configuration.nodeSelectors),
    priority(reader),
    defaultTolerationSeconds(),
    podTolerationRestriction(reader, configuration.tolerations),
    eventRateLimit(configuration.eventLimits ?? [], clock),
    extendedResourceToleration(),
    defaultStorageClass(reader),
    storageObjectInUseProtection(),
    ownerReferencesPermissionEnforcement(authorizer, kindsOf),
    persistentVolumeClaimResize(reader),
    runtimeClass(reader),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction(),
    defaultIngressClass(reader),
    podTopologyLabels(reader),
    denyServiceExternalIPs(),
    rbacEscalation(authorizer, rules),
    deviceAdminAccess(reader),
    claimStatusAuthorization(authorizer),
    policyParameters(reader, authorizer),
    policies.mutating,
    policies.validating,
    resourceQuota({ reader, client, clock }),
    alwaysDeny(),
  ]
}

/** Names that may be turned on and off. Plugins are made without anything to look at: only their names are asked. */
function pluginNames(): string[] {
  const nothing = {} as never
  return allPlugins({ reader: nothing, authorizer: nothing, rules: nothing, client: nothing, clock: realClock })
    .map(({ name }) => name)
    .filter((name) => !always.has(name))
}

/** Reads an AdmissionConfiguration that names no files. Servers without one do not load what it takes. Rejects with Error that says what is wrong. */
export async function parseAdmissionConfiguration(text: string): Promise<AdmissionConfiguration> {
  return (await import('./configuration.ts')).parseAdmissionConfiguration(text)
}

/** Puts the files that an AdmissionConfiguration names into it. Rejects with Error that says what is wrong. */
export async function embedPluginFiles(text: string, read: (path: string) => Promise<string>): Promise<string> {
  return (await import('./configuration.ts')).embedPluginFiles(text, read)
}
