import type { core, DeepReadonly } from '#api'
import { errors } from '#api'

/** The container that a request means: the named one, or a pod's only one. Throws BadRequest in upstream's words. */
export function chooseContainer(pod: DeepReadonly<core.Pod>, wanted: string | null): string {
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  const podName = pod.metadata.name
  if (wanted) {
    if ([...containers, ...initContainers, ...ephemeralContainers].some((c) => c.name === wanted)) return wanted
    throw errors.badRequest(`container ${wanted} is not valid for pod ${podName}`)
  }
  if (containers.length === 1) return containers[0]!.name
  let message = `a container name must be specified for pod ${podName}`
  const names = (list: readonly { name: string }[]) => list.map((c) => c.name).join(' ')
  if (containers.length > 0) message += `, choose one of: [${names(containers)}]`
  if (initContainers.length > 0) message += ` or one of the init containers: [${names(initContainers)}]`
  if (ephemeralContainers.length > 0) message += ` or one of the ephemeral containers: [${names(ephemeralContainers)}]`
  throw errors.badRequest(message)
}
