import type { DeepReadonly, apps, core } from '#api'
import { dns1123Label } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, nonNegative, notSupported, required, same } from '../../validation/causes.ts'
import { groupForms } from '../../validation/group-forms.ts'
import { internalForm } from '../../validation/internal-form.ts'
import { validateClaimSpec } from '../../validation/claims.ts'
import {
  intOrPercentValue,
  validateAtMostHundredPercent,
  validateCounts,
  validateIntOrPercent,
  validateRunningTemplate,
  validateSelectorAndTemplate,
} from '../../validation/workload.ts'
import { workloadWarnings } from '../../warnings/pod.ts'
import { fractionWarnings } from '../../warnings/quantities.ts'
import { keepStatus } from '../status.ts'
import { defaultStatefulSet } from './defaults.ts'
import { atMostReplicas, availableAreReady, collisionsGrow, countsAreCounts } from './replica-counts.ts'

type Spec = DeepReadonly<apps.StatefulSetSpec>

const mutable = [
  'replicas',
  'ordinals',
  'template',
  'updateStrategy',
  'revisionHistoryLimit',
  'persistentVolumeClaimRetentionPolicy',
  'minReadySeconds',
] as const
const notMutable =
  "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden"

export const statefulSetStrategy: ResourceStrategy<apps.StatefulSet> = {
  default: defaultStatefulSet,
  // Pods have the name, and their host names with it.
  validateName: dns1123Label,
  prepareForCreate(object) {
    object.status = { replicas: 0, availableReplicas: 0 }
  },
  prepareForUpdate: keepStatus,
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    const management = spec.podManagementPolicy
    if (!management) causes.push(required('spec.podManagementPolicy'))
    else if (management !== 'OrderedReady' && management !== 'Parallel')
      causes.push(invalid('spec.podManagementPolicy', management, "must be 'OrderedReady' or 'Parallel'"))
    validateUpdateStrategy(causes, spec.updateStrategy)
    const retention = spec.persistentVolumeClaimRetentionPolicy
    for (const field of ['whenDeleted', 'whenScaled'] as const)
      if (retention && retention[field] !== 'Retain' && retention[field] !== 'Delete')
        causes.push(notSupported(`spec.persistentVolumeClaimRetentionPolicy.${field}`, retention[field] ?? '', ['Retain', 'Delete']))
    validateCounts(causes, spec)
    nonNegative(causes, 'spec.ordinals.start', spec.ordinals?.start)
    if (validateSelectorAndTemplate(causes, spec.selector, spec.template, 'statefulset')) tolerated(causes, validateTemplate, spec, old?.spec)
    tolerated(causes, validateClaimTemplates, spec, old?.spec)
    return causes
  },
  // a name that cannot be one of a service does no harm to what runs already
  validateCreate({ spec }) {
    const causes: Causes = []
    if (spec.serviceName) invalidEach(causes, 'spec.serviceName', spec.serviceName, dns1123Label(spec.serviceName))
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const munged: Record<string, unknown> = { ...spec }
    for (const field of mutable) munged[field] = old[field]
    return same(munged, old) ? [] : [forbidden('spec', notMutable)]
  },
  validateStatusUpdate({ status = {} as apps.StatefulSetStatus }, old) {
    const causes: Causes = []
    const parts = ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']
    countsAreCounts(causes, status, ['replicas', ...parts, 'observedGeneration', 'collisionCount'])
    atMostReplicas(causes, status, parts)
    availableAreReady(causes, status, 'status.readyReplicas')
    collisionsGrow(causes, status, old.status)
    return causes
  },
  warnings: (object, old) => [
    ...workloadWarnings(object, old),
    ...((object.spec.revisionHistoryLimit ?? 0) < 0
      ? ['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended']
      : []),
    ...claimWarnings(object.spec, old !== undefined),
  ],
}

function claimWarnings({ volumeClaimTemplates = [] }: Spec, update: boolean): string[] {
  const warnings: string[] = []
  for (const [i, { spec }] of volumeClaimTemplates.entries()) {
    // upstream writes the capital, of updates alone
    const path = `spec.volumeClaimTemplates[${i}]${update ? '.Spec' : ''}.resources`
    fractionWarnings(warnings, `${path}.requests`, spec?.resources?.requests, ['storage'])
    fractionWarnings(warnings, `${path}.limits`, spec?.resources?.limits, ['storage'])
  }
  return warnings
}

function validateUpdateStrategy(causes: Causes, strategy: Spec['updateStrategy']): void {
  const { type, rollingUpdate } = strategy ?? {}
  const path = 'spec.updateStrategy'
  if (!type) causes.push(required(path))
  else if (type === 'OnDelete') {
    if (rollingUpdate)
      causes.push(
        invalid(
          `${path}.rollingUpdate`,
          internalForm(rollingUpdate, groupForms.statefulSetRolling),
          "only allowed for updateStrategy 'RollingUpdate'",
        ),
      )
  } else if (type === 'RollingUpdate') {
    nonNegative(causes, `${path}.rollingUpdate.partition`, rollingUpdate?.partition)
    const unavailable = rollingUpdate?.maxUnavailable
    if (unavailable === undefined) return
    validateIntOrPercent(causes, `${path}.rollingUpdate.maxUnavailable`, unavailable)
    if (intOrPercentValue(unavailable) === 0) causes.push(invalid(`${path}.rollingUpdate.maxUnavailable`, unavailable, 'cannot be 0'))
    validateAtMostHundredPercent(causes, `${path}.rollingUpdate.maxUnavailable`, unavailable)
  } else causes.push(invalid(path, internalForm(strategy, groupForms.statefulSetStrategy), "must be 'RollingUpdate' or 'OnDelete'"))
}

/** Templates of pods and claims were not looked at in the past: what was wrong before an update is not its fault. */
function tolerated(causes: Causes, check: (causes: Causes, spec: Spec) => void, spec: Spec, old: Spec | undefined): void {
  const found: Causes = []
  check(found, spec)
  if (found.length === 0) return
  const before: Causes = []
  if (old) check(before, old)
  if (before.length === 0) causes.push(...found)
}

function validateTemplate(causes: Causes, spec: Spec): void {
  validateRunningTemplate(causes, spec.template && withClaimVolumes(spec), 'StatefulSet')
}

function validateClaimTemplates(causes: Causes, spec: Spec): void {
  spec.volumeClaimTemplates?.forEach((claim, i) => validateClaimSpec(causes, `spec.volumeClaimTemplates[${i}].spec`, claim.spec))
}

/** Claim templates become volumes of every pod, so containers may mount them by name. */
function withClaimVolumes(spec: Spec): DeepReadonly<core.PodTemplateSpec> {
  const claims = spec.volumeClaimTemplates
  if (!claims?.length) return spec.template
  const names = new Set(claims.map((claim) => claim.metadata?.name))
  const volumes = [
    ...(spec.template.spec?.volumes?.filter((volume) => !names.has(volume.name)) ?? []),
    ...claims.map((claim) => ({ name: claim.metadata?.name ?? '', persistentVolumeClaim: { claimName: claim.metadata?.name ?? '' } })),
  ]
  return { ...spec.template, spec: { ...spec.template.spec, containers: spec.template.spec?.containers ?? [], volumes } }
}
