import { userInfo } from 'node:os'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DeepReadonly, type ci, resources } from '#api'
import { CommandError } from '#base'
import { numbered } from '../trigger/create.ts'
import { labels } from '../names.ts'
import { type CiSession, UsageError, serviceOf } from './session.ts'
import { currentBranch, gitHere, localRef, packWorkingTree, topOfTree } from './working-tree.ts'

export interface RunPipelineOptions {
  branch?: string
  tag?: string
  parameters?: Record<string, string | number | boolean>
  workflow?: string
  /** The working tree as it is, committed or not. */
  local?: boolean
}

/** Starts a pipeline by hand. */
export async function startPipeline(
  session: CiSession,
  project: DeepReadonly<ci.Project>,
  options: RunPipelineOptions,
): Promise<DeepReadonly<ci.Pipeline>> {
  const { branch, tag, parameters = {}, workflow } = options
  if (branch && tag) throw new UsageError('give --branch or --tag, not both')
  if (options.local && tag) throw new UsageError('the working tree has no tag: --local goes with --branch')
  const { name, namespace, uid } = project.metadata
  const local = options.local ? await pushWorkingTree(session, project) : undefined
  const made = await session.client.resource(resources.ciPipelines).create({
    apiVersion: 'ci.k8ts.dev/v1',
    kind: 'Pipeline',
    metadata: {
      generateName: `${name.slice(0, 50).replace(/-+$/, '')}-`,
      namespace: namespace!,
      labels: { [labels.project]: name },
      ownerReferences: [{ apiVersion: project.apiVersion, kind: project.kind, name, uid: uid! }],
    },
    spec: {
      projectName: name,
      ...(tag ? { tag } : { branch: branch ?? local?.branch ?? project.spec.defaultBranch ?? 'main' }),
      ...(local ? { revision: local.revision } : {}),
      ...(local?.base ? { baseRevision: local.base } : {}),
      ...(Object.keys(parameters).length > 0 ? { parameters } : {}),
      ...(workflow ? { workflow } : {}),
      trigger: { type: local ? 'local' : 'api' },
      actor: userInfo().username,
    },
  } as never)
  return numbered(session.client, made, 5000, session.signal)
}

/** Puts the working tree, as a commit that no branch has, where the jobs can fetch it. */
async function pushWorkingTree(
  session: CiSession,
  project: DeepReadonly<ci.Project>,
): Promise<{ revision: string; base?: string; branch: string | undefined }> {
  const top = await topOfTree(session.directory)
  if (!top) throw new UsageError(`--local runs a git working tree, and ${session.directory} is in none`)
  const { gitUrl, base: address } = await serviceOf(session, project)
  await using packed = await packWorkingTree(top)
  await using access = await gitAccess(session, address)
  try {
    await gitHere(top, ['push', '--quiet', '--no-verify', gitUrl, `${packed.revision}:${localRef()}`], { env: { ...packed.env, ...access.env } })
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    throw new Error(`the working tree could not be sent: ${error.stderr.trim()}`, { cause: error })
  }
  return { revision: packed.revision, ...(packed.base ? { base: packed.base } : {}), branch: await currentBranch(top) }
}

/** The kubeconfig's credentials as git takes them: files that go again, or settings that only the command's environment has. */
async function gitAccess({ connection }: CiSession, address: string): Promise<{ env: Record<string, string> } & AsyncDisposable> {
  const aside = await mkdtemp(join(tmpdir(), 'k8ts-access-'))
  const settings: [string, string][] = [
    // the user's stored token is not asked: who may use the cluster may run the tree
    ['credential.helper', ''],
    [`credential.${address}.helper`, ''],
  ]
  const file = async (name: string, content: string | undefined, key: string) => {
    if (content === undefined) return
    await writeFile(join(aside, name), content, { mode: 0o600 })
    settings.push([`http.${address}/.${key}`, join(aside, name)])
  }
  await file('ca', connection.ca, 'sslCAInfo')
  await file('cert', connection.clientCert, 'sslCert')
  await file('key', connection.clientKey, 'sslKey')
  if (connection.token) settings.push([`http.${address}/.extraHeader`, `Authorization: Bearer ${connection.token}`])
  return {
    env: {
      GIT_TERMINAL_PROMPT: '0',
      // what the environment says about authorities would win over the setting
      ...(connection.ca === undefined ? {} : { GIT_SSL_CAINFO: join(aside, 'ca') }),
      GIT_CONFIG_COUNT: String(settings.length),
      ...Object.fromEntries(
        settings.flatMap(([key, value], i) => [
          [`GIT_CONFIG_KEY_${i}`, key],
          [`GIT_CONFIG_VALUE_${i}`, value],
        ]),
      ),
    },
    [Symbol.asyncDispose]: () => rm(aside, { recursive: true, force: true }),
  }
}
