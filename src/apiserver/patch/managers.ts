import type { ObjectSchema, meta } from '#api'
import { schemaOf } from '#api'
import type { FieldSet } from './field-set.ts'
import { inOrder, isLeaf, leaf, parseFieldSet, union } from './field-set.ts'

export type ManagedFieldsEntry = meta.ManagedFieldsEntry

/** One manager's entry with its fields. Entries are never changed: a change makes a new one. */
export interface Manager {
  /** What makes two entries the same manager's. */
  id: string
  entry: ManagedFieldsEntry
  fields: FieldSet
}

// How many managers by update an object may have; the oldest are merged beyond it.
const maxUpdateManagers = 10

/**
 * An applier is the same one whatever version it applies with; an updater is another one in each version. A subresource makes another.
 */
export function managerId(entry: Pick<ManagedFieldsEntry, 'manager' | 'operation' | 'apiVersion' | 'subresource'>): string {
  return [entry.manager ?? '', entry.operation ?? '', entry.operation === 'Apply' ? '' : (entry.apiVersion ?? ''), entry.subresource ?? ''].join('\0')
}

export function newManager(entry: Omit<ManagedFieldsEntry, 'fieldsType' | 'fieldsV1'>, fields: FieldSet): Manager {
  const { subresource, ...rest } = entry
  const full = { ...rest, fieldsType: 'FieldsV1', fieldsV1: fields, ...(subresource ? { subresource } : {}) }
  return { id: managerId(full), entry: full as ManagedFieldsEntry, fields }
}

/** The managers of a stored object. Its entries were written or checked here. */
export function liveManagers(entries: readonly ManagedFieldsEntry[] | undefined): Manager[] {
  return (entries ?? []).map((entry) => ({ id: managerId(entry), entry, fields: (entry.fieldsV1 as FieldSet | undefined) ?? leaf }))
}

/** The managers that a client sent; undefined when one of them is malformed. */
export function parseManagers(entries: readonly ManagedFieldsEntry[]): Manager[] | undefined {
  const managers = new Map<string, Manager>()
  for (const entry of entries) {
    const known = (entry.operation === 'Apply' || entry.operation === 'Update') && entry.apiVersion && entry.fieldsType === 'FieldsV1'
    const fields = known ? parseFieldSet(entry.fieldsV1 ?? {}) : undefined
    if (!fields) return undefined
    const id = managerId(entry)
    managers.set(id, { id, entry: { ...entry, fieldsV1: fields as Record<string, unknown> }, fields })
  }
  return [...managers.values()]
}

/** Without those in versions that the kind does not have any more: nobody can say what their fields mean. */
export function servedManagers(managers: Manager[], schema: ObjectSchema | undefined, kind: string): Manager[] {
  // a custom resource's versions come and go with its definition
  if (!schema || managers.every(({ entry }) => schemaOf(entry.apiVersion ?? '', kind) !== undefined)) return managers
  return managers.filter(({ entry }) => schemaOf(entry.apiVersion ?? '', kind) !== undefined)
}

/** `[]` and `[{}]` ask to forget all managers. */
export function isReset(entries: readonly ManagedFieldsEntry[] | undefined): boolean {
  return entries !== undefined && (entries.length === 0 || (entries.length === 1 && Object.values(entries[0]!).every((value) => value === undefined)))
}

/** The same manager with other fields, and with the time of the change where it is one of its own. */
export function withFields(manager: Manager, fields: FieldSet, time?: string): Manager {
  if (fields === manager.fields && time === undefined) return manager
  return { ...manager, fields, entry: { ...manager.entry, fieldsV1: fields as Record<string, unknown>, ...(time ? { time } : {}) } }
}

/** The entries as the object carries them, in upstream's order; undefined when nobody manages anything. */
export function encodeManagers(managers: Manager[]): ManagedFieldsEntry[] | undefined {
  const kept = managers.filter((manager) => !isLeaf(manager.fields))
  if (kept.length === 0) return undefined
  return kept.map(({ entry, fields }) => written(entry, inOrder(fields))).sort(compareEntries)
}

const written = (entry: ManagedFieldsEntry, fields: FieldSet): ManagedFieldsEntry =>
  entry.fieldsV1 === fields ? entry : { ...entry, fieldsV1: fields as Record<string, unknown> }

function compareEntries(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  return (
    compare(a.operation, b.operation) ||
    seconds(a) - seconds(b) ||
    compare(a.manager, b.manager) ||
    compare(a.apiVersion, b.apiVersion) ||
    compare(a.subresource, b.subresource)
  )
}

const compare = (a = '', b = '') => (a < b ? -1 : a > b ? 1 : 0)
const seconds = (entry: ManagedFieldsEntry) => (entry.time ? Math.floor(Date.parse(entry.time) / 1000) : 0)

/** Merges the oldest managers by update into one per version, named `ancient-changes`, until there are no more than ten. */
export function capManagers(managers: Manager[]): Manager[] {
  const updaters = managers.filter((m) => m.entry.operation !== 'Apply')
  let excess = updaters.length - maxUpdateManagers
  if (excess <= 0) return managers
  updaters.sort((a, b) => seconds(a.entry) - seconds(b.entry) || compare(a.id, b.id))
  const result = new Map(managers.map((m) => [m.id, m]))
  const firsts = new Map<string, Manager>()
  for (const manager of updaters) {
    if (excess <= 0) break
    const { apiVersion = '', subresource, time } = manager.entry
    const version = `${apiVersion}\0${subresource ?? ''}`
    const first = firsts.get(version)
    if (!first) {
      firsts.set(version, manager)
      continue
    }
    const merged = union(manager.fields, result.get(bucketId(manager))?.fields ?? first.fields)
    result.delete(first.id)
    result.delete(manager.id)
    const bucket = newManager(
      { manager: ancient, operation: 'Update', apiVersion, ...(time ? { time } : {}), ...(subresource ? { subresource } : {}) },
      merged,
    )
    result.set(bucket.id, bucket)
    excess--
  }
  return [...result.values()]
}

const ancient = 'ancient-changes'
const bucketId = ({ entry }: Manager) => managerId({ ...entry, manager: ancient, operation: 'Update' })

/** Who a write is by: its fieldManager, or what the user agent says before its first slash. */
export function managerName(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager
  const name = (userAgent ?? '').split('/')[0]!.replace(/[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/gu, '')
  let bytes = 0
  let end = 0
  for (const character of name) {
    bytes += Buffer.byteLength(character)
    if (bytes > 128) break
    end += character.length
  }
  return name.slice(0, end) || 'unknown'
}
