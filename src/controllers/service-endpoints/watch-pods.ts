import { type DeepReadonly, type core, objectKey } from '#api'
import type { Cache, Watch } from '#runtime'
import { endpointsChange, selects } from './pods.ts'

type Pod = DeepReadonly<core.Pod>

/** Enqueues the services that select a pod when something about it changes that their endpoints show. */
export function servicesOfPods(pods: Cache<core.Pod>, services: Cache<core.Service>): Watch {
  const of = ({ metadata }: Pod) => services.list(metadata.namespace).filter((service) => selects(service, metadata.labels))
  return {
    ready: (signal) => pods.ready(signal),
    subscribe: (enqueue) =>
      pods.subscribe((event) => {
        const affected = new Set<string>()
        if (event.type !== 'updated') for (const service of of(event.object)) affected.add(objectKey(service))
        else {
          const { previous, object } = event
          const relabelled = !sameLabels(previous, object)
          if (!relabelled && !endpointsChange(previous, object)) return
          for (const service of of(object)) affected.add(objectKey(service))
          if (relabelled) for (const service of of(previous)) affected.add(objectKey(service))
        }
        for (const key of affected) enqueue(key)
      }),
  }
}

function sameLabels(a: Pod, b: Pod): boolean {
  const [left, right] = [a.metadata.labels ?? {}, b.metadata.labels ?? {}]
  const names = Object.keys(left)
  return names.length === Object.keys(right).length && names.every((name) => left[name] === right[name])
}
