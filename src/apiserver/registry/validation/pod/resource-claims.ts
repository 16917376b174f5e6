import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notFound, required } from '../causes.ts'
import { internalForm, internalForms } from '../internal-form.ts'

type PodClaims = NonNullable<DeepReadonly<core.PodSpec>['resourceClaims']>
type ContainerClaims = NonNullable<NonNullable<DeepReadonly<core.ResourceRequirements>['claims']>>

/** Checks the claims of a pod. Static pods have none: nobody could allocate them. */
export function validatePodClaims(causes: Causes, path: string, claims: PodClaims, isStatic: boolean): void {
  const names = new Set<string>()
  claims.forEach((claim, i) => {
    if (isStatic) {
      causes.push(forbidden('', 'static pods do not support resource claims'))
      return
    }
    const at = `${path}[${i}]`
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    if (!name) causes.push(required(`${at}.name`))
    else if (names.has(name)) causes.push(duplicate(`${at}.name`, name))
    else {
      invalidEach(causes, `${at}.name`, name, dns1123Label(name))
      names.add(name)
    }
    const shown = () => internalForm(claim, internalForms.podResourceClaim)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      causes.push(invalid(at, shown(), 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified'))
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      causes.push(invalid(at, shown(), 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`'))
    if (resourceClaimName !== undefined) invalidEach(causes, `${at}.resourceClaimName`, resourceClaimName, dns1123Subdomain(resourceClaimName))
    if (resourceClaimTemplateName !== undefined)
      invalidEach(causes, `${at}.resourceClaimTemplateName`, resourceClaimTemplateName, dns1123Subdomain(resourceClaimTemplateName))
  })
}

/** Checks which of the pod's claims a container uses: each one of them, or one request of it, and each once. */
export function validateContainerClaims(causes: Causes, path: string, claims: ContainerClaims, ofPod: PodClaims | undefined): void {
  const used = new Set<string>()
  const known = new Set(ofPod?.map((claim) => claim.name).filter((name) => name !== ''))
  claims.forEach(({ name, request }, i) => {
    const at = `${path}[${i}]`
    if (!name) {
      causes.push(required(at))
      return
    }
    if (used.has(name)) causes.push(duplicate(at, name))
    else {
      if (request) invalidEach(causes, `${at}.request`, request, dns1123Label(request))
      const key = request ? `${name}/${request}` : name
      if (used.has(key)) causes.push(duplicate(at, key))
      // the whole claim overlaps with each request of it
      else if (!request) for (const other of used) if (other.startsWith(`${name}/`)) causes.push(duplicate(at, name))
      used.add(key)
    }
    if (!known.has(name)) {
      const others = known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`
      const missing = notFound(at, name)
      causes.push({ ...missing, message: `${missing.message}: must be one of the names in pod.spec.resourceClaims${others}` })
    }
  })
}
