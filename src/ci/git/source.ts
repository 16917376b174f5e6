import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import type { Client } from '#client'
import type { GitCommit, GitSource } from '../git-source.ts'
import { projectKey } from '../names.ts'
import { type GitCredentials, fetchExternal } from './external.ts'
import type { Repositories } from './repositories.ts'

export interface GitSourceOptions {
  repositories: Repositories
  /** Reads the Secret with the credentials of another host. */
  client: Client
  /** Which protocols other hosts are reached by; for tests. */
  protocols?: string
}

/**
 * Reads projects' repositories. One that lives on another host is copied as needed: a branch or tag is asked for anew each time, a commit only when it is not
 * here yet. Trouble on the way to the host rejects with FetchError.
 */
export function createGitSource({ repositories, client, protocols }: GitSourceOptions): GitSource {
  const fetching = new Map<string, Promise<unknown>>()

  async function credentialsOf(project: DeepReadonly<ci.Project>): Promise<GitCredentials> {
    const name = project.spec.repository?.credentialsSecretName
    if (!name) return {}
    try {
      const { data = {} } = await client.resource(resources.secrets).get(name, project.metadata.namespace)
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value as string, 'base64').toString()]))
    } catch (error) {
      if (isStatus(error, 'NotFound')) throw new Error(`the Secret ${name} with the repository's credentials does not exist`, { cause: error })
      throw error
    }
  }

  /** One fetch into a repository at a time: git's own locks would refuse the second. */
  async function bring(project: DeepReadonly<ci.Project>, ref: Parameters<typeof fetchExternal>[0]['ref']): Promise<string | undefined> {
    const key = projectKey(project)
    const fetch = async () => {
      const repository = await repositories.ensure(key, { defaultBranch: project.spec.defaultBranch || 'main' })
      return fetchExternal({
        repository,
        url: project.spec.repository!.url!,
        ref,
        credentials: await credentialsOf(project),
        ...(protocols ? { protocols } : {}),
      })
    }
    const mine = (fetching.get(key) ?? Promise.resolve()).then(fetch, fetch)
    fetching.set(key, mine)
    try {
      return await mine
    } finally {
      if (fetching.get(key) === mine) fetching.delete(key)
    }
  }

  return {
    async resolve(project, { branch, tag, revision }) {
      const key = projectKey(project)
      const external = Boolean(project.spec.repository?.url)
      let found
      if (revision) {
        found = await repositories.resolve(key, { revision })
        if (!found && external) {
          // some hosts give a commit by its branch only
          const ref = branch ? { branch } : tag ? { tag } : { revision }
          await bring(project, ref)
          found = await repositories.resolve(key, { revision })
        }
      } else if (tag) {
        if (external) await bring(project, { tag })
        found = await repositories.resolve(key, { tag })
      } else {
        const wanted = branch || project.spec.defaultBranch
        if (external) {
          const name = await bring(project, wanted ? { branch: wanted } : 'HEAD')
          found = name ? await repositories.resolve(key, { branch: name }) : undefined
        } else if (repositories.exists(key)) found = await repositories.resolve(key, { branch: branch || (await repositories.head(key)) })
      }
      return found && commitOf(found)
    },
    readFile: (project, revision, path) => repositories.readFile(projectKey(project), revision, path),
  }
}

const commitOf = ({ revision, subject, author }: GitCommit): GitCommit => ({ revision, subject, author })
