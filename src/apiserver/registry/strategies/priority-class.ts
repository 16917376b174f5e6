import type { DeepReadonly, scheduling } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, forbidden, immutable, notSupported, required } from '../validation/causes.ts'

const systemPrefix = 'system-'
/** User classes stay below a billion; above are the system's two. */
const highestUserValue = 1_000_000_000
const systemClasses = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
])

export const priorityClassStrategy: ResourceStrategy<scheduling.PriorityClass> = {
  default(object) {
    object.value ??= 0
    object.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate(object) {
    const causes: Causes = []
    if (object.metadata.name?.startsWith(systemPrefix)) {
      const problem = systemClassProblem(object)
      if (problem)
        causes.push(
          forbidden('metadata.name', `priority class names with '${systemPrefix}' prefix are reserved for system use only. error: ${problem}`),
        )
    } else if ((object.value ?? 0) > highestUserValue)
      causes.push(forbidden('value', `maximum allowed value of a user defined priority is ${highestUserValue}`))
    const policy: string | undefined = object.preemptionPolicy
    if (policy === '') causes.push(required('preemptionPolicy'))
    else if (policy !== undefined && policy !== 'PreemptLowerPriority' && policy !== 'Never')
      causes.push(notSupported('preemptionPolicy', policy, ['PreemptLowerPriority', 'Never']))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (object.value !== old.value) causes.push(forbidden('value', 'may not be changed in an update.'))
    immutable(causes, 'preemptionPolicy', object.preemptionPolicy, old.preemptionPolicy)
    return causes
  },
  generationChanged: () => false,
}

function systemClassProblem({ metadata: { name }, value, globalDefault = false }: DeepReadonly<scheduling.PriorityClass>): string | undefined {
  const expected = systemClasses.get(name)
  if (expected === undefined) return `${name} is not a known system priority class`
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}
