import type { DeepReadonly, rbac } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { ObjectReader } from '../object-reader.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import type { BindingIndex } from './binding-index.ts'
import { bindingIndex } from './binding-index.ts'
import type { PolicyRule } from './rules.ts'
import { nameMatches, ruleMatches } from './rules.ts'

export interface RuleResolver {
  /** All rules that hold for a user in a namespace (cluster-wide ones alone when it is empty), and what could not be resolved. */
  rulesFor(user: UserInfo, namespace: string): { rules: PolicyRule[]; errors: string[] }
  /** The rules of the role a binding names; undefined when there is no such role. */
  roleRules(roleRef: DeepReadonly<rbac.RoleRef>, namespace: string): readonly PolicyRule[] | undefined
}

type Binding = DeepReadonly<rbac.ClusterRoleBinding | rbac.RoleBinding>
type Role = DeepReadonly<rbac.ClusterRole | rbac.Role>

const group = 'rbac.authorization.k8s.io'
const nothing: Decision = { decision: 'noOpinion', reason: '' }

/**
 * Role-based access control over what is stored. Bindings are indexed by subject as they change. For each user, decisions are kept by namespace, verb and resource
 * until any role or binding changes; rules that name objects are kept with them and looked at per request.
 */
export function rbacAuthorizer(reader: ObjectReader): Authorizer & RuleResolver & Disposable {
  let generation = 0
  let stops: (() => void)[] = []
  let index: BindingIndex | undefined
  // the reader may still be empty when this is made: what is there is read with the first question
  const open = (): BindingIndex => {
    if (index) return index
    index = bindingIndex(reader)
    stops = [index.onChange(() => generation++), ...(['clusterroles', 'roles'] as const).map((r) => reader.onChange(group, r, () => generation++))]
    return index
  }
  const byUser = new WeakMap<UserInfo, UserDecisions>()

  const roleRules = (roleRef: DeepReadonly<rbac.RoleRef>, namespace: string): readonly PolicyRule[] | undefined => {
    const role =
      roleRef.kind === 'ClusterRole'
        ? reader.get<rbac.ClusterRole>(group, 'clusterroles', '', roleRef.name)
        : reader.get<rbac.Role>(group, 'roles', namespace, roleRef.name)
    return role && ((role as Role).rules ?? [])
  }

  /** Visits the rules that hold for a user, cluster-wide ones first, until `visit` returns true. */
  const visitRules = (user: UserInfo, namespace: string, visit: (rule: PolicyRule, binding: Binding) => boolean, missing: (why: string) => void) => {
    for (const scope of namespace ? ['', namespace] : ['']) {
      for (const binding of open().bindingsFor(user, scope)) {
        const rules = roleRules(binding.roleRef, scope)
        if (!rules) missing(`${binding.roleRef.kind.toLowerCase()}.${group} ${JSON.stringify(binding.roleRef.name)} not found`)
        else for (const rule of rules) if (visit(rule, binding)) return
      }
    }
  }

  const decide = (request: RequestInfo): Verdict => {
    const named: Verdict['named'] = []
    const errors: string[] = []
    let allowed: Decision | undefined
    const { user } = request
    visitRules(
      user,
      request.resource?.namespace ?? '',
      (rule, binding) => {
        if (!ruleMatches(rule, request)) return false
        if (request.resource && rule.resourceNames && rule.resourceNames.length > 0) {
          named.push({ rule, decision: allowedBy(binding, user) })
          return false
        }
        allowed = allowedBy(binding, user)
        return true
      },
      (why) => errors.push(why),
    )
    if (allowed) return { decision: allowed, named: [] }
    const reason = errors.length > 1 ? `RBAC: [${errors.join(', ')}]` : errors.length === 1 ? `RBAC: ${errors[0]}` : ''
    return { decision: reason ? { decision: 'noOpinion', reason } : nothing, named }
  }

  return {
    authorize(request) {
      const { user, resource } = request
      let known = byUser.get(user)
      if (known?.generation !== generation || known.verdicts.size > maxVerdicts) byUser.set(user, (known = { generation, verdicts: new Map() }))
      const key = resource
        ? `${request.verb} ${resource.group} ${resource.resource}/${resource.subresource} ${resource.namespace}`
        : `${request.verb} ${request.path}`
      let verdict = known.verdicts.get(key)
      if (!verdict) known.verdicts.set(key, (verdict = decide(request)))
      for (const { rule, decision } of verdict.named) if (nameMatches(rule, resource!.name)) return decision
      return verdict.decision
    },
    rulesFor(user, namespace) {
      const rules: PolicyRule[] = []
      const errors: string[] = []
      visitRules(
        user,
        namespace,
        (rule) => {
          rules.push(rule)
          return false
        },
        (why) => errors.push(why),
      )
      return { rules, errors }
    },
    roleRules,
    [Symbol.dispose]() {
      for (const stop of stops) stop()
      index?.[Symbol.dispose]()
    },
  }
}

const maxVerdicts = 10_000

interface UserDecisions {
  generation: number
  verdicts: Map<string, Verdict>
}

/** What is decided without looking at the object's name, and the rules that need it. */
interface Verdict {
  decision: Decision
  named: { rule: PolicyRule; decision: Decision }[]
}

function allowedBy(binding: Binding, user: UserInfo): Decision {
  const { metadata, roleRef } = binding
  const name = metadata.namespace ? `${metadata.name}/${metadata.namespace}` : metadata.name
  const subject = (binding.subjects ?? []).find((s) => appliesTo(s, user, metadata.namespace ?? ''))
  const subjectName = subject?.kind === 'ServiceAccount' ? `${subject.name}/${subject.namespace || metadata.namespace}` : subject?.name
  const bindingKind = metadata.namespace ? 'RoleBinding' : 'ClusterRoleBinding'
  const to = subject ? ` to ${subject.kind} ${JSON.stringify(subjectName)}` : ''
  return {
    decision: 'allow',
    reason: `RBAC: allowed by ${bindingKind} ${JSON.stringify(name)} of ${roleRef.kind} ${JSON.stringify(roleRef.name)}${to}`,
  }
}

function appliesTo(subject: DeepReadonly<rbac.Subject>, user: UserInfo, namespace: string): boolean {
  if (subject.kind === 'User') return subject.name === user.username
  if (subject.kind === 'Group') return user.groups.includes(subject.name)
  return `system:serviceaccount:${subject.namespace || namespace}:${subject.name}` === user.username
}
