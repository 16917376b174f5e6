import type { apps, core } from '#api'
import { defaultPodTemplate } from '../pod/defaults.ts'
import { defaultRequirements } from '../amounts.ts'

const template = (spec: { template?: core.PodTemplateSpec }) => defaultPodTemplate((spec.template ??= {}))

export function defaultDeployment(object: apps.Deployment): void {
  const spec = (object.spec ??= {} as apps.DeploymentSpec)
  template(spec)
  spec.replicas ??= 1
  const strategy = (spec.strategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {})
    rolling.maxUnavailable ??= '25%'
    rolling.maxSurge ??= '25%'
  }
  spec.revisionHistoryLimit ??= 10
  spec.progressDeadlineSeconds ??= 600
}

export function defaultReplicaSet(object: apps.ReplicaSet): void {
  const spec = (object.spec ??= {} as apps.ReplicaSetSpec)
  template(spec)
  spec.replicas ??= 1
}

export function defaultReplicationController(object: core.ReplicationController): void {
  const spec = (object.spec ??= {})
  const labels = spec.template?.metadata?.labels
  if (spec.template) defaultPodTemplate(spec.template)
  if (labels) {
    if (isEmpty(spec.selector)) spec.selector = { ...labels }
    if (isEmpty(object.metadata.labels)) object.metadata.labels = { ...labels }
  }
  spec.replicas ??= 1
}

export function defaultDaemonSet(object: apps.DaemonSet): void {
  const spec = (object.spec ??= {} as apps.DaemonSetSpec)
  template(spec)
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') {
    const rolling = (strategy.rollingUpdate ??= {})
    rolling.maxUnavailable ??= 1
    rolling.maxSurge ??= 0
  }
  spec.revisionHistoryLimit ??= 10
}

export function defaultStatefulSet(object: apps.StatefulSet): void {
  const spec = (object.spec ??= {} as apps.StatefulSetSpec)
  template(spec)
  spec.podManagementPolicy ||= 'OrderedReady'
  const strategy = (spec.updateStrategy ??= {})
  strategy.type ||= 'RollingUpdate'
  if (strategy.type === 'RollingUpdate') (strategy.rollingUpdate ??= {}).partition ??= 0
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {})
  retention.whenDeleted ||= 'Retain'
  retention.whenScaled ||= 'Retain'
  spec.replicas ??= 1
  spec.revisionHistoryLimit ??= 10
  if (spec.volumeClaimTemplates) {
    for (const claim of spec.volumeClaimTemplates) {
      claim.apiVersion ||= 'v1'
      claim.kind ||= 'PersistentVolumeClaim'
      claim.spec ??= {}
      claim.spec.volumeMode ??= 'Filesystem'
      defaultRequirements((claim.spec.resources ??= {}))
      ;(claim.status ??= {}).phase ||= 'Pending'
    }
  }
}

function isEmpty(map: Record<string, unknown> | undefined): boolean {
  for (const _ in map) return false
  return true
}
