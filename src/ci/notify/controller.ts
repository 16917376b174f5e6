import { type DeepReadonly, type ci, isStatus, resources } from '#api'
import { describeError } from '#base'
import type { Controller, ControllerContext, Settled } from '#runtime'
import { mapped, primary } from '#runtime'
import { labels } from '../names.ts'
import { post, receiverOf } from './deliver.ts'
import { factsOf } from './facts.ts'
import { payloadOf } from './payload.ts'
import {
  type Delivery,
  type NotificationRecord,
  type RetryPolicy,
  afterFailure,
  defaultRetry,
  outcomeOf,
  phaseBefore,
  planDeliveries,
} from './plan.ts'

/** On a Pipeline: what has been said about it. */
export const notifiedAnnotation = 'ci.k8ts.dev/notified'

export interface NotificationsOptions {
  /** Where a person looks at the pipeline. */
  addressOf(pipeline: DeepReadonly<ci.Pipeline>): string
  retry?: RetryPolicy
  /** How long a receiver may take, milliseconds; 10 s when absent. */
  timeoutMs?: number
}

const byProject = 'project'

/**
 * Tells the receivers that a project names how its pipelines end. Nothing waits for it: a pipeline is over before anybody is told, and a receiver that stays
 * away ends as an event on the Pipeline. What has been sent stands on the Pipeline, so that a restart sends nothing twice; only a crash between a receiver's
 * answer and that note can, and both carry the same `X-K8ts-Delivery`.
 */
export function notificationsController(options: NotificationsOptions): Controller {
  return { name: 'ci-notifications', eventSource: 'k8ts-ci', concurrency: 8, setup: (context) => setup(context, options) }
}

