import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, core, node } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { rejected, targets } from './rejection.ts'

/** A pod of a runtime class carries the overhead, node selector and tolerations of that class. */
export function runtimeClass(reader: ObjectReader): AdmissionPlugin {
  const classOf = (request: AdmissionRequest, spec: core.PodSpec): DeepReadonly<node.RuntimeClass> | undefined => {
    const name = spec.runtimeClassName
    if (!name) return undefined
    const found = reader.get<node.RuntimeClass>('node.k8s.io', 'runtimeclasses', '', name)
    if (!found) throw rejected(request, `pod rejected: RuntimeClass ${JSON.stringify(name)} not found`)
    return found
  }
  return {
    name: 'RuntimeClass',
    resources: ['/pods'],
    handles: (request) => request.operation === 'CREATE' && targets(request, '', 'pods'),
    mutate(request) {
      const { spec } = request.object as core.Pod
      const found = spec && classOf(request, spec)
      if (!spec || !found) return
      if (found.overhead) {
        const { podFixed = {} } = found.overhead
        if (spec.overhead && !isDeepStrictEqual(spec.overhead, podFixed)) {
          throw rejected(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
        }
        spec.overhead = { ...podFixed }
      }
      const { nodeSelector = {}, tolerations = [] } = found.scheduling ?? {}
      for (const [key, value] of Object.entries(nodeSelector)) {
        const own = spec.nodeSelector?.[key]
        if (own !== undefined && own !== value) {
          throw rejected(request, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`)
        }
        spec.nodeSelector = { ...spec.nodeSelector, [key]: value }
      }
      const added = tolerations.filter((toleration) => !(spec.tolerations ?? []).some((own) => isDeepStrictEqual(own, toleration)))
      if (added.length > 0) spec.tolerations = [...(spec.tolerations ?? []), ...added.map((toleration) => ({ ...toleration }))]
    },
    validate(request) {
      const { spec } = request.object as core.Pod
      if (!spec) return
      const overhead = classOf(request, spec)?.overhead
      if (overhead && !isDeepStrictEqual(spec.overhead, { ...overhead.podFixed })) {
        throw rejected(request, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead")
      }
      if (!overhead && spec.overhead) throw rejected(request, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    },
  }
}
