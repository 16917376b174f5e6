import type { node } from '#api'
import { dns1123Label } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, duplicate, immutable, invalidEach } from '../validation/causes.ts'
import { groupForms } from '../validation/group-forms.ts'
import { internalForm } from '../validation/internal-form.ts'
import { validateLabels } from '../validation/object-meta.ts'
import { validateTolerations } from '../validation/pod/scheduling.ts'
import { validateResourceRequirements } from '../validation/resources.ts'

export const runtimeClassStrategy: ResourceStrategy<node.RuntimeClass> = {
  allowCreateOnUpdate: true,
  allowUnconditionalUpdate: false,
  looseFinalizers: true,
  validate({ handler = '', overhead, scheduling }) {
    const causes: Causes = []
    invalidEach(causes, 'handler', handler, dns1123Label(handler))
    if (overhead?.podFixed) validateResourceRequirements(causes, 'overhead', { limits: overhead.podFixed })
    validateLabels(causes, 'scheduling.nodeSelector', scheduling?.nodeSelector)
    const tolerations = scheduling?.tolerations ?? []
    validateTolerations(causes, 'scheduling.tolerations', tolerations)
    const seen = new Set<string>()
    for (const [i, toleration] of tolerations.entries()) {
      // for how long something is tolerated does not make it another toleration
      const { key = '', operator = '', value = '', effect = '' } = toleration
      const identity = JSON.stringify([key, operator, value, effect])
      if (seen.has(identity)) causes.push(duplicate(`scheduling.tolerations[${i}]`, internalForm(toleration, groupForms.toleration)))
      seen.add(identity)
    }
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'handler', object.handler, old.handler)
    return causes
  },
}
