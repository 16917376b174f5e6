import type { DeepReadonly, core, meta } from '#api'
import { dns1123Label, dns1123Subdomain, labelValue, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, optionalOneOf, required } from '../causes.ts'
import { validateLabelSelector } from '../selectors.ts'

const effects = ['NoSchedule', 'PreferNoSchedule', 'NoExecute']

export function validateTolerations(causes: Causes, path: string, tolerations: DeepReadonly<core.Toleration[]> | undefined): void {
  tolerations?.forEach((toleration, i) => {
    const at = `${path}[${i}]`
    const { key, operator, value, effect } = toleration
    if (key) invalidEach(causes, `${at}.key`, key, qualifiedName(key))
    else if (operator !== 'Exists')
      causes.push(
        invalid(`${at}.operator`, operator ?? '', 'operator must be Exists when `key` is empty, which means "match all values and all keys"'),
      )
    if (toleration.tolerationSeconds !== undefined && effect !== 'NoExecute')
      causes.push(invalid(`${at}.effect`, effect ?? '', "effect must be 'NoExecute' when `tolerationSeconds` is set"))
    if (operator === undefined || operator === ('' as never) || operator === 'Equal') {
      const messages = value ? labelValue(value) : []
      if (messages.length > 0) causes.push(invalid(`${at}.operator`, value, messages.join(';')))
    } else if (operator === 'Exists') {
      if (value) causes.push(invalid(`${at}.operator`, value, "value must be empty when `operator` is 'Exists'"))
    } else if (operator === 'Lt' || operator === 'Gt') causes.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists', 'Lt', 'Gt']))
    else causes.push(notSupported(`${at}.operator`, operator, ['Equal', 'Exists']))
    if (effect && !effects.includes(effect)) causes.push(notSupported(`${at}.effect`, effect, effects))
  })
}

export function validateAffinity(causes: Causes, path: string, affinity: DeepReadonly<core.Affinity> | undefined): void {
  if (!affinity) return
  const { nodeAffinity, podAffinity, podAntiAffinity } = affinity
  if (nodeAffinity) {
    if (nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution)
      validateNodeSelector(
        causes,
        `${path}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`,
        nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution,
      )
    // what is preferred may have values that no label has: it only says what would be nice
    nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      const at = `${path}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
      if (!(term.weight >= 1 && term.weight <= 100)) causes.push(invalid(`${at}.weight`, term.weight, 'must be in the range 1-100'))
      validateNodeSelectorTerm(causes, `${at}.preference`, term.preference ?? {}, true)
    })
  }
  if (podAffinity) validatePodAffinity(causes, `${path}.podAffinity`, podAffinity)
  if (podAntiAffinity) validatePodAffinity(causes, `${path}.podAntiAffinity`, podAntiAffinity)
}

export function validateNodeSelector(causes: Causes, path: string, selector: DeepReadonly<core.NodeSelector>): void {
  if (!selector.nodeSelectorTerms?.length) causes.push(required(`${path}.nodeSelectorTerms`, 'must have at least one node selector term'))
  selector.nodeSelectorTerms?.forEach((term, i) => validateNodeSelectorTerm(causes, `${path}.nodeSelectorTerms[${i}]`, term))
}

function validateNodeSelectorTerm(causes: Causes, path: string, term: DeepReadonly<core.NodeSelectorTerm>, anyValue = false): void {
  term.matchExpressions?.forEach((requirement, i) => {
    const at = `${path}.matchExpressions[${i}]`
    const { operator, values = [] } = requirement
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) causes.push(required(`${at}.values`, "must be specified when `operator` is 'In' or 'NotIn'"))
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) causes.push(forbidden(`${at}.values`, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"))
    } else if (operator === 'Gt' || operator === 'Lt') {
      if (values.length !== 1) causes.push(required(`${at}.values`, "must be specified single value when `operator` is 'Lt' or 'Gt'"))
    } else causes.push(invalid(`${at}.operator`, operator ?? '', 'not a valid selector operator'))
    invalidEach(causes, `${at}.key`, requirement.key ?? '', qualifiedName(requirement.key ?? ''))
    if (!anyValue) values.forEach((value, j) => invalidEach(causes, `${at}.values[${j}]`, value, labelValue(value)))
  })
  term.matchFields?.forEach((requirement, i) => {
    const at = `${path}.matchFields[${i}]`
    const { operator, values = [] } = requirement
    if (operator !== 'In' && operator !== 'NotIn') causes.push(invalid(`${at}.operator`, operator ?? '', 'not a valid selector operator'))
    else if (values.length !== 1)
      causes.push(required(`${at}.values`, "must be only one value when `operator` is 'In' or 'NotIn' for node field selector"))
    if (requirement.key === 'metadata.name') values.forEach((value, j) => invalidEach(causes, `${at}.values[${j}]`, value, dns1123Subdomain(value)))
    else causes.push(invalid(`${at}.key`, requirement.key ?? '', 'not a valid field selector key'))
  })
}

function validatePodAffinity(causes: Causes, path: string, affinity: DeepReadonly<core.PodAffinity>): void {
  affinity.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) =>
    validatePodAffinityTerm(causes, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${i}]`, term),
  )
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    const at = `${path}.preferredDuringSchedulingIgnoredDuringExecution[${i}]`
    if (!(term.weight >= 1 && term.weight <= 100)) causes.push(invalid(`${at}.weight`, term.weight, 'must be in the range 1-100'))
    validatePodAffinityTerm(causes, `${at}.podAffinityTerm`, term.podAffinityTerm ?? ({} as core.PodAffinityTerm))
  })
}

