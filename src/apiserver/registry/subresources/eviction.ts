import type { DeepReadonly, KubeObject, core, meta, policy } from '#api'
import { StatusError, failure, errors, selectorFromLabelSelector, withCondition } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { valueResponse } from '../call.ts'
import { decode } from '../decode.ts'
import type { DeleteOptions } from '../delete.ts'
import { checkPreconditions, deleteObject } from '../delete.ts'
import { checkDeleteOptions } from '../deletion.ts'
import { requireEntry, updateObject } from '../update.ts'
import type { Registry, Write } from '../registry.ts'
import { beginWrite, bodyValue } from '../verbs.ts'
import { encodeStored } from '../wire.ts'
import { admissionRequest, mutate, stored, validate } from '../write.ts'

const attempts = 10
/** Evictions that the budget's controller has yet to see. */
const maxDisruptedPods = 2000

/** `pods/eviction`: a delete that respects the pod's disruption budget. */
export async function evict(registry: Registry, call: Call): Promise<Response> {
  const write = beginWrite(call, 'CreateOptions')
  const value = bodyValue(call)
  const version = (value as KubeObject).apiVersion === 'policy/v1beta1' ? 'v1beta1' : 'v1'
  const eviction = decode({ group: 'policy', version, kind: 'Eviction' }, value, write) as policy.Eviction
  if (eviction.metadata.name && eviction.metadata.name !== write.name) throw errors.badRequest('name in URL does not match name in Eviction object')
  const options = (eviction.deleteOptions ?? {}) as DeleteOptions
  checkDeleteOptions(options)
  if (options.dryRun?.length) write.context.dryRun = true
  const admission = { ...admissionRequest(write, 'CREATE', eviction as unknown as KubeObject), kind: { group: 'policy', version, kind: 'Eviction' } }
  await mutate(registry, admission)
  await validate(registry, admission)
  for (let attempt = 1; ; attempt++) {
    const pod = requireEntry(write).object as DeepReadonly<core.Pod>
    checkPreconditions(write, pod, options.preconditions)
    const budget = needsBudget(pod) ? budgetOf(registry, pod) : undefined
    const uncounted = budget !== undefined && allowedWithout(budget, pod)
    if (!budget || uncounted || (await takeDisruption(registry, budget, pod, write.context))) {
      // what was not counted must still be so when it goes: a pod that is not ready, or not yet running
      const asSeen = uncounted || pod.status?.phase === 'Pending' || options.preconditions?.resourceVersion !== undefined
      if (await markAndDelete(registry, write, pod, asSeen, options)) break
    }
    if (attempt >= attempts)
      throw errors.timeout(`couldn't update PodDisruptionBudget ${JSON.stringify(budget?.metadata.name ?? '')} due to conflicts`)
  }
  return valueResponse(call, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

/**
 * Says in the pod's status that it was disrupted, and by whom (what a Job's failure policy goes by), then deletes it. False: it was to go as it was `seen`, and somebody has
 * changed it since.
 */
async function markAndDelete(
  registry: Registry,
  write: Write,
  seen: DeepReadonly<core.Pod>,
  asSeen: boolean,
  options: DeleteOptions,
): Promise<boolean> {
  const pods: Write = { ...write, subresource: '' }
  const { now, dryRun } = write.context
  const revision = asSeen ? seen.metadata.resourceVersion : undefined
  try {
    let precondition = revision
    if (!dryRun) {
      const marked = await updateObject(
        registry,
        { ...write, subresource: 'status' },
        (pod) => disrupted(pod as DeepReadonly<core.Pod>, revision, now),
        {
          prepare() {},
          unvalidated: true,
          admitted: true,
          managed: true,
          retry: !asSeen,
        },
      )
      // the newer revision is our own
      if (asSeen) precondition = String(marked.entry.revision)
    }
    await deleteObject(
      registry,
      pods,
      precondition ? { ...options, preconditions: { ...options.preconditions, resourceVersion: precondition } } : options,
    )
    return true
  } catch (error) {
    if (asSeen && error instanceof StatusError && error.status.reason === 'Conflict') return false
    throw error
  }
}

function disrupted(pod: DeepReadonly<core.Pod>, revision: string | undefined, now: string): KubeObject {
  const condition: core.PodCondition = {
    type: 'DisruptionTarget',
    status: 'True',
    reason: 'EvictionByEvictionAPI',
    message: 'Eviction API: evicting',
  }
  const conditions = withCondition<core.PodCondition>((pod.status?.conditions ?? []) as readonly core.PodCondition[], condition, now)
  return {
    ...pod,
    metadata: { ...pod.metadata, resourceVersion: revision ?? pod.metadata.resourceVersion },
    status: { ...pod.status, conditions },
  } as unknown as KubeObject
}

/** Pods that are done, not yet running or on their way out disturb nobody. */
function needsBudget(pod: DeepReadonly<core.Pod>): boolean {
  const phase = pod.status?.phase
  return phase !== 'Succeeded' && phase !== 'Failed' && phase !== 'Pending' && !pod.metadata.deletionTimestamp
}

function budgetOf(registry: Registry, pod: DeepReadonly<core.Pod>): DeepReadonly<policy.PodDisruptionBudget> | undefined {
  const budgets = registry.cache
    .reader()
    .list<policy.PodDisruptionBudget>('policy', 'poddisruptionbudgets', pod.metadata.namespace)
    .filter((budget) => selectorFromLabelSelector(budget.spec?.selector).matches(pod.metadata.labels))
  if (budgets.length > 1) throw errors.internal('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  return budgets[0]
}

/** A pod that is not ready may go without counting, as its budget's policy says. */
function allowedWithout(budget: DeepReadonly<policy.PodDisruptionBudget>, pod: DeepReadonly<core.Pod>): boolean {
  if (pod.status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True')) return false
  if (budget.spec?.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  const { currentHealthy = 0, desiredHealthy = 0 } = budget.status ?? {}
  return currentHealthy >= desiredHealthy && desiredHealthy > 0
}

/** Counts the disruption in the budget's status. False: somebody else wrote it in between. */
async function takeDisruption(
  registry: Registry,
  budget: DeepReadonly<policy.PodDisruptionBudget>,
  pod: DeepReadonly<core.Pod>,
  context: { now: string; dryRun: boolean },
): Promise<boolean> {
  const { name, namespace, generation = 0 } = budget.metadata
  const { status } = budget
  if ((status?.observedGeneration ?? 0) < generation)
    throw tooMany(`The disruption budget ${name} is still being processed by the server.`, 'DisruptionBudget', 10)
  const allowed = status?.disruptionsAllowed ?? 0
  const refuse = (why: string) => errors.forbidden({ group: 'policy', resource: 'poddisruptionbudget' }, name, why)
  if (allowed < 0) throw refuse('pdb disruptions allowed is negative')
  if (Object.keys(status?.disruptedPods ?? {}).length > maxDisruptedPods)
    throw refuse('DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (allowed === 0)
    throw tooMany(
      `The disruption budget ${name} needs ${status?.desiredHealthy ?? 0} healthy pods and has ${status?.currentHealthy ?? 0} currently`,
      'DisruptionBudget',
    )
  if (context.dryRun) return true
  const cache = registry.cache.resource('policy', 'poddisruptionbudgets')
  const entry = cache.get(namespace!, name)
  if (!entry || entry.object.metadata.resourceVersion !== budget.metadata.resourceVersion) return false
  const next = {
    ...budget,
    metadata: { ...budget.metadata, resourceVersion: undefined },
    status: {
      ...status,
      ...(allowed === 1 ? { conditions: usedUp(budget, context.now) } : {}),
      disruptionsAllowed: allowed - 1,
      disruptedPods: { ...status?.disruptedPods, [pod.metadata.name]: context.now },
    },
  } as unknown as KubeObject
  const bytes = encodeStored(next)
  const result = await stored(registry.cache.write(bytes, next, registry.store.update(entry.key, bytes, entry.revision)))
  if (!result.ok) await registry.cache.applied(result.current?.modRevision ?? 0)
  return result.ok
}

function usedUp({ metadata, status }: DeepReadonly<policy.PodDisruptionBudget>, now: string): meta.Condition[] {
  const condition = { type: 'DisruptionAllowed', status: 'False', reason: 'InsufficientPods', message: '', observedGeneration: metadata.generation }
  return [...withCondition<meta.Condition>((status?.conditions ?? []) as readonly meta.Condition[], condition as meta.Condition, now)]
}

function tooMany(why: string, reason: string, retryAfterSeconds?: number) {
  return failure('TooManyRequests', 429, "Cannot evict pod as it would violate the pod's disruption budget.", {
    causes: [{ reason, message: why }],
    ...(retryAfterSeconds ? { retryAfterSeconds } : {}),
  })
}
