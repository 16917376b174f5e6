import { errors } from '#api'
import { isTooDeep } from '../depth.ts'
import type { JsonObject } from './json-value.ts'
import { cloneJson, equalJson, isObject, jsonType, member, setMember } from './json-value.ts'
import { unprocessable } from './patch-errors.ts'

const maxOperations = 10_000
// What all `copy` operations of one patch may add up to: a few of them can double a document each.
const maxCopiedBytes = 3 * 1024 * 1024
// And how many values: an empty list is two bytes of text, and thirty of memory.
const maxCopiedValues = 300_000
// What `add` and `remove` may move in lists altogether, in items: each at the front of a long list moves all of it.
const maxMovedItems = 50_000_000

/**
 * JSON Patch (RFC 6902) on a copy of `object`, as upstream's library does it: negative indexes count from the end, and a `value` that is not
 * there is null. Throws StatusError: BadRequest for what is no patch, RequestEntityTooLarge beyond 10,000 operations, Invalid (422) when an operation
 * cannot be done or a test fails.
 */
export function applyJsonPatch<T extends object>(object: T, patch: unknown): T {
  if (patch === null) return object
  if (!Array.isArray(patch))
    throw errors.badRequest(`error decoding patch: json: cannot unmarshal ${jsonType(patch)} into Go value of type []handlers.jsonPatchOp`)
  const odd: unknown = patch.find((operation) => operation !== null && !isObject(operation))
  if (odd !== undefined)
    throw errors.badRequest(`error decoding patch: json: cannot unmarshal ${jsonType(odd)} into Go value of type handlers.jsonPatchOp`)
  if (patch.length > maxOperations)
    throw errors.tooLarge(`Request entity too large: The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  const result = cloneJson(object)
  const budget: Budget = { bytes: maxCopiedBytes, values: maxCopiedValues, items: maxMovedItems }
  try {
    for (const operation of patch as (Operation | null)[]) {
      const problem = operate(result, operation ?? {}, budget) ?? (budget.items < 0 ? 'the operations move too many items of lists' : undefined)
      if (problem === testFailed) throw unprocessable({ cause: new TestFailure(problem) })
      if (problem) throw unprocessable({ cause: new Error(toldBy(operation ?? {}, problem)) })
    }
    if (!isTooDeep(result)) return result
  } catch (error) {
    // what operations put into one another can be deeper than the stack
    if (!(error instanceof RangeError)) throw error
  }
  throw unprocessable({ cause: new Error('the object is nested too deeply') })
}

const testFailed = 'the test failed'

class TestFailure extends Error {}

/** Whether a patch was refused because one of its tests failed. */
export const isTestFailure = (error: unknown): boolean => error instanceof Error && error.cause instanceof TestFailure

const noPath = 'the path leads nowhere'

/** What upstream's library says of an operation that cannot be done. */
function toldBy({ op, path, from }: Operation, problem: string): string {
  const shown = String(path)
  const key = unescape(shown.slice(shown.lastIndexOf('/') + 1))
  switch (op) {
    case 'add':
      if (problem === noPath) return `add operation does not apply: doc is missing path: "${shown}": missing value`
      return `error in add for path: '${shown}': ${listProblem(key)}`
    case 'remove':
      if (problem === noPath) return `remove operation does not apply: doc is missing path: "${shown}": missing value`
      return `error in remove for path: '${shown}': ${problem === noItem ? listProblem(key) : `Unable to remove nonexistent key: ${key}: missing value`}`
    case 'replace':
      return `replace operation does not apply: doc is missing ${problem === noPath ? 'path' : 'key'}: ${shown}: missing value`
    case 'test':
      return `test operation does not apply: is missing path: ${shown}: missing value`
    case 'move':
    case 'copy':
      return `${op} operation does not apply: doc is missing ${problem === noPath ? 'destination path' : 'from path'}: ${problem === noPath ? shown : String(from)}: missing value`
    default:
      return `Unexpected kind: ${String(op)}`
  }
}

const listProblem = (key: string) =>
  /^[-+]?\d+$/.test(key)
    ? `Unable to access invalid index: ${key}: invalid index referenced`
    : `value was not a proper array index: '${key}': strconv.Atoi: parsing ${JSON.stringify(key)}: invalid syntax`

const noItem = 'the list has no such item'

/** What is left of what the operations of one patch may cost. */
interface Budget {
  bytes: number
  values: number
  items: number
}

interface Operation {
  op?: unknown
  path?: unknown
  from?: unknown
  value?: unknown
}

/** What a path leads to: an object or a list, and the key in it. */
interface Place {
  container: JsonObject | unknown[]
  key: string
}

/** Does one operation in place; answers why it cannot be done. */
function operate(document: object, operation: Operation, budget: Budget): string | undefined {
  const { op, path, from, value = null } = operation
  const at = placeOf(document, path)
  if (!at) return noPath
  switch (op) {
    case 'add':
      return add(at, cloneJson(value), budget)
    case 'remove':
      return remove(at, budget)
    case 'replace':
      return replace(at, cloneJson(value))
    case 'test':
      return equalJson(read(at) ?? null, value) ? undefined : testFailed
    case 'move':
    case 'copy': {
      const source = placeOf(document, from)
      const moved = source && read(source)
      if (moved === undefined) return 'there is nothing to take'
      if (op === 'move') {
        remove(source!, budget)
        // the path is looked up without what moves: it may have led through it
        const target = placeOf(document, path)
        return target ? add(target, moved, budget) : noPath
      }
      budget.values -= countOf(moved)
      if (budget.values >= 0) budget.bytes -= JSON.stringify(moved).length
      return budget.bytes < 0 || budget.values < 0 ? 'the copies are too large' : add(at, cloneJson(moved), budget)
    }
    default:
      return 'there is no such operation'
  }
}

function countOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1
  let count = 1
  for (const key in value) count += countOf((value as JsonObject)[key])
  return count
}

function placeOf(document: object, path: unknown): Place | undefined {
  if (typeof path !== 'string') return undefined
  const [, ...keys] = path.split('/')
  const last = keys.pop()
  if (last === undefined) return undefined
  let container: unknown = document
  for (const key of keys) {
    container = read({ container: container as Place['container'], key: unescape(key) })
    if (typeof container !== 'object' || container === null) return undefined
  }
  return { container: container as Place['container'], key: unescape(last) }
}

const unescape = (key: string) => (key.includes('~') ? key.replace(/~[01]/g, (escaped) => (escaped === '~1' ? '/' : '~')) : key)

const read = ({ container, key }: Place): unknown =>
  Array.isArray(container) ? container[indexOf(container.length, key) ?? container.length] : member(container, key)

/** An index below `length`; negative ones count from its end. */
function indexOf(length: number, key: string): number | undefined {
  if (!/^[-+]?\d{1,10}$/.test(key)) return undefined
  const index = Number(key)
  return index >= length || index < -length ? undefined : index < 0 ? index + length : index
}

function add({ container, key }: Place, value: unknown, budget: Budget): string | undefined {
  if (!Array.isArray(container)) return void setMember(container, key, value)
  if (key === '-') return void container.push(value)
  const index = indexOf(container.length + 1, key)
  if (index === undefined) return 'the list has no such place'
  budget.items -= container.length - index
  container.splice(index, 0, value)
}

function remove({ container, key }: Place, budget: Budget): string | undefined {
  if (!Array.isArray(container)) {
    if (!Object.hasOwn(container, key)) return 'there is nothing to remove'
    delete container[key]
    return
  }
  const index = indexOf(container.length, key)
  if (index === undefined) return noItem
  budget.items -= container.length - index
  container.splice(index, 1)
}

function replace(at: Place, value: unknown): string | undefined {
  const { container, key } = at
  if (read(at) === undefined) return 'there is nothing to replace'
  if (Array.isArray(container)) container[indexOf(container.length, key)!] = value
  else setMember(container, key, value)
}

/** JSON Merge Patch (RFC 7386). `object` is not changed; what the patch leaves alone is shared with the result. */
export function applyMergePatch<T extends object>(object: T, patch: unknown): T {
  if (patch === null) throw errors.badRequest('Invalid JSON Patch')
  if (!isObject(patch))
    throw errors.badRequest(`error decoding patch: json: cannot unmarshal ${jsonType(patch)} into Go value of type map[string]interface {}`)
  return mergeObject(object as JsonObject, patch) as T
}

function mergeObject(target: JsonObject, patch: JsonObject): JsonObject {
  const result = { ...target }
  for (const key of Object.keys(patch)) {
    const value = patch[key]
    if (value === null) delete result[key]
    else if (isObject(value)) {
      const current = member(target, key)
      setMember(result, key, mergeObject(isObject(current) ? current : {}, value))
    } else if (value !== undefined) setMember(result, key, value)
  }
  return result
}
