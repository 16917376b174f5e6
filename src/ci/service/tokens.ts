import { createHmac, timingSafeEqual } from 'node:crypto'

/** What a job's token says: which start of which copy of which job it was made for. */
export interface JobIdentity {
  namespace: string
  name: string
  uid: string
  project: string
  attempt: number
  index: number
}

export interface JobTokens {
  issue(identity: JobIdentity): string
  /** Whom a token was made for; undefined when it was not made here. Whether the job still runs is another question. */
  read(token: string): JobIdentity | undefined
}

/** Tokens that carry what they are for, signed with the service's key: nothing is to be remembered, also over a restart. */
export function jobTokens(key: Uint8Array): JobTokens {
  const signature = (payload: string) => createHmac('sha256', key).update(`job:${payload}`).digest()
  return {
    issue(identity) {
      const payload = Buffer.from(JSON.stringify(identity)).toString('base64url')
      return `${payload}.${signature(payload).toString('base64url')}`
    },
    read(token) {
      const [payload, given, ...more] = token.split('.')
      if (!payload || !given || more.length > 0) return undefined
      const [a, b] = [signature(payload), Buffer.from(given, 'base64url')]
      if (a.length !== b.length || !timingSafeEqual(a, b)) return undefined
      return JSON.parse(Buffer.from(payload, 'base64url').toString()) as JobIdentity
    },
  }
}
