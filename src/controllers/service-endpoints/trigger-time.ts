import { type DeepReadonly, type core, findCondition } from '#api'

export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

/**
 * Remembers what caused the last write for a service, so that the next one can tell since when its cause has been waiting: the earliest of the
 * readiness changes that were not accounted for, or the service's creation.
 */
export interface TriggerTimes {
  /** RFC 3339 time for the annotation; undefined when nothing new can be told. */
  of(key: string, service: DeepReadonly<core.Service>, pods: readonly DeepReadonly<core.Pod>[]): string | undefined
  forget(key: string): void
}

export function triggerTimes(): TriggerTimes {
  const known = new Map<string, { service: string | undefined; pods: Map<string, string> }>()
  return {
    of(key, service, pods) {
      const before = known.get(key)
      const times = new Map<string, string>()
      const changed: string[] = []
      for (const pod of pods) {
        const time = findCondition(pod.status?.conditions, 'Ready')?.lastTransitionTime
        if (!time) continue
        times.set(pod.metadata.name, time)
        if (time !== before?.pods.get(pod.metadata.name)) changed.push(time)
      }
      const created = service.metadata.creationTimestamp
      if (created && created !== before?.service) changed.push(created)
      known.set(key, { service: created, pods: times })
      return changed.sort()[0]
    },
    forget: (key) => void known.delete(key),
  }
}
