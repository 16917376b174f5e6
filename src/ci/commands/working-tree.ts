import { randomBytes } from 'node:crypto'
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { CommandError, run } from '#base'

/** Git on the user's own working tree, with the user's own configuration. */
export function gitHere(directory: string, args: readonly string[], options: { env?: Record<string, string>; input?: string } = {}): Promise<string> {
  return run('git', args, { cwd: directory, ...options })
}

/** The top of the working tree that a directory is in; undefined outside of one. */
export async function topOfTree(directory: string): Promise<string | undefined> {
  try {
    return (await gitHere(directory, ['rev-parse', '--show-toplevel'])).replace(/\n$/, '')
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    // a tree of somebody else's is one, and git says how to trust it; the setting's name is the same in all languages
    if (error.stderr.includes('safe.directory')) throw new Error(error.stderr.trim(), { cause: error })
    return undefined
  }
}

/** Where git keeps what belongs to the repository, also of a linked working tree. */
export async function commonDirectory(top: string): Promise<string> {
  return resolve(top, (await gitHere(top, ['rev-parse', '--git-common-dir'])).replace(/\n$/, ''))
}

/** What `k8ts ci init` noted in a working tree's own configuration: the commands given there need no flags for it. */
export interface TreeSettings {
  cluster?: string
  namespace?: string
  project?: string
}

const settingNames = ['cluster', 'namespace', 'project'] as const

export async function treeSettings(directory: string): Promise<TreeSettings> {
  const text = await gitHere(directory, ['config', '--local', '--get-regexp', '^k8ts\\.']).catch(() => '')
  const all = new Map(text.split('\n').map((line) => [line.slice(0, line.indexOf(' ')), line.slice(line.indexOf(' ') + 1)]))
  return Object.fromEntries(settingNames.flatMap((name) => (all.has(`k8ts.${name}`) ? [[name, all.get(`k8ts.${name}`)!]] : [])))
}

export async function saveTreeSettings(top: string, settings: TreeSettings): Promise<void> {
  for (const name of settingNames)
    if (settings[name] !== undefined) await gitHere(top, ['config', '--local', '--replace-all', `k8ts.${name}`, settings[name]])
}

/** The branch that is checked out; undefined when there is none. */
export async function currentBranch(top: string): Promise<string | undefined> {
  return (await gitHere(top, ['symbolic-ref', '--quiet', '--short', 'HEAD']).catch(() => '')).trim() || undefined
}

export interface PackedTree extends AsyncDisposable {
  /** The commit that holds the working tree. */
  revision: string
  /** The commit that it stands on; absent before the first. */
  base?: string
  /** Lets git see the packed objects. */
  env: Record<string, string>
}

/**
 * The working tree as a commit: everything that `git add -A` would take, committed or not, and nothing that is ignored. Made with an index and an object store of
 * its own, which go when it is disposed: the user's index, branches and objects stay as they are.
 */
export async function packWorkingTree(top: string): Promise<PackedTree> {
  const aside = await mkdtemp(join(tmpdir(), 'k8ts-tree-'))
  try {
    const common = await commonDirectory(top)
    const own = resolve(top, (await gitHere(top, ['rev-parse', '--git-path', 'index'])).replace(/\n$/, ''))
    const [index, objects] = [join(aside, 'index'), join(aside, 'objects')]
    await mkdir(objects)
    // what the index knows of unchanged files is not read again
    if (existsSync(own)) await copyFile(own, index)
    const env = {
      GIT_INDEX_FILE: index,
      GIT_OBJECT_DIRECTORY: objects,
      GIT_ALTERNATE_OBJECT_DIRECTORIES: [quoted(join(common, 'objects')), process.env['GIT_ALTERNATE_OBJECT_DIRECTORIES']].filter(Boolean).join(':'),
    }
    const base = (await gitHere(top, ['rev-parse', '--verify', '--quiet', 'HEAD^{commit}']).catch(() => '')).trim() || undefined
    await gitHere(top, ['add', '--all', '--', ':/'], { env })
    const tree = (await gitHere(top, ['write-tree'], { env })).trim()
    const name = { GIT_AUTHOR_NAME: 'local', GIT_AUTHOR_EMAIL: 'local@k8ts', GIT_COMMITTER_NAME: 'local', GIT_COMMITTER_EMAIL: 'local@k8ts' }
    const known = await gitHere(top, ['var', 'GIT_AUTHOR_IDENT']).then(
      () => ({}),
      () => name,
    )
    const message = base ? `Working tree on ${base.slice(0, 7)}` : 'Working tree'
    const revision = (await gitHere(top, ['commit-tree', tree, ...(base ? ['-p', base] : []), '-m', message], { env: { ...env, ...known } })).trim()
    return {
      revision,
      ...(base ? { base } : {}),
      env,
      [Symbol.asyncDispose]: () => rm(aside, { recursive: true, force: true }),
    }
  } catch (error) {
    await rm(aside, { recursive: true, force: true })
    throw error
  }
}

/** In this variable a path with a colon is written in quotes (git(1)). */
const quoted = (path: string): string => (path.includes(':') ? `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"` : path)

/** A name below `refs/k8ts/local/` that nobody has. */
export const localRef = (): string => `refs/k8ts/local/${Date.now().toString(36)}-${randomBytes(4).toString('hex')}`
