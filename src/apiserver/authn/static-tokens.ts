import { createHash, timingSafeEqual } from 'node:crypto'
import type { UserInfo } from './authenticator.ts'
import type { TokenAuthenticator } from './token-authenticator.ts'
import { forOwnAudience } from './token-authenticator.ts'

/**
 * Fixed tokens, as `kube-apiserver --token-auth-file` reads them: CSV lines `token,user,uid[,"group1,group2"]`. Throws an Error that names the
 * line that is wrong.
 */
export function parseTokenFile(text: string): Map<string, UserInfo> {
  const users = new Map<string, UserInfo>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '') continue
    const fields = splitCsv(line)
    const [token, username, uid, groups = ''] = fields
    if (fields.length < 3)
      throw new Error(`token file: line ${index + 1} must have at least 3 columns (token, user name, user uid), found ${fields.length}`)
    // a line without a token is skipped, as upstream does
    if (!token) continue
    users.set(token, {
      username: username!,
      ...(uid ? { uid } : {}),
      groups: groups
        .split(',')
        .map((group) => group.trim())
        .filter(Boolean),
    })
  }
  return users
}

/** `audiences` are the API server's own: fixed tokens are good for them only. */
export function staticTokens(users: Map<string, UserInfo>, audiences: readonly string[]): TokenAuthenticator {
  // found by digest, so that how far a wrong token agrees with a right one cannot be measured
  const digest = (token: string) => createHash('sha256').update(token).digest()
  const known = [...users].map(([token, user]) => ({ digest: digest(token), user }))
  const lengths = new Set([...users.keys()].map((token) => token.length))
  const recent = new Map<string, UserInfo>()
  return {
    authenticateToken(token, asked) {
      let user = recent.get(token)
      if (!user) {
        // most tokens are service accounts' and much longer: they need no digest
        if (!lengths.has(token.length)) return undefined
        const sought = digest(token)
        user = known.find((entry) => timingSafeEqual(entry.digest, sought))?.user
        if (!user) return undefined
        recent.set(token, user)
      }
      return forOwnAudience(user, audiences, asked)
    },
  }
}

function splitCsv(line: string): string[] {
  const fields: string[] = []
  for (const match of line.matchAll(/(?:^|,)\s*(?:"((?:[^"]|"")*)"|([^,]*))/g)) fields.push(match[1]?.replaceAll('""', '"') ?? match[2]!.trim())
  return fields
}
