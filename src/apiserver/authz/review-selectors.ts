import type { DeepReadonly, StatusCause, authorization } from '#api'
import { labelValue, parseFieldSelector, parseLabelSelector, qualifiedName, selectorFromLabelSelector } from '#api'

// Reviews may say what a list or watch is limited to. What a newer client says that is not understood here is left out: less limited is what it then asks about.

type Attributes = DeepReadonly<authorization.ResourceAttributes>
type FieldSelector = NonNullable<Attributes['fieldSelector']>
type LabelSelector = NonNullable<Attributes['labelSelector']>

const invalid = (field: string, value: string, detail: string): StatusCause => ({
  reason: 'FieldValueInvalid',
  message: `Invalid value: ${JSON.stringify(value)}: ${detail}`,
  field,
})
const required = (field: string, detail: string): StatusCause => ({
  reason: 'FieldValueRequired',
  message: `Required value: ${detail}`,
  field,
})

/** What is wrong with the selectors of a review. */
export function selectorCauses({ fieldSelector, labelSelector }: Attributes): StatusCause[] {
  const path = 'spec.resourceAttributes'
  return [
    ...oneForm(`${path}.fieldSelector`, fieldSelector),
    ...(fieldSelector?.requirements ?? []).flatMap((one, i) => requirementCauses(`${path}.fieldSelector.requirements[${i}]`, one, fieldKey)),
    ...oneForm(`${path}.labelSelector`, labelSelector),
    ...(labelSelector?.requirements ?? []).flatMap((one, i) => requirementCauses(`${path}.labelSelector.requirements[${i}]`, one, labelKey)),
  ]
}

function oneForm(path: string, selector: FieldSelector | LabelSelector | undefined): StatusCause[] {
  if (!selector) return []
  const { rawSelector = '', requirements = [] } = selector
  if (rawSelector !== '' && requirements.length > 0)
    return [invalid(`${path}.rawSelector`, rawSelector, 'may not specified at the same time as requirements')]
  if (rawSelector === '' && requirements.length === 0)
    return [required(`${path}.requirements`, `when ${path} is specified, requirements or rawSelector is required`)]
  return []
}

interface Requirement {
  readonly key?: string
  readonly operator?: string
  readonly values?: readonly string[]
}

function requirementCauses(
  path: string,
  requirement: Requirement,
  keyCauses: (path: string, requirement: Requirement) => StatusCause[],
): StatusCause[] {
  const { operator, values = [] } = requirement
  const causes: StatusCause[] = []
  if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
    causes.push(required(`${path}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
  if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
    causes.push({
      reason: 'FieldValueForbidden',
      message: "Forbidden: may not be specified when `operator` is 'Exists' or 'DoesNotExist'",
      field: `${path}.values`,
    })
  return [...causes, ...keyCauses(path, requirement)]
}

const fieldKey = (path: string, { key }: Requirement) => (key ? [] : [required(`${path}.key`, 'must be specified')])

const labelKey = (path: string, { key = '', values = [] }: Requirement) => [
  ...qualifiedName(key).map((message) => invalid(`${path}.key`, key, message)),
  ...values.flatMap((value, i) => labelValue(value).map((message) => invalid(`${path}.values[${i}]`, value, message))),
]

/** What of the selectors of a review was left out, as its status says it; undefined when nothing was. */
export function selectorProblem({ fieldSelector, labelSelector }: Attributes): string | undefined {
  const problems = [
    ignored('fieldSelector', fieldSelector, parseFieldSelector, isFieldRequirement),
    ignored('labelSelector', labelSelector, parseLabelSelector, isLabelRequirement),
  ].filter((problem) => problem !== undefined)
  return problems.length > 0 ? problems.join('; ') : undefined
}

function ignored(
  field: string,
  selector: FieldSelector | LabelSelector | undefined,
  parse: (text: string) => unknown,
  understood: (requirement: Requirement) => boolean,
): string | undefined {
  if (!selector) return undefined
  const { rawSelector = '', requirements = [] } = selector
  const known = requirements.filter(understood).length
  if (known < requirements.length) return `spec.resourceAttributes.${field} ${known > 0 ? 'partially ignored' : 'ignored'} due to parse error`
  if (requirements.length > 0) return undefined
  return parses(parse, rawSelector) ? undefined : `spec.resourceAttributes.${field} ignored due to parse error`
}

/** Fields are compared with one value. */
const isFieldRequirement = ({ operator, values = [] }: Requirement) => (operator === 'In' || operator === 'NotIn') && values.length === 1

const isLabelRequirement = ({ key = '', operator = '', values = [] }: Requirement) =>
  parses(() => selectorFromLabelSelector({ matchExpressions: [{ key, operator: operator as 'In', values: [...values] }] }), '')

function parses(parse: (text: string) => unknown, text: string): boolean {
  try {
    parse(text)
    return true
  } catch {
    return false
  }
}
