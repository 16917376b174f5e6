import type { KeyObject } from 'node:crypto'
import { createHash, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto'

/** Signs and verifies the JWTs of service accounts (RS256 or ES256, by the kind of key). */
export interface TokenKeys {
  /** The claims with `iss`, as a compact JWS. */
  sign(claims: TokenClaims): string
  /** The claims of a token whose signature holds; undefined when it is none of ours, or altered. Time, audience and objects are not looked at. */
  verify(token: string): TokenClaims | undefined
  /** Public keys as a JSON Web Key Set. */
  readonly keySet: { keys: Record<string, string>[] }
  readonly algorithms: string[]
}

export interface ObjectClaim {
  name: string
  uid: string
}

/** RFC 7519's registered claims, and Kubernetes' own. */
export interface TokenClaims {
  iss?: string
  sub?: string
  aud?: string[] | string
  /** Seconds since the epoch, as all times here. */
  exp?: number
  iat?: number
  nbf?: number
  jti?: string
  'kubernetes.io'?: {
    namespace: string
    serviceaccount: ObjectClaim
    pod?: ObjectClaim
    node?: ObjectClaim
    secret?: ObjectClaim
    warnafter?: number
  }
  'kubernetes.io/serviceaccount/namespace'?: string
  'kubernetes.io/serviceaccount/secret.name'?: string
  'kubernetes.io/serviceaccount/service-account.name'?: string
  'kubernetes.io/serviceaccount/service-account.uid'?: string
}

interface VerificationKey {
  id: string
  algorithm: 'RS256' | 'ES256'
  key: KeyObject
}

/** `privateKey` signs; `publicKeys` (PEM) are accepted beside its own, so that keys can be rotated. */
export function tokenKeys(options: { privateKey: string; publicKeys?: string[] }): TokenKeys {
  const privateKey = createPrivateKey(options.privateKey)
  const own = verificationKey(createPublicKey(privateKey))
  const keys = new Map([own, ...(options.publicKeys ?? []).map((pem) => verificationKey(createPublicKey(pem)))].map((key) => [key.id, key]))
  const header = encode({ alg: own.algorithm, kid: own.id })

  return {
    sign(claims) {
      const signed = `${header}.${encode(claims)}`
      return `${signed}.${sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
    },
    verify(token) {
      const [head, body, signature, extra] = token.split('.')
      if (!head || !body || !signature || extra !== undefined) return undefined
      const { alg, kid } = (decode(head) ?? {}) as { alg?: unknown; kid?: unknown }
      const candidates = typeof kid === 'string' ? [keys.get(kid)] : [...keys.values()]
      const signed = Buffer.from(`${head}.${body}`)
      const bytes = Buffer.from(signature, 'base64url')
      // the algorithm is the key's own: what the header says must agree, never decide
      const good = candidates.some((k) => k && k.algorithm === alg && verify('sha256', signed, { key: k.key, dsaEncoding: 'ieee-p1363' }, bytes))
      return good ? (decode(body) as TokenClaims | undefined) : undefined
    },
    keySet: { keys: [...keys.values()].map(({ id, algorithm, key }) => ({ use: 'sig', ...publicJwk(key), kid: id, alg: algorithm })) },
    algorithms: [...new Set([...keys.values()].map((key) => key.algorithm))].sort(),
  }
}

export interface BoundObjects {
  pod?: ObjectClaim
  node?: ObjectClaim
  secret?: ObjectClaim
}

/** The claims of a bound token; times in seconds. */
export function boundClaims(options: {
  issuer: string
  audiences: string[]
  namespace: string
  serviceAccount: ObjectClaim
  bound: BoundObjects
  now: number
  expirationSeconds: number
  warnAfterSeconds?: number
}): TokenClaims {
  const { issuer, audiences, namespace, serviceAccount, bound, now, expirationSeconds, warnAfterSeconds } = options
  return {
    aud: audiences,
    exp: now + expirationSeconds,
    iat: now,
    iss: issuer,
    jti: randomUUID(),
    'kubernetes.io': {
      namespace,
      ...(bound.node ? { node: bound.node } : {}),
      ...(bound.pod ? { pod: bound.pod } : {}),
      ...(bound.secret ? { secret: bound.secret } : {}),
      serviceaccount: serviceAccount,
      ...(warnAfterSeconds === undefined ? {} : { warnafter: now + warnAfterSeconds }),
    },
    nbf: now,
    sub: serviceAccountUsername(namespace, serviceAccount.name),
  }
}

export const legacyIssuer = 'kubernetes/serviceaccount'

/** The claims of a token that lives in a Secret of type kubernetes.io/service-account-token: they never expire. */
export function legacyClaims(options: { namespace: string; serviceAccount: ObjectClaim; secretName: string }): TokenClaims {
  const { namespace, serviceAccount, secretName } = options
  return {
    iss: legacyIssuer,
    'kubernetes.io/serviceaccount/namespace': namespace,
    'kubernetes.io/serviceaccount/secret.name': secretName,
    'kubernetes.io/serviceaccount/service-account.name': serviceAccount.name,
    'kubernetes.io/serviceaccount/service-account.uid': serviceAccount.uid,
    sub: serviceAccountUsername(namespace, serviceAccount.name),
  }
}

export const serviceAccountUsername = (namespace: string, name: string): string => `system:serviceaccount:${namespace}:${name}`

/** The issuer that an unverified token names: says whether it is meant for us, nothing more. */
export function claimedIssuer(token: string): string | undefined {
  const parts = token.split('.')
  const claims = parts.length === 3 ? (decode(parts[1]!) as { iss?: unknown } | undefined) : undefined
  return typeof claims?.iss === 'string' ? claims.iss : undefined
}

/** The documents of OpenID Connect discovery, by which others verify our tokens. */
export function openIdDocuments(keys: TokenKeys, options: { issuer: string; jwksUri: string }): { configuration: object; keySet: object } {
  return {
    configuration: {
      issuer: options.issuer,
      jwks_uri: options.jwksUri,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: keys.algorithms,
    },
    keySet: keys.keySet,
  }
}

function verificationKey(key: KeyObject): VerificationKey {
  const id = createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')
  if (key.asymmetricKeyType === 'rsa') return { id, algorithm: 'RS256', key }
  if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return { id, algorithm: 'ES256', key }
  throw new Error('a service-account key must be RSA or an elliptic-curve key on P-256')
}

const publicJwk = (key: KeyObject) => key.export({ format: 'jwk' }) as Record<string, string>

const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')

function decode(part: string): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString())
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}
