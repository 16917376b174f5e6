import type { ListSchema, ObjectSchema, Schema } from '#api'
import { errors } from '#api'
import type { JsonObject } from './json-value.ts'
import { enforceOrder, keyOf, partition } from './element-order.ts'
import { goFormat, isObject, jsonType, member, setMember } from './json-value.ts'
import { broken, noMergeKey, unprocessable } from './patch-errors.ts'

const directive = '$patch'
const retainKeys = '$retainKeys'
const deletePrefix = '$deleteFromPrimitiveList'
const orderPrefix = '$setElementOrder'

/** Upstream's texts for patches that are no strategic merge patches (400). */
const bad = {
  retainKeys: () => errors.badRequest('invalid patch format of retainKeys'),
  primitiveList: () => errors.badRequest('invalid patch format of primitive list'),
  elementOrder: () => errors.badRequest('invalid patch format of setElementOrder list'),
  format: () => errors.badRequest('strategic merge patch format is not supported'),
}

/**
 * Strategic merge patch: lists that the schema declares so are merged by their merge key (or as sets of primitives), and directives
 * in the patch say what merging cannot. `object` and `patch` are not changed. Throws StatusError as upstream answers. Custom
 * resources have no patch strategies: an undefined schema is refused.
 */
export function applyStrategicMergePatch<T extends object>(object: T, patch: unknown, schema: ObjectSchema | undefined): T {
  if (!schema) throw bad.format()
  if (patch === null) return object
  if (!isObject(patch)) throw errors.badRequest(`json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`)
  // merging works in place, on copies
  return mergeMaps(structuredClone(object) as JsonObject, structuredClone(patch), schema) as T
}

interface Strategy {
  schema: Schema | undefined
  strategy: string | undefined
  mergeKey: string
}

/** How the field `key` of `schema` is patched; schema undefined: a free-form object, of which everything is merged as plain JSON. */
function strategyOf(schema: Schema | undefined, key: string): Strategy {
  if (schema?.type === 'map') return { schema: schema.values, strategy: undefined, mergeKey: '' }
  if (schema?.type !== 'object') return { schema: undefined, strategy: undefined, mergeKey: '' }
  const field = schema.fields.get(key)
  if (!field) throw broken(`unable to find api field in struct ${schema.goName.split('.').at(-1)} for the json field ${JSON.stringify(key)}`)
  const list = field.schema.type === 'list' ? (field.schema as ListSchema) : undefined
  const strategies = field.patchStrategy ?? list?.patchStrategy ?? []
  return { schema: field.schema, strategy: strategies.find((s) => s !== 'retainKeys'), mergeKey: field.patchMergeKey ?? list?.patchMergeKey ?? '' }
}

const itemsOf = (schema: Schema | undefined) => (schema?.type === 'list' ? schema.items : undefined)

function mergeMaps(original: JsonObject, patch: JsonObject, schema: Schema | undefined): JsonObject {
  if (Object.hasOwn(patch, directive)) {
    const { [directive]: how, ...rest } = patch
    if (how === 'replace') return rest
    if (how === 'delete') return {}
    throw broken(`unknown patch type: ${goFormat(how)} in map: ${goFormat(patch)}`)
  }
  applyRetainKeys(original, patch)
  applyElementOrders(original, patch, schema)
  for (const rawKey of Object.keys(patch)) {
    const value = patch[rawKey]
    const isDeletion = rawKey.startsWith(deletePrefix)
    const key = isDeletion ? directiveTarget(rawKey, deletePrefix, bad.primitiveList) : rawKey
    if (value === null) {
      delete original[key]
      continue
    }
    const current = member(original, key)
    if (isObject(current) && isObject(value)) {
      const how = strategyOf(schema, key)
      setMember(original, key, how.strategy === 'replace' ? (withoutDirectives(value) ?? {}) : mergeMaps(current, value, how.schema))
    } else if (Array.isArray(current) && Array.isArray(value)) {
      const how = strategyOf(schema, key)
      setMember(original, key, how.strategy === 'merge' ? mergeLists(current, value, how, isDeletion) : withoutDirectives(value))
    } else if (!isDeletion) {
      const kept = withoutDirectives(value)
      if (kept === undefined) delete original[key]
      else setMember(original, key, kept)
    }
  }
  return original
}

