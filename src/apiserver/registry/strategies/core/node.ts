import type { DeepReadonly, core } from '#api'
import { jsonError } from '../../../json-error.ts'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, duplicate, forbidden, invalid, required, same } from '../../validation/causes.ts'
import { cidrWarnings, parseCidr, validateCidr } from '../../validation/ip.ts'
import { validateTaints } from '../../validation/pod/scheduling.ts'
import { validateQuantity } from '../../validation/resources.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultAmounts } from '../amounts.ts'

type Annotations = DeepReadonly<Record<string, string>> | undefined
type Status = DeepReadonly<core.NodeStatus> | undefined

const taintsAnnotation = 'scheduler.alpha.kubernetes.io/taints'
const avoidPodsAnnotation = 'scheduler.alpha.kubernetes.io/preferAvoidPods'

export const nodeStrategy: ResourceStrategy<core.Node> = {
  default(object) {
    const spec = (object.spec ??= {})
    if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR]
    else if (spec.podCIDRs?.length && !spec.podCIDR) spec.podCIDR = spec.podCIDRs[0]!
    const status = (object.status ??= {})
    if (status.capacity && !status.allocatable) status.allocatable = { ...status.capacity }
    const endpoints = (status.daemonEndpoints ??= {})
    endpoints.kubeletEndpoint ??= { Port: 0 }
    status.nodeInfo = { ...noNodeInfo, ...status.nodeInfo }
    defaultAmounts(status.capacity, status.allocatable)
  },
  // kubelets are no longer configured through the API: what was never said is not taken any more
  prepareForCreate({ spec, status }) {
    delete spec.configSource
    delete status?.config
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    if (!old.spec.configSource) delete object.spec.configSource
  },
  prepareForStatusUpdate(object, old) {
    keepAllButStatus(object, old)
    if (!old.status?.config) delete object.status?.config
  },
  validate({ metadata, spec, status }, _apiVersion, old) {
    const causes: Causes = []
    validateAnnotations(causes, metadata.annotations)
    validateTaints(causes, 'metadata.taints', spec.taints)
    validateResources(causes, status)
    validatePodRanges(causes, spec.podCIDRs, old?.spec.podCIDRs)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateResources(causes, status)
    validateAddresses(causes, status)
    return causes
  },
  validateUpdate({ spec, status }, { spec: old }) {
    const causes: Causes = []
    validateAddresses(causes, status)
    if (old.podCIDRs?.length && !same(spec.podCIDRs, old.podCIDRs))
      causes.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
    if (old.providerID && old.providerID !== spec.providerID)
      causes.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
    if ((spec.externalID ?? '') !== (old.externalID ?? '')) causes.push(forbidden('spec.externalID', 'may not be updated'))
    return causes
  },
  selectableFields: (object) => ({ 'spec.unschedulable': String(object.spec.unschedulable ?? false) }),
  warnings({ spec }) {
    const warnings = spec.configSource ? ['spec.configSource: the feature is removed'] : []
    if (spec.externalID) warnings.push('spec.externalID: this field is deprecated, and is unused by Kubernetes')
    spec.podCIDRs?.forEach((range, i) => warnings.push(...cidrWarnings(`spec.podCIDRs[${i}]`, range)))
    return warnings
  },
}

/** Annotations that once were fields to be, and are looked at still. */
function validateAnnotations(causes: Causes, annotations: Annotations): void {
  const path = 'metadata.annotations'
  const taints = annotations?.[taintsAnnotation]
  if (taints) {
    const problem = jsonError(taints)
    if (problem) causes.push(invalid(path, taintsAnnotation, problem))
    else validateTaints(causes, `${path}.${taintsAnnotation}`, asList<core.Taint>(JSON.parse(taints)))
  }
  const avoid = annotations?.[avoidPodsAnnotation]
  if (!avoid) return
  const problem = jsonError(avoid)
  if (problem) causes.push(invalid(`${path}.AvoidPods`, avoidPodsAnnotation, problem))
  else
    asList<core.PreferAvoidPodsEntry>((JSON.parse(avoid) as core.AvoidPods | null)?.preferAvoidPods).forEach((entry, i) => {
      const at = `${path}.${avoidPodsAnnotation}[${i}].PodSignature`
      const controller = entry?.podSignature?.podController
      if (!controller) causes.push(required(at))
      else if (!controller.controller) causes.push(invalid(`${at}.PodController.Controller`, false, 'must point to a controller'))
    })
}

const asList = <T>(value: unknown): T[] => (Array.isArray(value) ? (value as T[]) : [])

function validateResources(causes: Causes, status: Status): void {
  for (const field of ['capacity', 'allocatable'] as const)
    for (const name in status?.[field]) validateQuantity(causes, `status.${field}.${name}`, name, status[field]![name]!)
}

function validateAddresses(causes: Causes, status: Status): void {
  const seen = new Set<string>()
  status?.addresses?.forEach(({ type = '', address = '' }, i) => {
    const key = JSON.stringify([type, address])
    // a struct whose fields have the names that Go gives them
    if (seen.has(key)) causes.push(duplicate(`status.addresses[${i}]`, { Type: type, Address: address }))
    seen.add(key)
  })
}

/** A node has one range of each address family at most. */
function validatePodRanges(causes: Causes, ranges: readonly string[] = [], old: readonly string[] | undefined): void {
  ranges.forEach((range, i) => validateCidr(causes, `spec.podCIDRs[${i}]`, range, old))
  if (ranges.length < 2) return
  if (ranges.length > 2 || new Set(ranges.map((range) => parseCidr(range)?.address.family)).size < 2)
    causes.push(invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'))
  ranges.forEach((range, i) => {
    if (ranges.indexOf(range) < i) causes.push(duplicate(`spec.podCIDRs[${i}]`, range))
  })
}

const noNodeInfo: core.NodeSystemInfo = {
  machineID: '',
  systemUUID: '',
  bootID: '',
  kernelVersion: '',
  osImage: '',
  containerRuntimeVersion: '',
  kubeletVersion: '',
  kubeProxyVersion: '',
  operatingSystem: '',
  architecture: '',
}
