import type { DeepReadonly, KubeObject, ObjectSchema, StatusCause } from '#api'
import { errors, failure, isStatus } from '#api'
import type { FieldSet } from './field-set.ts'
import type { JsonObject } from './json-value.ts'
import type { ManagedFieldsEntry, Manager } from './managers.ts'
import type { StructShape } from './shape.ts'
import { compare } from './compare.ts'
import { difference, equalSets, intersection, isLeaf, leaf, paths, printPath, union } from './field-set.ts'
import { equalJson, isObject } from './json-value.ts'
import { liveManagers, newManager, encodeManagers, servedManagers, withFields } from './managers.ts'
import { reconcileManagers } from './reconcile.ts'
import { rootShape } from './shape.ts'
import { updateManagers, withoutReset } from './track-update.ts'
import { fieldSetOf, mergeTyped, removeItems, withNamedFields } from './typed.ts'
import { joinTypeErrors, typeErrors } from './validate-typed.ts'

export interface ApplyOptions {
  /** The stored object in the version of the request; undefined when there is none yet. */
  live: DeepReadonly<KubeObject> | undefined
  /** The configuration as it was sent, parsed and not defaulted. */
  applied: KubeObject
  /** Of the kind; undefined for a custom resource. */
  schema: ObjectSchema | undefined
  /** The request's fieldManager. */
  manager: string
  /** Take fields from the managers that conflict. */
  force?: boolean
  subresource?: string
  /** RFC 3339 with seconds. */
  now: string
  /** Fields that this endpoint never changes; see `trackUpdate`. */
  resetFields?: FieldSet
}

export interface Applied {
  /** The merged object without managedFields, to be defaulted, validated and stored; shares parts with `live` and `applied`. */
  object: KubeObject
  managedFields: ManagedFieldsEntry[] | undefined
  /** False when the configuration changes no field (its manager's entry may change all the same). */
  changed: boolean
}

const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'

/**
 * Server-side apply: merges the configuration into the live object, takes out what this manager applied before and no longer does (and
 * nobody else manages), and makes the manager the owner of what it applies. Throws StatusError: BadRequest for a configuration that
 * cannot be applied, Conflict with a cause per field that another manager has set to something else, unless `force`.
 */
export function applyServerSide(options: ApplyOptions): Applied {
  const { live, applied, manager, force = false } = options
  if (applied.metadata?.managedFields) throw errors.badRequest('metadata.managedFields must be nil')
  if (live && applied.apiVersion !== live.apiVersion)
    throw errors.badRequest(
      `Incorrect version specified in apply patch. Specified patch version: ${applied.apiVersion}, expected: ${live.apiVersion}`,
    )
  checkTypes(options.schema, applied)
  let result: Applied
  try {
    result = applyOnce(options, force)
  } catch (error) {
    const allowed = manager === 'kubectl' && isStatus(error, 'Conflict') ? lastAppliedFields(options) : undefined
    if (!allowed) throw error
    // what kubectl applied on the client side is its own, though an update by another name wrote it
    result = applyOnce(options, 'only', allowed)
  }
  return manager === 'kubectl' ? withLastApplied(result, applied) : result
}

/** Throws upstream's answer (500) to a configuration that does not fit the schema. */
export function checkTypes(schema: ObjectSchema | undefined, applied: KubeObject): void {
  const wrong = typeErrors(schema, applied)
  if (wrong.length === 0) return
  const [namespace, name] = [applied.metadata?.namespace, applied.metadata?.name].map((own: unknown) => (typeof own === 'string' ? own : ''))
  throw failure(
    '',
    500,
    `failed to create typed patch object (${namespace}/${name}; ${applied.apiVersion.includes('/') ? '' : '/'}${applied.apiVersion}, Kind=${applied.kind}): ${joinTypeErrors(wrong)}`,
  )
}

/** `only`: conflicts about fields in `allowed` are forced, others are not. */
function applyOnce(options: ApplyOptions, force: boolean | 'only', allowed?: FieldSet): Applied {
  const { live, applied, schema, manager, subresource = '', now, resetFields } = options
  const shape = rootShape(schema)
  const before = withoutManagers(live)
  const managers = before ? reconcileManagers(shape, servedManagers(managersBefore(live!, before, shape, options), schema, applied.kind)) : []
  const merged = (before ? mergeTyped(shape, before, applied) : mergeTyped(shape, undefined, applied)) as JsonObject

  const wanted = withoutReset({ touched: fieldSetOf(shape, applied), removed: leaf }, subresource, resetFields).touched
  const own = newManager({ manager, operation: 'Apply', apiVersion: applied.apiVersion, time: now, subresource }, wanted)
  const last = managers.find((m) => m.id === own.id)
  const others = managers.filter((m) => m.id !== own.id)
  const object = last ? prune(shape, merged, last.fields, [...others, own]) : merged

  const comparison = withoutReset(compare(shape, before ?? shape.zero, object), subresource, resetFields)
  const { touched, removed } = comparison
  const conflicts = others
    .map((m) => ({ manager: m, fields: allowed ? difference(intersection(m.fields, touched), allowed) : intersection(m.fields, touched) }))
    .filter(({ fields }) => !isLeaf(fields))
  if (force !== true && conflicts.length > 0) throw conflictError(conflicts)

  const left = others.map((m) => withFields(m, difference(difference(m.fields, touched), removed)))
  // the order of items is part of the object, though nobody owns it
  const changed = !before || !equalJson(before, object)
  return {
    object: (changed ? object : before) as KubeObject,
    managedFields: encodeManagers([...left, changed ? own : unchanged(own, last)]),
    changed,
  }
}

