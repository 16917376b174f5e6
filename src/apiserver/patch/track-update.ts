import type { ObjectSchema } from '#api'
import type { FieldSet } from './field-set.ts'
import type { Comparison } from './compare.ts'
import type { ManagedFieldsEntry, Manager } from './managers.ts'
import type { StructShape } from './shape.ts'
import { compare } from './compare.ts'
import { createdFields } from './created-fields.ts'
import { difference, isLeaf, leaf, recursiveDifference, union } from './field-set.ts'
import { intern } from './intern.ts'
import { equalJson } from './json-value.ts'
import { capManagers, encodeManagers, isReset, liveManagers, newManager, parseManagers, servedManagers, withFields } from './managers.ts'
import { reconcileManagers } from './reconcile.ts'
import { rootShape } from './shape.ts'

/** An object as far as tracking looks at it. */
export interface Tracked {
  apiVersion: string
  kind: string
  metadata: { uid?: string; managedFields?: readonly ManagedFieldsEntry[] }
}

export interface TrackOptions {
  /** The stored object; undefined for a create. */
  old: Tracked | undefined
  /** The object as it will be stored, with the managedFields that the request sent. */
  updated: Tracked
  /** Of the kind; undefined for a custom resource. */
  schema: ObjectSchema | undefined
  /** See `managerName`. */
  manager: string
  /** Empty for the resource itself. */
  subresource?: string
  /** RFC 3339 with seconds. */
  now: string
  /** Fields that this endpoint never changes; by default `status` for the resource, `spec` for the status subresource. */
  resetFields?: FieldSet
}

/**
 * The managedFields of an object after a create, an update or a patch: its manager takes the fields that the write added or changed from all
 * others, and what is gone nobody has. Answers `old`'s own entries when the write changed nothing.
 */
export function trackUpdate(options: TrackOptions): ManagedFieldsEntry[] | undefined {
  const { old, updated, schema, manager, subresource = '', now } = options
  const sent = updated.metadata.managedFields
  const stored = old?.metadata.managedFields
  const shape = rootShape(schema)
  if (!old) {
    const sentManagers = sent && !isReset(sent) ? parseManagers(sent) : undefined
    if (!sentManagers || sentManagers.length === 0) return trackCreate(options, shape)
  }
  const managers = servedManagers(managersOf(stored, sent, subresource), schema, updated.kind)
  // an object whose managers were cleared stays without them, until something is applied to it
  if (old && managers.length === 0) return undefined
  const comparison = withoutReset(compare(shape, old ?? shape.zero, updated), subresource, options.resetFields)
  const reconciled = reconcileManagers(shape, managers)
  if (isLeaf(comparison.touched) && isLeaf(comparison.removed)) {
    const asStored = sent === undefined || sent === stored || equalJson(sent, stored)
    return asStored && reconciled.length === (stored?.length ?? 0) && reconciled.every((m, i) => m === managers[i])
      ? (stored as ManagedFieldsEntry[] | undefined)
      : encodeManagers(reconciled)
  }
  return encodeManagers(capManagers(updateManagers(reconciled, comparison, { manager, apiVersion: updated.apiVersion, subresource, now })))
}

/** All fields of a new object are its creator's. Objects of one make (the pods of a replica set) share the entry's fields. */
function trackCreate({ updated, manager, subresource = '', now, resetFields }: TrackOptions, shape: StructShape): ManagedFieldsEntry[] | undefined {
  const fields = () => intern(withoutReset(compare(shape, shape.zero, updated), subresource, resetFields).touched)
  const touched = subresource === '' && !resetFields ? created.of(shape, updated, fields) : fields()
  if (isLeaf(touched)) return undefined
  return [newManager({ manager, operation: 'Update', apiVersion: updated.apiVersion, time: now, subresource }, touched).entry]
}

/** Of new objects, for the endpoints that reset what nearly all do. */
const created = createdFields()

/** What a write counts for: the request's own managedFields where it changes them, else the stored ones. */
function managersOf(
  stored: readonly ManagedFieldsEntry[] | undefined,
  sent: readonly ManagedFieldsEntry[] | undefined,
  subresource: string,
): Manager[] {
  if (subresource !== '' || sent === undefined || sent === stored) return liveManagers(stored)
  if (isReset(sent)) return []
  if (equalJson(sent, stored)) return liveManagers(stored)
  const parsed = parseManagers(sent)
  return parsed && parsed.length > 0 ? parsed : liveManagers(stored)
}

/** Moves the touched fields to one manager by update; `removed` ones go from all. */
export function updateManagers(
  managers: Manager[],
  { touched, removed }: Comparison,
  by: { manager: string; apiVersion: string; subresource: string; now: string },
): Manager[] {
  const { manager, apiVersion, subresource, now } = by
  const own = newManager({ manager, operation: 'Update', apiVersion, time: now, subresource }, touched)
  const result: Manager[] = []
  let found = isLeaf(touched)
  for (const m of managers) {
    if (m.id === own.id && !isLeaf(touched)) {
      found = true
      result.push(withFields(m, union(difference(m.fields, removed), touched), now))
    } else result.push(withFields(m, difference(difference(m.fields, touched), removed)))
  }
  if (!found) result.push(own)
  return result
}

const statusFields: FieldSet = { 'f:status': leaf }
const specFields: FieldSet = { 'f:spec': leaf }

/** Leaves out the fields that an endpoint resets to what they were. */
export function withoutReset(comparison: Comparison, subresource: string, resetFields: FieldSet | undefined): Comparison {
  const reset = resetFields ?? (subresource === '' ? statusFields : subresource === 'status' ? specFields : undefined)
  if (!reset) return comparison
  return { touched: recursiveDifference(comparison.touched, reset), removed: recursiveDifference(comparison.removed, reset) }
}
