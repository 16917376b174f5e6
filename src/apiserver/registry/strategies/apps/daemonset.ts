import type { apps } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, nonNegative, notSupported, required, same } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import {
  intOrPercentValue,
  validateAtMostHundredPercent,
  validateIntOrPercent,
  validateRunningTemplate,
  validateSelectorAndTemplate,
} from '../../validation/workload.ts'
import { workloadWarnings } from '../../warnings/pod.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultDaemonSet } from './defaults.ts'
import { collisionsGrow, countsAreCounts } from './replica-counts.ts'
import { selectorStays } from './selector.ts'

// The field of this name is gone since apps/v1; what it counted lives on in an annotation.
const templateGeneration = 'deprecated.daemonset.template.generation'

function setTemplateGeneration(object: apps.DaemonSet, generation: number): void {
  if (generation > 0) (object.metadata.annotations ??= {})[templateGeneration] = String(generation)
}

export const daemonSetStrategy: ResourceStrategy<apps.DaemonSet> = {
  default: defaultDaemonSet,
  prepareForCreate(object) {
    object.status = { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0 }
    setTemplateGeneration(object, 1)
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    const before = Number(old.metadata.annotations?.[templateGeneration]) || 0
    setTemplateGeneration(object, same(object.spec.template, old.spec.template) ? before : before + 1)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    validateSelectorAndTemplate(causes, spec.selector, spec.template, 'daemonset')
    validateRunningTemplate(causes, spec.template, 'DaemonSet', old?.spec.template)
    nonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds)
    nonNegative(causes, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit)
    const strategy = spec.updateStrategy
    if (strategy?.type === 'RollingUpdate') {
      const path = 'spec.updateStrategy.rollingUpdate'
      const rolling = strategy.rollingUpdate
      if (!rolling) causes.push(required(path))
      else {
        validateIntOrPercent(causes, `${path}.maxUnavailable`, rolling.maxUnavailable)
        validateAtMostHundredPercent(causes, `${path}.maxUnavailable`, rolling.maxUnavailable)
        validateIntOrPercent(causes, `${path}.maxSurge`, rolling.maxSurge)
        validateAtMostHundredPercent(causes, `${path}.maxSurge`, rolling.maxSurge)
        const surge = intOrPercentValue(rolling.maxSurge) !== 0
        const unavailable = intOrPercentValue(rolling.maxUnavailable) !== 0
        if (!surge && !unavailable) causes.push(required(`${path}.maxUnavailable`, 'cannot be 0 when maxSurge is 0'))
        if (surge && unavailable) causes.push(invalid(`${path}.maxSurge`, rolling.maxSurge, 'may not be set when maxUnavailable is non-zero'))
      }
    } else if (strategy?.type !== 'OnDelete')
      causes.push(notSupported('spec.updateStrategy', internalForm(strategy, groupForms.deploymentStrategy), ['RollingUpdate', 'OnDelete']))
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate({ status = {} as apps.DaemonSetStatus }, old) {
    const causes: Causes = []
    countsAreCounts(causes, status, [
      'currentNumberScheduled',
      'numberMisscheduled',
      'desiredNumberScheduled',
      'numberReady',
      'observedGeneration',
      'updatedNumberScheduled',
      'numberAvailable',
      'numberUnavailable',
      'collisionCount',
    ])
    collisionsGrow(causes, status, old.status)
    return causes
  },
  warnings: workloadWarnings,
}
