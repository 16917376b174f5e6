import type { DeepReadonly, KubeObject, admissionregistration, meta } from '#api'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn } from './columns.ts'
import { age } from './duration.ts'

const policyTable = <T extends KubeObject & { spec: { paramKind?: admissionregistration.ParamKind } }>(
  what: string,
  count: (object: DeepReadonly<T>) => number,
): TableDefinition<T> => ({
  columns: [nameColumn, column(what, 'integer'), column('ParamKind'), ageColumn],
  cells(object, now) {
    const { metadata, spec } = object as unknown as DeepReadonly<Pick<T, 'metadata' | 'spec'>>
    const kind = spec.paramKind
    const text = kind ? `${kind.apiVersion ?? ''}/${kind.kind ?? ''}` : '<unset>'
    return [metadata.name, count(object), text, age(metadata.creationTimestamp, now)]
  },
})

export const validatingAdmissionPolicyTable = policyTable<admissionregistration.ValidatingAdmissionPolicy>(
  'Validations',
  ({ spec }) => spec.validations?.length ?? 0,
)

export const mutatingAdmissionPolicyTable = policyTable<admissionregistration.MutatingAdmissionPolicy>(
  'Mutations',
  ({ spec }) => spec.mutations?.length ?? 0,
)

export const admissionPolicyBindingTable: TableDefinition<admissionregistration.MutatingAdmissionPolicyBinding> = {
  columns: [nameColumn, column('PolicyName'), column('ParamRef'), ageColumn],
  cells: ({ metadata, spec }, now) => [metadata.name, spec.policyName ?? '', paramText(spec.paramRef), age(metadata.creationTimestamp, now)],
}

function paramText(ref: DeepReadonly<admissionregistration.ParamRef> | undefined): string {
  if (ref?.name) return `${ref.namespace || '*'}/${ref.name}`
  return ref?.selector ? goSelector(ref.selector) : '<unset>'
}

/** A selector as Go prints it. */
function goSelector({ matchLabels = {}, matchExpressions = [] }: DeepReadonly<meta.LabelSelector>): string {
  const labels = Object.keys(matchLabels)
    .sort()
    .map((key) => `${key}: ${matchLabels[key]},`)
  const expressions = matchExpressions.map(
    ({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`,
  )
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}
