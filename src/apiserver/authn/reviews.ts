import type { authentication } from '#api'
import { errors } from '#api'
import type { UserInfo } from './authenticator.ts'
import { withAuthenticated } from './request-authenticator.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

/** POST of a TokenReview: the review with its status filled in. `apiAudiences` are what a review that names no audience asks for. */
export function reviewToken(
  options: { tokens: TokenAuthenticator; apiAudiences: string[] },
  review: authentication.TokenReview,
): authentication.TokenReview {
  const { token, audiences } = review.spec ?? {}
  if (!token) throw errors.badRequest('token is required for TokenReview in authentication')
  const result = options.tokens.authenticateToken(token, audiences?.length ? audiences : options.apiAudiences)
  if (!result || 'error' in result) {
    const error = result ? `[invalid bearer token, ${result.error.replace(/^\[(.*)\]$/s, '$1')}]` : 'invalid bearer token'
    return { ...review, status: { user: {}, error } }
  }
  return { ...review, status: { authenticated: true, user: userInfo(withAuthenticated(result.user)), audiences: result.audiences } }
}

/** POST of a SelfSubjectReview: who the API server says you are. */
export function reviewSelf(user: UserInfo, review: authentication.SelfSubjectReview): authentication.SelfSubjectReview {
  return { ...review, status: { userInfo: userInfo(user) } }
}

function userInfo(user: UserInfo): authentication.UserInfo {
  const { username, uid, groups, extra } = user
  return { username, ...(uid ? { uid } : {}), groups: [...groups], ...(extra && Object.keys(extra).length > 0 ? { extra: { ...extra } } : {}) }
}
