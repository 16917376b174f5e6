import type { DeepReadonly, core } from '#api'
import { qualifiedName } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notNegative, required } from './causes.ts'
import { compareQuantities, isIntegerQuantity, isNegativeQuantity, quantityText } from './quantities.ts'

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
  name.includes('/') && !name.startsWith('kubernetes.io/') && !name.includes('.kubernetes.io/') && !name.startsWith('requests.')

export function validateQuantity(causes: Causes, path: string, name: string, value: string): void {
  if (isNegativeQuantity(value)) causes.push(invalid(path, quantityText(value), notNegative))
  if ((integerResources.has(name) || isExtendedResource(name)) && !isIntegerQuantity(value))
    causes.push(invalid(path, quantityText(value), 'must be an integer'))
}

/** Checks requests and limits of a container, or of a whole pod (`claims` are checked by the caller). */
export function validateResourceRequirements(causes: Causes, path: string, resources: DeepReadonly<core.ResourceRequirements> | undefined): void {
  if (!resources) return
  const { limits, requests } = resources
  if (!limits && !requests) return
  let base = false
  let huge = false
  if (limits) {
    for (const name in limits) {
      if (name === 'cpu' || name === 'memory') base = true
      else if (isHugePages(name)) huge = true
      validateContainerResource(causes, `${path}.limits`, name, limits[name]!)
    }
  }
  if (requests) {
    for (const name in requests) {
      if (name === 'cpu' || name === 'memory') base = true
      else if (isHugePages(name)) huge = true
      validateContainerResource(causes, `${path}.requests`, name, requests[name]!)
      compareWithLimit(causes, path, name, requests[name]!, limits)
    }
  }
  if (huge && !base) causes.push(forbidden(path, 'HugePages require cpu or memory'))
}

/** Names without a domain are the system's own; containers can have but few of those. */
export function validateResourceName(causes: Causes, path: string, name: string, container: boolean): void {
  const messages = qualifiedName(name)
  invalidEach(causes, path, name, messages)
  if (name.includes('/') || isHugePages(name) || containerResources.has(name)) return
  if (messages.length === 0 && !integerResources.has(name) && name !== 'storage' && !standardPrefix.test(name))
    causes.push(invalid(path, name, 'must be a standard resource type or fully qualified'))
  if (container) causes.push(invalid(path, name, 'must be a standard resource for containers'))
}

const standardPrefix = /^(requests|limits)\.(cpu|memory|ephemeral-storage|storage)$/

function validateContainerResource(causes: Causes, path: string, name: string, value: string): void {
  if (!containerResources.has(name)) validateResourceName(causes, `${path}[${name}]`, name, true)
  // Nearly every quantity is a plain non-negative number: look closer only at what is not.
  validateQuantity(causes, `${path}[${name}]`, name, value)
}

function compareWithLimit(causes: Causes, path: string, name: string, request: string, limits: Quantities | undefined): void {
  const limit = limits?.[name]
  const exact = isHugePages(name) || isExtendedResource(name)
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
