import type { DeepReadonly, apps, core } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, immutable, invalid, nonNegative, notSupported, required, same } from '../../validation/causes.ts'
import { specChanged } from '../../metadata.ts'
import { validateClaimSpec } from '../../validation/claims.ts'
import { validatePodTemplate } from '../../validation/pod/pod-spec.ts'
import {
  intOrPercentValue,
  validateAtMostHundredPercent,
  validateCounts,
  validateIntOrPercent,
  validateRunningTemplate,
  validateSelectorAndTemplate,
} from '../../validation/workload.ts'
import { defaultPodTemplate } from '../pod/defaults.ts'
import { keepAllButStatus, keepAllButStatusWithLabels, keepStatus } from '../status.ts'
import { defaultDaemonSet, defaultDeployment, defaultReplicaSet, defaultReplicationController, defaultStatefulSet } from './defaults.ts'

export const deploymentStrategy: ResourceStrategy<apps.Deployment> = {
  default: defaultDeployment,
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatusWithLabels,
  // what annotations say is for the controller too
  generationChanged: (object, old) => specChanged(object, old) || !same(object.metadata.annotations, old.metadata.annotations),
  validate({ spec }) {
    const causes: Causes = []
    validateCounts(causes, spec)
    validateSelectorAndTemplate(causes, spec.selector, spec.template, 'deployment')
    validateRunningTemplate(causes, spec.template, 'ReplicaSet')
    validateDeploymentStrategy(causes, spec.strategy)
    nonNegative(causes, 'spec.progressDeadlineSeconds', spec.progressDeadlineSeconds)
    if (spec.progressDeadlineSeconds !== undefined && spec.progressDeadlineSeconds <= (spec.minReadySeconds ?? 0))
      causes.push(invalid('spec.progressDeadlineSeconds', spec.progressDeadlineSeconds, 'must be greater than minReadySeconds'))
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate({ status = {} }) {
    const causes: Causes = []
    countsAreCounts(causes, status, [
      'observedGeneration',
      'replicas',
      'updatedReplicas',
      'readyReplicas',
      'availableReplicas',
      'unavailableReplicas',
      'collisionCount',
    ])
    const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
    atMostReplicas(causes, status, ['updatedReplicas', 'readyReplicas', 'availableReplicas'], replicas)
    if (availableReplicas > readyReplicas) causes.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'))
    return causes
  },
}

type Counts = DeepReadonly<{ [name: string]: unknown }>

function countsAreCounts(causes: Causes, status: object, fields: readonly string[]): void {
  for (const field of fields) nonNegative(causes, `status.${field}`, (status as Counts)[field] as number | undefined)
}

function atMostReplicas(causes: Causes, status: object, fields: readonly string[], replicas: number): void {
  for (const field of fields) {
    const count = ((status as Counts)[field] as number | undefined) ?? 0
    if (count > replicas) causes.push(invalid(`status.${field}`, count, 'cannot be greater than status.replicas'))
  }
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
  } else causes.push(notSupported('spec.strategy', strategy, ['Recreate', 'RollingUpdate']))
}

type WithSelector = DeepReadonly<{ spec: { selector?: unknown } }>

function selectorStays(object: WithSelector, old: WithSelector): Causes {
  const causes: Causes = []
  if (object.spec.selector !== old.spec.selector) immutable(causes, 'spec.selector', object.spec.selector, old.spec.selector)
  return causes
}

