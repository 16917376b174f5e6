import type { apps, core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, immutable, nonNegative, required, same } from '../../validation/causes.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'
import { podTemplateWarnings } from '../../warnings/pod.ts'
import { defaultPodTemplate } from '../pod/defaults.ts'

export const controllerRevisionStrategy: ResourceStrategy<apps.ControllerRevision> = {
  validate(object) {
    const causes: Causes = []
    if (object.data === undefined || object.data === null) causes.push(required('data', 'data is mandatory'))
    nonNegative(causes, 'revision', object.revision)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'data', object.data, old.data)
    return causes
  },
}

export const podTemplateStrategy: ResourceStrategy<core.PodTemplate> = {
  default(object) {
    defaultPodTemplate((object.template ??= {}))
  },
  validate(object, _apiVersion, old) {
    const causes: Causes = []
    validatePodTemplate(causes, 'template', object.template ?? {}, old?.template)
    return causes
  },
  warnings: (object, old) => (old && same(object.template, old.template) ? [] : podTemplateWarnings('template', object.template)),
}
