import type { rbac } from '#api'
import { aggregateRules } from '#api'
import * as facts from './bootstrap-policy-facts.ts'

type Created<T> = Omit<T, 'metadata'> & {
  metadata: { name: string; namespace?: string; labels: Record<string, string>; annotations: Record<string, string> }
}

/** The objects of the bootstrap policy, as they are created. Parsed when asked for: only a start reads them. */
export interface BootstrapPolicy {
  clusterRoles: Created<rbac.ClusterRole>[]
  clusterRoleBindings: Created<rbac.ClusterRoleBinding>[]
  roles: Created<rbac.Role>[]
  roleBindings: Created<rbac.RoleBinding>[]
}

export const autoupdateAnnotation = 'rbac.authorization.kubernetes.io/autoupdate'

const apiVersion = 'rbac.authorization.k8s.io/v1' as const
const apiGroup = 'rbac.authorization.k8s.io'
const labelPrefix = 'rbac.authorization.k8s.io/'

export function bootstrapPolicy(): BootstrapPolicy {
  const clusterRoles = blocks(facts.clusterRoles).map(({ head, rules }): Created<rbac.ClusterRole> => {
    const [, name, aggregates, carries] = /^(\S+)(?: = (\S+))?(?: \+ (\S+))?$/.exec(head)!
    const metadata = policyMetadata(name!)
    for (const label of carries?.split(',') ?? []) metadata.labels[labelPrefix + label] = 'true'
    if (!aggregates) return { apiVersion, kind: 'ClusterRole', metadata, rules: rules.map(parseRule) }
    const clusterRoleSelectors = aggregates.split(',').map((label) => ({ matchLabels: { [labelPrefix + label]: 'true' } }))
    return { apiVersion, kind: 'ClusterRole', metadata, aggregationRule: { clusterRoleSelectors } }
  })
  const listed = lines(facts.clusterRoleBindings).map((line) => line.split(' '))
  const controllers = clusterRoles.flatMap(({ metadata: { name } }) =>
    name.startsWith('system:controller:') ? [[name, `account:kube-system/${name.slice('system:controller:'.length)}`]] : [],
  )
  return {
    clusterRoles: withAggregatedRules(clusterRoles),
    clusterRoleBindings: [...listed, ...controllers].map(([name, ...subjects]) => ({
      apiVersion,
      kind: 'ClusterRoleBinding',
      metadata: policyMetadata(name!),
      ...subjectList(subjects),
      roleRef: { apiGroup, kind: 'ClusterRole', name: name! },
    })),
    roles: blocks(facts.roles).map(({ head, rules }) => ({ apiVersion, kind: 'Role', metadata: policyMetadata(head), rules: rules.map(parseRule) })),
    roleBindings: lines(facts.roleBindings).map((line) => {
      const [name, role, ...subjects] = line.split(' ')
      return {
        apiVersion,
        kind: 'RoleBinding',
        metadata: policyMetadata(name!),
        ...subjectList(subjects),
        roleRef: { apiGroup, kind: 'Role', name: role! },
      }
    }),
  }
}

/** The rules of one bootstrap cluster role. */
export function bootstrapRules(name: string): rbac.PolicyRule[] {
  return bootstrapPolicy().clusterRoles.find((role) => role.metadata.name === name)?.rules ?? []
}

/** What an aggregated role holds is a controller's to fill in; at the first start it is known already. */
function withAggregatedRules(roles: Created<rbac.ClusterRole>[]): Created<rbac.ClusterRole>[] {
  // a role may aggregate roles that aggregate: as many rounds as it takes
  for (let changed = true; changed;) {
    changed = false
    for (const role of roles) {
      const rules = role.aggregationRule ? (aggregateRules(role, roles) as rbac.PolicyRule[]) : undefined
      if (!rules || rules.length === (role.rules?.length ?? 0)) continue
      role.rules = rules as rbac.PolicyRule[]
      changed = true
    }
  }
  return roles
}

function policyMetadata(path: string): Created<rbac.Role>['metadata'] {
  const slash = path.indexOf('/')
  return {
    name: path.slice(slash + 1),
    ...(slash < 0 ? {} : { namespace: path.slice(0, slash) }),
    labels: { 'kubernetes.io/bootstrapping': 'rbac-defaults' },
    annotations: { [autoupdateAnnotation]: 'true' },
  }
}

function parseRule(line: string): rbac.PolicyRule {
  const [verbs = [], second = [], resources, resourceNames] = line.split(' ').map((part) => part.split(','))
  if (!resources) return { verbs, nonResourceURLs: second }
  return { verbs, apiGroups: second.map((group) => (group === 'core' ? '' : group)), resources, ...(resourceNames ? { resourceNames } : {}) }
}

function subjectList(subjects: string[]): { subjects?: rbac.Subject[] } {
  if (subjects.length === 0) return {}
  return {
    subjects: subjects.map((text) => {
      const [kind, rest] = [text.slice(0, text.indexOf(':')), text.slice(text.indexOf(':') + 1)]
      if (kind === 'account') return { kind: 'ServiceAccount', name: rest.split('/')[1]!, namespace: rest.split('/')[0]! }
      return { kind: kind === 'group' ? 'Group' : 'User', apiGroup, name: rest }
    }),
  }
}

const lines = (text: string): string[] => text.split('\n').filter((line) => line.trim() !== '')

function blocks(text: string): { head: string; rules: string[] }[] {
  const found: { head: string; rules: string[] }[] = []
  for (const line of lines(text)) {
    if (line.startsWith('  ')) found.at(-1)!.rules.push(line.trim())
    else found.push({ head: line, rules: [] })
  }
  return found
}
