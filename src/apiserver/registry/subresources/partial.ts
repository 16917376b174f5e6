import type { DeepReadonly, KubeObject, StatusCause, core } from '#api'
import { errors } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { deepEqual } from '../metadata.ts'
import { patchObject } from '../patch-verb.ts'
import type { Registry } from '../registry.ts'
import { podStrategy } from '../strategies/pod/strategy.ts'
import { updateObject } from '../update.ts'
import { forbidden } from '../validation/causes.ts'
import { validateFinalizerName } from '../validation/object-meta.ts'
import { mirrorAnnotation } from '../validation/pod/annotations.ts'
import { resizedPod, validateResizedPod } from './resize.ts'
import { beginWrite, handleVerb, objectFromBody, updatedResponse } from '../verbs.ts'

/**
 * Subresources that take the whole object and write one part of it: `part` answers the current object with that part from
 * the new one. `check` answers causes for what was sent, `checkWritten` for what would be stored.
 */
function partial<T extends KubeObject>(
  part: (next: DeepReadonly<T>, old: DeepReadonly<T>) => object,
  check?: (next: DeepReadonly<T>, old: DeepReadonly<T>) => StatusCause[],
  checkWritten?: (next: DeepReadonly<T>, old: DeepReadonly<T>) => StatusCause[],
) {
  return async (registry: Registry, call: Call): Promise<Response> => {
    const { verb } = call.info
    if (verb === 'get') return handleVerb(registry, call, Math.random)
    const write = beginWrite(call, verb === 'patch' ? 'PatchOptions' : 'UpdateOptions')
    const prepare = (object: KubeObject, old: DeepReadonly<KubeObject>) => {
      const causes = check?.(object as never, old as never) ?? []
      if (causes.length > 0) throw errors.invalid(call.served.kind, write.name, causes)
      const next = part(object as never, old as never) as Record<string, unknown>
      const wrong = checkWritten?.(next as never, old as never) ?? []
      if (wrong.length > 0) throw errors.invalid(call.served.kind, write.name, wrong)
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
export const finalize = partial<core.Namespace>(
  (next, old) => {
    const { finalizers: _, ...spec } = old.spec ?? {}
    const finalizers = next.spec?.finalizers
    return { ...old, spec: finalizers?.length ? { ...spec, finalizers } : spec }
  },
  ({ spec }) => {
    const causes: StatusCause[] = []
    spec?.finalizers?.forEach((finalizer, i) => validateFinalizerName(causes, `spec.finalizers[${i}]`, finalizer))
    return causes
  },
)

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
    return causes
  },
  (pod, old) => {
    if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) return [forbidden('', 'static pods do not support ephemeral containers')]
    return podStrategy.validate!(pod, undefined, old)
  },
)

/** `pods/resize`: writes the containers' resources and resize policies alone. */
export const resize = partial<core.Pod>(resizedPod, undefined, validateResizedPod)
