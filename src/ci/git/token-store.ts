import { type core, isStatus, resources } from '#api'
import { type Clock, realClock } from '#base'
import type { Client } from '#client'
import { labels } from '../names.ts'
import type { GitAccess } from './names.ts'
import { type StoredToken, mintToken, tokenId, tokenMatches } from './tokens.ts'

/** A Secret that holds hashes of tokens. */
export const tokenSecretType = 'ci.k8ts.dev/git-tokens'
export const tokenSecretName = (project: string): string => `${project}-git-tokens`

export interface TokenInfo {
  id: string
  actor: string
  scopes: GitAccess[]
  created: string
}

/** A project's tokens: a Secret beside it, one key each, hashes only. */
export interface TokenStore {
  /** The token itself is in the answer and nowhere else. */
  create(
    project: ProjectKey,
    options: { actor: string; scopes: readonly GitAccess[]; owner?: core.Secret['metadata']['ownerReferences'] },
  ): Promise<{ id: string; token: string }>
  list(project: ProjectKey): Promise<TokenInfo[]>
  /** False when there is no such token. */
  revoke(project: ProjectKey, id: string): Promise<boolean>
  /** Whose token it is and what it may, or undefined. */
  verify(project: ProjectKey, token: string): Promise<{ actor: string; access: GitAccess[] } | undefined>
}

export interface ProjectKey {
  namespace: string
  name: string
}

export function createTokenStore({ client, clock = realClock }: { client: Client; clock?: Clock }): TokenStore {
  const secrets = client.resource(resources.secrets)

  async function read({ namespace, name }: ProjectKey): Promise<Record<string, StoredToken>> {
    try {
      const { data = {} } = await secrets.get(tokenSecretName(name), namespace)
      return Object.fromEntries(
        Object.entries(data).map(([id, text]) => [id, JSON.parse(Buffer.from(text as string, 'base64').toString()) as StoredToken]),
      )
    } catch (error) {
      if (isStatus(error, 'NotFound')) return {}
      throw error
    }
  }

  return {
    async create({ namespace, name }, { actor, scopes, owner }) {
      const { id, token, stored } = mintToken({ actor, scopes, now: clock.now() })
      const data = { [id]: Buffer.from(JSON.stringify(stored)).toString('base64') }
      try {
        await secrets.patch(tokenSecretName(name), namespace, 'merge', { data })
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
        await secrets.create({
          apiVersion: 'v1',
          kind: 'Secret',
          metadata: { name: tokenSecretName(name), namespace, labels: { [labels.project]: name }, ...(owner ? { ownerReferences: owner } : {}) },
          type: tokenSecretType,
          data,
        })
      }
      return { id, token }
    },

    async list(project) {
      return Object.entries(await read(project)).map(([id, { actor, scopes, created }]) => ({ id, actor, scopes, created }))
    },

    async revoke(project, id) {
      if (!Object.hasOwn(await read(project), id)) return false
      await secrets.patch(tokenSecretName(project.name), project.namespace, 'merge', { data: { [id]: null } })
      return true
    },

    async verify(project, token) {
      const id = tokenId(token)
      if (!id) return undefined
      const stored = (await read(project))[id]
      if (!stored || !tokenMatches(token, stored)) return undefined
      return { actor: stored.actor, access: stored.scopes }
    },
  }
}
