import type { DeepReadonly, KubeObject } from '#api'
import { errors } from '#api'
import { mediaType } from '../body.ts'
import type { Call } from './call.ts'
import { decode } from './decode.ts'
import type { Registry, Write } from './registry.ts'
import type { MakeUpdate, Updated, UpdateOptions } from './update.ts'
import { updateObject } from './update.ts'
import { bodyValue, toStored } from './verbs.ts'

/** Patches an object (or a part of it, by a subresource) in the version that the request names. */
export function patchObject(registry: Registry, call: Call, write: Write, options: UpdateOptions = {}): Promise<Updated> {
  return updateObject(registry, write, patchOf(call, write), options)
}

function patchOf(call: Call, write: Write): MakeUpdate {
  const type = mediaType(call.request)
  const { served } = call
  const patch = bodyValue(call)
  switch (type) {
    case 'application/merge-patch+json':
      return (old) => {
        if (!old) throw errors.notFound(served.gr, write.name)
        return toStored(call, decode(served.kind, mergePatch(current(call, old), patch), write))
      }
    default:
      throw errors.unsupportedMediaType(
        'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml',
      )
  }
}

function current(call: Call, old: DeepReadonly<KubeObject>): DeepReadonly<KubeObject> {
  const { conversion } = call.served
  return conversion ? conversion.fromStorage(old) : old
}

function mergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = typeof target === 'object' && target !== null && !Array.isArray(target) ? (target as Record<string, unknown>) : {}
  const result: Record<string, unknown> = { ...base }
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key]
    else result[key] = mergePatch(base[key], value)
  }
  return result
}
