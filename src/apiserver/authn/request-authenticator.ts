import type { Authenticated, Authenticator, Credentials, UserInfo } from './authenticator.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'

export const anonymousUser: UserInfo = Object.freeze({ username: 'system:anonymous', groups: ['system:unauthenticated'] })

/** The user of a verified client certificate: its common name, in the groups its organizations name. */
export const x509Authenticator: Authenticator = {
  authenticate: ({ certificate }) => (certificate ? certificateUser(certificate) : undefined),
}

/** The user of a bearer token. */
export function bearerAuthenticator(tokens: TokenAuthenticator): Authenticator {
  return { authenticate: ({ bearerToken }) => (bearerToken === undefined ? undefined : tokenUser(tokens, bearerToken)) }
}

const maxCertificateUsers = 4096

export interface RequestAuthenticatorOptions {
  tokens: TokenAuthenticator
  /** Requests without credentials are `system:anonymous`, as upstream does by default. */
  anonymous?: boolean
}

/**
 * The API server's authentication: client certificate, then bearer token, then anonymous. Everyone it knows is in `system:authenticated`. It is on the path of every request:
 * the answer for a certificate's subject or a token that was seen before is the same (frozen) object, and authorization keeps what it knows by it.
 */
export function requestAuthenticator(options: RequestAuthenticatorOptions): { authenticate(credentials: Credentials): Authenticated } {
  const authenticated = new WeakMap<UserInfo, UserInfo>()
  const byCertificate = new Map<string, UserInfo>()
  const complete = (user: UserInfo): UserInfo => {
    let known = authenticated.get(user)
    if (!known) authenticated.set(user, (known = withAuthenticated(user)))
    return known
  }
  const authenticate = ({ certificate, bearerToken }: Credentials): Authenticated => {
    if (certificate) {
      const key = [certificate.commonName, ...certificate.organizations].join('\0')
      let user = byCertificate.get(key)
      if (!user) {
        const named = certificateUser(certificate)
        if (byCertificate.size >= maxCertificateUsers) byCertificate.clear()
        if (named) byCertificate.set(key, (user = withAuthenticated(named)))
      }
      if (user) return user
    }
    if (bearerToken !== undefined) {
      const user = tokenUser(options.tokens, bearerToken)
      return user === 'invalid' ? user : complete(user)
    }
    return (options.anonymous ?? true) ? anonymousUser : undefined
  }
  return { authenticate }
}

function certificateUser({ commonName, organizations }: { commonName: string; organizations: string[] }): UserInfo | undefined {
  return commonName ? { username: commonName, groups: organizations } : undefined
}

function tokenUser(tokens: TokenAuthenticator, token: string): UserInfo | 'invalid' {
  const result = tokens.authenticateToken(token)
  return result && !('error' in result) ? result.user : 'invalid'
}

export function withAuthenticated(user: UserInfo): UserInfo {
  const known = user.groups.includes('system:authenticated') || user.groups.includes('system:unauthenticated') || user.username === 'system:anonymous'
  return Object.freeze(known ? { ...user } : { ...user, groups: [...user.groups, 'system:authenticated'] })
}
