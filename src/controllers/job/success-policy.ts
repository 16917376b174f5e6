import type { DeepReadonly, batch } from '#api'
import { parseIndexes } from './indexes.ts'

/** Which rule of a success policy the succeeded indexes meet (KEP-3998), as the job's condition tells it. */
export function successBy(policy: DeepReadonly<batch.SuccessPolicy> | undefined, succeeded: ReadonlySet<number>): string | undefined {
  for (const [index, { succeededIndexes, succeededCount }] of (policy?.rules ?? []).entries()) {
    const wanted = succeededIndexes === undefined ? [...succeeded] : parseIndexes(succeededIndexes)
    const reached = wanted.filter((i) => succeeded.has(i)).length
    if (reached >= (succeededCount ?? wanted.length) && (succeededCount !== undefined || succeededIndexes !== undefined))
      return `Matched rules at index ${index}`
  }
  return undefined
}
