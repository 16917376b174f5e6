import type { Operation } from 'rfc6902'
import { errors } from '#api'
import { applyPatch } from 'rfc6902'
import { Pointer } from 'rfc6902/pointer.js'
import type { JsonObject } from './json-value.ts'
import { isObject, member, setMember } from './json-value.ts'
import { unprocessable } from './patch-errors.ts'

const maxOperations = 10_000
// What all `copy` operations of one patch may add up to: a few of them can double a document each.
const maxCopiedBytes = 3 * 1024 * 1024

// the library walks paths by plain property access, which these would lead to what all objects share
const inherited = /\/(__proto__|constructor\/prototype)\//

/**
 * JSON Patch (RFC 6902) on a copy of `object`. Throws StatusError: BadRequest for what is no patch, RequestEntityTooLarge beyond 10,000
 * operations, Invalid (422) when an operation cannot be done or a test fails.
 */
export function applyJsonPatch<T extends object>(object: T, patch: unknown): T {
  if (!Array.isArray(patch)) throw errors.badRequest(`json: cannot unmarshal ${jsonType(patch)} into Go value of type jsonpatch.Patch`)
  const odd = patch.find((operation) => !isObject(operation))
  if (odd !== undefined) throw errors.badRequest(`json: cannot unmarshal ${jsonType(odd)} into Go value of type jsonpatch.Operation`)
  if (patch.length > maxOperations) throw errors.tooLarge(`The allowed maximum operations in a JSON patch is ${maxOperations}, got ${patch.length}`)
  const result = structuredClone(object)
  let copied = 0
  for (const operation of patch as Operation[]) {
    let problem: Error | null | undefined
    try {
      if (inherited.test(`${operation.path}/${(operation as { from?: string }).from ?? ''}/`)) throw new Error('the path leads out of the object')
      if (operation.op === 'copy') copied += JSON.stringify(Pointer.fromJSON(operation.from).evaluate(result).value ?? null).length
      problem = copied > maxCopiedBytes ? new Error('the copies are too large') : applyPatch(result, [operation])[0]
    } catch (error) {
      problem = error as Error
    }
    if (problem) throw unprocessable({ cause: problem })
  }
  return result
}

/** JSON Merge Patch (RFC 7386). `object` is not changed; what the patch leaves alone is shared with the result. */
export function applyMergePatch<T extends object>(object: T, patch: unknown): T {
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

function jsonType(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  return typeof value === 'boolean' ? 'bool' : typeof value
}
