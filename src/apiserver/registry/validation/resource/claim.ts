import type { DeepReadonly, resource } from '#api'
import { dns1123Subdomain } from '#api'
import { type Causes, invalid, invalidEach, notSupported, required } from '../causes.ts'
import {
  maxConfig,
  validateConfiguration,
  validateDeviceSelectors,
  validateFullyQualifiedName,
  validateLabel,
  validateList,
  validateSet,
  validateTolerations,
} from './common.ts'

type Spec = DeepReadonly<resource.ResourceClaimSpec>
type Request = DeepReadonly<resource.ExactDeviceRequest>

export const maxRequests = 32
const maxAlternatives = 8
const maxConstraints = 32

export function validateClaimSpec(causes: Causes, path: string, spec: Spec | undefined): void {
  const { requests, constraints, config } = spec?.devices ?? {}
  const at = `${path}.devices`
  const names = requestNames(spec)
  validateSet(causes, `${at}.requests`, requests, maxRequests, validateRequest, (request) => request.name ?? '')
  validateList(causes, `${at}.constraints`, constraints, maxConstraints, (into, where, constraint) => {
    validateRequestRefs(into, `${where}.requests`, constraint.requests, names)
    if (constraint.matchAttribute !== undefined) validateFullyQualifiedName(into, `${where}.matchAttribute`, constraint.matchAttribute)
    else if (constraint.distinctAttribute !== undefined) validateFullyQualifiedName(into, `${where}.distinctAttribute`, constraint.distinctAttribute)
    // upstream's words, though nothing is set
    else into.push(required(where, 'exactly one of "matchAttribute" or "distinctAttribute" is required, but multiple fields are set'))
  })
  validateList(causes, `${at}.config`, config, maxConfig, (into, where, entry) => {
    validateRequestRefs(into, `${where}.requests`, entry.requests, names)
    validateConfiguration(into, where, entry, false)
  })
}

/** What requests of a claim are called, and alternatives within them: `request` and `request/alternative`. */
export function requestNames(spec: Spec | undefined): Set<string> {
  const names = new Set<string>()
  for (const request of spec?.devices?.requests ?? []) {
    names.add(request.name)
    for (const alternative of request.firstAvailable ?? []) names.add(`${request.name}/${alternative.name}`)
  }
  return names
}

export function validateRequestRefs(causes: Causes, path: string, refs: readonly string[] | undefined, names: Set<string>): void {
  validateSet(
    causes,
    path,
    refs,
    maxRequests,
    (into, at, ref) => validateRequestRef(into, at, ref, names),
    (ref) => ref,
  )
}

export function validateRequestRef(causes: Causes, path: string, ref: string, names: Set<string>): void {
  const message = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
  const segments = ref.split('/')
  if (segments.length > 2) {
    causes.push(invalid(path, ref, message))
    return
  }
  for (const segment of segments) validateLabel(causes, path, segment)
  if (!names.has(ref)) causes.push(invalid(path, ref, message))
}

function validateRequest(causes: Causes, path: string, { name = '', exactly, firstAvailable = [] }: DeepReadonly<resource.DeviceRequest>): void {
  validateLabel(causes, `${path}.name`, name)
  const oneOf = 'exactly one of `exactly` or `firstAvailable` is required'
  if (exactly && firstAvailable.length > 0) causes.push(invalid(path, undefined, `${oneOf}, but multiple fields are set`))
  else if (exactly) validateDevices(causes, `${path}.exactly`, exactly)
  else if (firstAvailable.length === 0) causes.push(required(path, oneOf))
  else
    validateSet(
      causes,
      `${path}.firstAvailable`,
      firstAvailable,
      maxAlternatives,
      (into, at, alternative) => {
        validateLabel(into, `${at}.name`, alternative.name ?? '')
        validateDevices(into, at, alternative)
      },
      (alternative) => alternative.name ?? '',
    )
}

function validateDevices(causes: Causes, path: string, request: Omit<Request, 'adminAccess'>): void {
  const { deviceClassName, allocationMode = '', count = 0 } = request
  if (!deviceClassName) causes.push(required(`${path}.deviceClassName`))
  else invalidEach(causes, `${path}.deviceClassName`, deviceClassName, dns1123Subdomain(deviceClassName))
  validateDeviceSelectors(causes, `${path}.selectors`, request.selectors)
  if (allocationMode === 'All') {
    if (count !== 0) causes.push(invalid(`${path}.count`, count, "must not be specified when allocationMode is 'All'"))
  } else if (allocationMode === 'ExactCount') {
    if (count <= 0) causes.push(invalid(`${path}.count`, count, 'must be greater than zero'))
  } else causes.push(notSupported(`${path}.allocationMode`, allocationMode, ['All', 'ExactCount']))
  validateTolerations(causes, `${path}.tolerations`, request.tolerations)
}
