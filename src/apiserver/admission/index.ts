import type { Clock } from '#base'
import type { Client } from '#client'
import type { Authorizer } from '../authz/authorizer.ts'
import type { RuleResolver } from '../authz/rbac.ts'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { defaultIngressClass, defaultStorageClass } from './default-classes.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { taintNodesByCondition } from './node-taint.ts'
import type { OwnerKind } from './owner-references.ts'
import { ownerReferencesPermissionEnforcement } from './owner-references.ts'
import type { PodSecurityExemptions } from './pod-security.ts'
import { podSecurity } from './pod-security.ts'
import { priority } from './priority.ts'
import { rbacEscalation } from './rbac-escalation.ts'
import { resourceQuota } from './resource-quota.ts'
import { runtimeClass } from './runtime-class.ts'
import { serviceAccount } from './service-account.ts'
import { persistentVolumeClaimResize, storageObjectInUseProtection } from './storage-protection.ts'
import { defaultTolerationSeconds, extendedResourceToleration } from './tolerations.ts'

export type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
export type { OwnerKind } from './owner-references.ts'
export { countedResources, quotaStatus } from './resource-quota.ts'
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
  /** Whom the Pod Security Standards do not bind. */
  podSecurityExemptions?: PodSecurityExemptions
  /** Plugin names to turn on beside the default ones, as `--enable-admission-plugins`. */
  enable?: readonly string[]
  /** Plugin names to leave out, as `--disable-admission-plugins`. */
  disable?: readonly string[]
}

const offByDefault = new Set(['ExtendedResourceToleration', 'OwnerReferencesPermissionEnforcement'])

/** The admission plugins in upstream's order: what decides over quota comes last, when nothing else can refuse any more. */
export function defaultAdmission(deps: AdmissionDeps): AdmissionPlugin[] {
  const { reader, authorizer, rules, client, clock, kindsOf, enable = [], disable = [] } = deps
  const all = [
    namespaceLifecycle(reader),
    limitRanger(reader),
    serviceAccount({ reader, clock }),
    nodeRestriction(reader),
    taintNodesByCondition(),
    podSecurity(reader, deps.podSecurityExemptions),
    priority(reader),
    defaultTolerationSeconds(),
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
    rbacEscalation(authorizer, rules),
    resourceQuota({ reader, client, clock }),
  ]
  return all.filter(({ name }) => !disable.includes(name) && (!offByDefault.has(name) || enable.includes(name)))
}
