import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError } from '#base'
import { git, isObjectId, isRefName } from './git.ts'

/** How another host is asked: keys of a Secret, as `kubernetes.io/basic-auth` and `kubernetes.io/ssh-auth` name them, and `known_hosts`. */
export interface GitCredentials {
  username?: string
  password?: string
  'ssh-privatekey'?: string
  known_hosts?: string
}

export interface FetchOptions {
  /** The bare repository that is to have it. */
  repository: string
  url: string
  ref: { branch: string } | { tag: string } | { revision: string } | 'HEAD'
  credentials?: GitCredentials
  signal?: AbortSignal
  /** Over local paths and git's other helpers nothing is fetched unless a test says so. */
  protocols?: string
}

/** Says what to do about it, without the credentials. */
export class FetchError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'FetchError'
  }
}

/** A commit that no ref of ours names must be kept from the next `git gc`. */
const keptRefs = 'refs/k8ts/own/fetched/'

/**
 * Brings a branch, a tag or a commit of another host into a repository of ours, under the same name. Answers the branch that its HEAD names when that was
 * asked for.
 */
export async function fetchExternal(options: FetchOptions): Promise<string | undefined> {
  const { repository, url, ref, credentials = {}, signal, protocols = 'http:https:ssh:git' } = options
  const aside = await mkdtemp(join(tmpdir(), 'k8ts-fetch-'))
  try {
    const access = await accessFor(url, credentials, aside)
    const ask = (args: string[]) =>
      git(repository, args, { config: access.config, env: { ...access.env, GIT_ALLOW_PROTOCOL: protocols }, ...(signal ? { signal } : {}) })
    let wanted = ref
    if (wanted === 'HEAD') {
      const [, branch] = /^ref: refs\/heads\/(\S+)\tHEAD$/m.exec(await ask(['ls-remote', '--symref', '--', url, 'HEAD'])) ?? []
      if (!branch || !isRefName(branch)) throw new FetchError(`${url} has no default branch`)
      wanted = { branch }
    }
    await ask(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--force', '--', url, refspec(wanted)])
    return 'branch' in wanted ? wanted.branch : undefined
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new FetchError(`fetching from ${url} failed: ${error.stderr.trim().split('\n').slice(-3).join('; ')}`)
  } finally {
    await rm(aside, { recursive: true, force: true })
  }
}

function refspec(ref: Exclude<FetchOptions['ref'], 'HEAD'>): string {
  if ('revision' in ref) {
    if (!isObjectId(ref.revision)) throw new FetchError(`${JSON.stringify(ref.revision)} is not the full hash of a commit`)
    return `${ref.revision}:${keptRefs}${ref.revision}`
  }
  const name = 'branch' in ref ? ref.branch : ref.tag
  if (!isRefName(name)) throw new FetchError(`${JSON.stringify(name)} is not the name of a branch or tag`)
  const full = `refs/${'branch' in ref ? 'heads' : 'tags'}/${name}`
  return `${full}:${full}`
}

/** Settings and variables that carry the credentials: never the command line, and for a password only towards the address itself. */
async function accessFor(
  url: string,
  credentials: GitCredentials,
  aside: string,
): Promise<{ config: Record<string, string>; env: Record<string, string> }> {
  const config: Record<string, string> = {}
  if (/^https?:/.test(url) && credentials.password !== undefined) {
    // hosts that take a token take it as the password of any user
    const pair = Buffer.from(`${credentials.username ?? 'git'}:${credentials.password.trim()}`).toString('base64')
    config[`http.${new URL(url).origin}/.extraHeader`] = `Authorization: Basic ${pair}`
  }
  const key = credentials['ssh-privatekey']
  if (/^https?:/.test(url) || key === undefined) return { config, env: { GIT_SSH_COMMAND: 'ssh -o BatchMode=yes' } }
  const [identity, hosts] = [join(aside, 'identity'), join(aside, 'known_hosts')]
  await writeFile(identity, key.endsWith('\n') ? key : `${key}\n`, { mode: 0o600 })
  await writeFile(hosts, credentials.known_hosts ?? '')
  // without known hosts the first answer is believed, as most CI services do; with them nobody else is
  const strict = credentials.known_hosts === undefined ? 'accept-new' : 'yes'
  return {
    config,
    env: {
      GIT_SSH_COMMAND: `ssh -F none -o BatchMode=yes -o IdentitiesOnly=yes -o StrictHostKeyChecking=${strict} -o UserKnownHostsFile=${hosts} -i ${identity}`,
    },
  }
}
