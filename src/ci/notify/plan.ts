import type { DeepReadonly, ci } from '#api'
import { namesBranch } from '../trigger/branch-pattern.ts'

/** What became of one notification. */
export type Delivery = { event: ci.NotificationEvent } & (
  | { state: 'pending'; attempts: number; /** Not before, RFC 3339. */ next?: string; error?: string }
  | { state: 'sent' }
  | { state: 'failed'; error: string }
)

/**
 * What has been decided for an outcome of a pipeline, kept on the pipeline itself: whoever looks next goes on from here. An outcome is decided once; a
 * notification that a project gets later says nothing about pipelines of before.
 */
export interface NotificationRecord {
  /** Tells one outcome of the pipeline from the next, which a rerun brings. */
  outcome: string
  phase: ci.PipelinePhase
  /** By the notification's name. */
  deliveries: Record<string, Delivery>
}

/** Which outcome a pipeline stands at, if any is worth a word. */
export function outcomeOf({ status }: DeepReadonly<ci.Pipeline>): { id: string; phase: ci.PipelinePhase } | undefined {
  const phase = status?.phase
  if (phase === 'OnHold') return { id: 'OnHold', phase }
  if (!phase || !eventOf[phase]) return undefined
  return { id: `${phase}@${status?.completionTime ?? ''}`, phase }
}

const eventOf: Partial<Record<ci.PipelinePhase, ci.NotificationEvent>> = {
  Succeeded: 'Success',
  Failed: 'Failure',
  Errored: 'Errored',
  Canceled: 'Canceled',
  OnHold: 'OnHold',
}

/**
 * The deliveries of an outcome. `before` is the phase that the branch ended in before: a success after a failure is `Fixed` for who asks for that, a plain
 * `Success` for who does not.
 */
export function planDeliveries(
  notifications: readonly DeepReadonly<ci.ProjectNotification>[],
  pipeline: DeepReadonly<ci.Pipeline>,
  phase: ci.PipelinePhase,
  before: ci.PipelinePhase | undefined,
): Record<string, Delivery> {
  const plain = eventOf[phase]!
  const fixed = phase === 'Succeeded' && (before === 'Failed' || before === 'Errored')
  const deliveries: Record<string, Delivery> = {}
  for (const { name, on = [], branches } of notifications) {
    if (branches?.length && !branches.some((pattern) => namesBranch(pattern, pipeline.spec.branch ?? ''))) continue
    const event = fixed && on.includes('Fixed') ? 'Fixed' : plain
    if (on.includes(event)) deliveries[name] = { event, state: 'pending', attempts: 0 }
  }
  return deliveries
}

/** The phase that the same branch or kind of tag ended in before this pipeline: of the newest that has ended, cancelled ones aside. */
export function phaseBefore(pipeline: DeepReadonly<ci.Pipeline>, others: readonly DeepReadonly<ci.Pipeline>[]): ci.PipelinePhase | undefined {
  const number = pipeline.status?.number ?? Infinity
  let newest: DeepReadonly<ci.Pipeline> | undefined
  for (const other of others) {
    const { spec, status } = other
    if (spec.projectName !== pipeline.spec.projectName || other.metadata.name === pipeline.metadata.name) continue
    if (spec.branch !== pipeline.spec.branch || Boolean(spec.tag) !== Boolean(pipeline.spec.tag) || spec.trigger?.type === 'local') continue
    if (!['Succeeded', 'Failed', 'Errored'].includes(status?.phase ?? '') || (status?.number ?? 0) >= number) continue
    if (!newest || (status?.number ?? 0) > (newest.status?.number ?? 0)) newest = other
  }
  return newest?.status?.phase
}

export interface RetryPolicy {
  /** First wait, milliseconds; doubles up to `max`. */
  initial: number
  max: number
  /** Tries after which a receiver is given up. */
  attempts: number
}

/** About an hour of tries. */
export const defaultRetry: RetryPolicy = { initial: 1000, max: 10 * 60_000, attempts: 14 }

/** What a failed try makes of a delivery. `permanent`: the receiver has said that it will never take it. */
export function afterFailure(
  delivery: Delivery & { state: 'pending' },
  failure: { error: string; permanent: boolean; retryAfterMs?: number },
  now: number,
  policy: RetryPolicy,
): Delivery {
  const attempts = delivery.attempts + 1
  if (failure.permanent || attempts >= policy.attempts) return { event: delivery.event, state: 'failed', error: failure.error }
  const wait = Math.min(Math.max(policy.initial * 2 ** (attempts - 1), failure.retryAfterMs ?? 0), policy.max)
  return { event: delivery.event, state: 'pending', attempts, next: new Date(now + wait).toISOString(), error: failure.error }
}