/** `$retainKeys` lists the fields that stay: everything else of the original goes, and the patch may set no other. */
function applyRetainKeys(original: JsonObject, patch: JsonObject): void {
  if (!Object.hasOwn(patch, retainKeys)) return
  const list = patch[retainKeys]
  delete patch[retainKeys]
  if (!Array.isArray(list)) throw bad.retainKeys()
  const kept = new Set<unknown>(list)
  for (const key of Object.keys(patch)) {
    if (patch[key] === null || key.startsWith(deletePrefix) || key.startsWith(orderPrefix)) continue
    if (!kept.has(key)) throw bad.retainKeys()
  }
  for (const key of Object.keys(original)) if (!kept.has(key)) delete original[key]
}

/** Merges each list that has a `$setElementOrder` and puts it in that order; both leave the patch. */
function applyElementOrders(original: JsonObject, patch: JsonObject, schema: Schema | undefined): void {
  for (const rawKey of Object.keys(patch)) {
    if (!rawKey.startsWith(orderPrefix)) continue
    const order = patch[rawKey]
    delete patch[rawKey]
    if (!Array.isArray(order)) throw broken(`expected a []interface {}, but received a ${goType(order)}`)
    const key = directiveTarget(rawKey, orderPrefix, bad.elementOrder)
    const live = listAt(original, key)
    const patched = listAt(patch, key)
    const how = strategyOf(schema, key)
    checkOrder(patched ?? [], order, how.mergeKey)
    if (!live && !patched) continue
    const merged =
      live && patched
        ? how.strategy === 'merge'
          ? mergeLists(live.slice(), patched, how, false)
          : (withoutDirectives(patched) as unknown[])
        : (live ?? (withoutDirectives(patched) as unknown[]))
    elementKind(live ?? [], patched ?? [])
    const { inside, outside } = partition(merged, order, how.mergeKey)
    setMember(original, key, enforceOrder(inside, outside, order, live ?? [], how.mergeKey))
    delete patch[key]
  }
}

function listAt(object: JsonObject, key: string): unknown[] | undefined {
  const value = member(object, key)
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw broken(`expected a []interface {}, but received a ${goType(value)}`)
  return value
}

/** The items of the patch must be in the order list, in its order; deletions do not matter. */
function checkOrder(patch: unknown[], order: unknown[], mergeKey: string): void {
  if (order.length === 0 || patch.length === 0) return
  const items = patch.filter((item) => !(isObject(item) && Object.hasOwn(item, directive)))
  let next = 0
  for (const wanted of order) if (next < items.length && keyOf(items[next], mergeKey) === keyOf(wanted, mergeKey)) next++
  if (next < items.length) throw broken(`The order in patch list:\n${goFormat(patch)}\n doesn't match ${orderPrefix} list:\n${goFormat(order)}\n`)
}

function directiveTarget(key: string, prefix: string, error: () => Error): string {
  const slash = key.indexOf('/')
  if (slash < 0 || key.slice(0, slash) !== prefix) throw error()
  return key.slice(slash + 1)
}

