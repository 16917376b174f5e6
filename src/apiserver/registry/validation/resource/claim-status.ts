import type { DeepReadonly, resource } from '#api'
import { validateInterfaceAddress } from '../addresses.ts'
import { type Causes, forbidden, immutable, invalid, notSupported, required, same, tooLong, tooMany } from '../causes.ts'
import { validateConditions } from '../conditions.ts'
import { validateNodeSelector } from '../pod/scheduling.ts'
import { maxRequests, requestNames, validateRequestRef, validateRequestRefs } from './claim.ts'
import {
  maxConfig,
  validateBinding,
  validateConfiguration,
  validateDriver,
  validateLabel,
  validateList,
  validatePoolName,
  validateRaw,
  validateSet,
  validateTolerations,
  validateUid,
} from './common.ts'

type Claim = DeepReadonly<resource.ResourceClaim>
type Allocation = DeepReadonly<resource.AllocationResult>
type DeviceStatus = DeepReadonly<resource.AllocatedDeviceStatus>

const maxReservedFor = 256
const maxConditions = 8
const maxData = 10 * 1024
const maxIPs = 16
const maxInterfaceName = 256
const maxHardwareAddress = 128

export function validateClaimStatusUpdate(claim: Claim, old: Claim): Causes {
  const causes: Causes = []
  const { allocation, reservedFor = [], devices } = claim.status ?? {}
  const before = old.status ?? {}
  validateSet(
    causes,
    'status.reservedFor',
    reservedFor,
    maxReservedFor,
    (into, at, user) => {
      for (const field of ['resource', 'name', 'uid'] as const) if (!user[field]) into.push(required(`${at}.${field}`))
    },
    (user) => user.uid ?? '',
  )
  const allocated = new Set(allocation?.devices?.results?.map((result) => JSON.stringify(deviceId(result))))
  validateSet(
    causes,
    'status.devices',
    devices,
    Infinity,
    (into, at, device) => validateDeviceStatus(into, at, device, allocated),
    (device) => JSON.stringify(deviceId(device)),
    deviceId,
  )
  if (reservedFor.length > 0) {
    if (!allocation) causes.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'))
    else if (claim.metadata.deletionTimestamp && reservedFor.some((user) => !before.reservedFor?.some((had) => same(had, user))))
      causes.push(forbidden('status.reservedFor', 'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set'))
  }
  // what is allocated stays as it is until it is taken away as a whole
  if (allocation && before.allocation) immutable(causes, 'status.allocation', allocation, before.allocation)
  else if (allocation) validateAllocation(causes, 'status.allocation', allocation, requestNames(claim.spec))
  return causes
}

/** As upstream prints it. */
const deviceId = ({ driver = '', pool = '', device = '', shareID = '' }: { driver?: string; pool?: string; device?: string; shareID?: string }) => ({
  Driver: driver,
  Pool: pool,
  Device: device,
  ShareID: shareID,
})

function validateAllocation(causes: Causes, path: string, allocation: Allocation, names: Set<string>): void {
  const at = `${path}.devices`
  validateList(causes, `${at}.results`, allocation.devices?.results, maxRequests, (into, where, result) => {
    validateRequestRef(into, `${where}.request`, result.request ?? '', names)
    validateDriver(into, `${where}.driver`, result.driver)
    validatePoolName(into, `${where}.pool`, result.pool)
    validateLabel(into, `${where}.device`, result.device ?? '')
    validateBinding(into, where, result)
    validateTolerations(into, `${where}.tolerations`, result.tolerations)
    if (result.shareID !== undefined) validateUid(into, `${where}.shareID`, result.shareID)
  })
  // the class's and the claim's
  validateList(causes, `${at}.config`, allocation.devices?.config, 2 * maxConfig, (into, where, config) => {
    if (!config.source) into.push(required(`${where}.source`))
    else if (config.source !== 'FromClaim' && config.source !== 'FromClass')
      into.push(notSupported(`${where}.source`, config.source, ['FromClaim', 'FromClass']))
    validateRequestRefs(into, `${where}.requests`, config.requests, names)
    validateConfiguration(into, where, config, false)
  })
  if (allocation.nodeSelector) validateNodeSelector(causes, `${path}.nodeSelector`, allocation.nodeSelector)
}

function validateDeviceStatus(causes: Causes, path: string, device: DeviceStatus, allocated: Set<string>): void {
  validateDriver(causes, `${path}.driver`, device.driver)
  validatePoolName(causes, `${path}.pool`, device.pool)
  validateLabel(causes, `${path}.device`, device.device ?? '')
  if (device.shareID !== undefined) validateUid(causes, `${path}.shareID`, device.shareID)
  const id = deviceId(device)
  if (!allocated.has(JSON.stringify(id))) causes.push(invalid(path, id, 'must be an allocated device in the claim'))
  const conditions = device.conditions?.length ?? 0
  if (conditions > maxConditions) causes.push(tooMany(`${path}.conditions`, conditions, maxConditions))
  validateConditions(causes, `${path}.conditions`, device.conditions)
  if (device.data !== undefined && device.data !== null) validateRaw(causes, `${path}.data`, device.data, false, maxData)
  const { interfaceName = '', hardwareAddress = '', ips } = device.networkData ?? {}
  const at = `${path}.networkData`
  if (Buffer.byteLength(interfaceName) > maxInterfaceName) causes.push(tooLong(`${at}.interfaceName`, maxInterfaceName))
  if (Buffer.byteLength(hardwareAddress) > maxHardwareAddress) causes.push(tooLong(`${at}.hardwareAddress`, maxHardwareAddress))
  validateSet(causes, `${at}.ips`, ips, maxIPs, validateInterfaceAddress, (address) => address)
}
