import type { DeepReadonly, core, scheduling } from '#api'
import type { ObjectReader } from '../object-reader.ts'
import type { AdmissionPlugin } from './admission.ts'
import { rejected, targets } from './rejection.ts'

/** Resolves a pod's priority class to its priority, and keeps one default class at most. */
export function priority(reader: ObjectReader): AdmissionPlugin {
  const defaultClass = (): DeepReadonly<scheduling.PriorityClass> | undefined =>
    // two can come to be by a race: the lower one counts
    reader
      .list<scheduling.PriorityClass>('scheduling.k8s.io', 'priorityclasses')
      .filter((c) => c.globalDefault)
      .sort((a, b) => (a.value ?? 0) - (b.value ?? 0))[0]

  return {
    name: 'Priority',
    resources: ['/pods', 'scheduling.k8s.io/priorityclasses'],
    handles: (request) =>
      (request.operation === 'CREATE' || request.operation === 'UPDATE') &&
      (targets(request, '', 'pods') ||
        (targets(request, 'scheduling.k8s.io', 'priorityclasses') && (request.object as scheduling.PriorityClass).globalDefault === true)),
    mutate(request) {
      if (!targets(request, '', 'pods')) return
      const { spec } = request.object as core.Pod
      if (!spec) return
      if (request.operation === 'UPDATE') {
        const old = (request.old as DeepReadonly<core.Pod> | undefined)?.spec
        spec.priority ??= old?.priority
        spec.preemptionPolicy ??= old?.preemptionPolicy
        return
      }
      const named = spec.priorityClassName
      const found = named ? reader.get<scheduling.PriorityClass>('scheduling.k8s.io', 'priorityclasses', '', named) : defaultClass()
      if (named && !found) throw rejected(request, `no PriorityClass with name ${named} was found`)
      if (!named && found) spec.priorityClassName = found.metadata.name
      const value = found?.value ?? 0
      if (spec.priority !== undefined && spec.priority !== null && spec.priority !== value) {
        throw rejected(
          request,
          `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
        )
      }
      spec.priority = value
      const preemption = found?.preemptionPolicy ?? 'PreemptLowerPriority'
      if (spec.preemptionPolicy && spec.preemptionPolicy !== preemption) {
        throw rejected(
          request,
          `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemption} from the given PriorityClass name`,
        )
      }
      spec.preemptionPolicy = preemption as core.PodSpec['preemptionPolicy']
    },
    validate(request) {
      if (!targets(request, 'scheduling.k8s.io', 'priorityclasses')) return
      const current = defaultClass()
      if (!current || (request.operation === 'UPDATE' && current.metadata.name === request.object?.metadata.name)) return
      throw rejected(request, `PriorityClass ${current.metadata.name} is already marked as default. Only one default can exist`)
    },
  }
}
