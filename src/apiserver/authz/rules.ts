import type { DeepReadonly, rbac } from '#api'
import type { RequestInfo } from '../request-info.ts'

export type PolicyRule = DeepReadonly<rbac.PolicyRule>

/** Whether a rule speaks of this request but for the name of the object: verb, group, resource and subresource, or the path. */
export function ruleMatches(rule: PolicyRule, request: Pick<RequestInfo, 'verb' | 'path' | 'resource'>): boolean {
  if (!matches(rule.verbs, request.verb)) return false
  const { resource } = request
  if (!resource) return (rule.nonResourceURLs ?? []).some((pattern) => pathMatches(pattern, request.path))
  return matches(rule.apiGroups, resource.group) && resourceMatches(rule.resources, resource.resource, resource.subresource)
}

/** Whether a rule that matches also covers an object of this name; a rule without names covers all. */
export function nameMatches(rule: PolicyRule, name: string): boolean {
  return !rule.resourceNames || rule.resourceNames.length === 0 || rule.resourceNames.includes(name)
}

export function ruleAllows(rule: PolicyRule, request: Pick<RequestInfo, 'verb' | 'path' | 'resource'>): boolean {
  return ruleMatches(rule, request) && (!request.resource || nameMatches(rule, request.resource.name))
}

function matches(values: readonly string[] | undefined, value: string): boolean {
  return values !== undefined && (values.includes(value) || values.includes('*'))
}

function resourceMatches(rules: readonly string[] | undefined, resource: string, subresource: string): boolean {
  if (!rules) return false
  const combined = subresource ? `${resource}/${subresource}` : resource
  return rules.some((rule) => rule === '*' || rule === combined || (subresource !== '' && rule === `*/${subresource}`))
}

function pathMatches(pattern: string, path: string): boolean {
  return pattern === '*' || pattern === path || (pattern.endsWith('*') && path.startsWith(pattern.replace(/\*+$/, '')))
}
