import type { DeepReadonly, core } from '#api'
import { qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, invalidEach, required, same } from '../../validation/causes.ts'
import { validateQuantity } from '../../validation/resources.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultAmounts } from '../amounts.ts'

const quotaScopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
]

export const resourceQuotaStrategy: ResourceStrategy<core.ResourceQuota> = {
  default({ spec, status }) {
    defaultAmounts(spec?.hard, status?.hard, status?.used)
  },
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    validateAmounts(causes, 'spec.hard', spec?.hard)
    const scopes = spec?.scopes ?? []
    for (const scope of scopes) if (!quotaScopes.includes(scope)) causes.push(invalid('spec.scopes', scopes, 'unsupported scope'))
    for (const scope of scopes)
      for (const name in spec?.hard)
        if (isStandardQuota(name) && !fitsScope(scope, name)) causes.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'))
    for (const _ of contradictions(scopes)) causes.push(invalid('spec.scopes', scopes, 'conflicting scopes'))
    if (spec?.scopeSelector) validateSelector(causes, spec)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (!same([...(object.spec.scopes ?? [])].sort(), [...(old.spec.scopes ?? [])].sort()))
      causes.push(invalid('spec.scopes', object.spec.scopes ?? null, 'field is immutable'))
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    for (const field of ['hard', 'used'] as const) validateAmounts(causes, `status.${field}`, status?.[field])
    return causes
  },
}

const opposites = [
  ['BestEffort', 'NotBestEffort'],
  ['Terminating', 'NotTerminating'],
] as const

const contradictions = (scopes: readonly string[]) => opposites.filter(([a, b]) => scopes.includes(a) && scopes.includes(b))

const ofPods = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']

/** The paths name no index, which is how upstream has them. */
function validateSelector(causes: Causes, { hard, scopes, scopeSelector }: DeepReadonly<core.ResourceQuotaSpec>): void {
  const at = 'spec.scopeSelector.matchExpressions'
  const requirements = scopeSelector?.matchExpressions ?? []
  for (const { scopeName, operator, values = [] } of requirements) {
    if (!quotaScopes.includes(scopeName)) causes.push(invalid(`${at}.scopeName`, scopeName, 'unsupported scope'))
    for (const name of Object.keys(hard ?? {}).sort())
      if (isStandardQuota(name) && !fitsScope(scopeName, name)) causes.push(invalid(at, scopeSelector, 'unsupported scope applied to resource'))
    if (ofPods.includes(scopeName) && operator !== 'Exists')
      causes.push(
        invalid(
          `${at}.operator`,
          operator,
          "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
        ),
      )
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0)
        causes.push(required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0)
        causes.push(invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
    } else causes.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'))
  }
  for (const _ of contradictions(requirements.map((one) => one.scopeName))) causes.push(invalid('spec.scopes', scopes ?? null, 'conflicting scopes'))
}

function validateAmounts(causes: Causes, path: string, amounts: DeepReadonly<Record<string, string>> | undefined): void {
  for (const name in amounts) {
    validateQuotaResource(causes, `${path}[${name}]`, name)
    validateQuantity(causes, `${path}[${name}]`, name.replace(/^count\/.*/, 'pods'), amounts[name]!)
  }
}

const isStandardQuota = (name: string) => standardQuota.has(name) || /^(requests\.)?hugepages-/.test(name)

const standardQuota = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])

/** Scopes select pods, and one of them pods that ask for nothing: other resources cannot be counted by them. */
function fitsScope(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods'
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage'
  return !quotaScopes.includes(scope) || name === 'pods' || podCompute.test(name)
}

const podCompute = /^((requests|limits)\.)?(cpu|memory)$/

function validateQuotaResource(causes: Causes, path: string, name: string): void {
  const messages = qualifiedName(name)
  invalidEach(causes, path, name, messages)
  if (name.includes('/') || isStandardQuota(name)) return
  // storage is a resource, only that nothing counts it by this name
  if (messages.length === 0 && name !== 'storage') causes.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  causes.push(invalid(path, name, 'must be a standard resource for quota'))
}
