import type { DeepReadonly, batch } from '#api'
import { findCondition } from '#api'
import type { Pod } from '../workload/pods.ts'

type Policy = DeepReadonly<batch.PodFailurePolicy> | undefined
type Rule = DeepReadonly<batch.PodFailurePolicyRule>

export interface FailureVerdict {
  action?: Rule['action']
  /** Whether the failure counts towards the back-off limits. */
  counts: boolean
  /** Why the whole job fails, if it does. */
  message?: string
}

/** What the first matching rule of a pod failure policy makes of a failed pod (KEP-3329). */
export function judgeFailure(policy: Policy, pod: Pod): FailureVerdict {
  for (const [index, rule] of (policy?.rules ?? []).entries()) {
    const found = rule.onExitCodes ? matchExitCodes(rule.onExitCodes, pod) : matchConditions(rule, pod)
    if (!found) continue
    if (rule.action !== 'FailJob') return { action: rule.action, counts: rule.action !== 'Ignore' }
    const { name, namespace } = pod.metadata
    const message = rule.onExitCodes
      ? `Container ${found.name} for pod ${namespace}/${name} failed with exit code ${found.value} matching FailJob rule at index ${index}`
      : `Pod ${namespace}/${name} has condition ${found.name} matching FailJob rule at index ${index}`
    return { action: rule.action, counts: true, message }
  }
  return { counts: true }
}

type Found = { name: string; value: string | number } | undefined

function matchExitCodes(codes: NonNullable<Rule['onExitCodes']>, pod: Pod): Found {
  for (const status of [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])]) {
    const exitCode = status.state?.terminated?.exitCode
    if (!exitCode || (codes.containerName && codes.containerName !== status.name)) continue
    if ((codes.operator === 'In') === codes.values.includes(exitCode)) return { name: status.name, value: exitCode }
  }
  return undefined
}

function matchConditions(rule: Rule, pod: Pod): Found {
  for (const { type, status = 'True' } of rule.onPodConditions ?? [])
    if (findCondition(pod.status?.conditions, type)?.status === status) return { name: type, value: status }
  return undefined
}