export const replicaSetStrategy: ResourceStrategy<apps.ReplicaSet> = {
  default: defaultReplicaSet,
  prepareForCreate(object) {
    object.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const causes: Causes = []
    validateCounts(causes, spec)
    validateSelectorAndTemplate(causes, spec.selector, spec.template, 'deployment')
    validateRunningTemplate(causes, spec.template, 'ReplicaSet')
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate: ({ status }) => validateReplicaStatus(status),
}

function validateReplicaStatus(status: DeepReadonly<apps.ReplicaSetStatus> | undefined): Causes {
  const causes: Causes = []
  if (!status) return causes
  const { replicas = 0, fullyLabeledReplicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
  nonNegative(causes, 'status.replicas', replicas)
  nonNegative(causes, 'status.fullyLabeledReplicas', fullyLabeledReplicas)
  nonNegative(causes, 'status.readyReplicas', readyReplicas)
  nonNegative(causes, 'status.availableReplicas', availableReplicas)
  if (fullyLabeledReplicas > replicas)
    causes.push(invalid('status.fullyLabeledReplicas', fullyLabeledReplicas, 'cannot be greater than status.replicas'))
  if (readyReplicas > replicas) causes.push(invalid('status.readyReplicas', readyReplicas, 'cannot be greater than status.replicas'))
  if (availableReplicas > replicas) causes.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than status.replicas'))
  if (availableReplicas > readyReplicas) causes.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than readyReplicas'))
  return causes
}

export const replicationControllerStrategy: ResourceStrategy<core.ReplicationController> = {
  default: defaultReplicationController,
  prepareForCreate(object) {
    object.status = { replicas: 0 }
  },
  prepareForUpdate: keepStatus,
  defaultPropagation: 'Orphan',
  validate({ spec }) {
    const causes: Causes = []
    nonNegative(causes, 'spec.minReadySeconds', spec.minReadySeconds)
    if (!spec.selector || Object.keys(spec.selector).length === 0) causes.push(required('spec.selector'))
    nonNegative(causes, 'spec.replicas', spec.replicas)
    validateRunningTemplate(causes, spec.template, 'ReplicationController')
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
}

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
  validate({ spec }) {
    const causes: Causes = []
    validateSelectorAndTemplate(causes, spec.selector, spec.template, 'daemonset')
    validateRunningTemplate(causes, spec.template, 'DaemonSet')
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
    } else if (strategy?.type !== 'OnDelete') causes.push(notSupported('spec.updateStrategy', strategy, ['RollingUpdate', 'OnDelete']))
    return causes
  },
  validateUpdate: selectorStays,
  validateStatusUpdate({ status = {} as apps.DaemonSetStatus }) {
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
    return causes
  },
}

const statefulSetUpdatable =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

export const statefulSetStrategy: ResourceStrategy<apps.StatefulSet> = {
  default: defaultStatefulSet,
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const causes: Causes = []
    const management = spec.podManagementPolicy
    if (management !== 'OrderedReady' && management !== 'Parallel')
      causes.push(
        management ? invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'") : required('spec.podManagementPolicy'),
      )
    const { type, rollingUpdate } = spec.updateStrategy ?? {}
    if (!type) causes.push(required('spec.updateStrategy'))
    else if (type === 'OnDelete') {
      if (rollingUpdate) causes.push(invalid('spec.updateStrategy.rollingUpdate', rollingUpdate, "only allowed for updateStrategy 'RollingUpdate'"))
    } else if (type === 'RollingUpdate') {
      nonNegative(causes, 'spec.updateStrategy.rollingUpdate.partition', rollingUpdate?.partition)
      if (rollingUpdate?.maxUnavailable !== undefined) {
        validateIntOrPercent(causes, 'spec.updateStrategy.rollingUpdate.maxUnavailable', rollingUpdate.maxUnavailable)
        if (intOrPercentValue(rollingUpdate.maxUnavailable) === 0)
          causes.push(invalid('spec.updateStrategy.rollingUpdate.maxUnavailable', rollingUpdate.maxUnavailable, 'cannot be 0'))
        validateAtMostHundredPercent(causes, 'spec.updateStrategy.rollingUpdate.maxUnavailable', rollingUpdate.maxUnavailable)
      }
    } else causes.push(invalid('spec.updateStrategy', spec.updateStrategy, "must be 'RollingUpdate' or 'OnDelete'"))
    const retention = spec.persistentVolumeClaimRetentionPolicy
    for (const field of ['whenDeleted', 'whenScaled'] as const) {
      const value = retention?.[field]
      if (value !== undefined && value !== 'Retain' && value !== 'Delete')
        causes.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, value, ['Delete', 'Retain']))
    }
    validateCounts(causes, spec)
    nonNegative(causes, 'spec.ordinals.start', spec.ordinals?.start)
    validateSelectorAndTemplate(causes, spec.selector, spec.template, 'statefulset')
    validateRunningTemplate(causes, spec.template && withClaimVolumes(spec), 'StatefulSet')
    spec.volumeClaimTemplates?.forEach((claim, i) => validateClaimSpec(causes, `spec.volumeClaimTemplates[${i}].spec`, claim.spec))
    return causes
  },
  validateUpdate({ spec }, old) {
    const before = old.spec
    const { replicas, ordinals, template, updateStrategy, revisionHistoryLimit, persistentVolumeClaimRetentionPolicy, minReadySeconds } = before
    const munged = {
      ...spec,
      replicas,
      ordinals,
      template,
      updateStrategy,
      revisionHistoryLimit,
      persistentVolumeClaimRetentionPolicy,
      minReadySeconds,
    }
    return same(munged, before) ? [] : [forbidden('spec', statefulSetUpdatable)]
  },
  validateStatusUpdate({ status = {} as apps.StatefulSetStatus }) {
    const causes: Causes = []
    countsAreCounts(causes, status, [
      'replicas',
      'readyReplicas',
      'currentReplicas',
      'updatedReplicas',
      'availableReplicas',
      'observedGeneration',
      'collisionCount',
    ])
    const { replicas = 0, readyReplicas = 0, availableReplicas = 0 } = status
    atMostReplicas(causes, status, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas'], replicas)
    if (availableReplicas > readyReplicas)
      causes.push(invalid('status.availableReplicas', availableReplicas, 'cannot be greater than status.readyReplicas'))
    return causes
  },
}

/** Claim templates become volumes of every pod, so containers may mount them by name. */
function withClaimVolumes(spec: DeepReadonly<apps.StatefulSetSpec>): DeepReadonly<core.PodTemplateSpec> {
  const claims = spec.volumeClaimTemplates
  if (!claims?.length) return spec.template
  const names = new Set(claims.map((claim) => claim.metadata?.name))
  const volumes = [
    ...(spec.template.spec?.volumes?.filter((volume) => !names.has(volume.name)) ?? []),
    ...claims.map((claim) => ({ name: claim.metadata?.name ?? '', persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' } })),
  ]
  return { ...spec.template, spec: { ...spec.template.spec, containers: spec.template.spec?.containers ?? [], volumes } }
}

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
  validate(object) {
    const causes: Causes = []
    validatePodTemplate(causes, 'template', object.template ?? {})
    return causes
  },
}
