import type { DeepReadonly, KubeObject } from '#api'

type WithStatus = KubeObject & { status?: unknown }

/** An update of the main resource leaves status alone. */
export function keepStatus(object: WithStatus, old: DeepReadonly<WithStatus>): void {
  if (old.status === undefined) delete object.status
  else object.status = old.status
}

/** An update of the status subresource changes status, labels, annotations and the like; everything beside them stays. */
export function keepAllButStatus(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  const next = object as unknown as Record<string, unknown>
  const previous = old as unknown as Record<string, unknown>
  for (const key in next) if (!(key in previous) && key !== 'status' && key !== 'metadata') delete next[key]
  for (const key in previous) if (key !== 'status' && key !== 'metadata' && key !== 'apiVersion' && key !== 'kind') next[key] = previous[key]
}

/** Like `keepAllButStatus` for the kinds whose labels a status update may not touch either. */
export function keepAllButStatusWithLabels(object: KubeObject, old: DeepReadonly<KubeObject>): void {
  keepAllButStatus(object, old)
  if (old.metadata.labels === undefined) delete object.metadata.labels
  else object.metadata.labels = { ...old.metadata.labels }
}
