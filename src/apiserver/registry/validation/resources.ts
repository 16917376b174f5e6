import type { DeepReadonly, core } from '#api'
import { qualifiedName } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notNegative, notSupported, required } from './causes.ts'
import { compareQuantities, isIntegerQuantity, isNegativeQuantity, quantityNumber, quantityText } from './quantities.ts'

type Quantities = DeepReadonly<Record<string, string>>

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage'])
const integerResources = new Set([
  'pods',
  'services',
  'replicationcontrollers',
  'resourcequotas',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])

export const isHugePages = (name: string) => name.startsWith('hugepages-')

/** A resource outside kubernetes.io, such as example.com/gpu: counted, never overcommitted. */
export const isExtendedResource = (name: string) =>
  !isNativeResource(name) && !name.startsWith('requests.') && qualifiedName(`requests.${name}`).length === 0

/** A resource of Kubernetes' own: without a domain, or with one of its. */
const isNativeResource = (name: string) => !name.includes('/') || name.includes('kubernetes.io/')

export function validateQuantity(causes: Causes, path: string, name: string, value: string): void {
  if (isNegativeQuantity(value)) causes.push(invalid(path, quantityText(value), notNegative))
  if ((integerResources.has(name) || isExtendedResource(name)) && !isIntegerQuantity(value))
    causes.push(invalid(path, quantityText(value), 'must be an integer'))
}

/** Checks requests and limits of a container, or of a whole pod (`claims` are checked by the caller). */
export function validateResourceRequirements(
  causes: Causes,
  path: string,
  resources: DeepReadonly<core.ResourceRequirements> | undefined,
  of: 'container' | 'pod' = 'container',
): void {
  if (!resources) return
  const { limits, requests } = resources
  if (!limits && !requests) return
  let base = false
  let huge = false
  if (limits) {
    for (const name in limits) {
      if (name === 'cpu' || name === 'memory') base = true
      else if (isHugePages(name)) huge = true
      validateAmount(causes, `${path}.limits`, name, limits[name]!, of)
    }
  }
  if (requests) {
    for (const name in requests) {
      if (name === 'cpu' || name === 'memory') base = true
      else if (isHugePages(name)) huge = true
      validateAmount(causes, `${path}.requests`, name, requests[name]!, of)
      compareWithLimit(causes, path, name, requests[name]!, limits)
    }
  }
  if (huge && !base) causes.push(forbidden(path, 'HugePages require cpu or memory'))
}

/** Names without a domain are the system's own; containers can have but few of those. */
export function validateResourceName(causes: Causes, path: string, name: string, container: boolean): void {
  const messages = qualifiedName(name)
  invalidEach(causes, path, name, messages)
  if (name.includes('/')) {
    if (container && !isNativeResource(name) && !isExtendedResource(name))
      causes.push(invalid(path, name, "doesn't follow extended resource name standard"))
    return
  }
  if (isHugePages(name) || containerResources.has(name)) return
  if (messages.length === 0 && !integerResources.has(name) && name !== 'storage' && !standardPrefix.test(name))
    causes.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  if (container) causes.push(invalid(path, name, 'must be a standard resource for containers'))
}

/** A pod as a whole has limits for what its control group can limit. */
function validatePodResourceName(causes: Causes, path: string, name: string): void {
  const before = causes.length
  validateResourceName(causes, path, name, false)
  if (causes.length === before && name !== 'cpu' && name !== 'memory' && !isHugePages(name)) causes.push(notSupported(path, name, ['cpu', 'memory']))
}

const standardPrefix = /^(requests|limits)\.(cpu|memory|ephemeral-storage|storage)$/

function validateAmount(causes: Causes, path: string, name: string, value: string, of: 'container' | 'pod'): void {
  // Nearly every name is cpu or memory, and nearly every quantity a plain non-negative number: look closer only at what is not.
  if (name !== 'cpu' && name !== 'memory') {
    if (of === 'pod') validatePodResourceName(causes, `${path}[${name}]`, name)
    else if (!containerResources.has(name)) validateResourceName(causes, `${path}[${name}]`, name, true)
    if (isHugePages(name)) validatePages(causes, `${path}[${name}]`, name, value)
  }
  validateQuantity(causes, `${path}[${name}]`, name, value)
}

/** Huge pages come whole. */
function validatePages(causes: Causes, path: string, name: string, value: string): void {
  const size = pageSize(name)
  if (size === undefined || size % 1 !== 0 || quantityNumber(value) % size !== 0)
    causes.push(invalid(path, quantityText(value), `${quantityText(value)} is not positive integer multiple of ${name}`))
}

function pageSize(name: string): number | undefined {
  try {
    const size = quantityNumber(name.slice('hugepages-'.length))
    return size > 0 ? size : undefined
  } catch {
    return undefined
  }
}

function compareWithLimit(causes: Causes, path: string, name: string, request: string, limits: Quantities | undefined): void {
  const limit = limits?.[name]
  const exact = isHugePages(name) || !isNativeResource(name)
  if (limit === undefined) {
    if (exact) causes.push(required(`${path}.limits`, 'Limit must be set for non overcommitable resources'))
    return
  }
  if (request === limit) return
  const order = compareQuantities(request, limit)
  if (exact && order !== 0)
    causes.push(invalid(`${path}.requests`, quantityText(request), `must be equal to ${name} limit of ${quantityText(limit)}`))
  else if (order > 0)
    causes.push(invalid(`${path}.requests`, quantityText(request), `must be less than or equal to ${name} limit of ${quantityText(limit)}`))
}
