import type { core } from '#api'
import type { Clock } from '#base'
import type { ObjectReader } from '../object-reader.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'
import { forOwnAudience } from './token-authenticator.ts'

const format = /^([a-z0-9]{6})\.([a-z0-9]{16})$/

/**
 * Tokens with which nodes join: `ID.SECRET`, kept in kube-system as Secrets `bootstrap-token-ID` of type bootstrap.kubernetes.io/token. Their user is
 * `system:bootstrap:ID` in the group `system:bootstrappers` and those the secret adds.
 */
export function bootstrapTokens(options: { reader: ObjectReader; clock: Clock; audiences: readonly string[] }): TokenAuthenticator {
  return {
    authenticateToken(token, asked) {
      const match = format.exec(token)
      if (!match) return undefined
      const [, id, secret] = match
      const stored = options.reader.get<core.Secret>('', 'secrets', 'kube-system', `bootstrap-token-${id}`)
      if (!stored || stored.metadata.deletionTimestamp || stored.type !== 'bootstrap.kubernetes.io/token') return undefined
      const value = (key: string) => Buffer.from(stored.data?.[key] ?? '', 'base64').toString()
      const expiration = value('expiration')
      const expired = expiration !== '' && !(Date.parse(expiration) > options.clock.now())
      if (value('token-id') !== id || value('token-secret') !== secret || expired || value('usage-bootstrap-authentication') !== 'true')
        return undefined
      const extra = value('auth-extra-groups')
        .split(',')
        .filter((group) => /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/.test(group))
      return forOwnAudience({ username: `system:bootstrap:${id}`, groups: ['system:bootstrappers', ...extra] }, options.audiences, asked)
    },
  }
}
