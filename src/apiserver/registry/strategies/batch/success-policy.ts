import type { DeepReadonly, batch } from '#api'
import { type Causes, invalid, nonNegative, required, tooLong, tooMany } from '../../validation/causes.ts'
import { countIndexes } from './indexes.ts'

const maxRules = 20
const maxIndexesLength = 64 * 1024

/** Of an indexed job: which of its indexes, or how many, must succeed. */
export function validateSuccessPolicy(causes: Causes, path: string, spec: DeepReadonly<batch.JobSpec>): void {
  const rules = spec.successPolicy!.rules ?? []
  if (rules.length === 0) causes.push(required(`${path}.rules`, 'at least one rules must be specified when the successPolicy is specified'))
  if (rules.length > maxRules) causes.push(tooMany(`${path}.rules`, rules.length, maxRules))
  for (const [i, rule] of rules.entries()) validateRule(causes, `${path}.rules[${i}]`, rule, spec.completions ?? 0)
}

function validateRule(
  causes: Causes,
  at: string,
  { succeededIndexes: indexes, succeededCount: count }: DeepReadonly<batch.SuccessPolicyRule>,
  completions: number,
): void {
  if (count === undefined && indexes === undefined) causes.push(required(at, 'at least one of succeededCount or succeededIndexes must be specified'))
  let total = 0
  if (indexes !== undefined) {
    const path = `${at}.succeededIndexes`
    if (indexes.length > maxIndexesLength) causes.push(tooLong(path, maxIndexesLength))
    const counted = countIndexes(indexes, completions)
    if (typeof counted === 'string') causes.push(invalid(path, indexes, `error parsing succeededIndexes: ${counted}`))
    else total = counted
  }
  if (count === undefined) return
  const path = `${at}.succeededCount`
  nonNegative(causes, path, count)
  if (count > completions) causes.push(invalid(path, count, `must be less than or equal to ${completions} (the number of specified completions)`))
  if (indexes !== undefined && count > total)
    causes.push(invalid(path, count, `must be less than or equal to ${total} (the number of indexes in the specified succeededIndexes field)`))
}
