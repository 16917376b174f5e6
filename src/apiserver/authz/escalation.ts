import type { UserInfo } from '../authn/authenticator.ts'
import type { PolicyRule } from './rules.ts'

/** One right: a rule taken apart into one verb on one resource (and object), or on one path. */
interface Right {
  verb: string
  group?: string
  resource?: string
  name?: string
  url?: string
}

/** The rights of `wanted` that `held` does not cover, each once and as few rules as a reader needs. */
export function missingRights(held: readonly PolicyRule[], wanted: readonly PolicyRule[]): PolicyRule[] {
  return compact(wanted.flatMap(takeApart).filter((right) => !held.some((rule) => covers(rule, right))))
}

/** What stops a user from granting rules it does not have; undefined when it may. `errors` are what could not be resolved about its own. */
export function escalationMessage(
  user: UserInfo,
  held: { rules: readonly PolicyRule[]; errors: readonly string[] },
  wanted: readonly PolicyRule[],
): string | undefined {
  const missing = missingRights(held.rules, wanted)
  if (missing.length === 0) return undefined
  const groups = user.groups.map((group) => JSON.stringify(group)).join(' ')
  const unresolved = held.errors.length > 0 ? `; resolution errors: [${held.errors.join(' ')}]` : ''
  const lines = [...new Set(missing.map(describe))].sort()
  return `user ${JSON.stringify(user.username)} (groups=[${groups}]) is attempting to grant RBAC permissions not currently held:\n${lines.join('\n')}${unresolved}`
}

function takeApart(rule: PolicyRule): Right[] {
  const rights: Right[] = []
  for (const verb of rule.verbs) {
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        if (rule.resourceNames?.length) for (const name of rule.resourceNames) rights.push({ verb, group, resource, name })
        else rights.push({ verb, group, resource })
      }
    }
    for (const url of rule.nonResourceURLs ?? []) rights.push({ verb, url })
  }
  return rights
}

function covers(rule: PolicyRule, right: Right): boolean {
  if (!has(rule.verbs, right.verb)) return false
  if (right.url !== undefined) return (rule.nonResourceURLs ?? []).some((pattern) => urlCovers(pattern, right.url!))
  if (!has(rule.apiGroups, right.group!) || !resourceCovers(rule.resources, right.resource!)) return false
  if (!rule.resourceNames?.length) return true
  return right.name !== undefined && rule.resourceNames.includes(right.name)
}

const has = (values: readonly string[] | undefined, value: string): boolean =>
  values !== undefined && (values.includes('*') || values.includes(value))

function resourceCovers(resources: readonly string[] | undefined, resource: string): boolean {
  const subresource = resource.indexOf('/')
  return has(resources, resource) || (subresource >= 0 && resources !== undefined && resources.includes(`*${resource.slice(subresource)}`))
}

function urlCovers(pattern: string, url: string): boolean {
  return pattern === url || pattern === '*' || (pattern.endsWith('*') && url.startsWith(pattern.replace(/\*+$/, '')))
}

/** Rights on the same resource (and objects) as one rule with all their verbs; rights with a name or a path stay apart. */
function compact(rights: Right[]): PolicyRule[] {
  const rules: PolicyRule[] = []
  const byResource = new Map<string, { verbs: string[] }>()
  for (const { verb, group, resource, name, url } of rights) {
    if (url !== undefined) {
      rules.push({ verbs: [verb], nonResourceURLs: [url] })
      continue
    }
    const key = JSON.stringify([group, resource, name])
    const known = byResource.get(key)
    if (known) {
      if (!known.verbs.includes(verb)) known.verbs.push(verb)
      continue
    }
    const rule = { verbs: [verb], apiGroups: [group!], resources: [resource!], ...(name === undefined ? {} : { resourceNames: [name] }) }
    byResource.set(key, rule)
    rules.push(rule)
  }
  return rules
}

function describe({ apiGroups, resources, nonResourceURLs, resourceNames, verbs }: PolicyRule): string {
  const part = (label: string, values: readonly string[] | undefined) =>
    values?.length ? [`${label}:[${values.map((value) => JSON.stringify(value)).join(' ')}]`] : []
  const parts = [
    ...part('APIGroups', apiGroups),
    ...part('Resources', resources),
    ...part('NonResourceURLs', nonResourceURLs),
    ...part('ResourceNames', resourceNames),
    ...part('Verbs', verbs),
  ]
  return `{${parts.join(', ')}}`
}
