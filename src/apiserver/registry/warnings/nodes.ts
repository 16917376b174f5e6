import type { DeepReadonly, core, meta } from '#api'
import { labelValue } from '#api'

type Spec = DeepReadonly<core.PodSpec>
type Term = DeepReadonly<core.NodeSelectorTerm>
type Selector = DeepReadonly<meta.LabelSelector> | undefined

const deprecated: Record<string, string> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}

const noSelector = 'a null labelSelector results in matching no pod'

/** Warnings about the choice of nodes: labels of nodes that have gone out of use, and selectors of pods that select none. */
export function placementWarnings(warnings: string[], path: string, spec: Spec): void {
  for (const key in spec.nodeSelector) if (deprecated[key]) warnings.push(`${path}.nodeSelector[${key}]: ${deprecated[key]}`)
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {}
  nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.forEach((term, i) =>
    keyWarnings(warnings, `${path}.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[${i}]`, term),
  )
  nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) => {
    const at = `${path}.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}].preference`
    if (!preference) return
    keyWarnings(warnings, at, preference)
    valueWarnings(warnings, at, preference)
  })
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const at = `${path}.topologySpreadConstraints[${i}]`
    if (topologyKey && deprecated[topologyKey]) warnings.push(`${at}.topologyKey: ${topologyKey} is ${deprecated[topologyKey]}`)
    selectorWarning(warnings, at, labelSelector)
  })
  if (podAffinity || podAntiAffinity) neighbourWarnings(warnings, `${path}.affinity`, { podAffinity, podAntiAffinity })
}

function neighbourWarnings(
  warnings: string[],
  path: string,
  affinities: Pick<NonNullable<Spec['affinity']>, 'podAffinity' | 'podAntiAffinity'>,
): void {
  for (const [field, affinity] of Object.entries(affinities)) {
    const at = `${path}.${field}`
    affinity?.requiredDuringSchedulingIgnoredDuringExecution?.forEach(({ labelSelector }, i) =>
      selectorWarning(warnings, `${at}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, labelSelector),
    )
    affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ podAffinityTerm }, i) =>
      selectorWarning(warnings, `${at}.preferredDuringSchedulingIgnoredDuringExecution[${i}].podAffinityTerm`, podAffinityTerm?.labelSelector),
    )
  }
}

function keyWarnings(warnings: string[], path: string, term: Term): void {
  term.matchExpressions?.forEach(({ key }, i) => {
    if (deprecated[key]) warnings.push(`${path}.matchExpressions[${i}].key: ${key} is ${deprecated[key]}`)
  })
}

/** Values that no label can have are refused where nodes must match, and match nothing where they only should. */
function valueWarnings(warnings: string[], path: string, term: Term): void {
  term.matchExpressions?.forEach(({ values }, i) =>
    values?.forEach((value, j) => {
      for (const message of labelValue(value)) warnings.push(`${path}.matchExpressions[${i}].values[${j}]: ${value} is invalid, ${message}`)
    }),
  )
}

function selectorWarning(warnings: string[], path: string, selector: Selector): void {
  if (!selector) warnings.push(`${path}.labelSelector: ${noSelector}`)
}
