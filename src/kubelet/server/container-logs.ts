import type { core, DeepReadonly } from '#api'

/** A request that cannot be served: HTTP status and plain text, as the kubelet answers. */
export class HttpError extends Error {
  readonly status: number
  constructor(status: number, message: string) {
    super(message)
    this.name = 'HttpError'
    this.status = status
  }
}

/**
 * The id of the container whose log is meant: the running or last one, or with `previous` the one before. Throws HttpError (400) in upstream's words
 * when there is none yet.
 */
export function logContainerId(pod: DeepReadonly<core.Pod>, containerName: string, previous: boolean): string {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {}
  const status = [...containerStatuses, ...initContainerStatuses, ...ephemeralContainerStatuses].find((s) => s.name === containerName)
  const what = `container "${containerName}" in pod "${pod.metadata.name}"`
  const fail = (message: string): never => {
    throw new HttpError(400, message)
  }
  if (!status) return fail(`${what} is not available`)
  const { running, terminated, waiting } = status.state ?? {}
  const last = status.lastState?.terminated
  const id = (uri: string | undefined) => uri?.replace(/^[^:]*:\/\//, '') ?? ''
  if (previous) {
    if (!last?.containerID) return fail(`previous terminated ${what} not found`)
    return id(last.containerID)
  }
  if (running) return id(status.containerID)
  if (terminated ?? last) return id(terminated?.containerID || last?.containerID) || fail(`${what} is terminated`)
  if (!waiting) return fail(`${what} is waiting to start - no logs yet`)
  const { reason = '' } = waiting
  if (reason === 'ErrImagePull') return fail(`${what} is waiting to start: image can't be pulled`)
  if (reason === 'ImagePullBackOff') return fail(`${what} is waiting to start: trying and failing to pull image`)
  return fail(`${what} is waiting to start: ${reason}`)
}
