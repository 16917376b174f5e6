import type { DeepReadonly, flowcontrol } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { RequestInfo } from '../request-info.ts'

type Schema = DeepReadonly<flowcontrol.FlowSchema>
type Rules = DeepReadonly<flowcontrol.PolicyRulesWithSubjects>
type Subject = DeepReadonly<flowcontrol.Subject>
type ResourceRule = DeepReadonly<flowcontrol.ResourcePolicyRule>
type NonResourceRule = DeepReadonly<flowcontrol.NonResourcePolicyRule>

/** Schemas in the order in which they are tried: by precedence, then by name. */
export function inOrder<T extends Schema>(schemas: readonly T[]): T[] {
  const precedence = ({ spec }: Schema) => spec?.matchingPrecedence ?? 1000
  return [...schemas].sort((a, b) => precedence(a) - precedence(b) || (a.metadata.name < b.metadata.name ? -1 : 1))
}

/** The rules of a schema that are about this user; whether a request matches is then a question of these alone. */
export function rulesFor(schema: Schema, user: UserInfo): Rules[] {
  return (schema.spec?.rules ?? []).filter((rules) => rules.subjects.some((subject) => isSubject(subject, user)))
}

export function matchesRules(rules: readonly Rules[], { verb, path, resource }: RequestInfo): boolean {
  for (const each of rules) {
    if (resource) {
      for (const rule of each.resourceRules ?? []) if (matchesResource(rule, verb, resource)) return true
    } else for (const rule of each.nonResourceRules ?? []) if (matchesPath(rule, verb, path)) return true
  }
  return false
}

function isSubject({ kind, user: wantedUser, group, serviceAccount }: Subject, user: UserInfo): boolean {
  switch (kind) {
    case 'User':
      return wantedUser?.name === '*' || wantedUser?.name === user.username
    case 'Group':
      return group !== undefined && (group.name === '*' || user.groups.includes(group.name))
    case 'ServiceAccount': {
      if (!serviceAccount) return false
      const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
      return serviceAccount.name === '*' ? user.username.startsWith(prefix) : user.username === prefix + serviceAccount.name
    }
    default:
      return false
  }
}

const has = (list: readonly string[] | undefined, value: string): boolean => list !== undefined && (list[0] === '*' || list.includes(value))

function matchesResource(rule: ResourceRule, verb: string, resource: NonNullable<RequestInfo['resource']>): boolean {
  if (!has(rule.verbs, verb) || !has(rule.apiGroups, resource.group)) return false
  if (!has(rule.resources, resource.subresource ? `${resource.resource}/${resource.subresource}` : resource.resource)) return false
  return resource.namespace ? has(rule.namespaces, resource.namespace) : rule.clusterScope === true
}

function matchesPath(rule: NonResourceRule, verb: string, path: string): boolean {
  if (!has(rule.verbs, verb)) return false
  return rule.nonResourceURLs.some((url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))))
}
