import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import type { Client } from '#client'
import type { Push } from '../git/endpoint.ts'
import type { Repositories } from '../git/repositories.ts'
import { isZero } from '../git/receive-pack.ts'
import { createPipeline, numbered, pipelineFor } from './create.ts'
import { type RefChange, decideTrigger } from './plan.ts'

export interface PushPipelinesOptions {
  client: Client
  repositories: Repositories
  /** Where a person looks at the pipeline. */
  addressOf(pipeline: DeepReadonly<ci.Pipeline>): string
  /** Writes the pipeline's log until it ends. */
  follow(pipeline: DeepReadonly<ci.Pipeline>, write: (text: string) => Promise<void>, signal: AbortSignal): Promise<void>
}

/** A number comes with the first look of the controller at the pipeline; nobody waits longer for it than this, milliseconds. */
const numberWithin = 3000

/** Who pushes more tags at once is moving a repository, not releasing: they start nothing, as on GitHub. */
const tagsAtOnce = 3

/** `git push -o follow`. */
const followOption = 'follow'

/** What a push to the Git endpoint starts: a pipeline for each branch and tag that moved; its user is told which, and why not. */
export function pushPipelines(options: PushPipelinesOptions): (push: Push) => Promise<void | (() => Promise<void>)> {
  const { client, repositories, addressOf, follow } = options

  async function changeOf(push: Push, update: Push['updates'][number]): Promise<RefChange | undefined> {
    const { branch, tag, ref, from } = update
    // an annotated tag names its commit; what names none (a tag of a file) has nothing to build
    const commit = await repositories.resolve(push.project, branch === undefined ? { tag: tag! } : { revision: update.to })
    if (!commit) {
      await push.say(`${ref} names no commit: no pipeline\n`)
      return undefined
    }
    return {
      ...(branch === undefined ? { tag: tag! } : { branch }),
      revision: commit.revision,
      ...(isZero(from) || branch === undefined ? {} : { baseRevision: from }),
      message: `${commit.subject}\n\n${commit.body}`,
      author: commit.author,
      actor: push.actor,
    }
  }

  return async (push) => {
    const [namespace, name] = push.project.split('/') as [string, string]
    const project = await projectOf(client, namespace, name)
    if (!project) return push.say(`k8ts: there is no project ${name} in the namespace ${namespace} any more: no pipeline\n`)
    const started: DeepReadonly<ci.Pipeline>[] = []
    const tags = push.updates.filter((update) => update.tag !== undefined).length
    if (tags > tagsAtOnce) await push.say(`k8ts: no pipelines for ${tags} tags: more than ${tagsAtOnce} at once start none\n`)
    for (const update of push.updates) {
      if (update.tag !== undefined && tags > tagsAtOnce) continue
      const change = await changeOf(push, update)
      if (!change) continue
      const decision = decideTrigger(project, change)
      if (decision.run) started.push((await createPipeline(client, pipelineFor(project, change))).pipeline)
      else await push.say(`k8ts: no pipeline for ${change.branch ?? change.tag}: ${decision.why}\n`)
    }
    const known = await Promise.all(started.map((pipeline) => numbered(client, pipeline, numberWithin, push.signal)))
    for (const pipeline of known) await push.say(announcement(pipeline, addressOf(pipeline)))
    if (!push.options.includes(followOption)) return
    return async () => {
      for (const pipeline of known) await follow(pipeline, (text) => push.say(text), push.signal)
    }
  }
}

async function projectOf(client: Client, namespace: string, name: string): Promise<DeepReadonly<ci.Project> | undefined> {
  try {
    return await client.resource(resources.ciProjects).get(name, namespace)
  } catch (error) {
    if (isStatus(error, 'NotFound')) return undefined
    throw error
  }
}

function announcement({ metadata, spec, status }: DeepReadonly<ci.Pipeline>, address: string): string {
  const number = status?.number ? `#${status.number}` : metadata.name
  return `\nPipeline ${number} for ${spec.tag ?? spec.branch} (${spec.revision?.slice(0, 7)})\n  ${address}\n  k8ts ci logs -f ${status?.number ?? metadata.name}\n\n`
}
