import type { apps, core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, nonNegative, required } from '../../validation/causes.ts'
import { validateCounts, validateRunningTemplate, validateSelectorAndTemplate } from '../../validation/workload.ts'
import { podHostnameWarnings } from '../pod-names.ts'
import { workloadWarnings } from '../../warnings/pod.ts'
import { keepStatus } from '../status.ts'
import { defaultReplicaSet, defaultReplicationController } from './defaults.ts'
import { atMostReplicas, availableAreReady, countsAreCounts } from './replica-counts.ts'
import { selectorStays } from './selector.ts'

export const replicaSetStrategy: ResourceStrategy<apps.ReplicaSet> = {
  default: defaultReplicaSet,
  prepareForCreate(object) {
    object.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    validateCounts(causes, spec)
    if (validateSelectorAndTemplate(causes, spec.selector, spec.template, 'deployment'))
      validateRunningTemplate(causes, spec.template, 'ReplicaSet', old?.spec.template)
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  warnings: (object, old) => [...(old ? [] : podHostnameWarnings(object.metadata.name)), ...workloadWarnings(object, old)],
}

function validateReplicaStatus(status: object | undefined): Causes {
  const causes: Causes = []
  if (!status) return causes
  const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas']
  countsAreCounts(causes, status, ['replicas', ...parts, 'terminatingReplicas', 'observedGeneration'])
  atMostReplicas(causes, status, parts)
  availableAreReady(causes, status)
  return causes
}

export const replicationControllerStrategy: ResourceStrategy<core.ReplicationController> = {
  default: defaultReplicationController,
  prepareForCreate(object) {
    object.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  defaultPropagation: 'Orphan',
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    nonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds)
    if (!spec.selector || Object.keys(spec.selector).length === 0) causes.push(required('spec.selector'))
    nonNegative(causes, 'spec.replicas', spec.replicas)
    validateRunningTemplate(causes, spec.template, 'ReplicationController', old?.spec.template)
    const labels = spec.template?.metadata?.labels
    for (const key in spec.selector) {
      if (labels?.[key] === spec.selector[key] || !spec.template) continue
      causes.push(invalid('spec.template.metadata.labels', labels ?? {}, '`selector` does not match template `labels`'))
      break
    }
    return causes
  },
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
  selectableFields: (object) => ({ 'status.replicas': String(object.status?.replicas ?? 0) }),
  warnings: (object, old) => [...(old ? [] : podHostnameWarnings(object.metadata.name)), ...workloadWarnings(object, old)],
}
