import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, rbac } from '#api'
import { errors } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import { escalationMessage } from '../authz/escalation.ts'
import type { RuleResolver } from '../authz/rbac.ts'
import type { PolicyRule } from '../authz/rules.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, rejected } from './rejection.ts'

const group = 'rbac.authorization.k8s.io'
const everything: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'] },
  { verbs: ['*'], nonResourceURLs: ['*'] },
]

/**
 * Nobody grants what they do not have: a role's rules, or those of the role a binding names, must be covered by the writer's own, unless
 * it may `escalate` roles or `bind` that role. (Upstream does this in the storage of these kinds.)
 */
export function rbacEscalation(authorizer: Authorizer, resolver: RuleResolver): AdmissionPlugin {
  const check = (request: AdmissionRequest, rules: readonly PolicyRule[]): string | undefined => {
    const { user } = request.context.request
    return escalationMessage(user, resolver.rulesFor(user, namespaceOf(request)), rules)
  }
  const role = (request: AdmissionRequest) => {
    const { user, resource } = request.context.request
    const escalate = { ...resource!, version: '*', subresource: '', name: resource!.name || request.object!.metadata.name }
    if (authorizer.authorize({ user, verb: 'escalate', path: '', resource: escalate }).decision === 'allow') return
    const written = request.object as rbac.ClusterRole
    const why = check(request, written.rules ?? [])
    if (why) throw rejected(request, why)
    const aggregates = [written, request.old as rbac.ClusterRole | undefined].some((r) => r?.aggregationRule?.clusterRoleSelectors?.length)
    if (aggregates && check(request, everything)) throw rejected(request, 'must have cluster-admin privileges to use the aggregationRule')
  }
  const binding = (request: AdmissionRequest) => {
    const { user } = request.context.request
    const { roleRef } = request.object as rbac.RoleBinding
    const resource = roleRef.kind === 'ClusterRole' ? 'clusterroles' : 'roles'
    const bound = {
      group: roleRef.apiGroup || group,
      version: '*',
      resource,
      subresource: '',
      namespace: namespaceOf(request),
      name: roleRef.name,
      rest: '',
    }
    if (authorizer.authorize({ user, verb: 'bind', path: '', resource: bound }).decision === 'allow') return
    const rules = resolver.roleRules(roleRef, namespaceOf(request))
    if (!rules) throw errors.notFound({ group, resource }, roleRef.name)
    const why = check(request, rules)
    if (why) throw rejected(request, why)
  }
  return {
    name: 'RBACEscalation',
    resources: ['roles', 'clusterroles', 'rolebindings', 'clusterrolebindings'].map((name) => `${group}/${name}`),
    handles: ({ operation, context: { request } }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      request.resource?.group === group &&
      request.resource.subresource === '' &&
      !request.user.groups.includes('system:masters'),
    validate(request) {
      if (request.old && onlyForDeletion(request.object!, request.old)) return
      if (request.context.request.resource!.resource.endsWith('bindings')) binding(request)
      else role(request)
    },
  }
}

/** Whether nothing changes but finalizers and owners, if those: whoever may clean up need not hold the role's rights. */
function onlyForDeletion(object: KubeObject, old: DeepReadonly<KubeObject>): boolean {
  const bare = ({ metadata, ...rest }: DeepReadonly<KubeObject>) => {
    const { finalizers: _, ownerReferences: __, managedFields: ___, resourceVersion: ____, generation: _____, ...kept } = metadata
    return { ...rest, metadata: kept }
  }
  return isDeepStrictEqual(bare(object), bare(old))
}
