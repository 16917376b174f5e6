import type { StatusCause, authorization } from '#api'
import { errors } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Authorizer } from './authorizer.ts'
import { nodeIdentity } from './node-authorizer.ts'
import type { RuleResolver } from './rbac.ts'
import { selectorCauses, selectorProblem } from './review-selectors.ts'
import type { PolicyRule } from './rules.ts'

type AccessReview = authorization.SubjectAccessReview | authorization.LocalSubjectAccessReview
type AccessSpec = authorization.SubjectAccessReviewSpec | authorization.SelfSubjectAccessReviewSpec

/** POST of a SelfSubjectAccessReview: may I do this? */
export function reviewSelfAccess(
  authorizer: Authorizer,
  user: UserInfo,
  review: authorization.SelfSubjectAccessReview,
): authorization.SelfSubjectAccessReview {
  reject([...specCauses(review.spec), ...selectors(review.spec), ...metadataCauses(review.metadata, false)])
  return { ...review, status: decide(authorizer, user, review.spec) }
}

/** POST of a SubjectAccessReview: may this user do this? */
export function reviewAccess(authorizer: Authorizer, review: authorization.SubjectAccessReview): authorization.SubjectAccessReview {
  reject([...specCauses(review.spec), ...userCauses(review.spec), ...selectors(review.spec), ...metadataCauses(review.metadata, false)])
  return { ...review, status: decide(authorizer, userOf(review.spec), review.spec) }
}

/** POST of a LocalSubjectAccessReview in `namespace`. */
export function reviewLocalAccess(
  authorizer: Authorizer,
  namespace: string,
  review: authorization.LocalSubjectAccessReview,
): authorization.LocalSubjectAccessReview {
  const { resourceAttributes, nonResourceAttributes } = review.spec
  const causes = [...specCauses(review.spec), ...userCauses(review.spec), ...selectors(review.spec), ...metadataCauses(review.metadata, true)]
  if (resourceAttributes && (resourceAttributes.namespace ?? '') !== (review.metadata?.namespace ?? '')) {
    causes.push(invalid('spec.resourceAttributes.namespace', JSON.stringify(resourceAttributes.namespace ?? ''), 'must match metadata.namespace'))
  }
  if (nonResourceAttributes) causes.push(invalid('spec.nonResourceAttributes', goPaths(nonResourceAttributes), 'disallowed on this kind of request'))
  reject(causes)
  if (namespace !== review.metadata?.namespace) throw errors.badRequest(`spec.resourceAttributes.namespace must match namespace: ${namespace}`)
  return { ...review, status: decide(authorizer, userOf(review.spec), review.spec) }
}

/** POST of a SelfSubjectRulesReview: everything I may do in a namespace. */
export function reviewSelfRules(
  resolver: RuleResolver,
  user: UserInfo,
  review: authorization.SelfSubjectRulesReview,
): authorization.SelfSubjectRulesReview {
  const namespace = review.spec?.namespace
  if (!namespace) throw errors.badRequest('no namespace on request')
  const { rules, errors: unresolved } = resolver.rulesFor(user, namespace)
  const problems = nodeIdentity(user) === undefined ? unresolved : ['node authorizer does not support user rule resolution', ...unresolved]
  return {
    ...review,
    spec: {},
    status: {
      resourceRules: rules.filter((rule) => rule.resources?.length).map(resourceRule),
      nonResourceRules: rules
        .filter((rule) => rule.nonResourceURLs?.length)
        .map((rule) => ({ verbs: [...rule.verbs], nonResourceURLs: [...rule.nonResourceURLs!] })),
      incomplete: problems.length > 0,
      ...(problems.length > 0 ? { evaluationError: problems.join(', ') } : {}),
    },
  }
}

function resourceRule({ verbs, apiGroups, resources, resourceNames }: PolicyRule): authorization.ResourceRule {
  return {
    verbs: [...verbs],
    apiGroups: [...(apiGroups ?? [])],
    resources: [...(resources ?? [])],
    ...(resourceNames?.length ? { resourceNames: [...resourceNames] } : {}),
  }
}

function decide(authorizer: Authorizer, user: UserInfo, spec: AccessSpec): authorization.SubjectAccessReviewStatus {
  const { decision, reason } = authorizer.authorize(requestOf(user, spec))
  const evaluationError = spec.resourceAttributes && selectorProblem(spec.resourceAttributes)
  return {
    allowed: decision === 'allow',
    ...(decision === 'deny' ? { denied: true } : {}),
    ...(reason ? { reason } : {}),
    ...(evaluationError ? { evaluationError } : {}),
  }
}

function requestOf(user: UserInfo, { resourceAttributes, nonResourceAttributes }: AccessSpec): RequestInfo {
  if (!resourceAttributes) return { user, verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' }
  const { verb = '', group = '', version = '', resource = '', subresource = '', namespace = '', name = '' } = resourceAttributes
  return { user, verb, path: '', resource: { group, version, resource, subresource, namespace, name, rest: '' } }
}

function userOf({ user = '', groups = [], uid, extra }: AccessReview['spec']): UserInfo {
  return { username: user, groups, ...(uid ? { uid } : {}), ...(extra ? { extra } : {}) }
}

function specCauses({ resourceAttributes, nonResourceAttributes }: AccessSpec): StatusCause[] {
  if (resourceAttributes && nonResourceAttributes) {
    return [invalid('spec.nonResourceAttributes', goPaths(nonResourceAttributes), 'cannot be specified in combination with resourceAttributes')]
  }
  if (resourceAttributes || nonResourceAttributes) return []
  return [invalid('spec.resourceAttributes', 'null', 'exactly one of nonResourceAttributes or resourceAttributes must be specified')]
}

const selectors = ({ resourceAttributes }: AccessSpec) => (resourceAttributes ? selectorCauses(resourceAttributes) : [])

function userCauses({ user, groups }: AccessReview['spec']): StatusCause[] {
  return user || groups?.length ? [] : [invalid('spec.user', '""', 'at least one of user or group must be specified')]
}

function metadataCauses(metadata: object | undefined, mayHaveNamespace: boolean): StatusCause[] {
  const given = Object.entries(metadata ?? {}).filter(
    ([key, value]) =>
      value !== undefined && value !== null && key !== 'managedFields' && key !== 'creationTimestamp' && !(mayHaveNamespace && key === 'namespace'),
  )
  if (given.length === 0) return []
  return [invalid('metadata', JSON.stringify(Object.fromEntries(given)), mayHaveNamespace ? 'must be empty except for namespace' : 'must be empty')]
}

/** As upstream prints the internal value. */
const goPaths = ({ path = '', verb = '' }: authorization.NonResourceAttributes): string => JSON.stringify({ Path: path, Verb: verb })

const invalid = (field: string, value: string, why: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${value}: ${why}`,
  field,
})

function reject(causes: StatusCause[]): void {
  if (causes.length > 0) throw errors.invalid({ group: 'authorization.k8s.io', kind: '' }, '', causes)
}
