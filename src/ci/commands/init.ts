import { randomBytes } from 'node:crypto'
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { basename, join } from 'node:path'
import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import { isProjectName } from '../git/names.ts'
import { createTokenStore } from '../git/token-store.ts'
import { labels } from '../names.ts'
import { webhookSecretKey, webhookSecretName } from '../webhooks/endpoint.ts'
import { type CiSession, UsageError, remoteName, serviceOf } from './session.ts'
import { starterConfig } from './starter.ts'
import { commonDirectory, currentBranch, gitHere, saveTreeSettings, topOfTree } from './working-tree.ts'

export interface InitOptions {
  /** The directory's name when absent. */
  project?: string
  /** The cluster's name on this machine, for the commands that come. */
  cluster?: string
  /** The repository lives on another host: its webhooks start pipelines. */
  repository?: string
}

export interface InitResult {
  project: string
  namespace: string
  created: boolean
  gitURL: string
  /** The starter that was written; absent when there was a configuration. */
  config?: { path: string; /** What the tree looked like. */ found: string; /** What the nodes must be able to get. */ images: string[] }
  /** What of the environment keeps git from trusting the service. */
  warning?: string
  webhook?: { url: string; secret: string }
}

/** Makes a git working tree a project: the object, a token, the remote, and a first configuration when there is none. Running it again repairs what is missing. */
export async function initProject(session: CiSession, options: InitOptions): Promise<InitResult> {
  const top = await topOfTree(session.directory)
  if (!top) throw new UsageError(`${session.directory} is not in a git working tree: run \`git init\` first`)
  const name = options.project ?? session.project ?? slug(basename(top))
  if (!isProjectName(name))
    throw new UsageError(`${JSON.stringify(name)} is no name for a project: use lower-case letters, digits and dashes (--project NAME)`)
  const branch = await currentBranch(top)
  const { project, created } = await ensureProject(session, name, branch, options.repository)
  const { base, gitUrl } = await serviceOf(session, project)
  await saveTreeSettings(top, { namespace: session.namespace, project: name, ...(options.cluster ? { cluster: options.cluster } : {}) })
  const config = await writeStarter(top, project, name)
  const result: InitResult = { project: name, namespace: session.namespace, created, gitURL: gitUrl, ...(config ? { config } : {}) }
  if (project.spec.repository?.url) return { ...result, webhook: await ensureWebhook(session, project, base) }
  await connect(session, project, top, gitUrl, base)
  const overruled = ['GIT_SSL_CAINFO', 'GIT_SSL_CAPATH'].filter((name) => process.env[name])
  return overruled.length > 0
    ? {
        ...result,
        warning: `${overruled.join(' and ')} in the environment overrule what git was told about the service's certificate: unset it to push`,
      }
    : result
}

const slug = (text: string): string =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 50)
    .replace(/-+$/, '')

async function ensureProject(
  session: CiSession,
  name: string,
  branch: string | undefined,
  repository: string | undefined,
): Promise<{ project: DeepReadonly<ci.Project>; created: boolean }> {
  const projects = session.client.resource(resources.ciProjects)
  try {
    const project = await projects.create({
      apiVersion: 'ci.k8ts.dev/v1',
      kind: 'Project',
      metadata: { name, namespace: session.namespace },
      spec: { ...(branch ? { defaultBranch: branch } : {}), ...(repository ? { repository: { url: repository } } : {}) },
    })
    return { project, created: true }
  } catch (error) {
    if (!isStatus(error, 'AlreadyExists')) throw error
  }
  const project = await projects.get(name, session.namespace)
  if (repository && project.spec.repository?.url !== repository)
    return { project: await projects.patch(name, session.namespace, 'merge', { spec: { repository: { url: repository } } }), created: false }
  return { project, created: false }
}

async function writeStarter(top: string, project: DeepReadonly<ci.Project>, name: string): Promise<InitResult['config']> {
  const path = project.spec.configPath ?? '.circleci/config.yml'
  const file = join(top, path)
  const { text, found, images } = starterConfig(new Set(await readdir(top)), name)
  await mkdir(join(file, '..'), { recursive: true })
  try {
    // never over one that is there
    await writeFile(file, text, { flag: 'wx' })
    return { path, found, images }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return undefined
    throw error
  }
}

