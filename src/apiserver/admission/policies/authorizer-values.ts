import type { AuthorizationQuestion } from '#cel'
import { AuthorizerValue, ResourceCheckValue } from '#cel'
import type { UserInfo } from '../../authn/authenticator.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { RequestInfo } from '../../request-info.ts'
import type { Attributes } from './attributes.ts'
import type { AuthorizerValues } from './inputs.ts'

/** `authorizer` and `authorizer.requestResource` of a request: they ask about who sent it. */
export function authorizerValues(authorizer: Authorizer, { user, resource, subresource, namespace, name }: Attributes): AuthorizerValues {
  const { username, ...who } = user
  const value = new AuthorizerValue({ name: username, ...who }, (question) => {
    const { decision, reason } = authorizer.authorize(requestOf(question))
    return { allowed: decision === 'allow', reason }
  })
  return {
    authorizer: value,
    requestResource: new ResourceCheckValue(value, { group: resource.group, resource: resource.resource, subresource, namespace, name }),
  }
}

function requestOf(question: AuthorizationQuestion): RequestInfo {
  const { name: username, groups, uid, extra } = question.user
  const user: UserInfo = {
    username,
    groups: [...groups],
    ...(uid ? { uid } : {}),
    ...(extra ? { extra: Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]])) } : {}),
  }
  const { verb } = question
  if (question.path !== undefined) return { user, verb, path: question.path }
  const { group, resource, subresource, namespace, name } = question
  return { user, verb, path: '', resource: { group, version: '*', resource, subresource, namespace, name, rest: '' } }
}
