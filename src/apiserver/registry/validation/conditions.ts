import type { DeepReadonly, meta } from '#api'
import { qualifiedName, regexMessage } from '#api'
import { type Causes, duplicate, invalid, invalidEach, notSupported, required, tooLong } from './causes.ts'

const reasonPattern = '[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?'
const reason = new RegExp(`^${reasonPattern}$`)
const reasonMessage = regexMessage(
  "a condition reason must start with alphabetic character, optionally followed by a string of alphanumeric characters or '_,:', and must end with an alphanumeric character or '_'",
  reasonPattern,
  'my_name',
  'MY_NAME',
  'MyName',
  'ReasonA,ReasonB',
  'ReasonA:ReasonB',
)
const maxReason = 1024
const maxMessage = 32 * 1024

/** apimachinery's ValidateConditions: each type once, and nothing in them that is not what it should be. */
export function validateConditions(causes: Causes, path: string, conditions: DeepReadonly<meta.Condition[]> | undefined): void {
  const seen = new Set<string>()
  conditions?.forEach((condition, i) => {
    const at = `${path}[${i}]`
    const type = condition.type ?? ''
    if (seen.has(type)) causes.push(duplicate(`${at}.type`, type))
    seen.add(type)
    invalidEach(causes, `${at}.type`, type, qualifiedName(type))
    if (!['False', 'True', 'Unknown'].includes(condition.status))
      causes.push(notSupported(`${at}.status`, condition.status ?? '', ['False', 'True', 'Unknown']))
    if ((condition.observedGeneration ?? 0) < 0)
      causes.push(invalid(`${at}.observedGeneration`, condition.observedGeneration, 'must be greater than or equal to zero'))
    if (!condition.lastTransitionTime) causes.push(required(`${at}.lastTransitionTime`))
    if (!condition.reason) causes.push(required(`${at}.reason`))
    else {
      if (!reason.test(condition.reason)) causes.push(invalid(`${at}.reason`, condition.reason, reasonMessage))
      if (condition.reason.length > maxReason) causes.push(tooLong(`${at}.reason`, maxReason))
    }
    if (Buffer.byteLength(condition.message ?? '') > maxMessage) causes.push(tooLong(`${at}.message`, maxMessage))
  })
}
