import type { core } from '#api'
import type { Clock } from '#base'
import type { ObjectReader } from '../object-reader.ts'
import type { UserInfo } from './authenticator.ts'
import type { TokenAuthenticator, TokenResult } from './token-authenticator.ts'
import type { ObjectClaim, TokenClaims, TokenKeys } from './tokens.ts'
import { claimedIssuer, legacyIssuer, serviceAccountUsername } from './tokens.ts'

export interface ServiceAccountTokenOptions {
  keys: TokenKeys
  issuer: string
  /** Audiences that mean this API server; the issuer when empty. */
  audiences?: string[]
  reader: ObjectReader
  clock: Clock
  /** Signatures that are remembered; 4096 when absent. */
  cacheSize?: number
}

/** Deleted objects are honoured this much longer, as upstream's tokens do: clocks differ. */
const leewaySeconds = 60

/**
 * Verifies service-account tokens, bound ones and those of token Secrets. What costs time (the signature) is remembered per token; what can change (time, the
 * account, pod, node or secret the token is bound to) is looked up each time, so a deleted pod's token ends at once.
 */
export function serviceAccountTokens(options: ServiceAccountTokenOptions): TokenAuthenticator {
  const { keys, issuer, reader, clock, cacheSize = 4096 } = options
  const ownAudiences = options.audiences?.length ? options.audiences : [issuer]
  const verified = new Map<string, { claims: TokenClaims; user: UserInfo }>()

  const verify = (token: string) => {
    const known = verified.get(token)
    if (known) return known
    const claims = keys.verify(token)
    const user = claims && userOf(claims)
    if (!user) return undefined
    if (verified.size >= cacheSize) verified.delete(verified.keys().next().value!)
    const entry = { claims, user }
    verified.set(token, entry)
    return entry
  }

  return {
    authenticateToken(token, audiences = ownAudiences) {
      let entry = verified.get(token)
      if (!entry) {
        const claimed = claimedIssuer(token)
        if (claimed !== issuer && claimed !== legacyIssuer) return undefined
        entry = verify(token)
        if (!entry) return { error: 'invalid signature' }
      }
      const { claims, user } = entry
      const legacy = claims.iss === legacyIssuer
      const now = clock.now() / 1000
      const tokenAudiences = claims.aud === undefined ? ownAudiences : typeof claims.aud === 'string' ? [claims.aud] : claims.aud
      const common = tokenAudiences.filter((audience) => audiences.includes(audience))
      if (common.length === 0) return { error: `token audiences ${quoted(tokenAudiences)} is invalid for the target audiences ${quoted(audiences)}` }
      const error = legacy ? legacyError(reader, claims, token) : boundError(reader, claims, now)
      return error === undefined ? { user, audiences: common } : ({ error } satisfies TokenResult)
    },
  }
}

function userOf(claims: TokenClaims): UserInfo | undefined {
  const bound = claims['kubernetes.io']
  const namespace = bound?.namespace ?? claims['kubernetes.io/serviceaccount/namespace']
  const name = bound?.serviceaccount.name ?? claims['kubernetes.io/serviceaccount/service-account.name']
  const uid = bound?.serviceaccount.uid ?? claims['kubernetes.io/serviceaccount/service-account.uid']
  if (!namespace || !name || claims.sub !== serviceAccountUsername(namespace, name)) return undefined
  const extra: Record<string, string[]> = {}
  const add = (key: string, value: string | undefined) => {
    if (value) extra[`authentication.kubernetes.io/${key}`] = [value]
  }
  add('credential-id', claims.jti && `JTI=${claims.jti}`)
  add('node-name', bound?.node?.name)
  add('node-uid', bound?.node?.uid)
  add('pod-name', bound?.pod?.name)
  add('pod-uid', bound?.pod?.uid)
  return {
    username: claims.sub,
    ...(uid ? { uid } : {}),
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    ...(Object.keys(extra).length > 0 ? { extra } : {}),
  }
}

/** Why a bound token is no longer good; undefined when it is. `now` in seconds. */
function boundError(reader: ObjectReader, claims: TokenClaims, now: number): string | undefined {
  const bound = claims['kubernetes.io']
  if (!bound) return 'Token could not be validated.'
  if (claims.exp !== undefined && now > claims.exp + leewaySeconds) return 'Token has expired.'
  if (claims.nbf !== undefined && now < claims.nbf - leewaySeconds) return 'Token could not be validated.'
  const { namespace, serviceaccount, pod, secret, node } = bound
  const account = reader.get<core.ServiceAccount>('', 'serviceaccounts', namespace, serviceaccount.name)
  if (!account) return `serviceaccounts "${serviceaccount.name}" not found`
  if (isGone(account, now)) return `ServiceAccount ${namespace}/${serviceaccount.name} has been deleted`
  if (account.metadata.uid !== serviceaccount.uid) return `ServiceAccount UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`
  return (
    (secret && referenceError(reader, 'secrets', 'Secret', namespace, secret, now)) ??
    (pod && referenceError(reader, 'pods', 'Pod', namespace, pod, now)) ??
    // the node of a pod-bound token is information; a token bound to the node itself ends with it
    (node && !pod ? referenceError(reader, 'nodes', 'Node', '', node, now) : undefined)
  )
}

function referenceError(
  reader: ObjectReader,
  resource: string,
  kind: string,
  namespace: string,
  claim: ObjectClaim,
  now: number,
): string | undefined {
  const object = reader.get('', resource, namespace, claim.name)
  if (!object || isGone(object, now)) return 'Token has been invalidated'
  return object.metadata.uid === claim.uid ? undefined : `${kind} UID (${object.metadata.uid}) does not match claim (${claim.uid})`
}

function isGone(object: { readonly metadata: { readonly deletionTimestamp?: string } }, now: number): boolean {
  const { deletionTimestamp } = object.metadata
  return deletionTimestamp !== undefined && Date.parse(deletionTimestamp) / 1000 < now - leewaySeconds
}

/** Why the token of a token Secret is no longer good: it lives as long as the secret holds it, and the account it names exists. */
function legacyError(reader: ObjectReader, claims: TokenClaims, token: string): string | undefined {
  const namespace = claims['kubernetes.io/serviceaccount/namespace']
  const secretName = claims['kubernetes.io/serviceaccount/secret.name']
  const name = claims['kubernetes.io/serviceaccount/service-account.name']
  const uid = claims['kubernetes.io/serviceaccount/service-account.uid']
  if (!namespace) return 'namespace claim is missing'
  if (!secretName) return 'secretName claim is missing'
  if (!name) return 'serviceAccountName claim is missing'
  if (!uid) return 'serviceAccountUID claim is missing'
  const secret = reader.get<core.Secret>('', 'secrets', namespace, secretName)
  if (!secret || secret.metadata.deletionTimestamp) return 'Token has been invalidated'
  if (secret.data?.['token'] !== Buffer.from(token).toString('base64')) return "Token does not match server's copy"
  const account = reader.get<core.ServiceAccount>('', 'serviceaccounts', namespace, name)
  if (!account) return `serviceaccounts "${name}" not found`
  if (account.metadata.deletionTimestamp) return `ServiceAccount ${namespace}/${name} has been deleted`
  return account.metadata.uid === uid ? undefined : `ServiceAccount UID (${account.metadata.uid}) does not match claim (${uid})`
}

const quoted = (values: readonly string[]): string => `[${values.map((value) => JSON.stringify(value)).join(' ')}]`
