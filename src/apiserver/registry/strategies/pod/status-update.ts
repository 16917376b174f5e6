import { isIP } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, qualifiedName } from '#api'
import { validateIP } from '../../validation/ip.ts'
import { type Causes, duplicate, forbidden, immutable, invalid, invalidEach, required } from '../../validation/causes.ts'
import { internalForm, internalForms } from '../../validation/internal-form.ts'
import { validateAnnotationsKept, validatePodAnnotations } from '../../validation/pod/annotations.ts'
import { isNegativeQuantity, quantityText } from '../../validation/quantities.ts'
import { validateContainerStatuses } from './container-statuses.ts'
import { validateTransitions } from './transitions.ts'

type Pod = DeepReadonly<core.Pod>
type Status = DeepReadonly<core.PodStatus>

/** What the status of a pod may become: upstream's ValidatePodStatusUpdate. */
export function validatePodStatusUpdate(pod: Pod, old: Pod): Causes {
  const causes: Causes = []
  const { spec, status = {} } = pod
  const before = old.status ?? {}
  if (pod.metadata.annotations !== old.metadata.annotations) {
    validateAnnotationsKept(causes, 'metadata.annotations', pod.metadata.annotations, old.metadata.annotations)
    validatePodAnnotations(causes, 'metadata.annotations', pod.metadata.annotations, spec)
  }
  status.conditions?.forEach(({ type = '', observedGeneration = 0 }, i) => {
    if (observedGeneration < 0)
      causes.push(invalid(`status.conditions[${i}].observedGeneration`, observedGeneration, 'must be a non-negative integer'))
    invalidEach(causes, `status.conditions[${i}].Type`, type, qualifiedName(type))
  })
  validateNomination(causes, status.nominatedNodeName, before.nominatedNodeName, old.spec.nodeName)
  if ((status.observedGeneration ?? 0) < 0)
    causes.push(invalid('status.observedGeneration', status.observedGeneration, 'must be a non-negative integer'))
  immutable(causes, 'status.qosClass', status.qosClass, before.qosClass)
  validateTransitions(causes, status, before, old.spec)
  if (status.resourceClaimStatuses) validateClaimStatuses(causes, 'status.resourceClaimStatuses', status.resourceClaimStatuses, spec)
  if (status.extendedResourceClaimStatus)
    validateExtendedClaim(causes, 'status.extendedResourceClaimStatus', status.extendedResourceClaimStatus, spec)
  if (status.nodeAllocatableResourceClaimStatuses) validateNodeClaims(causes, 'status.nodeAllocatableResourceClaimStatuses', status, spec)
  validateAddresses(causes, 'status.podIPs', status.podIPs, before.podIPs)
  if (status.hostIPs?.length && status.hostIP !== status.hostIPs[0]!.ip)
    causes.push(invalid('status.hostIPs[0].ip', status.hostIPs[0]!.ip ?? '', 'must be equal to `hostIP`'))
  validateAddresses(causes, 'status.hostIPs', status.hostIPs, before.hostIPs)
  validateContainerStatuses(causes, status, spec)
  return causes
}

/** A node is nominated before the pod has one; afterwards the nomination may only go. */
function validateNomination(causes: Causes, name: string | undefined, before: string | undefined, bound: string | undefined): void {
  if (!name || name === before) return
  invalidEach(causes, 'status.nominatedNodeName', name, dns1123Subdomain(name))
  if (bound) causes.push(forbidden('status.nominatedNodeName', 'may not be set on pods that are already bound to a node'))
}

type Addresses = DeepReadonly<{ ip: string }[]> | undefined

/** Addresses are one of each family at most. */
function validateAddresses(causes: Causes, path: string, addresses: Addresses, before: Addresses): void {
  if (!addresses) return
  const had = before?.map(({ ip }) => ip)
  addresses.forEach(({ ip }, i) => validateIP(causes, `${path}[${i}]`, ip, had))
  if (addresses.length > 1 && new Set(addresses.map(({ ip }) => isIP(ip ?? ''))).size < addresses.length)
    causes.push(invalid(path, internalForm(addresses, internalForms.address), 'may specify no more than one IP for each IP family'))
}