function mergeLists(original: unknown[], patch: unknown[], how: Strategy, isDeletion: boolean): unknown[] {
  if (original.length === 0 && patch.length === 0) return original
  if (elementKind(original, patch) !== 'map') {
    if (isDeletion) {
      const gone = new Set(patch)
      return original.filter((item) => !gone.has(item))
    }
    const merged = [...new Set([...original, ...patch])]
    const { inside, outside } = partition(merged, patch, '')
    return enforceOrder(inside, outside, patch, original, '')
  }
  const { schema, mergeKey } = how
  const items = itemsOf(schema)
  if (mergeKey === '') throw broken(`cannot merge lists without merge key for ${items?.type === 'object' ? items.goName.split('.').at(-1) : ''}`)
  const { kept, changes } = applyItemDirectives(original as JsonObject[], patch as JsonObject[], mergeKey)
  const merged = kept.slice()
  const places = new Map<unknown, number>()
  for (const [at, item] of merged.entries()) if (!places.has(identity(item[mergeKey]))) places.set(identity(item[mergeKey]), at)
  for (const change of changes) {
    if (!Object.hasOwn(change, mergeKey)) throw noMergeKey(change, mergeKey)
    const at = places.get(identity(change[mergeKey]))
    if (at !== undefined) merged[at] = mergeMaps(merged[at]!, { ...change }, items)
    else places.set(identity(change[mergeKey]), merged.push(withoutDirectives(change) as JsonObject) - 1)
  }
  const { inside, outside } = partition(merged, changes, mergeKey)
  return enforceOrder(inside, outside, changes, kept, mergeKey)
}

/** What stands for the value of a merge key in maps and sets: equal values for equal keys. */
const identity = (key: unknown): unknown => (typeof key === 'object' && key !== null ? `json ${JSON.stringify(key)}` : key)

/** `$patch` in items of a merged list: `delete` takes the item with the same key out, `replace` takes every old item out. */
function applyItemDirectives(original: JsonObject[], patch: JsonObject[], mergeKey: string): { kept: JsonObject[]; changes: JsonObject[] } {
  const gone = new Set<unknown>()
  let replace = false
  const changes: JsonObject[] = []
  for (const item of patch) {
    if (!Object.hasOwn(item, directive)) {
      changes.push(item)
      continue
    }
    if (item[directive] === 'delete') {
      if (!Object.hasOwn(item, mergeKey)) throw noMergeKey(item, mergeKey)
      gone.add(identity(item[mergeKey]))
    } else if (item[directive] === 'replace') replace = true
    else if (item[directive] === 'merge') throw broken('merging lists cannot yet be specified in the patch')
    else throw broken(`unknown patch type: ${goFormat(item[directive])} in map: ${goFormat(item)}`)
  }
  return { kept: replace ? [] : gone.size > 0 ? original.filter((old) => !gone.has(identity(old[mergeKey]))) : original, changes }
}

/** All elements of the lists must be of one kind, and none a list. */
function elementKind(...lists: unknown[][]): string {
  let kind: string | undefined
  for (const list of lists)
    for (const item of list) {
      const own = isObject(item) ? 'map' : Array.isArray(item) ? 'list' : typeof item
      if (own === 'list') throw unprocessable()
      if (kind !== undefined && kind !== own) throw broken(`list element types are not identical: ${goFormat(lists)}`)
      kind = own
    }
  if (kind === undefined) throw broken('no elements in any of the given slices')
  return kind
}

/** What becomes of a part of the patch that has nothing to be merged with: no nulls, no directives. */
function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.filter((item) => !(isObject(item) && Object.hasOwn(item, directive))).map(withoutDirectives)
  if (!isObject(value)) return value
  // a directive about a map that is not there: there is nothing to do
  if (Object.hasOwn(value, directive)) return undefined
  const result: JsonObject = {}
  for (const key of Object.keys(value)) {
    if (value[key] === null || key === retainKeys || key.startsWith(`${deletePrefix}/`) || key.startsWith(`${orderPrefix}/`)) continue
    const kept = withoutDirectives(value[key])
    if (kept !== undefined) setMember(result, key, kept)
  }
  return result
}

function goType(value: unknown): string {
  if (isObject(value)) return 'map[string]interface {}'
  if (value === null) return '%!s(<nil>)'
  return { string: 'string', boolean: 'bool', number: Number.isInteger(value) ? 'int64' : 'float64' }[typeof value as string] ?? '[]interface {}'
}
