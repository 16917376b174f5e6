import type { DeepReadonly, core, meta } from '#api'

type Labels = DeepReadonly<Record<string, string>>

/** Labels as a selector in one cell: `a=b,c=d`, sorted; `<none>` when there are none. */
export function labelsText(labels: Labels | undefined): string {
  const parts = labels
    ? Object.keys(labels)
        .sort()
        .map((key) => `${key}=${labels[key]}`)
    : []
  return parts.length === 0 ? '<none>' : parts.join(',')
}

/** A label selector in one cell (apimachinery's FormatLabelSelector). */
export function selectorText(selector: DeepReadonly<meta.LabelSelector> | undefined): string {
  if (!selector) return '<none>'
  const requirements: [string, string][] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => [key, `${key}=${value}`])
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`
    if (operator === 'In') requirements.push([key, `${key} in ${list}`])
    else if (operator === 'NotIn') requirements.push([key, `${key} notin ${list}`])
    else requirements.push([key, operator === 'Exists' ? key : `!${key}`])
  }
  if (requirements.length === 0) return '<none>'
  return requirements
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    .map(([, text]) => text)
    .join(',')
}

/** The cells CONTAINERS and IMAGES of a workload. */
export function containerCells(template: DeepReadonly<core.PodTemplateSpec> | undefined): [string, string] {
  const containers = template?.spec?.containers ?? []
  return [containers.map((container) => container.name).join(','), containers.map((container) => container.image ?? '').join(',')]
}
