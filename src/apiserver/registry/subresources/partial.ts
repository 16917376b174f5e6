import type { DeepReadonly, KubeObject, StatusCause, core } from '#api'
import { errors } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { deepEqual } from '../metadata.ts'
import { patchObject } from '../patch-verb.ts'
import type { Registry } from '../registry.ts'
import { updateObject } from '../update.ts'
import { beginWrite, handleVerb, objectFromBody, updatedResponse } from '../verbs.ts'

/**
 * Subresources that take the whole object and write one part of it: `part` answers the current object with that part from
 * the new one. `check` answers causes.
 */
function partial<T extends KubeObject>(
  part: (next: DeepReadonly<T>, old: DeepReadonly<T>) => object,
  check?: (next: DeepReadonly<T>, old: DeepReadonly<T>) => StatusCause[],
) {
  return async (registry: Registry, call: Call): Promise<Response> => {
    const { verb } = call.info
    if (verb === 'get') return handleVerb(registry, call, Math.random)
    const write = beginWrite(call, verb === 'patch' ? 'PatchOptions' : 'UpdateOptions')
    const prepare = (object: KubeObject, old: DeepReadonly<KubeObject>) => {
      const causes = check?.(object as never, old as never) ?? []
      if (causes.length > 0) throw errors.invalid(call.served.kind, write.name, causes)
      const next = part(object as never, old as never) as Record<string, unknown>
      const target = object as unknown as Record<string, unknown>
      for (const key of Object.keys(target)) if (key !== 'metadata' && !(key in next)) delete target[key]
      for (const key of Object.keys(next)) if (key !== 'metadata') target[key] = next[key]
      const { resourceVersion, managedFields } = object.metadata
      object.metadata = { ...old.metadata, resourceVersion, managedFields } as KubeObject['metadata']
    }
    const options = { prepare, unvalidated: true }
    const updated =
      verb === 'patch'
        ? await patchObject(registry, call, write, options)
        : await updateObject(registry, write, () => objectFromBody(call, write), options)
    return updatedResponse(call, updated)
  }
}

/** `namespaces/finalize`: writes spec.finalizers alone; an emptied, terminating namespace goes with it. */
export const finalize = partial<core.Namespace>((next, old) => {
  const { finalizers: _, ...spec } = old.spec ?? {}
  const finalizers = next.spec?.finalizers
  return { ...old, spec: finalizers?.length ? { ...spec, finalizers } : spec }
})

/** `pods/ephemeralcontainers`: adds debugging containers; what is there stays. */
export const ephemeralContainers = partial<core.Pod>(
  (next, old) => ({ ...old, spec: { ...old.spec, ephemeralContainers: next.spec.ephemeralContainers ?? [] } }),
  (next, old) => {
    const causes: StatusCause[] = []
    const containers = next.spec.ephemeralContainers ?? []
    for (const before of old.spec.ephemeralContainers ?? []) {
      const now = containers.find((c) => c.name === before.name)
      if (now && deepEqual(now, before)) continue
      causes.push({
        reason: 'FieldValueForbidden',
        message: `Forbidden: existing ephemeral containers "${before.name}" may not be ${now ? 'changed' : 'removed'}\n`,
        field: 'spec.ephemeralContainers',
      })
    }
    const names = new Set([...(old.spec.initContainers ?? []), ...old.spec.containers].map((c) => c.name))
    containers.forEach((container, i) => {
      if (!container.name) causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `spec.ephemeralContainers[${i}].name` })
      else if (names.has(container.name))
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: "${container.name}"`, field: `spec.ephemeralContainers[${i}].name` })
      names.add(container.name)
      if (!container.image) causes.push({ reason: 'FieldValueRequired', message: 'Required value', field: `spec.ephemeralContainers[${i}].image` })
    })
    return causes
  },
)

/** `pods/resize`: writes the containers' resources and resize policies alone. */
export const resize = partial<core.Pod>((next, old) => {
  const resized = (containers: DeepReadonly<core.Container[]> | undefined, from: DeepReadonly<core.Container[]> | undefined) =>
    containers?.map((container) => {
      const wanted = from?.find((c) => c.name === container.name)
      return wanted
        ? { ...container, resources: wanted.resources ?? {}, ...(wanted.resizePolicy ? { resizePolicy: wanted.resizePolicy } : {}) }
        : container
    })
  const spec: Record<string, unknown> = { ...old.spec, containers: resized(old.spec.containers, next.spec.containers) }
  if (old.spec.initContainers) spec.initContainers = resized(old.spec.initContainers, next.spec.initContainers)
  return { ...old, spec }
})
