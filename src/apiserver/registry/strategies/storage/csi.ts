import type { DeepReadonly, storage } from '#api'
import { dns1123Subdomain, qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import {
  type Causes,
  duplicate,
  immutable,
  invalid,
  invalidEach,
  nonNegative,
  notNegative,
  notSupported,
  optionalOneOf,
  required,
  same,
} from '../../validation/causes.ts'
import { nodeSelectorWarnings } from '../../validation/node-labels.ts'
import { isNegativeQuantity, quantityText } from '../../validation/quantities.ts'
import { validateLabelSelector } from '../../validation/selectors.ts'
import { validateDriverName } from '../../validation/volume-sources.ts'

type DriverSpec = DeepReadonly<storage.CSIDriverSpec>

export const csiDriverStrategy: ResourceStrategy<storage.CSIDriver> = {
  allowUnconditionalUpdate: false,
  default(object) {
    const spec = (object.spec ??= {})
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  // a driver has no generation until one of its settings changes
  prepareForUpdate({ metadata, spec }, old) {
    if (settingsChanged(spec, old.spec)) metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  generationChanged: ({ spec }, { spec: old }) => settingsChanged(spec, old),
  validate({ spec }) {
    const causes: Causes = []
    if (spec.attachRequired === undefined) causes.push(required('spec.attachedRequired'))
    for (const field of ['podInfoOnMount', 'storageCapacity'] as const) if (spec[field] === undefined) causes.push(required(`spec.${field}`))
    optionalOneOf(causes, 'spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType'])
    validateTokenRequests(causes, spec.tokenRequests)
    spec.volumeLifecycleModes?.forEach((mode) => {
      if (mode !== 'Persistent' && mode !== 'Ephemeral') causes.push(notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']))
    })
    if (spec.seLinuxMount === undefined) causes.push(required('spec.seLinuxMount'))
    const period = spec.nodeAllocatableUpdatePeriodSeconds
    if (period !== undefined && period < 10)
      causes.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, 'must be greater than or equal to 10 seconds'))
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    immutable(causes, 'spec.attachedRequired', spec.attachRequired, old.attachRequired)
    immutable(causes, 'spec.volumeLifecycleModes', spec.volumeLifecycleModes, old.volumeLifecycleModes)
    return causes
  },
}

const settings = [
  'podInfoOnMount',
  'storageCapacity',
  'fsGroupPolicy',
  'tokenRequests',
  'requiresRepublish',
  'seLinuxMount',
  'nodeAllocatableUpdatePeriodSeconds',
  'serviceAccountTokenInSecrets',
] as const

const settingsChanged = (spec: DriverSpec, old: DriverSpec) => settings.some((field) => !same(spec[field], old[field]))

/** At most one token for each audience, and one for the API server's own. */
function validateTokenRequests(causes: Causes, requests: DriverSpec['tokenRequests']): void {
  const audiences = new Set<string>()
  requests?.forEach(({ audience = '', expirationSeconds: seconds }, i) => {
    const at = `spec.tokenRequests[${i}]`
    if (audiences.has(audience)) {
      causes.push(duplicate(`${at}.audience`, audience))
      return
    }
    audiences.add(audience)
    if (seconds === undefined) return
    if (seconds < 600) causes.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'))
    if (seconds > 2 ** 32) causes.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'))
  })
}

const maxNodeID = 256

export const csiNodeStrategy: ResourceStrategy<storage.CSINode> = {
  allowUnconditionalUpdate: false,
  default(object) {
    ;(object.spec ??= { drivers: [] }).drivers ??= []
  },
  validate({ spec }) {
    const causes: Causes = []
    const names = new Set<string>()
    spec.drivers.forEach((driver, i) => {
      const at = `spec.drivers[${i}]`
      validateDriverName(causes, `${at}.name`, driver.name)
      if (!driver.nodeID) causes.push(required(`${at}.nodeID`))
      else if (driver.nodeID.length > maxNodeID) causes.push(invalid(`${at}.nodeID`, driver.nodeID, `must be ${maxNodeID} characters or less`))
      nonNegative(causes, `${at}.allocatable.count`, driver.allocatable?.count)
      if (names.has(driver.name)) causes.push(duplicate(`${at}.name`, driver.name))
      names.add(driver.name)
      validateTopologyKeys(causes, at, driver.topologyKeys)
    })
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    const causes: Causes = []
    for (const before of old.drivers) {
      const now = spec.drivers.find((driver) => driver.name === before.name)
      // what a node can attach may change, nothing else of a driver
      if (now && !same({ ...now, allocatable: undefined }, { ...before, allocatable: undefined }))
        causes.push(invalid('spec.drivers', driverAsGo(now), 'field is immutable'))
    }
    return causes
  },
}

/** A driver as upstream prints it: its own type, whose fields have the names that Go gives them. */
const driverAsGo = ({ name, nodeID, topologyKeys }: DeepReadonly<storage.CSINodeDriver>) => ({
  Name: name,
  NodeID: nodeID,
  TopologyKeys: topologyKeys ?? null,
  Allocatable: null,
})

function validateTopologyKeys(causes: Causes, path: string, keys: readonly string[] | undefined): void {
  keys?.forEach((key, i) => {
    if (!key) causes.push(required(path))
    if (keys.indexOf(key) < i) causes.push(duplicate(path, key))
    invalidEach(causes, path, key, qualifiedName(key))
  })
}

export const csiStorageCapacityStrategy: ResourceStrategy<storage.CSIStorageCapacity> = {
  allowUnconditionalUpdate: false,
  validate(object, _apiVersion, old) {
    const causes: Causes = []
    validateLabelSelector(causes, 'nodeTopology', object.nodeTopology, old && { invalidValues: hasInvalidTopology(old) })
    const name = object.storageClassName ?? ''
    invalidEach(causes, 'storageClassName', name, dns1123Subdomain(name))
    if (object.capacity !== undefined && isNegativeQuantity(object.capacity))
      causes.push(invalid('capacity', quantityText(object.capacity), notNegative))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'nodeTopology', object.nodeTopology, old.nodeTopology)
    immutable(causes, 'storageClassName', object.storageClassName, old.storageClassName)
    return causes
  },
  warnings: ({ nodeTopology }) => nodeSelectorWarnings('nodeTopology', nodeTopology),
}

function hasInvalidTopology({ nodeTopology }: DeepReadonly<storage.CSIStorageCapacity>): boolean {
  const causes: Causes = []
  validateLabelSelector(causes, '', nodeTopology)
  return causes.length > 0
}