type Spec = DeepReadonly<core.PodSpec>

function validateClaimStatuses(causes: Causes, path: string, statuses: NonNullable<Status['resourceClaimStatuses']>, spec: Spec): void {
  const names = new Set<string>()
  statuses.forEach(({ name, resourceClaimName }, i) => {
    const at = `${path}[${i}]`
    if (!spec.resourceClaims?.some((claim) => claim.name === name))
      causes.push(invalid(`${at}.name`, name, 'must match the name of an entry in `spec.resourceClaims`'))
    if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    names.add(name)
    if (resourceClaimName !== undefined) invalidEach(causes, `${at}.resourceClaimName`, resourceClaimName, dns1123Subdomain(resourceClaimName))
  })
}

/** Checks the claim that the scheduler made for a pod's extended resources. */
function validateExtendedClaim(causes: Causes, path: string, claim: DeepReadonly<core.PodExtendedResourceClaimStatus>, spec: Spec): void {
  const { requestMappings = [], resourceClaimName } = claim
  if (requestMappings.length === 0) causes.push(required(`${path}.requestMappings`, 'at least one request mapping is required'))
  const containers = [...spec.containers, ...(spec.initContainers ?? [])]
  const seen = new Set<string>()
  requestMappings.forEach((mapping, i) => {
    const at = `${path}.requestMappings[${i}]`
    const container = containers.find(({ name }) => name === mapping.containerName)
    if (!container)
      causes.push(
        invalid(`${at}.containerName`, mapping.containerName, 'must match the name of an entry in spec.initContainers.name or spec.containers.name'),
      )
    else if (container.resources?.requests?.[mapping.resourceName] === undefined)
      causes.push(
        invalid(
          `${at}.resourceName`,
          mapping.resourceName,
          'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
        ),
      )
    // upstream leaves out which mapping it is
    invalidEach(causes, `${path}.requestName`, mapping.requestName ?? '', dns1123Label(mapping.requestName ?? ''))
    const key = JSON.stringify([mapping.containerName, mapping.resourceName, mapping.requestName])
    if (seen.has(key))
      for (const field of ['containerName', 'resourceName', 'requestName'] as const) causes.push(duplicate(`${at}.${field}`, mapping[field]))
    seen.add(key)
  })
  if (!resourceClaimName) causes.push(required(`${path}.resourceClaimName`))
  else invalidEach(causes, `${path}.resourceClaimName`, resourceClaimName, dns1123Subdomain(resourceClaimName))
}

/** Checks what claims take of a node's own resources. */
function validateNodeClaims(causes: Causes, path: string, status: Status, spec: Spec): void {
  status.nodeAllocatableResourceClaimStatuses!.forEach(({ resourceClaimName: name, containers, resources }, i) => {
    const at = `${path}[${i}]`
    if (!name) causes.push(required(`${at}.resourceClaimName`, 'must not be empty'))
    const known = [...(spec.resourceClaims ?? []), ...(status.resourceClaimStatuses ?? [])]
    if (!known.some((claim) => claim.resourceClaimName !== undefined && claim.resourceClaimName === name))
      causes.push(invalid(`${at}.resourceClaimName`, name ?? '', 'no mapping found in pod reference'))
    if (!containers?.length) causes.push(required(`${at}.containers`, 'must not be empty'))
    if (Object.keys(resources ?? {}).length === 0) causes.push(required(`${at}.resources`, 'must not be empty'))
    for (const [resource, amount] of Object.entries(resources ?? {})) {
      const field = `${at}.resources[${resource}]`
      if (resource.includes('/') && !resource.includes('kubernetes.io/'))
        causes.push(invalid(field, resource, 'must be a node allocatable resource name'))
      if (isNegativeQuantity(amount)) causes.push(invalid(field, quantityText(amount), 'must be non-negative'))
    }
  })
}
