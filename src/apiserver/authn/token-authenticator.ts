import type { UserInfo } from './authenticator.ts'

/** A token that is good, and the audiences (of those asked for) that it is good for. */
export type TokenResult = { user: UserInfo; audiences: string[] } | { error: string }

/**
 * Says whose token this is, from memory. Undefined: not one of this authenticator's; an error: meant for it, but wrong. `audiences` are whom the
 * token must be meant for, the API server's own when absent. `system:authenticated` is not among the groups yet.
 */
export interface TokenAuthenticator {
  authenticateToken(token: string, audiences?: readonly string[]): TokenResult | undefined
}

/** Asks each in turn; the first that knows the token answers. The error of one that does not is kept in case nobody does. */
export function unionTokens(authenticators: TokenAuthenticator[]): TokenAuthenticator {
  return {
    authenticateToken(token, audiences) {
      const found: string[] = []
      for (const authenticator of authenticators) {
        const result = authenticator.authenticateToken(token, audiences)
        if (result && !('error' in result)) return result
        if (result) found.push(result.error)
      }
      return found.length === 0 ? undefined : { error: found.length === 1 ? found[0]! : `[${found.join(', ')}]` }
    },
  }
}

/** The result for a token that names no audience itself: it is good for the API server's own. */
export function forOwnAudience(user: UserInfo, own: readonly string[], asked: readonly string[] | undefined): TokenResult | undefined {
  const audiences = asked ? own.filter((audience) => asked.includes(audience)) : [...own]
  return audiences.length === 0 ? undefined : { user, audiences }
}
