import type { DeepReadonly, batch } from '#api'
import { qualifiedName } from '#api'
import { type Causes, duplicate, invalid, invalidEach, invalidOmitted, notSupported, required, tooMany } from '../../validation/causes.ts'

type Rule = DeepReadonly<batch.PodFailurePolicyRule>

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']
const operators = ['In', 'NotIn']
const statuses = ['False', 'True', 'Unknown']
const maxRules = 20
const maxExitCodes = 255
const maxConditions = 20

/** A list as Go's %q prints it, in what is required. */
const validValues = (values: readonly string[]) => `valid values: [${values.map((value) => JSON.stringify(value)).join(' ')}]`

function requireOneOf(causes: Causes, path: string, value: string | undefined, supported: readonly string[]): void {
  if (!value) causes.push(required(path, validValues(supported)))
  else if (!supported.includes(value)) causes.push(notSupported(path, value, supported))
}

export function validatePodFailurePolicy(causes: Causes, path: string, spec: DeepReadonly<batch.JobSpec>): void {
  const rules = spec.podFailurePolicy!.rules ?? []
  if (rules.length > maxRules) causes.push(tooMany(`${path}.rules`, rules.length, maxRules))
  const { containers = [], initContainers = [] } = spec.template.spec ?? {}
  const names = new Set([...containers, ...initContainers].map(({ name }) => name))
  for (const [i, rule] of rules.entries()) {
    const at = `${path}.rules[${i}]`
    if (rule.action === 'FailIndex') {
      if (spec.backoffLimitPerIndex === undefined) causes.push(invalid(`${at}.action`, rule.action, 'requires the backoffLimitPerIndex to be set'))
    } else requireOneOf(causes, `${at}.action`, rule.action, actions)
    validateRule(causes, at, rule, names)
  }
}

function validateRule(causes: Causes, at: string, { onExitCodes, onPodConditions = [] }: Rule, containers: ReadonlySet<string>): void {
  if (onExitCodes) validateExitCodes(causes, `${at}.onExitCodes`, onExitCodes, containers)
  if (onPodConditions.length > maxConditions) causes.push(tooMany(`${at}.onPodConditions`, onPodConditions.length, maxConditions))
  for (const [i, { type = '', status }] of onPodConditions.entries()) {
    const path = `${at}.onPodConditions[${i}]`
    invalidEach(causes, `${path}.type`, type, qualifiedName(type))
    requireOneOf(causes, `${path}.status`, status, statuses)
  }
  if (onExitCodes && onPodConditions.length > 0) causes.push(invalidOmitted(at, 'specifying both OnExitCodes and OnPodConditions is not supported'))
  if (!onExitCodes && onPodConditions.length === 0) causes.push(invalidOmitted(at, 'specifying one of OnExitCodes and OnPodConditions is required'))
}

function validateExitCodes(
  causes: Causes,
  path: string,
  { containerName, operator, values = [] }: DeepReadonly<batch.PodFailurePolicyOnExitCodesRequirement>,
  containers: ReadonlySet<string>,
): void {
  requireOneOf(causes, `${path}.operator`, operator, operators)
  if (containerName !== undefined && !containers.has(containerName))
    causes.push(invalid(`${path}.containerName`, containerName, 'must be one of the container or initContainer names in the pod template'))
  if (values.length === 0) causes.push(invalid(`${path}.values`, values, 'at least one value is required'))
  else if (values.length > maxExitCodes) causes.push(tooMany(`${path}.values`, values.length, maxExitCodes))
  const seen = new Set<number>()
  for (const [i, value] of values.entries()) {
    if (operator === 'In' && value === 0) causes.push(invalid(`${path}.values[${i}]`, value, 'must not be 0 for the In operator'))
    if (seen.has(value)) causes.push(duplicate(`${path}.values[${i}]`, value))
    seen.add(value)
  }
  if (values.some((value, i) => i > 0 && values[i - 1]! > value)) causes.push(invalid(`${path}.values`, values, 'must be ordered'))
}
