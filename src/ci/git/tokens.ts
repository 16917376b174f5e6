import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { GitAccess } from './names.ts'

/** What is kept of a token: enough to know it again, not enough to use it. */
export interface StoredToken {
  /** SHA-256 of the token, hexadecimal. A token has 256 random bits: a slow hash would add nothing. */
  hash: string
  scopes: GitAccess[]
  /** Who acts when the token is used. */
  actor: string
  created: string
}

export interface MintedToken {
  /** Names the token without giving it away. */
  id: string
  /** Shown once. */
  token: string
  stored: StoredToken
}

const form = /^k8ts_([0-9a-z]{10})_([A-Za-z0-9_-]{43})$/

export function mintToken(options: { actor: string; scopes: readonly GitAccess[]; now: number; random?: (bytes: number) => Buffer }): MintedToken {
  const { actor, scopes, now, random = randomBytes } = options
  const id = [...random(10)].map((byte) => (byte % 36).toString(36)).join('')
  const token = `k8ts_${id}_${random(32).toString('base64url')}`
  return { id, token, stored: { hash: hashToken(token), scopes: [...scopes], actor, created: new Date(now).toISOString() } }
}

/** The part of a token that names it; undefined for what is no token. */
export const tokenId = (token: string): string | undefined => form.exec(token)?.[1]

export const hashToken = (token: string): string => createHash('sha256').update(token).digest('hex')

/** Compares in constant time. */
export function tokenMatches(token: string, stored: StoredToken): boolean {
  const expected = Buffer.from(stored.hash, 'hex')
  const actual = createHash('sha256').update(token).digest()
  return expected.length === actual.length && timingSafeEqual(expected, actual)
}

/** User and password of HTTP basic authentication (RFC 7617), or undefined. */
export function basicCredentials(authorization: string | undefined): { user: string; password: string } | undefined {
  const [, encoded] = /^basic +([A-Za-z0-9+/=]+) *$/i.exec(authorization ?? '') ?? []
  if (!encoded) return undefined
  const text = Buffer.from(encoded, 'base64').toString('utf8')
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
