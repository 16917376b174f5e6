import type { DeepReadonly, admissionregistration } from '#api'
import { qualifiedName } from '#api'
import { type Causes, duplicate, invalid, invalidEach, notSupported, required, tooMany } from './causes.ts'
import { evaluation } from '../../admission/policies/lazy-evaluation.ts'
import { validateExpression } from './expressions.ts'

export const failurePolicies = ['Fail', 'Ignore']
export const matchPolicies = ['Equivalent', 'Exact']

const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

/** Which requests a webhook or policy is asked about. */
export function validateRule(causes: Causes, path: string, rule: DeepReadonly<admissionregistration.RuleWithOperations>): void {
  validateWildcards(causes, `${path}.operations`, rule.operations, 'operations')
  rule.operations?.forEach((operation, i) => {
    if (!operations.includes(operation)) causes.push(notSupported(`${path}.operations[${i}]`, operation, operations))
  })
  validateWildcards(causes, `${path}.apiGroups`, rule.apiGroups, 'API groups')
  validateWildcards(causes, `${path}.apiVersions`, rule.apiVersions, 'API versions')
  rule.apiVersions?.forEach((version, i) => {
    if (!version) causes.push(required(`${path}.apiVersions[${i}]`))
  })
  validateRuleResources(causes, `${path}.resources`, rule.resources ?? [])
  if (rule.scope !== undefined && !scopes.includes(rule.scope)) causes.push(notSupported(`${path}.scope`, rule.scope, scopes))
}

function validateWildcards(causes: Causes, path: string, values: readonly string[] = [], others: string): void {
  if (values.length === 0) causes.push(required(path))
  if (values.length > 1 && values.includes('*')) causes.push(invalid(path, values, `if '*' is present, must not specify other ${others}`))
}

/** Stars stand for all of a part: beside them, what they cover is a mistake. */
function validateRuleResources(causes: Causes, path: string, resources: readonly string[]): void {
  if (resources.length === 0) causes.push(required(path))
  const withAll = new Set<string>()
  const allWith = new Set<string>()
  // upstream looks at the last one alone
  let lastIsPlain = false
  resources.forEach((resource, i) => {
    const at = `${path}[${i}]`
    if (!resource) {
      causes.push(required(at))
      return
    }
    const slash = resource.indexOf('/')
    if (slash < 0) {
      lastIsPlain = resource !== '*'
      return
    }
    const [name, subresource] = [resource.slice(0, slash), resource.slice(slash + 1)]
    if (withAll.has(name)) causes.push(invalid(at, resource, `if '${name}/*' is present, must not specify ${resource}`))
    if (allWith.has(subresource)) causes.push(invalid(at, resource, `if '*/${subresource}' is present, must not specify ${resource}`))
    if (subresource === '*') withAll.add(name)
    if (name === '*') allWith.add(subresource)
  })
  if (resources.length > 1 && resources.includes('*/*'))
    causes.push(invalid(path, resources, "if '*/*' is present, must not specify other resources"))
  if (lastIsPlain && resources.includes('*'))
    causes.push(invalid(path, resources, "if '*' is present, must not specify other resources without subresources"))
}

const maxConditions = 64

/** Conditions have names and expressions, which know `params` where there are some, but no variables. */
export function validateMatchConditions(
  causes: Causes,
  path: string,
  conditions: DeepReadonly<admissionregistration.MatchCondition[]> = [],
  params = false,
): void {
  if (conditions.length === 0) return
  const { policyEnvironment, types } = evaluation().cel
  const environment = policyEnvironment({ params, authorizer: true })
  if (conditions.length > maxConditions) causes.push(tooMany(path, conditions.length, maxConditions))
  const names = new Set<string>()
  conditions.forEach(({ name, expression }, i) => {
    const at = `${path}[${i}]`
    const trimmed = expression?.trim()
    if (!trimmed) causes.push(required(`${at}.expression`))
    else validateExpression(causes, `${at}.expression`, trimmed, { environment, returns: [types.bool] })
    if (!name) {
      causes.push(required(`${at}.name`))
      return
    }
    invalidEach(causes, `${at}.name`, name, qualifiedName(name))
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    names.add(name)
  })
}

const reservedSuffix = '.static.k8s.io'

/** What is configured by files of the server has names of its own; it is no mistake to use one (yet). */
export function nameWarnings({ metadata }: DeepReadonly<{ metadata: { name: string } }>): string[] {
  if (!metadata.name.endsWith(reservedSuffix)) return []
  return [
    `metadata.name: names ending with "${reservedSuffix}" are reserved for static manifest-based configurations and cannot be managed via the API`,
  ]
}
