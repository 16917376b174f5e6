import type { DeepReadonly, core } from '#api'
import { type Causes, duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../validation/causes.ts'

type Spec = DeepReadonly<core.PodSpec>
type Statuses = DeepReadonly<core.ContainerStatus[]> | undefined

const healths = ['Healthy', 'Unhealthy', 'Unknown']
const maxHealthMessage = 1024
const maxImageRef = 256
const idRange = 'must be between 0 and 2147483647, inclusive'

/** Checks what is said about each container: its user, the health of its devices, and the volumes that it has got. */
export function validateContainerStatuses(causes: Causes, status: DeepReadonly<core.PodStatus>, spec: Spec): void {
  const lists: [path: string, statuses: Statuses, containers: Spec['containers'] | undefined][] = [
    ['status.containerStatuses', status.containerStatuses, spec.containers],
    ['status.initContainerStatuses', status.initContainerStatuses, spec.initContainers],
    ['status.ephemeralContainerStatuses', status.ephemeralContainerStatuses, undefined],
  ]
  for (const [path, statuses, containers] of lists)
    statuses?.forEach((one, i) => {
      const at = `${path}[${i}]`
      if (one.user?.linux) validateUser(causes, `${at}.user.linux`, one.user.linux, spec.os?.name)
      // ephemeral containers have no resources of their own
      if (path !== 'status.ephemeralContainerStatuses') validateHealth(causes, `${at}.allocatedResourcesStatus`, one, containers)
      else if (one.allocatedResourcesStatus?.length)
        causes.push(forbidden(`${at}.allocatedResourcesStatus`, 'must not be specified in container status'))
      one.volumeMounts?.forEach(({ volumeStatus }, j) => {
        const image = volumeStatus?.image
        if (!image) return
        const field = `${at}.volumeMounts[${j}].volumeStatus.imageVolumeStatus.imageRef`
        if (!image.imageRef) causes.push(required(field, 'imageRef must not be empty'))
        else if (image.imageRef.length > maxImageRef) causes.push(tooLong(field, maxImageRef))
      })
    })
}

function validateUser(causes: Causes, path: string, user: DeepReadonly<core.LinuxContainerUser>, system = 'linux'): void {
  if (system === 'windows') {
    causes.push(forbidden(path, 'cannot be set for a windows pod'))
    return
  }
  const validateId = (field: string, id: number | undefined) => {
    if (id !== undefined && !(id >= 0 && id <= 2147483647)) causes.push(invalid(`${path}.${field}`, id, idRange))
  }
  validateId('uid', user.uid)
  validateId('gid', user.gid)
  user.supplementalGroups?.forEach((group, i) => validateId(`supplementalGroups[${i}]`, group))
}

function validateHealth(
  causes: Causes,
  path: string,
  { name, allocatedResourcesStatus }: DeepReadonly<core.ContainerStatus>,
  containers: Spec['containers'] | undefined,
): void {
  allocatedResourcesStatus?.forEach((resource, i) => {
    const container = containers?.find((one) => one.name === name)
    if (container) {
      const problem = resourceProblem(resource.name, container)
      if (problem) causes.push(invalid(`${path}[${i}].name`, resource.name, problem))
    }
    const seen = new Set<string>()
    resource.resources?.forEach(({ resourceID, health = '', message }, j) => {
      const at = `${path}[${i}].resources[${j}]`
      if (!healths.includes(health)) causes.push(notSupported(`${at}.health`, health, healths))
      if (message === '') causes.push(required(`${at}.message`, 'must be non-empty if specified'))
      else if (message !== undefined && Buffer.byteLength(message) > maxHealthMessage) causes.push(tooLong(`${at}.message`, maxHealthMessage))
      if (seen.has(resourceID)) causes.push(duplicate(`${at}.resourceID`, resourceID))
      seen.add(resourceID)
    })
  })
}

/** Why a name is not that of something the container has asked for. */
function resourceProblem(name: string, { resources }: DeepReadonly<core.Container>): string | undefined {
  if (!name.startsWith('claim:')) return resources?.requests?.[name] === undefined ? "must match one of the container's resource requests" : undefined
  const claimed = resources?.claims?.some((claim) => name === `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}`)
  return claimed
    ? undefined
    : "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
}
