import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import { type Clock, type Logger, describeError } from '#base'
import type { Client } from '#client'
import type { GitEndpointOptions } from '../git/endpoint.ts'
import type { PushLedger } from '../git/push-ledger.ts'
import { updatedRefs } from '../git/push-plan.ts'
import type { Repositories } from '../git/repositories.ts'

export interface RecoverOptions {
  client: Client
  repositories: Repositories
  ledger: PushLedger
  onPush: GitEndpointOptions['onPush']
  clock: Clock
  log: Logger
}

/** How often pushes that could not be seen to are looked at, milliseconds. */
const every = 30_000

/**
 * A push moves its refs before its pipelines are made: who is killed between the two finds, at the next start, refs that nobody has seen to, and makes the
 * pipelines then. The same for pushes whose pipelines the API server could not take.
 */
export async function recoverPushes(options: RecoverOptions, signal: AbortSignal): Promise<void> {
  const { repositories, ledger, clock, log } = options
  for (const project of await repositories.projects()) ledger.unsettle(project)
  while (!signal.aborted) {
    for (const project of ledger.unsettled()) {
      try {
        if (await ledger.alone(project, () => recoverProject(options, project, signal))) ledger.settled(project)
      } catch (error) {
        if (!signal.aborted) log.warn('pushes were not seen to', { project, error: describeError(error) })
      }
    }
    await clock.sleep(every, signal).catch(() => {})
  }
}

async function recoverProject({ client, repositories, onPush, log }: RecoverOptions, key: string, signal: AbortSignal): Promise<void> {
  const updates = await repositories.unhandled(key)
  if (updates.length === 0) return
  const [namespace, name] = key.split('/') as [string, string]
  const project = await projectOf(client, namespace, name)
  // a copy of another host's repository moves with what is fetched, and a project that is gone asks for nothing
  if (!project || project.spec.repository?.url) return
  const { items } = await client.resource(resources.ciPipelines).list({ namespace, fieldSelector: `spec.projectName=${name}`, signal })
  const missing: typeof updates = []
  for (const update of updates) {
    const [moved] = updatedRefs([update], new Map([[update.ref, undefined]]))
    if (!moved) continue
    const commit = await repositories.resolve(key, moved.branch === undefined ? { tag: moved.tag! } : { branch: moved.branch })
    if (!items.some(({ spec }) => spec.branch === moved.branch && spec.tag === moved.tag && spec.revision === commit?.revision)) missing.push(update)
  }
  if (missing.length > 0) {
    log.info('pipelines of earlier pushes are made', { project: key, refs: missing.map((update) => update.ref) })
    const moved = updatedRefs(missing, new Map(missing.map((update) => [update.ref, undefined])))
    await onPush({ project: key, actor: 'git', updates: moved, options: [], say: () => Promise.resolve(), signal })
  }
  await repositories.markHandled(key, updates)
}

async function projectOf(client: Client, namespace: string, name: string): Promise<DeepReadonly<ci.Project> | undefined> {
  try {
    return await client.resource(resources.ciProjects).get(name, namespace)
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}