function setup(
  context: ControllerContext,
  { addressOf, retry = defaultRetry, timeoutMs = 10_000 }: NotificationsOptions,
): ReturnType<Controller['setup']> {
  const { client, clock, log, events } = context
  const projects = context.cache(resources.ciProjects)
  const pipelines = context.cache(resources.ciPipelines, { [byProject]: ({ metadata, spec }) => [`${metadata.namespace}/${spec.projectName}`] })

  /** Records that could not be written yet, by the pipeline's uid. */
  const unsaved = new Map<string, NotificationRecord>()

  function hasWork(pipeline: DeepReadonly<ci.Pipeline>): boolean {
    const outcome = outcomeOf(pipeline)
    const record = recordOf(pipeline)
    return outcome !== undefined && (record?.outcome !== outcome.id || Object.values(record.deliveries).some((d) => d.state === 'pending'))
  }

  async function current(name: string, namespace: string, signal: AbortSignal): Promise<DeepReadonly<ci.Pipeline> | undefined> {
    try {
      return await client.resource(resources.ciPipelines).get(name, namespace, { signal })
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    }
  }

  async function reconcile(key: string, signal: AbortSignal): Promise<Settled> {
    const [namespace, name] = key.split('/') as [string, string]
    const seen = pipelines.get(key)
    if (!seen || !hasWork(seen)) return
    // the cache may be behind what was written a moment ago, and would have it sent again
    const pipeline = await current(name, namespace, signal)
    const outcome = pipeline && outcomeOf(pipeline)
    if (!pipeline || !outcome) return
    const notifications = projects.get(`${namespace}/${pipeline.spec.projectName}`)?.spec.notifications ?? []
    let record = unsaved.get(pipeline.metadata.uid!) ?? recordOf(pipeline)
    if (record?.outcome !== outcome.id) {
      // a rerun is compared with what it repeats
      const before = record?.phase ?? phaseBefore(pipeline, pipelines.byIndex(byProject, `${namespace}/${pipeline.spec.projectName}`))
      record = { outcome: outcome.id, phase: outcome.phase, deliveries: planDeliveries(notifications, pipeline, outcome.phase, before) }
      await save(pipeline, record)
    }
    let wait = Infinity
    for (const [receiver, delivery] of Object.entries(record.deliveries)) {
      if (delivery.state !== 'pending') continue
      const due = delivery.next ? Date.parse(delivery.next) - clock.now() : 0
      if (due > 0) {
        wait = Math.min(wait, due)
        continue
      }
      const result = await attempt(pipeline, notifications, receiver, delivery, record.outcome, signal)
      record = { ...record, deliveries: { ...record.deliveries, [receiver]: result } }
      await save(pipeline, record)
      if (result.state === 'pending') wait = Math.min(wait, Date.parse(result.next!) - clock.now())
      else tell(pipeline, receiver, result)
    }
    if (wait < Infinity) return { requeueAfter: Math.max(wait, 0) }
  }

  async function attempt(
    pipeline: DeepReadonly<ci.Pipeline>,
    notifications: readonly DeepReadonly<ci.ProjectNotification>[],
    receiver: string,
    delivery: Delivery & { state: 'pending' },
    outcome: string,
    signal: AbortSignal,
  ): Promise<Delivery> {
    const { event } = delivery
    const fail = (error: string, permanent: boolean, retryAfterMs?: number) =>
      afterFailure(delivery, { error, permanent, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }, clock.now(), retry)
    const notification = notifications.find((n) => n.name === receiver)
    if (!notification) return { event, state: 'failed', error: 'the project names it no more' }
    const address = receiverOf(notification, await secretOf(pipeline.metadata.namespace!, notification.secretName, signal))
    if ('problem' in address) return fail(address.problem, false)
    const { items: jobs } = await client
      .resource(resources.ciJobs)
      .list({ namespace: pipeline.metadata.namespace!, labelSelector: `${labels.pipeline}=${pipeline.metadata.name}`, signal })
    let body: object
    try {
      body = payloadOf(notification, factsOf(event, pipeline, jobs, addressOf(pipeline)))
    } catch (error) {
      return fail(describeError(error), true)
    }
    const id = `${pipeline.metadata.uid}/${outcome}/${receiver}`
    const result = await post({ ...address, body, id, timeoutMs, signal })
    if (result.ok) return { event, state: 'sent' }
    log.info('a notification was not taken', { pipeline: pipeline.metadata.name, notification: receiver, error: result.error })
    return fail(result.error, result.permanent, result.retryAfterMs)
  }

  async function secretOf(namespace: string, name: string | undefined, signal: AbortSignal): Promise<Record<string, string> | undefined> {
    if (!name) return undefined
    try {
      const { data = {} } = await client.resource(resources.secrets).get(name, namespace, { signal })
      return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value as string, 'base64').toString()]))
    } catch (error) {
      if (isStatus(error, 'NotFound')) return undefined
      throw error
    }
  }

  /** Written even while the process is asked to end: what has been sent is to be known afterwards. */
  async function save({ metadata }: DeepReadonly<ci.Pipeline>, record: NotificationRecord): Promise<void> {
    unsaved.set(metadata.uid!, record)
    try {
      await client
        .resource(resources.ciPipelines)
        .patch(metadata.name, metadata.namespace, 'merge', { metadata: { annotations: { [notifiedAnnotation]: JSON.stringify(record) } } })
    } catch (error) {
      if (!isStatus(error, 'NotFound')) throw error
    }
    unsaved.delete(metadata.uid!)
  }

  function tell(pipeline: DeepReadonly<ci.Pipeline>, receiver: string, result: Delivery): void {
    if (result.state === 'sent') events.event(pipeline, 'Normal', 'Notified', `${result.event} was told to ${receiver}`)
    if (result.state === 'failed')
      events.event(pipeline, 'Warning', 'NotificationFailed', `${result.event} could not be told to ${receiver}: ${result.error}`)
  }

  return {
    reconcile,
    watches: [
      primary(pipelines),
      // pipelines are read from the cache that a project belongs to: it must be there first
      mapped(projects, () => []),
    ],
  }
}

function recordOf({ metadata }: DeepReadonly<ci.Pipeline>): NotificationRecord | undefined {
  const text = metadata.annotations?.[notifiedAnnotation]
  if (!text) return undefined
  try {
    return JSON.parse(text) as NotificationRecord
  } catch {
    // somebody's hand: decided anew
    return undefined
  }
}