function validatePodAffinityTerm(causes: Causes, path: string, term: DeepReadonly<core.PodAffinityTerm>): void {
  validateLabelSelector(causes, `${path}.labelSelector`, term.labelSelector)
  validateLabelSelector(causes, `${path}.namespaceSelector`, term.namespaceSelector)
  term.namespaces?.forEach((name) => invalidEach(causes, `${path}.namespace`, name, dns1123Label(name)))
  validateLabelKeys(causes, path, term)
  if (!term.topologyKey) causes.push(required(`${path}.topologyKey`, 'can not be empty'))
  invalidEach(causes, `${path}.topologyKey`, term.topologyKey ?? '', qualifiedName(term.topologyKey ?? ''))
}

export function validateTopologySpread(causes: Causes, path: string, constraints: DeepReadonly<core.TopologySpreadConstraint[]> | undefined): void {
  constraints?.forEach((constraint, i) => {
    const at = `${path}[${i}]`
    if (!(constraint.maxSkew > 0)) causes.push(invalid(`${at}.maxSkew`, constraint.maxSkew, 'must be greater than zero'))
    if (!constraint.topologyKey) causes.push(required(`${at}.topologyKey`, 'can not be empty'))
    if (constraint.whenUnsatisfiable !== 'DoNotSchedule' && constraint.whenUnsatisfiable !== 'ScheduleAnyway')
      causes.push(notSupported(`${at}.whenUnsatisfiable`, constraint.whenUnsatisfiable ?? '', ['DoNotSchedule', 'ScheduleAnyway']))
    const again = constraints.some(
      (one, j) => j > i && one.topologyKey === constraint.topologyKey && one.whenUnsatisfiable === constraint.whenUnsatisfiable,
    )
    if (again) causes.push(duplicate(`${at}.{topologyKey, whenUnsatisfiable}`, `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}}`))
    if (constraint.minDomains !== undefined) {
      if (constraint.minDomains <= 0) causes.push(invalid(`${at}.minDomains`, constraint.minDomains, 'must be greater than zero'))
      if (constraint.whenUnsatisfiable !== 'DoNotSchedule')
        causes.push(
          invalid(
            `${at}.minDomains`,
            constraint.minDomains,
            `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${constraint.whenUnsatisfiable}`,
          ),
        )
    }
    optionalOneOf(causes, `${at}.nodeAffinityPolicy`, constraint.nodeAffinityPolicy, ['Honor', 'Ignore'])
    optionalOneOf(causes, `${at}.nodeTaintsPolicy`, constraint.nodeTaintsPolicy, ['Honor', 'Ignore'])
    validateLabelKeys(causes, at, constraint)
    validateLabelSelector(causes, `${at}.labelSelector`, constraint.labelSelector)
  })
}

interface LabelKeys {
  matchLabelKeys?: string[]
  mismatchLabelKeys?: string[]
  labelSelector?: meta.LabelSelector
}

/**
 * Keys of the pod's own labels by which other pods are selected too. When the pod is made they join its selector, so that a key
 * which stands there before would be there twice.
 */
function validateLabelKeys(causes: Causes, path: string, { matchLabelKeys, mismatchLabelKeys, labelSelector }: DeepReadonly<LabelKeys>): void {
  for (const [field, keys] of [
    ['matchLabelKeys', matchLabelKeys],
    ['mismatchLabelKeys', mismatchLabelKeys],
  ] as const) {
    if (!keys?.length) continue
    if (!labelSelector) causes.push(forbidden(`${path}.${field}`, 'must not be specified when labelSelector is not set'))
    else keys.forEach((key, i) => invalidEach(causes, `${path}.${field}[${i}]`, key, qualifiedName(key)))
  }
  if (!matchLabelKeys?.length) return
  const selected = new Set(Object.keys(labelSelector?.matchLabels ?? {}))
  for (const { key } of labelSelector?.matchExpressions ?? []) {
    const i = matchLabelKeys.lastIndexOf(key)
    // upstream leaves out the field's name here
    if (i >= 0 && selected.has(key)) causes.push(invalid(`${path}[${i}]`, key, 'exists in both matchLabelKeys and labelSelector'))
    selected.add(key)
  }
  matchLabelKeys.forEach((key, i) => {
    if (mismatchLabelKeys?.includes(key))
      causes.push(invalid(`${path}.matchLabelKeys[${i}]`, key, 'exists in both matchLabelKeys and mismatchLabelKeys'))
  })
}

/** Checks the taints of a node. */
export function validateTaints(causes: Causes, path: string, taints: DeepReadonly<core.Taint[]> | undefined): void {
  const seen = new Set<string>()
  taints?.forEach((taint, i) => {
    const at = `${path}[${i}]`
    invalidEach(causes, `${at}.key`, taint.key ?? '', qualifiedName(taint.key ?? ''))
    if (taint.value) invalidEach(causes, `${at}.value`, taint.value, labelValue(taint.value))
    if (!taint.effect) causes.push(required(`${at}.effect`))
    else if (!effects.includes(taint.effect)) causes.push(notSupported(`${at}.effect`, taint.effect, effects))
    const pair = `${taint.key}:${taint.effect}`
    if (seen.has(pair))
      causes.push({ ...duplicate(at, taint), message: `${duplicate(at, taint).message}: taints must be unique by key and effect pair` })
    seen.add(pair)
  })
}