/** An entry has the time of its last apply that changed the object, and none before there is one. */
function unchanged(own: Manager, last: Manager | undefined): Manager {
  if (last && last.entry.apiVersion === own.entry.apiVersion && equalSets(last.fields, own.fields)) return last
  const { time: _, ...entry } = own.entry
  return { ...own, entry: last?.entry.time ? { ...own.entry, time: last.entry.time } : entry }
}

/** The managers of the live object; what an object without any has belongs to `before-first-apply`. */
function managersBefore(live: DeepReadonly<KubeObject>, before: KubeObject, shape: StructShape, options: ApplyOptions): Manager[] {
  const managers = liveManagers(live.metadata.managedFields as ManagedFieldsEntry[] | undefined)
  if (managers.length > 0) return managers
  const { subresource = '', now, resetFields } = options
  const everything = withoutReset(compare(shape, shape.zero, before), subresource, resetFields)
  return updateManagers([], everything, { manager: 'before-first-apply', apiVersion: live.apiVersion, subresource, now })
}

function withoutManagers(object: DeepReadonly<KubeObject> | undefined): KubeObject | undefined {
  if (!object) return undefined
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata } as KubeObject
}

/** Takes out what the manager applied last time, does not apply now, and no manager owns. */
function prune(shape: StructShape, merged: JsonObject, last: FieldSet, managers: Manager[]): JsonObject {
  if (isLeaf(last)) return merged
  const named = (set: FieldSet) => withNamedFields(shape, set)
  const setOf = (value: unknown) => named(fieldSetOf(shape, (value ?? {}) as object))
  const owned = named(managers.reduce((all, m) => union(all, m.fields), leaf))
  const all = setOf(merged)
  // first everything that was applied last time goes, then what is owned comes back, then what was never this manager's
  const withoutLast = removeItems(shape, merged, last)
  const withOwned = removeItems(shape, merged, withoutSelf(difference(all, union(setOf(withoutLast), owned)), 'f:metadata'))
  const gone = intersection(difference(all, setOf(withOwned)), named(last))
  // what nobody owns (the name) keeps metadata alive
  return removeItems(shape, merged, withoutSelf(gone, 'f:metadata')) as JsonObject
}

function withoutSelf(set: FieldSet, element: string): FieldSet {
  const { [element]: node, ...others } = set
  if (!node || isLeaf(node)) return others
  const { '.': _, ...below } = node
  return { ...others, [element]: below }
}

function conflictError(conflicts: { manager: Manager; fields: FieldSet }[]) {
  const found = conflicts
    .map(({ manager, fields }) => ({ name: printManager(manager.entry), paths: paths(fields).map(printPath) }))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  const causes: StatusCause[] = found.flatMap(({ name, paths: fields }) =>
    fields.map((field) => ({ reason: 'FieldManagerConflict', message: `conflict with ${name}`, field })),
  )
  const lines = found.flatMap(({ name, paths: fields }) => [`conflicts with ${name}:`, ...fields.map((field) => `- ${field}`)])
  const message =
    causes.length === 1
      ? `Apply failed with 1 conflict: ${causes[0]!.message}: ${causes[0]!.field}`
      : `Apply failed with ${causes.length} conflicts: ${lines.join('\n')}`
  return failure('Conflict', 409, message, { causes })
}

function printManager({ manager = '', operation, apiVersion, subresource }: ManagedFieldsEntry): string {
  const name = `${JSON.stringify(manager)}${subresource ? ` with subresource ${JSON.stringify(subresource)}` : ''}`
  return operation === 'Update' ? `${name} using ${apiVersion}` : name
}

/** The fields that the annotation of client-side apply says were applied, as far as they still are what it says. */
function lastAppliedFields({ live, schema }: ApplyOptions): FieldSet | undefined {
  const text = live?.metadata.annotations?.[lastAppliedAnnotation]
  if (!live || !text) return undefined
  let last: unknown
  try {
    last = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(last) || last.apiVersion !== live.apiVersion || typeErrors(schema, last).length > 0) return undefined
  const shape = rootShape(schema)
  const { touched, removed } = compare(shape, last, withoutManagers(live)!)
  return difference(difference(fieldSetOf(shape, last), touched), removed)
}

/** Keeps the annotation of client-side apply, where there is one, in step with what kubectl applies on the server side. */
function withLastApplied(result: Applied, applied: KubeObject): Applied {
  const { object } = result
  const { annotations } = object.metadata
  if (!annotations?.[lastAppliedAnnotation]) return result
  const { [lastAppliedAnnotation]: _, ...rest } = applied.metadata.annotations ?? {}
  const own = { ...applied, metadata: { ...applied.metadata, ...(applied.metadata.annotations ? { annotations: rest } : {}) } }
  const text = `${JSON.stringify(sortKeys(own))}\n`
  return { ...result, object: { ...object, metadata: { ...object.metadata, annotations: { ...annotations, [lastAppliedAnnotation]: text } } } }
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys)
  if (!isObject(value)) return value
  return Object.fromEntries(
    Object.keys(value)
      .sort()
      .map((key) => [key, sortKeys(value[key])]),
  )
}
