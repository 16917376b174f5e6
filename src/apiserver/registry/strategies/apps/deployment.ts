import type { DeepReadonly, apps } from '#api'
import { specChanged } from '../../metadata.ts'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, nonNegative, notSupported, required, same } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import {
  intOrPercentValue,
  validateAtMostHundredPercent,
  validateCounts,
  validateIntOrPercent,
  validateRunningTemplate,
  validateSelectorAndTemplate,
} from '../../validation/workload.ts'
import { podHostnameWarnings } from '../pod-names.ts'
import { workloadWarnings } from '../../warnings/pod.ts'
import { keepAllButStatusWithLabels, keepStatus } from '../status.ts'
import { defaultDeployment } from './defaults.ts'
import { atMostReplicas, availableAreReady, collisionsGrow, countsAreCounts } from './replica-counts.ts'
import { selectorStays } from './selector.ts'

export const deploymentStrategy: ResourceStrategy<apps.Deployment> = {
  default: defaultDeployment,
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatusWithLabels,
  statusResetFields: { 'f:spec': {}, 'f:metadata': { 'f:labels': {} } },
  // what annotations say is for the controller too
  generationChanged: (object, old) => specChanged(object, old) || !same(object.metadata.annotations, old.metadata.annotations),
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    validateCounts(causes, spec)
    nonNegative(causes, 'spec.revisionHistoryLimit', spec.revisionHistoryLimit)
    if (validateSelectorAndTemplate(causes, spec.selector, spec.template, 'deployment'))
      validateRunningTemplate(causes, spec.template, 'ReplicaSet', old?.spec.template)
    validateDeploymentStrategy(causes, spec.strategy)
    nonNegative(causes, 'spec.progressDeadlineSeconds', spec.progressDeadlineSeconds)
    if (spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
      causes.push(invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'))
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate({ status = {} }, old) {
    const causes: Causes = []
    countsAreCounts(causes, status, [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'terminatingReplicas',
      'collisionCount',
    ])
    atMostReplicas(causes, status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'])
    availableAreReady(causes, status)
    collisionsGrow(causes, status, old.status)
    return causes
  },
  warnings: (object, old) => [...(old ? [] : podHostnameWarnings(object.metadata.name)), ...workloadWarnings(object, old)],
}

function validateDeploymentStrategy(causes: Causes, strategy: DeepReadonly<apps.DeploymentStrategy> | undefined): void {
  const type = strategy?.type
  if (type === 'Recreate') {
    if (strategy?.rollingUpdate) causes.push(forbidden('spec.strategy.rollingUpdate', "may not be specified when strategy `type` is 'Recreate'"))
  } else if (type === 'RollingUpdate') {
    const rolling = strategy?.rollingUpdate
    if (!rolling) {
      causes.push(required('spec.strategy.rollingUpdate', 'this should be defaulted and never be nil'))
      return
    }
    const path = 'spec.strategy.rollingUpdate'
    validateIntOrPercent(causes, `${path}.maxUnavailable`, rolling.maxUnavailable)
    validateIntOrPercent(causes, `${path}.maxSurge`, rolling.maxSurge)
    if (intOrPercentValue(rolling.maxUnavailable) === 0 && intOrPercentValue(rolling.maxSurge) === 0)
      causes.push(invalid(`${path}.maxUnavailable`, rolling.maxUnavailable, 'may not be 0 when `maxSurge` is 0'))
    validateAtMostHundredPercent(causes, `${path}.maxUnavailable`, rolling.maxUnavailable)
  } else causes.push(notSupported('spec.strategy', internalForm(strategy, groupForms.deploymentStrategy), ['Recreate', 'RollingUpdate']))
}
