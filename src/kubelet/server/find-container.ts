import type { core, DeepReadonly } from '#api'
import { latestByName } from '../pod/records.ts'
import { HttpError } from './container-logs.ts'
import type { KubeletServerOptions } from './server.ts'

/** The pod that a path NAMESPACE/NAME[/UID] names; throws HttpError 404. */
export function findPod(
  options: Pick<KubeletServerOptions, 'pods'>,
  namespace: string | undefined,
  name: string | undefined,
  uid?: string,
): DeepReadonly<core.Pod> {
  const pod = namespace && name ? options.pods.get(namespace, name) : undefined
  if (!pod || (uid && pod.metadata.uid !== uid)) throw new HttpError(404, 'pod does not exist')
  return pod
}

/** The container that a path NAMESPACE/POD[/UID]/CONTAINER names, if it runs; throws HttpError. */
export function runningContainer(options: Pick<KubeletServerOptions, 'pods' | 'records'>, path: string[]) {
  const [namespace, podName, ...rest] = path.filter((part) => part !== '')
  const containerName = rest.at(-1)
  const pod = findPod(options, namespace, podName, rest.length > 1 ? rest[0] : undefined)
  const record = options.records.get(pod.metadata.uid!)
  const container = record && containerName ? latestByName(record).get(containerName) : undefined
  if (container?.state !== 'running') throw new HttpError(500, `container not found ("${containerName ?? ''}")`)
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  const spec = [...containers, ...initContainers, ...ephemeralContainers].find((c) => c.name === containerName)
  return { pod, containerId: container.id, tty: spec?.tty === true }
}
