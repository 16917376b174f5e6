import { parse } from 'yaml'
import type { RequestInfo } from '../request-info.ts'

/** How much of a request is recorded, from nothing to both bodies. */
export const levels = ['None', 'Metadata', 'Request', 'RequestResponse'] as const
export type Level = (typeof levels)[number]
export const stages = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic'] as const
export type Stage = (typeof stages)[number]

/** What a policy says about one request. */
export interface Verdict {
  level: Level
  omitted: ReadonlySet<Stage>
  omitManagedFields: boolean
}

export interface AuditPolicy {
  /** By the first rule that matches; nothing is recorded when none does. */
  of(info: RequestInfo): Verdict
}

interface Rule {
  level: Level
  users?: string[]
  userGroups?: string[]
  verbs?: string[]
  resources?: { group?: string; resources?: string[]; resourceNames?: string[] }[]
  namespaces?: string[]
  nonResourceURLs?: string[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

interface Policy {
  apiVersion?: string
  kind?: string
  rules?: Rule[]
  omitStages?: Stage[]
  omitManagedFields?: boolean
}

/** Reads a Policy of audit.k8s.io/v1 (YAML or JSON). Throws Error that names the field that is wrong. */
export function parseAuditPolicy(text: string): AuditPolicy {
  const policy = parse(text) as Policy | null
  if (policy?.kind !== 'Policy' || policy.apiVersion !== 'audit.k8s.io/v1') throw new Error('audit: a Policy of audit.k8s.io/v1 is expected')
  const rules = policy.rules
  if (!Array.isArray(rules) || rules.length === 0) throw new Error('audit: rules: at least one rule is expected')
  checkStages(policy.omitStages, 'omitStages')
  const compiled = rules.map((rule, i) => {
    check(rule, `rules[${i}]`)
    const verdict: Verdict = {
      level: rule.level,
      omitted: new Set([...(policy.omitStages ?? []), ...(rule.omitStages ?? [])]),
      omitManagedFields: rule.omitManagedFields ?? policy.omitManagedFields ?? false,
    }
    return { rule, verdict }
  })
  return {
    of: (info) => compiled.find(({ rule }) => matches(rule, info))?.verdict ?? nothing,
  }
}

const nothing: Verdict = { level: 'None', omitted: new Set(), omitManagedFields: false }

const lists = ['users', 'userGroups', 'verbs', 'resources', 'namespaces', 'nonResourceURLs', 'omitStages'] as const
const known: ReadonlySet<string> = new Set(['level', 'omitManagedFields', ...lists])

function check(rule: Rule, at: string): void {
  const wrong = (field: string, why: string) => new Error(`audit: ${at}${field}: ${why}`)
  if (typeof rule !== 'object' || rule === null) throw wrong('', 'a rule is expected')
  for (const field of Object.keys(rule)) if (!known.has(field)) throw wrong(`.${field}`, 'there is no such field')
  if (!levels.includes(rule.level)) throw wrong('.level', `${JSON.stringify(rule.level ?? '')} is none of ${levels.join(', ')}`)
  for (const field of lists) if (rule[field] !== undefined && !Array.isArray(rule[field])) throw wrong(`.${field}`, 'a list is expected')
  if (rule.nonResourceURLs?.length && (rule.resources?.length || rule.namespaces?.length))
    throw wrong('.nonResourceURLs', 'rules cannot apply to both regular resources and non-resource URLs')
  for (const [i, url] of (rule.nonResourceURLs ?? []).entries()) {
    if (url === '*') continue
    if (!url.startsWith('/')) throw wrong(`.nonResourceURLs[${i}]`, 'non-resource URL rules must begin with a "/" character')
    if (url.slice(0, -1).includes('*'))
      throw wrong(`.nonResourceURLs[${i}]`, 'non-resource URL wildcards "*" must be the final character of the rule')
  }
  for (const [i, { group, resources, resourceNames }] of (rule.resources ?? []).entries()) {
    if (group !== undefined && /[^a-z0-9.-]/.test(group)) throw wrong(`.resources[${i}].group`, `${JSON.stringify(group)} is no API group`)
    if (resourceNames?.length && !resources?.length)
      throw wrong(`.resources[${i}].resourceNames`, 'using resourceNames requires at least one resource')
  }
  checkStages(rule.omitStages, `${at}.omitStages`)
}

function checkStages(given: readonly string[] | undefined, at: string): void {
  for (const stage of given ?? [])
    if (!(stages as readonly string[]).includes(stage)) throw new Error(`audit: ${at}: ${JSON.stringify(stage)} is none of ${stages.join(', ')}`)
}

function matches(rule: Rule, { user, verb, path, resource }: RequestInfo): boolean {
  if (rule.users?.length && !rule.users.includes(user.username)) return false
  if (rule.userGroups?.length && !rule.userGroups.some((group) => user.groups.includes(group))) return false
  if (rule.verbs?.length && !rule.verbs.includes(verb)) return false
  if (rule.namespaces?.length || rule.resources?.length) {
    if (!resource) return false
    // what is in no namespace is asked for by the empty one
    if (rule.namespaces?.length && !rule.namespaces.includes(resource.namespace)) return false
    return !rule.resources?.length || rule.resources.some((each) => isAbout(each, resource))
  }
  if (rule.nonResourceURLs?.length) return !resource && rule.nonResourceURLs.some((url) => isPath(url, path))
  return true
}

function isAbout(
  wanted: NonNullable<Rule['resources']>[number],
  { group, resource, subresource, name }: NonNullable<RequestInfo['resource']>,
): boolean {
  if ((wanted.group ?? '') !== group) return false
  if (!wanted.resources?.length) return true
  if (wanted.resourceNames?.length && !wanted.resourceNames.includes(name)) return false
  const whole = subresource ? `${resource}/${subresource}` : resource
  return wanted.resources.some(
    (each) => each === '*' || each === whole || each === `${resource}/*` || (subresource !== '' && each === `*/${subresource}`),
  )
}

function isPath(wanted: string, path: string): boolean {
  return wanted === '*' || wanted === path || (wanted.endsWith('*') && path.startsWith(wanted.slice(0, -1)))
}
