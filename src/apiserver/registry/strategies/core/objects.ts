import { isIP } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, pathSegmentName, portNumber, qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required, same } from '../../validation/causes.ts'
import { validateFinalizerName } from '../../validation/object-meta.ts'
import { validateTaints } from '../../validation/pod/scheduling.ts'
import { validateQuantity } from '../../validation/resources.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const nameLabel = 'kubernetes.io/metadata.name'

export const namespaceStrategy: ResourceStrategy<core.Namespace> = {
  default(object) {
    ;(object.status ??= {}).phase ||= 'Active'
    labelWithName(object)
  },
  prepareForCreate(object) {
    object.spec ??= {}
    object.status = { phase: 'Active' }
    const finalizers = (object.spec.finalizers ??= [])
    if (!finalizers.includes('kubernetes')) finalizers.push('kubernetes')
    // A generated name is known only now.
    labelWithName(object)
  },
  prepareForUpdate(object, old) {
    object.spec = { ...object.spec, finalizers: old.spec.finalizers as string[] }
    keepStatus(object, old)
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }) {
    const causes: Causes = []
    spec?.finalizers?.forEach((finalizer) => validateFinalizerName(causes, 'spec.finalizers', finalizer))
    return causes
  },
  validateStatusUpdate(object) {
    const phase = object.status?.phase
    if (object.metadata.deletionTimestamp) {
      if (phase !== 'Terminating') return [invalid('status.Phase', phase ?? '', "may only be 'Terminating' if `deletionTimestamp` is not empty")]
    } else if (phase !== 'Active') return [invalid('status.Phase', phase ?? '', "may only be 'Active' if `deletionTimestamp` is empty")]
    return []
  },
  validateName: dns1123Label,
  selectableFields: (object) => ({ 'status.phase': object.status?.phase ?? '' }),
}

function labelWithName({ metadata }: core.Namespace): void {
  if (metadata.name) (metadata.labels ??= {})[nameLabel] = metadata.name
}

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
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec, status }) {
    const causes: Causes = []
    validateTaints(causes, 'metadata.taints', spec.taints)
    validateNodeResources(causes, status)
    validatePodRanges(causes, spec.podCIDRs)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateNodeResources(causes, status)
    validateNodeAddresses(causes, status)
    return causes
  },
  validateUpdate({ spec, status }, { spec: old }) {
    const causes: Causes = []
    validateNodeAddresses(causes, status)
    if (old.podCIDRs?.length && !same(spec.podCIDRs, old.podCIDRs))
      causes.push(forbidden('spec.podCIDRs', 'node updates may not change podCIDR except from "" to valid'))
    if (old.providerID && old.providerID !== spec.providerID)
      causes.push(forbidden('spec.providerID', 'node updates may not change providerID except from "" to valid'))
    const fixed = (one: typeof spec) => ({
      ...one,
      // once set, these are named above, and their change is none that is allowed
      ...(old.podCIDRs?.length ? {} : { podCIDR: undefined, podCIDRs: undefined }),
      ...(old.providerID ? {} : { providerID: undefined }),
      taints: undefined,
      unschedulable: undefined,
      configSource: undefined,
    })
    if (!same(fixed(spec), fixed(old)))
      causes.push(
        forbidden(
          '[]',
          'node updates may only change labels, taints, or capacity (or configSource, if the DynamicKubeletConfig feature gate is enabled)',
        ),
      )
    return causes
  },
  selectableFields: (object) => ({ 'spec.unschedulable': String(object.spec.unschedulable ?? false) }),
}

function validateNodeResources(causes: Causes, status: DeepReadonly<core.NodeStatus> | undefined): void {
  for (const field of ['capacity', 'allocatable'] as const)
    for (const name in status?.[field]) validateQuantity(causes, `status.${field}.${name}`, name, status[field]![name]!)
}

function validateNodeAddresses(causes: Causes, status: DeepReadonly<core.NodeStatus> | undefined): void {
  status?.addresses?.forEach((address, i) => {
    if (status.addresses!.findIndex((one) => same(one, address)) < i) causes.push(duplicate(`status.addresses[${i}]`, address))
  })
}

