import type { DeepReadonly, Selector, admissionregistration, core, meta } from '#api'
import { StatusError, errors, selectorFromLabelSelector } from '#api'
import type { ObjectReader } from '../../object-reader.ts'
import type { Attributes } from './attributes.ts'
import { equivalentResources } from './attributes.ts'

type Resources = DeepReadonly<admissionregistration.MatchResources>
type Rule = DeepReadonly<admissionregistration.NamedRuleWithOperations>

/** What of a request a policy or binding matched: the request's own, or an equivalent version of it. */
export interface Match {
  resource: meta.GroupVersionResource
  kind: meta.GroupVersionKind
}

/**
 * Whether a request is one that `constraints` name, and in which version (upstream's policy/matching). Throws StatusError when that depends on a
 * namespace that is not there, or on a selector that is none.
 */
export function matches(attributes: Attributes, constraints: Resources, reader: ObjectReader): Match | undefined {
  const { namespaceSelector, objectSelector, mayMatch } = compiled(constraints)
  if (!mayMatch(attributes)) return undefined
  // who is not meant is not told of mistakes in selectors
  const inNamespace = attempt(() => matchesNamespace(attributes, namespaceSelector(), reader))
  if (inNamespace === false) return undefined
  const isSelected = attempt(() => matchesObject(attributes, objectSelector()))
  if (isSelected === false) return undefined
  const { matchPolicy, resourceRules, excludeResourceRules } = constraints
  if (excludeResourceRules && matchRules(attributes, excludeResourceRules, matchPolicy)) return undefined
  const match = resourceRules?.length ? matchRules(attributes, resourceRules, matchPolicy) : attributes
  if (!match) return undefined
  if (inNamespace !== true) throw inNamespace
  if (isSelected !== true) throw isSelected
  return { resource: match.resource, kind: match.kind }
}

/** The answer, or what it failed with. */
function attempt(question: () => boolean): boolean | StatusError {
  try {
    return question()
  } catch (error) {
    return error instanceof StatusError ? error : errors.internal((error as Error).message)
  }
}

interface Compiled {
  namespaceSelector(): Selector
  objectSelector(): Selector
  /** Whether the rules are about such resources and operations at all: found out once for each. */
  mayMatch(attributes: Attributes): boolean
}

/** Made once for each version of a policy. */
const known = new WeakMap<Resources, Compiled>()

function compiled(constraints: Resources): Compiled {
  let made = known.get(constraints)
  if (!made) {
    const { namespaceSelector = {}, objectSelector = {} } = constraints
    const answers = new Map<string, boolean>()
    made = {
      namespaceSelector: once(() => selectorFromLabelSelector(namespaceSelector)),
      objectSelector: once(() => selectorFromLabelSelector(objectSelector)),
      mayMatch(attributes) {
        let answer = answers.get(attributes.about)
        if (answer === undefined) answers.set(attributes.about, (answer = isAbout(constraints, attributes)))
        return answer
      },
    }
    known.set(constraints, made)
  }
  return made
}

function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

/** By the rules alone, but for names and scopes. */
function isAbout({ resourceRules, matchPolicy }: Resources, attributes: Attributes): boolean {
  if (!resourceRules?.length) return true
  const { resource } = attributes
  const others = matchPolicy === 'Equivalent' ? equivalentResources(resource) : []
  return resourceRules.some((rule) => [resource, ...others].some((about) => matchesParts(attributes, about, rule)))
}

/** What is in no namespace is never left out by one. */
function matchesNamespace(attributes: Attributes, selector: Selector, reader: ObjectReader): boolean {
  const { namespace, resource, subresource, operation, request } = attributes
  if (selector.empty || (namespace === '' && resource.resource !== 'namespaces')) return true
  // a namespace that is being written has the labels it will have
  if (resource.resource === 'namespaces' && subresource === '' && (operation === 'CREATE' || operation === 'UPDATE'))
    return selector.matches(request.object?.metadata.labels)
  return selector.matches(namespaceObject(reader, namespace).metadata.labels)
}

/** Throws NotFound. */
export function namespaceObject(reader: ObjectReader, name: string): DeepReadonly<core.Namespace> {
  const namespace = reader.get<core.Namespace>('', 'namespaces', '', name)
  if (!namespace) throw errors.notFound({ group: '', resource: 'namespaces' }, name)
  return namespace
}

function matchesObject({ request }: Attributes, selector: Selector): boolean {
  if (selector.empty) return true
  const { object, old } = request
  return [object, old].some((one) => one?.metadata && selector.matches(one.metadata.labels))
}

function matchRules(attributes: Attributes, rules: readonly Rule[], policy: string | undefined): Match | undefined {
  const { resource, kind, name, stored } = attributes
  for (const rule of rules) if (matchesRule(attributes, resource, rule) && isNamed(rule, name)) return { resource, kind }
  if (policy !== 'Equivalent') return undefined
  for (const rule of rules)
    for (const other of equivalentResources(resource)) {
      const equivalent = { group: other.group, version: other.version, resource: other.resource }
      if (other.group === resource.group && other.version === resource.version && other.resource === resource.resource) continue
      if (!matchesRule(attributes, equivalent, rule) || !isNamed(rule, name)) continue
      // what is about an object (its Scale) is the same in all of them
      return { resource: equivalent, kind: stored ? { group: other.group, version: other.version, kind: other.kind } : kind }
    }
  return undefined
}

const isNamed = ({ resourceNames }: Rule, name: string) => !resourceNames?.length || resourceNames.includes(name)

const matchesRule = (attributes: Attributes, about: meta.GroupVersionResource, rule: Rule) =>
  inScope(rule.scope, attributes.namespace, about) && matchesParts(attributes, about, rule)

function matchesParts({ operation, subresource }: Attributes, about: meta.GroupVersionResource, rule: Rule): boolean {
  return (
    hasOrAll(rule.operations, operation) &&
    hasOrAll(rule.apiGroups, about.group) &&
    hasOrAll(rule.apiVersions, about.version) &&
    (rule.resources ?? []).some((each) => {
      const slash = each.indexOf('/')
      const [own, sub] = slash < 0 ? [each, ''] : [each.slice(0, slash), each.slice(slash + 1)]
      return (own === '*' || own === about.resource) && (sub === '*' || sub === subresource)
    })
  )
}

const hasOrAll = (items: readonly string[] = [], wanted: string) => items.includes('*') || items.includes(wanted)

function inScope(scope: string | undefined, namespace: string, { group, version, resource }: meta.GroupVersionResource): boolean {
  if (scope === undefined || scope === '*') return true
  const isNamespace = group === '' && version === 'v1' && resource === 'namespaces'
  const namespaced = !isNamespace && namespace !== ''
  return scope === 'Namespaced' ? namespaced : scope === 'Cluster' && !namespaced
}
