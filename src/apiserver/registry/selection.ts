import type { DeepReadonly, FieldRequirement, KubeObject } from '#api'
import { SelectorError, errors, parseFieldSelector, parseLabelSelector } from '#api'
import type { CacheEntry } from './cache-entry.ts'
import type { ServedResource } from './registry.ts'
import { indexableFields } from './resource-cache.ts'

/** What a label and a field selector select, compiled once per request. */
export interface Selection {
  /** Everything when absent. */
  matches?: (entry: CacheEntry) => boolean
  /** The one name that can match. */
  name?: string
  /** A term that watchers are indexed by. */
  exact?: { field: string; value: string }
}

const everything: Selection = {}

/** Compiles the selectors of a list, watch or deletecollection. Throws BadRequest for those that cannot be understood. */
export function select(served: ServedResource, labelSelector: string | null, fieldSelector: string | null, pathName = ''): Selection {
  if (!labelSelector && !fieldSelector && !pathName) return everything
  const labels = labelSelector ? parsed(parseLabelSelector, labelSelector) : undefined
  const terms = fieldSelector ? parsed(parseFieldSelector, fieldSelector) : []
  if (pathName) terms.push({ field: 'metadata.name', operator: '=', value: pathName })
  const { fieldLabel } = served.strategy
  if (fieldLabel)
    for (const term of terms) {
      const known = generic.has(term.field) ? term.field : fieldLabel(term.field, served.apiVersion)
      if (known === undefined) throw errors.badRequest(`field label not supported: ${term.field}`)
      term.field = known
    }
  checkFields(served, terms)
  const name = terms.find((t) => t.operator === '=' && t.field === 'metadata.name')?.value
  const exact = terms.find((t) => t.operator === '=' && indexableFields.includes(t.field) && t.value !== '')
  const { strategy } = served
  const special = terms.some((t) => t.field !== 'metadata.name' && t.field !== 'metadata.namespace')
  const matchesFields = (entry: CacheEntry): boolean => {
    const more = special ? strategy.selectableFields!(entry.object) : undefined
    for (const { field, operator, value } of terms) {
      const actual = field === 'metadata.name' ? entry.name : field === 'metadata.namespace' ? entry.namespace : (more![field] ?? '')
      if ((actual === value) !== (operator === '=')) return false
    }
    return true
  }
  const matches = (entry: CacheEntry) => (terms.length === 0 || matchesFields(entry)) && (!labels || labels.matches(entry.object.metadata.labels))
  return { matches, ...(name === undefined ? {} : { name }), ...(exact ? { exact: { field: exact.field, value: exact.value } } : {}) }
}

function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof SelectorError) throw errors.badRequest(error.message)
    throw error
  }
}

const generic = new Set(['metadata.name', 'metadata.namespace'])

function checkFields(served: ServedResource, terms: FieldRequirement[]): void {
  let known: Record<string, string> | undefined
  for (const { field } of terms) {
    if (generic.has(field)) continue
    if (served.strategy.selectableFields) known ??= served.strategy.selectableFields(probe as unknown as DeepReadonly<KubeObject>)
    if (known && field in known) continue
    const special = served.strategy.unknownField?.(field, served.apiVersion)
    if (special) throw errors.badRequest(special)
    if (!known) throw errors.badRequest(`${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`)
    throw errors.badRequest(`field label not supported: ${field}`)
  }
}

// what selectableFields is asked with to learn which fields there are: everything in it is absent
const probe: KubeObject & { spec: object; status: object } = { apiVersion: '', kind: '', metadata: { name: '' }, spec: {}, status: {} }
