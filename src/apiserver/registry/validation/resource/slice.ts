import type { DeepReadonly, core, resource } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, forbidden, immutable, invalid, invalidEach, required, same, tooLong } from '../causes.ts'
import { validateNodeSelector } from '../pod/scheduling.ts'
import { validateRequestPolicy } from './capacity.ts'
import {
  longestQualifiedName,
  validateBinding,
  validateDriver,
  validateLabel,
  validateList,
  validateMap,
  validatePoolName,
  validateQualifiedName,
  validateSet,
  validateTaint,
} from './common.ts'

type Spec = DeepReadonly<resource.ResourceSliceSpec>
type Device = DeepReadonly<resource.Device>
type Attribute = DeepReadonly<resource.DeviceAttribute>
type Counters = DeepReadonly<Record<string, resource.Counter>> | undefined

const maxDevices = 128
/** Devices that have taints, use up counters or have lists as attributes take more room. */
const maxElaborateDevices = 64
const maxCounterSets = 8
const maxCounters = 32
const maxConsumptions = 2
const maxTaints = 16
const maxAttributesAndCapacities = 32
const maxAttributeValues = 48
const maxAttributeLength = 64
const longestLabel = 63

const semver =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/

export function validateSlice(spec: Spec, old?: Spec): Causes {
  const causes: Causes = []
  validateDriver(causes, 'spec.driver', spec.driver)
  const { name, resourceSliceCount = 0, generation = 0 } = spec.pool ?? {}
  validatePoolName(causes, 'spec.pool.name', name)
  if (resourceSliceCount <= 0) causes.push(invalid('spec.pool.resourceSliceCount', resourceSliceCount, 'must be greater than zero'))
  if (generation < 0) causes.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'))
  if (old) {
    immutable(causes, 'spec.pool.name', spec.pool.name, old.pool.name)
    immutable(causes, 'spec.driver', spec.driver, old.driver)
    immutable(causes, 'spec.nodeName', spec.nodeName, old.nodeName)
  }
  validateWhere(causes, spec)
  if (spec.sharedCounters && spec.devices) causes.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'))
  const elaborate = spec.devices?.some(
    (device) => device.taints?.length || device.consumesCounters?.length || Object.values(device.attributes ?? {}).some(isList),
  )
  validateSet(
    causes,
    'spec.devices',
    spec.devices,
    elaborate ? maxElaborateDevices : maxDevices,
    (into, at, device) =>
      validateDevice(
        into,
        at,
        device,
        spec.perDeviceNodeSelection === true,
        old?.devices?.find((one) => one.name === device.name),
      ),
    (device) => device.name ?? '',
  )
  validateSet(
    causes,
    'spec.sharedCounters',
    spec.sharedCounters,
    maxCounterSets,
    (into, at, set) => {
      validateCounterSetName(into, `${at}.name`, set.name)
      validateCounters(into, `${at}.counters`, set.counters)
    },
    (set) => set.name ?? '',
  )
  return causes
}

interface Where {
  nodeName?: string
  nodeSelector?: DeepReadonly<core.NodeSelector>
  allNodes?: boolean
}

const unsetOrTrue = 'must be either unset or set to true'

/** Which nodes reach the devices is said in exactly one way. */
function validateWhere(causes: Causes, spec: Spec): void {
  const said = whereSaid(causes, 'spec', spec, 'must be either unset or set to a non-empty string', (terms) => {
    // one term, so that those of several slices can be put together
    if (terms?.length !== 1) causes.push(invalid('spec.nodeSelector.nodeSelectorTerms', terms ?? null, 'must have exactly one node selector term'))
  })
  if (spec.perDeviceNodeSelection === true) said.push('`perDeviceNodeSelection`')
  else if (spec.perDeviceNodeSelection === false) causes.push(invalid('spec.perDeviceNodeSelection', false, unsetOrTrue))
  const message = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'
  if (said.length === 0) causes.push(required('spec', message))
  else if (said.length > 1) causes.push(invalid('spec', `{${said.join(', ')}}`, `${message}, but multiple fields are set`))
}

/** The fields of the three that are set, as messages name them. */
function whereSaid(
  causes: Causes,
  path: string,
  { nodeName, nodeSelector, allNodes }: Where,
  emptyName: string,
  checkTerms?: (terms: DeepReadonly<core.NodeSelectorTerm[]> | undefined) => void,
): string[] {
  const said: string[] = []
  if (nodeName) {
    said.push('`nodeName`')
    invalidEach(causes, `${path}.nodeName`, nodeName, dns1123Subdomain(nodeName))
  } else if (nodeName === '') causes.push(invalid(`${path}.nodeName`, nodeName, emptyName))
  if (nodeSelector) {
    said.push('`nodeSelector`')
    validateNodeSelector(causes, `${path}.nodeSelector`, nodeSelector)
    checkTerms?.(nodeSelector.nodeSelectorTerms)
  }
  if (allNodes === true) said.push('`allNodes`')
  else if (allNodes === false) causes.push(invalid(`${path}.allNodes`, allNodes, unsetOrTrue))
  return said
}

