import type { DeepReadonly, admissionregistration } from '#api'
import { apiVersionOf, errors, kinds } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import type { UserInfo } from '../authn/authenticator.ts'
import type { ObjectReader } from '../object-reader.ts'
import { forbidden, same } from '../registry/validation/causes.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { targets } from './rejection.ts'

type Policy = DeepReadonly<admissionregistration.ValidatingAdmissionPolicy | admissionregistration.MutatingAdmissionPolicy>
type Binding = DeepReadonly<admissionregistration.ValidatingAdmissionPolicyBinding | admissionregistration.MutatingAdmissionPolicyBinding>
type ParamKind = DeepReadonly<admissionregistration.ParamKind>

const group = 'admissionregistration.k8s.io'
const policies = {
  validatingadmissionpolicies: 'validatingadmissionpolicybindings',
  mutatingadmissionpolicies: 'mutatingadmissionpolicybindings',
} as const

/**
 * A policy reads its parameters for whoever wrote it: they must be allowed to read them themselves. (Upstream does this in the strategies of these
 * kinds.)
 */
export function policyParameters(reader: ObjectReader, authorizer: Authorizer): AdmissionPlugin {
  const mayGet = (user: UserInfo, kind: ParamKind | undefined, namespace: string, name: string) => {
    const [first = '', second] = (kind?.apiVersion ?? '').split('/')
    const known = kinds.find((one) => one.kind === kind?.kind && apiVersionOf(one) === kind.apiVersion)
    const resource = {
      group: kind ? (second === undefined ? '' : first) : '*',
      version: kind ? (second ?? first) : '*',
      resource: known?.resource ?? '*',
      subresource: '',
      namespace,
      name,
      rest: '',
    }
    return authorizer.authorize({ user, verb: 'get', path: '', resource }).decision === 'allow'
  }

  function ofPolicy(request: AdmissionRequest, user: UserInfo): void {
    const { paramKind } = (request.object as unknown as Policy).spec
    if (!paramKind || same((request.old as Policy | undefined)?.spec.paramKind, paramKind)) return
    if (mayGet(user, paramKind, '*', '*')) return
    const which = `(kind=${paramKind.kind ?? ''}, apiVersion=${paramKind.apiVersion ?? ''})`
    throw refused(request, 'spec.paramKind', `user ${goUser(user)} must have "get" permission on all objects of the referenced paramKind ${which}`)
  }

  function ofBinding(request: AdmissionRequest, user: UserInfo, resource: string): void {
    const { paramRef, policyName = '' } = (request.object as unknown as Binding).spec
    const before = (request.old as Binding | undefined)?.spec
    if (!paramRef || (before && same(before.paramRef, paramRef) && before.policyName === policyName)) return
    const kind = reader.get<admissionregistration.ValidatingAdmissionPolicy>(group, resource, '', policyName)?.spec.paramKind
    if (mayGet(user, kind, paramRef.namespace ?? '', paramRef.name ?? '')) return
    throw refused(request, 'spec.paramRef', `user ${goUser(user)} does not have "get" permission on the object referenced by paramRef`)
  }

  return {
    name: 'AdmissionPolicyParameters',
    resources: Object.entries(policies).flatMap((names) => names.map((name) => `${group}/${name}`)),
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
      request.context.request.resource?.group === group &&
      Object.entries(policies).some((names) => names.some((name) => targets(request, group, name))),
    validate(request) {
      const { user } = request.context.request
      if (user.groups.includes('system:masters')) return
      for (const [policy, binding] of Object.entries(policies)) {
        if (targets(request, group, policy)) ofPolicy(request, user)
        if (targets(request, group, binding)) ofBinding(request, user, policy)
      }
    },
  }
}

const refused = (request: AdmissionRequest, field: string, why: string) =>
  errors.invalid({ group, kind: request.kind.kind }, request.object!.metadata.name, [forbidden(field, why)])

/** A user as Go prints it. */
function goUser({ username, uid = '', groups, extra = {} }: UserInfo): string {
  const more = Object.keys(extra)
    .sort()
    .map((key) => `${key}:[${extra[key]!.join(' ')}]`)
  return `&{${username} ${uid} [${groups.join(' ')}] map[${more.join(' ')}]}`
}
