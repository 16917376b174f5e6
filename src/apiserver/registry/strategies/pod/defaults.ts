import type { core } from '#api'
import { defaultAmounts, defaultRequirements } from '../amounts.ts'
import { dropDisabledFields } from './disabled-fields.ts'
import { defaultPodResources } from './pod-resources.ts'

/** Defaults of a Pod: those of its spec, and what only real pods (not templates) get. */
export function defaultPod(pod: core.Pod): void {
  const spec = (pod.spec ??= { containers: [] })
  defaultPodSpec(spec)
  spec.enableServiceLinks ??= true
  for (const container of spec.containers) defaultRequests(container.resources)
  if (spec.initContainers) for (const container of spec.initContainers) defaultRequests(container.resources)
  if (spec.resources) defaultPodResources(spec)
  if (spec.hostNetwork) {
    defaultHostPorts(spec.containers)
    if (spec.initContainers) defaultHostPorts(spec.initContainers)
  }
}

/** Defaults of a pod template inside a workload. */
export function defaultPodTemplate(template: core.PodTemplateSpec): void {
  template.metadata ??= {} as core.Pod['metadata']
  defaultPodSpec((template.spec ??= { containers: [] }))
  dropDisabledFields(template.spec)
}

export function defaultPodSpec(spec: core.PodSpec): void {
  spec.containers ??= []
  for (const container of spec.containers) defaultContainer(container)
  if (spec.initContainers) for (const container of spec.initContainers) defaultContainer(container)
  if (spec.ephemeralContainers) for (const container of spec.ephemeralContainers) defaultContainer(container)
  if (spec.volumes) for (const volume of spec.volumes) defaultVolume(volume)
  defaultAmounts(spec.overhead)
  defaultRequirements(spec.resources)
  spec.restartPolicy ||= 'Always'
  spec.terminationGracePeriodSeconds ??= 30
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.securityContext ??= {}
  spec.schedulerName ||= 'default-scheduler'
  mirrorServiceAccount(spec)
}

/** `serviceAccount` is the deprecated alias of `serviceAccountName`; objects carry both. */
export function mirrorServiceAccount(spec: core.PodSpec): void {
  const name = spec.serviceAccountName || spec.serviceAccount
  if (!name) return
  spec.serviceAccountName = name
  spec.serviceAccount = name
}

export function defaultContainer(container: core.Container | core.EphemeralContainer): void {
  if (container.ports) for (const port of container.ports) port.protocol ||= 'TCP'
  if (container.env) {
    for (const variable of container.env) {
      const from = variable.valueFrom
      if (!from) continue
      if (from.fieldRef) from.fieldRef.apiVersion ||= 'v1'
      if (from.resourceFieldRef) from.resourceFieldRef.divisor ||= '0'
    }
  }
  defaultRequirements((container.resources ??= {}))
  if (container.livenessProbe) defaultProbe(container.livenessProbe)
  if (container.readinessProbe) defaultProbe(container.readinessProbe)
  if (container.startupProbe) defaultProbe(container.startupProbe)
  if (container.lifecycle) {
    defaultHttpGet(container.lifecycle.postStart?.httpGet)
    defaultHttpGet(container.lifecycle.preStop?.httpGet)
  }
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  container.imagePullPolicy ||= pullPolicyFor(container.image)
}

function defaultProbe(probe: core.Probe): void {
  defaultHttpGet(probe.httpGet)
  if (probe.grpc) probe.grpc.service ??= ''
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
}

function defaultHttpGet(action: core.HTTPGetAction | undefined): void {
  if (!action) return
  action.path ||= '/'
  action.scheme ||= 'HTTP'
}

/** An image whose tag is `latest`, or has neither tag nor digest, is pulled always. */
function pullPolicyFor(image: string | undefined): core.PullPolicy {
  if (!image) return 'IfNotPresent'
  const at = image.indexOf('@')
  const end = at < 0 ? image.length : at
  const colon = image.indexOf(':', image.lastIndexOf('/', end) + 1)
  if (colon < 0 || colon >= end) return at < 0 ? 'Always' : 'IfNotPresent'
  return image.slice(colon + 1, end) === 'latest' ? 'Always' : 'IfNotPresent'
}

/** What has a limit and no request gets the limit as its request. */
function defaultRequests(resources: core.ResourceRequirements | undefined): void {
  const limits = resources?.limits
  if (!limits) return
  const requests = (resources.requests ??= {})
  for (const name in limits) requests[name] ??= limits[name]!
}

function defaultHostPorts(containers: core.Container[]): void {
  for (const container of containers) if (container.ports) for (const port of container.ports) port.hostPort ||= port.containerPort
}

export function defaultVolume(volume: core.Volume): void {
  let sources = 0
  for (const key in volume) if (key !== 'name' && volume[key as keyof core.Volume] !== undefined) sources++
  if (sources === 0) {
    volume.emptyDir = {}
    return
  }
  if (volume.configMap) volume.configMap.defaultMode ??= 0o644
  else if (volume.secret) volume.secret.defaultMode ??= 0o644
  else if (volume.projected) defaultProjection(volume.projected)
  else if (volume.hostPath) volume.hostPath.type ??= ''
  else if (volume.downwardAPI) {
    volume.downwardAPI.defaultMode ??= 0o644
    defaultDownwardItems(volume.downwardAPI.items)
  } else if (volume.ephemeral?.volumeClaimTemplate) {
    const template = volume.ephemeral.volumeClaimTemplate
    template.metadata ??= {} as core.Pod['metadata']
    template.spec ??= {}
    template.spec.volumeMode ??= 'Filesystem'
    defaultRequirements((template.spec.resources ??= {}))
  } else if (volume.image) volume.image.pullPolicy ||= pullPolicyFor(volume.image.reference)
  else defaultVolumeSource(volume)
}

/** Defaults of the sources that pod volumes and persistent volumes share. */
export function defaultVolumeSource(source: core.VolumeSource | core.PersistentVolumeSource): void {
  const { iscsi, rbd, azureDisk, scaleIO } = source
  if (iscsi) iscsi.iscsiInterface ||= 'default'
  if (rbd) {
    rbd.pool ||= 'rbd'
    rbd.user ||= 'admin'
    rbd.keyring ||= '/etc/ceph/keyring'
  }
  if (azureDisk) {
    azureDisk.cachingMode ??= 'ReadWrite'
    azureDisk.kind ??= 'Shared'
    azureDisk.fsType ??= 'ext4'
    azureDisk.readOnly ??= false
  }
  if (scaleIO) {
    scaleIO.storageMode ||= 'ThinProvisioned'
    scaleIO.fsType ||= 'xfs'
  }
}

function defaultProjection(projected: core.ProjectedVolumeSource): void {
  projected.defaultMode ??= 0o644
  if (!projected.sources) return
  for (const source of projected.sources) {
    if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
    if (source.downwardAPI) defaultDownwardItems((source.downwardAPI as core.DownwardAPIProjection).items)
  }
}

function defaultDownwardItems(items: core.DownwardAPIVolumeFile[] | undefined): void {
  if (!items) return
  for (const item of items) {
    if (item.fieldRef) item.fieldRef.apiVersion ||= 'v1'
    if (item.resourceFieldRef) item.resourceFieldRef.divisor ||= '0'
  }
}