function validateDevice(causes: Causes, path: string, device: Device, selectsNodes: boolean, old: Device | undefined): void {
  validateLabel(causes, `${path}.name`, device.name ?? '')
  const { attributes = {}, capacity = {} } = device
  const entries = Object.keys(attributes).length + Object.keys(capacity).length
  if (entries > maxAttributesAndCapacities)
    causes.push(invalid(path, entries, `the total number of attributes and capacities must not exceed ${maxAttributesAndCapacities}`))
  const values = Object.values(attributes).reduce((sum, attribute) => sum + (lengthOf(attribute) || 1), 0)
  if (values > maxAttributeValues) causes.push(invalid(path, values, `the total number of attribute values must not exceed ${maxAttributeValues}`))
  validateMap(causes, `${path}.attributes`, attributes, Infinity, longestQualifiedName, validateQualifiedName, validateAttribute)
  // what was taken once is not looked at again
  if (!old || !same(old.capacity, device.capacity))
    validateMap(causes, `${path}.capacity`, capacity, Infinity, longestQualifiedName, validateQualifiedName, (into, at, { value, requestPolicy }) => {
      if (!requestPolicy) return
      if (device.allowMultipleAllocations) validateRequestPolicy(into, `${at}.requestPolicy`, value, requestPolicy)
      else into.push(forbidden(`${at}.requestPolicy`, 'allowMultipleAllocations must be true'))
    })
  if (!old || !same(old.taints, device.taints)) validateList(causes, `${path}.taints`, device.taints, maxTaints, validateTaint)
  validateSet(
    causes,
    `${path}.consumesCounters`,
    device.consumesCounters,
    maxConsumptions,
    (into, at, consumption) => {
      validateCounterSetName(into, `${at}.counterSet`, consumption.counterSet)
      validateCounters(into, `${at}.counters`, consumption.counters)
    },
    (consumption) => consumption.counterSet ?? '',
  )
  if (selectsNodes) {
    const said = whereSaid(causes, path, device, 'must not be empty')
    const message =
      'exactly one of `nodeName`, `nodeSelector`, or `allNodes` is required when `perDeviceNodeSelection` is set to true in the ResourceSlice spec'
    if (said.length === 0) causes.push(required(path, message))
    else if (said.length > 1) causes.push(invalid(path, `{${said.join(', ')}}`, message))
  } else if (device.nodeName !== undefined || device.nodeSelector || device.allNodes !== undefined)
    causes.push(
      invalid(
        path,
        undefined,
        '`nodeName`, `nodeSelector` and `allNodes` can only be set if `perDeviceNodeSelection` is set to true in the ResourceSlice spec',
      ),
    )
  validateBinding(causes, path, device)
}

const lists = ['bools', 'ints', 'strings', 'versions'] as const
const isList = (attribute: Attribute) => lists.some((field) => attribute[field] !== undefined)
const lengthOf = (attribute: Attribute) => lists.reduce((sum, field) => sum + (attribute[field]?.length ?? 0), 0)

function validateAttribute(causes: Causes, path: string, attribute: Attribute): void {
  if (attribute.string !== undefined && Buffer.byteLength(attribute.string) > maxAttributeLength)
    causes.push(tooLong(`${path}.string`, maxAttributeLength))
  if (attribute.version !== undefined) {
    if (!semver.test(attribute.version))
      causes.push(invalid(`${path}.version`, attribute.version, 'must be a string compatible with semver.org spec 2.0.0'))
    if (attribute.version.length > maxAttributeLength) causes.push(tooLong(`${path}.version`, maxAttributeLength))
  }
  const set = Object.values(attribute).filter((value) => value !== undefined).length
  if (set !== 1) causes.push(invalid(path, set === 0 ? '' : internal(attribute), 'exactly one value must be specified'))
}

/** As upstream prints the value of an attribute: by the names of its own fields, absent ones included. */
const internal = ({ int, bool, string, version }: Attribute) => ({
  IntValue: int ?? null,
  BoolValue: bool ?? null,
  StringValue: string ?? null,
  VersionValue: version ?? null,
  IntValues: null,
  BoolValues: null,
  StringValues: null,
  VersionValues: null,
})

function validateCounterSetName(causes: Causes, path: string, name: string | undefined): void {
  if (!name) causes.push(required(path))
  else validateLabel(causes, path, name)
}

function validateCounters(causes: Causes, path: string, counters: Counters): void {
  if (Object.keys(counters ?? {}).length === 0) causes.push(required(path))
  else validateMap(causes, path, counters, maxCounters, longestLabel, validateLabel, () => {})
}