/** The remote, and what git needs to use it: the authority that signed the service's certificate, and a token in a file that its owner alone reads. */
async function connect(session: CiSession, project: DeepReadonly<ci.Project>, top: string, gitUrl: string, base: string): Promise<void> {
  const own = join(await commonDirectory(top), 'k8ts')
  await mkdir(own, { recursive: true, mode: 0o700 })
  const set = (key: string, value: string) => gitHere(top, ['config', '--local', '--replace-all', key, value])
  const remotes = (await gitHere(top, ['remote'])).split('\n')
  await gitHere(top, remotes.includes(remoteName) ? ['remote', 'set-url', remoteName, gitUrl] : ['remote', 'add', remoteName, gitUrl])
  if (session.connection.ca && base.startsWith('https:')) {
    const ca = join(own, 'ca.crt')
    await writeFile(ca, session.connection.ca)
    await set(`http.${base}/.sslCAInfo`, ca)
  }
  const credentials = join(own, 'credentials')
  if (!(await hasToken(session, project, credentials))) await writeToken(session, project, top, base, credentials)
  // an empty helper first: the user's own helpers are not asked about this address, and do not keep its token
  await gitHere(top, ['config', '--local', '--replace-all', `credential.${base}.helper`, ''])
  await gitHere(top, ['config', '--local', '--add', `credential.${base}.helper`, `store --file=${shellQuoted(credentials)}`])
  await set(`credential.${base}.username`, 'k8ts')
}

/** Whether the token of an earlier time is still good. */
async function hasToken({ client }: CiSession, project: DeepReadonly<ci.Project>, file: string): Promise<boolean> {
  const [, token] = /:\/\/k8ts:([^@]+)@/.exec(await readFile(file, 'utf8').catch(() => '')) ?? []
  return token !== undefined && (await createTokenStore({ client }).verify(keyOf(project), token)) !== undefined
}

async function writeToken(session: CiSession, project: DeepReadonly<ci.Project>, top: string, base: string, file: string): Promise<void> {
  const tokens = createTokenStore({ client: session.client })
  const actor = (await gitHere(top, ['config', 'user.name']).catch(() => '')).trim() || userInfo().username
  const { token } = await tokens.create(keyOf(project), { actor, scopes: ['read', 'push'], owner: [ownerOf(project)] })
  await writeFile(file, `${base.replace('://', `://k8ts:${token}@`)}\n`, { mode: 0o600 })
}

/** Git gives a helper to a shell. */
const shellQuoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`

const keyOf = ({ metadata }: DeepReadonly<ci.Project>) => ({ namespace: metadata.namespace!, name: metadata.name })

const ownerOf = ({ apiVersion, kind, metadata }: DeepReadonly<ci.Project>) => ({ apiVersion, kind, name: metadata.name, uid: metadata.uid! })

async function ensureWebhook(session: CiSession, project: DeepReadonly<ci.Project>, base: string): Promise<{ url: string; secret: string }> {
  const secrets = session.client.resource(resources.secrets)
  const { namespace, name } = keyOf(project)
  const url = `${base}/webhooks/github/${namespace}/${name}`
  const secretName = webhookSecretName(project)
  try {
    const { data } = await secrets.get(secretName, namespace)
    return { url, secret: Buffer.from((data?.[webhookSecretKey] as string | undefined) ?? '', 'base64').toString() }
  } catch (error) {
    if (!isStatus(error, 'NotFound')) throw error
  }
  const secret = randomBytes(24).toString('base64url')
  await secrets.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: secretName, namespace, labels: { [labels.project]: name }, ownerReferences: [ownerOf(project)] },
    data: { [webhookSecretKey]: Buffer.from(secret).toString('base64') },
  })
  return { url, secret }
}

/** What to type next. */
export function explainInit({ project, namespace, created, gitURL, config, warning, webhook }: InitResult, branch: string | undefined): string {
  const lines = [`project ${project} ${created ? 'made' : 'was there'} in the namespace ${namespace}`]
  if (config) lines.push(`wrote ${config.path} for ${config.found}: look at it, it is a start`)
  if (config && config.images.length > 0)
    lines.push(`its jobs run in ${config.images.join(', ')}, which the nodes must be able to get: from a registry, or by \`k8ts image load\``)
  if (warning) lines.push(`warning: ${warning}`)
  if (webhook)
    lines.push(
      '',
      'Let the repository’s host send pushes here (content type application/json):',
      `  address  ${webhook.url}`,
      `  secret   ${webhook.secret}`,
      '',
      'Or start a pipeline by hand:',
      '  k8ts ci run -f',
    )
  else
    lines.push(
      `remote ${remoteName}: ${gitURL}`,
      '',
      'Next:',
      ...(config ? [`  git add ${config.path} && git commit -m "Build and test"`] : []),
      step(`git push ${remoteName} ${branch ?? 'HEAD'}`, 'prints the pipeline; with -o follow also its log'),
      step('k8ts ci run --local -f', 'or run the working tree as it is'),
      step('k8ts ci logs', 'where it failed'),
    )
  return lines.join('\n')
}

const step = (command: string, what: string): string => `  ${command.padEnd(30)}  # ${what}`
