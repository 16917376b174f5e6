import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readdir, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { CommandError } from '#base'
import { git, isObjectId, isRefName } from './git.ts'
import { isProjectKey } from './names.ts'
import type { RefUpdate } from './receive-pack.ts'

/** What a pipeline shows of the commit that it builds. */
export interface CommitInfo {
  revision: string
  subject: string
  body: string
  /** `Name <mail>`. */
  author: string
}

/** The bare repositories of all projects, named `NAMESPACE/PROJECT`: one directory each. */
export interface Repositories {
  /** Where a project's repository is or would be. Throws for a name that is no project's. */
  path(project: string): string
  exists(project: string): boolean
  /** Makes an empty repository unless there is one. */
  ensure(project: string, options?: { defaultBranch?: string }): Promise<string>
  /** The commit that a branch, a tag or an object id stands for; undefined when there is none. */
  resolve(project: string, ref: { branch: string } | { tag: string } | { revision: string }): Promise<CommitInfo | undefined>
  /** The branch that HEAD names, whether it exists or not. */
  head(project: string): Promise<string>
  /** A file's text at a commit; undefined when the commit has no such file. */
  readFile(project: string, revision: string, path: string): Promise<string | undefined>
  /** Lets HEAD name a branch that exists, so that a clone checks something out. */
  settleHead(project: string, pushed: readonly string[]): Promise<void>
  /** Forgets all but the newest `keep` working trees that were pushed to be run. */
  sweepLocal(project: string, keep: number): Promise<void>
  remove(project: string): Promise<void>
  /** All projects that have a repository. */
  projects(): Promise<string[]>
  /** Branches and tags that have moved since `markHandled` was told of them. */
  unhandled(project: string): Promise<RefUpdate[]>
  /** Notes, in the repository itself, that these refs have been seen to as they stand, and forgets those that are gone. */
  markHandled(project: string, updates: readonly Pick<RefUpdate, 'ref' | 'to'>[]): Promise<void>
}

/** For each branch and tag, what it stood at when its pipeline was made. */
const handledRefs = 'refs/k8ts/own/handled/'
const zero = '0'.repeat(40)

/** Where `k8ts ci run --local` puts working trees; not shown to who fetches. */
export const localRefs = 'refs/k8ts/local/'

