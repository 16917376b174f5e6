import type { DeepReadonly, meta } from '#api'
import { labelValue, qualifiedName, selectorFromLabelSelector } from '#api'
import { type Causes, forbidden, invalid, invalidEach, required } from './causes.ts'
import { validateLabels } from './object-meta.ts'

type LabelSelector = DeepReadonly<meta.LabelSelector>

/** `accepted`: what the object had before was not valid either, so that its values may stay. */
export function validateLabelSelector(
  causes: Causes,
  path: string,
  selector: LabelSelector | undefined,
  accepted?: { invalidValues: boolean },
): void {
  if (!selector) return
  if (selector.matchLabels) validateLabels(causes, `${path}.matchLabels`, selector.matchLabels)
  selector.matchExpressions?.forEach((requirement, i) => {
    const at = `${path}.matchExpressions[${i}]`
    const values = requirement.values ?? []
    if (requirement.operator === 'In' || requirement.operator === 'NotIn') {
      if (values.length === 0) causes.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (requirement.operator === 'Exists' || requirement.operator === 'DoesNotExist') {
      if (values.length > 0) causes.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else causes.push(invalid(`${at}.operator`, requirement.operator ?? '', 'not a valid selector operator'))
    invalidEach(causes, `${at}.key`, requirement.key ?? '', qualifiedName(requirement.key ?? ''))
    if (!accepted?.invalidValues) values.forEach((value, j) => invalidEach(causes, `${at}.values[${j}]`, value, labelValue(value)))
  })
}

export const isEmptySelector = (selector: LabelSelector) =>
  (!selector.matchLabels || Object.keys(selector.matchLabels).length === 0) && !selector.matchExpressions?.length

export function isValidSelector(selector: DeepReadonly<LabelSelector>): boolean {
  const causes: Causes = []
  validateLabelSelector(causes, '', selector)
  return causes.length === 0
}

/** Whether the selector matches these labels; no selector matches nothing, an empty one everything. */
export const selectorMatches = (selector: LabelSelector | undefined, labels: DeepReadonly<Record<string, string>> | undefined) =>
  selectorFromLabelSelector(selector).matches(labels)
