import { errors, failure } from '#api'
import type { StatusError } from '#api'
import type { RequestInfo } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'

/** Members of `system:masters` may do everything, whatever roles and bindings say. */
export const mastersAuthorizer: Authorizer = {
  authorize: ({ user }) => (user.groups.includes('system:masters') ? allowed : noOpinion),
}

const allowed: Decision = { decision: 'allow', reason: '' }
const noOpinion: Decision = { decision: 'noOpinion', reason: '' }

/** The first that allows or denies decides; else nobody does, for all their reasons. */
export function unionAuthorizer(authorizers: Authorizer[]): Authorizer {
  return {
    authorize(request) {
      let reasons: string[] | undefined
      for (const authorizer of authorizers) {
        const decision = authorizer.authorize(request)
        if (decision.decision !== 'noOpinion') return decision
        if (decision.reason) (reasons ??= []).push(decision.reason)
      }
      return reasons ? { decision: 'noOpinion', reason: reasons.join('\n') } : noOpinion
    },
  }
}

/** The 403 of a request that nobody allowed, worded as upstream words it. */
export function forbiddenRequest(request: RequestInfo, decision: Decision): StatusError {
  const { user, resource, verb } = request
  const suffix = decision.reason ? `: ${decision.reason}` : ''
  if (!resource) return failure('Forbidden', 403, `forbidden: User ${quote(user.username)} cannot ${verb} path ${quote(request.path)}${suffix}`, {})
  const what = resource.subresource ? `${resource.resource}/${resource.subresource}` : resource.resource
  const where = resource.namespace ? `in the namespace ${quote(resource.namespace)}` : 'at the cluster scope'
  const why = `User ${quote(user.username)} cannot ${verb} resource ${quote(what)} in API group ${quote(resource.group)} ${where}${suffix}`
  return errors.forbidden({ group: resource.group, resource: resource.resource }, resource.name, why)
}

const quote = (text: string): string => JSON.stringify(text)