export function createRepositories({ directory }: { directory: string }): Repositories {
  function path(project: string): string {
    if (!isProjectKey(project)) throw new Error(`${JSON.stringify(project)} does not name a project`)
    return join(directory, `${project}.git`)
  }

  async function refsOf(project: string): Promise<{ living: Map<string, string>; handled: Map<string, string> }> {
    const text = await git(path(project), ['for-each-ref', '--format=%(objectname) %(refname)', 'refs/heads/', 'refs/tags/', handledRefs])
    const all = text
      .split('\n')
      .filter(Boolean)
      .map((line) => [line.slice(line.indexOf(' ') + 1), line.slice(0, line.indexOf(' '))] as const)
    const own = ([ref]: readonly [string, string]) => ref.startsWith(handledRefs)
    return {
      living: new Map(all.filter((each) => !own(each))),
      handled: new Map(all.filter(own).map(([ref, id]) => [`refs/${ref.slice(handledRefs.length)}`, id])),
    }
  }

  const symbolicHead = async (project: string) => (await git(path(project), ['symbolic-ref', 'HEAD'])).trim().replace(/^refs\/heads\//, '')

  return {
    path,
    exists: (project) => existsSync(join(path(project), 'HEAD')),

    async ensure(project, { defaultBranch = 'main' } = {}) {
      const target = path(project)
      if (existsSync(join(target, 'HEAD'))) return target
      if (!isRefName(defaultBranch)) throw new Error(`${JSON.stringify(defaultBranch)} is not the name of a branch`)
      // made aside and put in place at once: nobody meets half of a repository
      const aside = join(directory, `.new-${randomUUID()}`)
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      try {
        await git(aside, ['init', '--quiet', '--bare', '--template=', `--initial-branch=${defaultBranch}`, aside])
        await rename(aside, target)
      } catch (error) {
        await rm(aside, { recursive: true, force: true })
        if (!existsSync(join(target, 'HEAD'))) throw error
      }
      return target
    },

    async resolve(project, ref) {
      if (!existsSync(path(project))) return undefined
      const name =
        'branch' in ref
          ? isRefName(ref.branch) && `refs/heads/${ref.branch}`
          : 'tag' in ref
            ? isRefName(ref.tag) && `refs/tags/${ref.tag}`
            : ref.revision
      if (!name || ('revision' in ref && !isObjectId(ref.revision))) return undefined
      // one command, and no name that could be taken for something else: %x00 cannot stand in a message
      const text = await unlessFailed(
        git(path(project), ['log', '-1', '--no-show-signature', '--format=%H%x00%s%x00%b%x00%an <%ae>', '--end-of-options', name, '--']),
      )
      if (text === undefined) return undefined
      const [revision, subject, body, author] = text.replace(/\n$/, '').split('\0')
      return { revision: revision!, subject: subject!, body: body!, author: author! }
    },

    head: symbolicHead,

    async readFile(project, revision, file) {
      if (!isObjectId(revision)) throw new Error(`${JSON.stringify(revision)} is not a revision`)
      return unlessFailed(git(path(project), ['cat-file', 'blob', `${revision}:${file}`]))
    },

    async settleHead(project, pushed) {
      const current = await symbolicHead(project)
      if (pushed.length === 0 || pushed.includes(current)) return
      if (await unlessFailed(git(path(project), ['rev-parse', '--verify', '--quiet', 'HEAD']))) return
      const next = ['main', 'master'].find((name) => pushed.includes(name)) ?? pushed[0]!
      await git(path(project), ['symbolic-ref', 'HEAD', `refs/heads/${next}`])
    },

    async sweepLocal(project, keep) {
      const refs = (await git(path(project), ['for-each-ref', '--sort=-committerdate', '--format=%(refname)', localRefs])).split('\n').filter(Boolean)
      const old = refs.slice(keep)
      if (old.length > 0) await git(path(project), ['update-ref', '--stdin'], { input: old.map((ref) => `delete ${ref}\n`).join('') })
    },

    remove: (project) => rm(path(project), { recursive: true, force: true }),

    async projects() {
      const found: string[] = []
      for (const namespace of await readdir(directory, { withFileTypes: true }).catch(() => []))
        if (namespace.isDirectory() && !namespace.name.startsWith('.'))
          for (const entry of await readdir(join(directory, namespace.name)))
            if (entry.endsWith('.git')) found.push(`${namespace.name}/${entry.slice(0, -'.git'.length)}`)
      return found.filter(isProjectKey)
    },

    async unhandled(project) {
      const { living, handled } = await refsOf(project)
      return [...living].filter(([ref, id]) => handled.get(ref) !== id).map(([ref, to]) => ({ ref, from: handled.get(ref) ?? zero, to }))
    },

    async markHandled(project, updates) {
      const { living, handled } = await refsOf(project)
      const name = (ref: string) => `${handledRefs}${ref.slice('refs/'.length)}`
      const apply = async (lines: string[]) => {
        if (lines.length > 0) await git(path(project), ['update-ref', '--stdin'], { input: lines.map((line) => `${line}\n`).join('') })
      }
      // first what is gone: a branch `a/b` may have come after a branch `a`
      await apply([...handled.keys()].filter((ref) => !living.has(ref)).map((ref) => `delete ${name(ref)}`))
      await apply(updates.filter(({ ref, to }) => living.has(ref) && handled.get(ref) !== to).map(({ ref, to }) => `update ${name(ref)} ${to}`))
    },
  }
}

/** Git says by its exit code that there is no such thing. */
async function unlessFailed(output: Promise<string>): Promise<string | undefined> {
  try {
    return await output
  } catch (error) {
    if (error instanceof CommandError) return undefined
    throw error
  }
}
