import type { DeepReadonly, core, meta } from '#api'

/** Labels of nodes that have other names by now, and what the server says to who selects by them. */
const deprecated: Readonly<Record<string, string>> = {
  'beta.kubernetes.io/arch': 'deprecated since v1.14; use "kubernetes.io/arch" instead',
  'beta.kubernetes.io/os': 'deprecated since v1.14; use "kubernetes.io/os" instead',
  'failure-domain.beta.kubernetes.io/region': 'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  'failure-domain.beta.kubernetes.io/zone': 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  'beta.kubernetes.io/instance-type': 'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
}

/** The label that took the place of a deprecated one. */
export const stableNodeLabel = (key: string): string | undefined => /use "([^"]+)"/.exec(deprecated[key] ?? '')?.[1]

export const deprecatedNodeLabel = (key: string): string | undefined => deprecated[key]

const ofExpressions = (path: string, expressions: DeepReadonly<{ key: string }[]> | undefined): string[] =>
  expressions?.flatMap(({ key }, i) => (deprecated[key] ? [`${path}.matchExpressions[${i}].key: ${key} is ${deprecated[key]}`] : [])) ?? []

export const nodeSelectorTermWarnings = (path: string, term: DeepReadonly<core.NodeSelectorTerm>): string[] =>
  ofExpressions(path, term.matchExpressions)

export function nodeSelectorWarnings(path: string, selector: DeepReadonly<meta.LabelSelector> | undefined): string[] {
  if (!selector) return []
  const labels = Object.keys(selector.matchLabels ?? {}).flatMap((key) => (deprecated[key] ? [`${path}.matchLabels.${key}: ${deprecated[key]}`] : []))
  return [...ofExpressions(path, selector.matchExpressions), ...labels]
}