/** A node has one range of each address family at most. */
function validatePodRanges(causes: Causes, ranges: readonly string[] | undefined): void {
  ranges?.forEach((range, i) => {
    if (isIP(range.split('/')[0]!) === 0 || !range.includes('/'))
      causes.push(invalid(`spec.podCIDRs[${i}]`, range, 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'))
  })
  const families = new Set(ranges?.map((range) => isIP(range.split('/')[0]!)))
  if (ranges && ranges.length > 1 && families.size < ranges.length)
    causes.push(invalid('spec.podCIDRs', ranges, 'may specify no more than one CIDR for each IP family'))
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

export const endpointsStrategy: ResourceStrategy<core.Endpoints> = {
  default(object) {
    for (const subset of object.subsets ?? []) for (const port of subset.ports ?? []) port.protocol ||= 'TCP'
  },
  validate(object) {
    const causes: Causes = []
    object.subsets?.forEach((subset, i) => validateSubset(causes, `subsets[${i}]`, subset))
    return causes
  },
  allowCreateOnUpdate: true,
}

function validateSubset(causes: Causes, path: string, subset: DeepReadonly<core.EndpointSubset>): void {
  const { addresses = [], notReadyAddresses = [], ports = [] } = subset
  if (addresses.length + notReadyAddresses.length === 0) causes.push(required(path, 'must specify `addresses` or `notReadyAddresses`'))
  addresses.forEach((address, i) => validateAddress(causes, `${path}.addresses[${i}]`, address))
  notReadyAddresses.forEach((address, i) => validateAddress(causes, `${path}.notReadyAddresses[${i}]`, address))
  ports.forEach((port, i) => {
    const at = `${path}.ports[${i}]`
    if (!port.name) {
      if (ports.length > 1) causes.push(required(`${at}.name`))
    } else invalidEach(causes, `${at}.name`, port.name, dns1123Label(port.name))
    invalidEach(causes, `${at}.port`, port.port ?? 0, portNumber(port.port ?? 0))
    if (!port.protocol) causes.push(required(`${at}.protocol`))
    else if (!['TCP', 'UDP', 'SCTP'].includes(port.protocol)) causes.push(notSupported(`${at}.protocol`, port.protocol, ['SCTP', 'TCP', 'UDP']))
    if (port.appProtocol !== undefined) invalidEach(causes, `${at}.appProtocol`, port.appProtocol, qualifiedName(port.appProtocol))
  })
}

function validateAddress(causes: Causes, path: string, address: DeepReadonly<core.EndpointAddress>): void {
  validateEndpointIP(causes, `${path}.ip`, address.ip)
  if (address.hostname) invalidEach(causes, `${path}.hostname`, address.hostname, dns1123Label(address.hostname))
  if (address.nodeName) invalidEach(causes, `${path}.nodeName`, address.nodeName, dns1123Subdomain(address.nodeName))
}

/** Endpoints may not point into the node: no loopback, link-local or unspecified addresses. */
export function validateEndpointIP(causes: Causes, path: string, ip: string): void {
  if (isIP(ip ?? '') === 0) causes.push(invalid(path, ip ?? '', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  else if (ip === '0.0.0.0' || ip === '::') causes.push(invalid(path, ip, `may not be unspecified (${ip})`))
  else if (ip.startsWith('127.') || ip === '::1') causes.push(invalid(path, ip, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'))
  else if (ip.startsWith('169.254.') || /^fe[89ab]/i.test(ip))
    causes.push(invalid(path, ip, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'))
  else if (ip.startsWith('224.0.0.') || /^ff02:/i.test(ip))
    causes.push(invalid(path, ip, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'))
}

/** Events are kept this long after they were last written, seconds (upstream's --event-ttl). */
export const eventTtl = 3600

/** An event may be changed in every field: upstream's check of an update holds it against itself, and its own conformance suite patches notes. */
export const eventStrategy: ResourceStrategy<core.Event> = {
  ttl: eventTtl,
  validateName: (name, apiVersion) => (apiVersion === 'events.k8s.io/v1' ? dns1123Subdomain(name) : pathSegmentName(name)),
  looseFinalizers: true,
  default(object) {
    object.involvedObject ??= {}
  },
  validate(object, apiVersion) {
    const causes: Causes = []
    const { namespace } = object.metadata
    if (apiVersion === 'events.k8s.io/v1') validateStrictEvent(causes, object)
    const involved = object.involvedObject?.namespace ?? ''
    // Events about cluster-scoped objects live in the default namespace.
    // Those with an event time may be about an object of another namespace.
    const elsewhere = object.eventTime ? false : involved !== namespace
    if (involved === '' ? namespace !== undefined && namespace !== 'default' && !(object.eventTime && namespace === 'kube-system') : elsewhere)
      causes.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'))
    if (!object.eventTime) return causes
    if (!object.reportingComponent) causes.push(required('reportingController'))
    invalidEach(causes, 'reportingController', object.reportingComponent ?? '', qualifiedName(object.reportingComponent ?? ''))
    if (!object.reportingInstance) causes.push(required('reportingInstance'))
    else if (object.reportingInstance.length > 128) causes.push(invalid('reportingInstance', '', 'can have at most 128 characters'))
    if (!object.action) causes.push(required('action'))
    else if (object.action.length > 128) causes.push(invalid('action', '', 'can have at most 128 characters'))
    if (!object.reason) causes.push(required('reason'))
    else if (object.reason.length > 128) causes.push(invalid('reason', '', 'can have at most 128 characters'))
    if ((object.message?.length ?? 0) > 1024) causes.push(invalid('message', '', 'can have at most 1024 characters'))
    return causes
  },
  validateCreate(object, apiVersion) {
    const causes: Causes = []
    if (apiVersion === 'events.k8s.io/v1') validateNewEvent(causes, object)
    return causes
  },
  allowCreateOnUpdate: true,
  fieldLabel(field, apiVersion) {
    if (apiVersion === 'v1') return field === 'reportingController' ? undefined : field
    // the events group has its own names, and those alone
    if (field.startsWith('regarding.')) return `involvedObject.${field.slice('regarding.'.length)}`
    return field === 'reportingController' ? 'reportingComponent' : field === 'reason' || field === 'type' ? field : undefined
  },
  selectableFields: (object) => {
    const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = object.involvedObject ?? {}
    return {
      'involvedObject.kind': kind ?? '',
      'involvedObject.namespace': namespace ?? '',
      'involvedObject.name': name ?? '',
      'involvedObject.uid': uid ?? '',
      'involvedObject.apiVersion': apiVersion ?? '',
      'involvedObject.resourceVersion': resourceVersion ?? '',
      'involvedObject.fieldPath': fieldPath ?? '',
      reason: object.reason ?? '',
      reportingComponent: object.reportingComponent ?? '',
      source: object.source?.component || object.reportingComponent || '',
      type: object.type ?? '',
    }
  },
}

/** What new events of events.k8s.io/v1 leave to older ones. */
function validateNewEvent(causes: Causes, event: DeepReadonly<core.Event>): void {
  const unset = (field: string, value: unknown) => {
    if (value) causes.push(invalid(field, '', 'needs to be unset'))
  }
  unset('firstTimestamp', event.firstTimestamp)
  unset('lastTimestamp', event.lastTimestamp)
  unset('count', event.count)
  unset('source', event.source?.component || event.source?.host)
}

/** What events of events.k8s.io/v1 have to keep to, and older ones need not. */
function validateStrictEvent(causes: Causes, event: DeepReadonly<core.Event>): void {
  event.metadata.finalizers?.forEach((finalizer, i) => {
    if (!finalizer.includes('/')) validateFinalizerName(causes, `metadata.finalizers[${i}]`, finalizer)
  })
  if (event.series) {
    if ((event.series.count ?? 0) < 2) causes.push(invalid('series.count', '', 'should be at least 2'))
    if (!event.series.lastObservedTime) causes.push(required('series.lastObservedTime'))
  }
  if (!event.eventTime) causes.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') causes.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
}

const quotaScopes = [
  'BestEffort',
  'CrossNamespacePodAffinity',
  'NotBestEffort',
  'NotTerminating',
  'PriorityClass',
  'Terminating',
  'VolumeAttributesClass',
]

export const resourceQuotaStrategy: ResourceStrategy<core.ResourceQuota> = {
  prepareForCreate(object) {
    object.status = {}
  },
  prepareForUpdate: keepStatus,
  validate({ spec }) {
    const causes: Causes = []
    for (const name in spec?.hard) {
      validateQuotaResource(causes, `spec.hard[${name}]`, name)
      validateQuantity(causes, `spec.hard[${name}]`, name.replace(/^count\/.*/, 'pods'), spec.hard[name]!)
    }
    const scopes = spec?.scopes ?? []
    for (const scope of scopes) if (!quotaScopes.includes(scope)) causes.push(invalid('spec.scopes', scopes, 'unsupported scope'))
    for (const scope of scopes)
      for (const name in spec?.hard)
        if (standardQuota.has(name) && !fitsScope(scope, name)) causes.push(invalid('spec.scopes', scopes, 'unsupported scope applied to resource'))
    for (const [a, b] of [
      ['BestEffort', 'NotBestEffort'],
      ['Terminating', 'NotTerminating'],
    ] as const)
      if (scopes.includes(a) && scopes.includes(b)) causes.push(invalid('spec.scopes', scopes, 'conflicting scopes'))
    spec?.scopeSelector?.matchExpressions?.forEach((requirement, i) => {
      const at = `spec.scopeSelector.matchExpressions[${i}]`
      if (!quotaScopes.includes(requirement.scopeName)) causes.push(invalid(`${at}.scopeName`, requirement.scopeName, 'unsupported scope'))
      for (const name in spec?.hard)
        if (standardQuota.has(name) && !fitsScope(requirement.scopeName, name))
          causes.push(invalid(at, spec?.scopeSelector, 'unsupported scope applied to resource'))
      const { operator, values = [] } = requirement
      if (requirement.scopeName !== 'PriorityClass' && requirement.scopeName !== 'VolumeAttributesClass' && operator !== 'Exists')
        causes.push(
          invalid(
            `${at}.operator`,
            operator,
            "must be 'Exist' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity",
          ),
        )
      if (operator === 'In' || operator === 'NotIn') {
        if (values.length === 0)
          causes.push(required(`${at}.values`, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"))
      } else if (operator === 'Exists' || operator === 'DoesNotExist') {
        if (values.length > 0)
          causes.push(invalid(`${at}.values`, values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector"))
      } else causes.push(invalid(`${at}.operator`, operator, 'not a valid selector operator'))
    })
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    if (!same([...(object.spec.scopes ?? [])].sort(), [...(old.spec.scopes ?? [])].sort()))
      causes.push(invalid('spec.scopes', object.spec.scopes ?? null, 'field is immutable'))
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    for (const field of ['hard', 'used'] as const)
      for (const name in status?.[field]) validateQuantity(causes, `status.${field}[${name}]`, name, status[field]![name]!)
    return causes
  },
}

const standardQuota = new Set([
  'cpu',
  'memory',
  'ephemeral-storage',
  'requests.cpu',
  'requests.memory',
  'requests.storage',
  'requests.ephemeral-storage',
  'limits.cpu',
  'limits.memory',
  'limits.ephemeral-storage',
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'persistentvolumeclaims',
  'configmaps',
  'services.nodeports',
  'services.loadbalancers',
])

/** Scopes select pods, and one of them pods that ask for nothing: other resources cannot be counted by them. */
function fitsScope(scope: string, name: string): boolean {
  if (scope === 'BestEffort') return name === 'pods'
  if (scope === 'VolumeAttributesClass') return name === 'persistentvolumeclaims' || name === 'requests.storage'
  return !quotaScopes.includes(scope) || name === 'pods' || podCompute.test(name)
}

const podCompute = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$/

function validateQuotaResource(causes: Causes, path: string, name: string): void {
  const messages = qualifiedName(name)
  invalidEach(causes, path, name, messages)
  if (name.includes('/') || standardQuota.has(name) || name.startsWith('requests.hugepages-') || name.startsWith('hugepages-')) return
  if (messages.length === 0) causes.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  causes.push(invalid(path, name, 'must be a standard resource for quota'))
}
