import type { ServerResponse } from 'node:http'
import { once } from 'node:events'
import { isRuntimeError } from '../cri/index.ts'
import { HttpError, logContainerId } from './container-logs.ts'
import { parseQuery } from './log-query.ts'
import { readLog } from './logs/read-log.ts'
import type { KubeletServerOptions } from './server.ts'

/** GET /containerLogs/NAMESPACE/POD/CONTAINER */
export async function serveContainerLogs(
  options: Pick<KubeletServerOptions, 'pods' | 'records' | 'runtime' | 'clock'>,
  response: ServerResponse,
  search: URLSearchParams,
  [namespace, podName, containerName]: string[],
): Promise<void> {
  if (!namespace) throw new HttpError(400, '{"message": "Missing podNamespace."}')
  if (!podName) throw new HttpError(400, '{"message": "Missing podID."}')
  if (!containerName) throw new HttpError(400, '{"message": "Missing container name."}')
  const query = parseQuery(search)
  if (!query) throw new HttpError(422, '{"message": "Invalid request."}')
  const pod = options.pods.get(namespace, podName)
  if (!pod) throw new HttpError(404, `pod "${podName}" does not exist`)
  const { containers, initContainers = [], ephemeralContainers = [] } = pod.spec
  if (![...containers, ...initContainers, ...ephemeralContainers].some((c) => c.name === containerName)) {
    throw new HttpError(404, `container "${containerName}" not found in pod "${podName}"`)
  }
  const containerId = logContainerId(pod, containerName, query.previous)
  const { status } = await options.runtime.containerStatus({ containerId }).catch((error: unknown) => {
    if (!isRuntimeError(error, 'notFound')) throw error
    throw new HttpError(400, `unable to retrieve container logs for containerd://${containerId}`)
  })

  const stop = new AbortController()
  response.once('close', () => stop.abort())
  const uid = pod.metadata.uid!
  const running = () => options.records.get(uid)?.containers.some((c) => c.id === containerId && c.state !== 'exited') ?? false
  const since = query.sinceTime ?? (query.sinceSeconds === undefined ? undefined : options.clock.now() - query.sinceSeconds * 1000)
  const output = readLog({
    path: status.logPath,
    timestamps: query.timestamps,
    tailLines: query.tailLines,
    limitBytes: query.limitBytes,
    stream: query.stream,
    since,
    follow: query.follow
      ? {
          ended: () => !running(),
          onChange: (listener) => options.records.subscribe((changed) => changed === uid && listener()),
        }
      : undefined,
    signal: stop.signal,
  })
  response.writeHead(200, { 'content-type': 'text/plain' })
  // a client that follows sees that it is connected before there is anything to say
  response.flushHeaders()
  try {
    for await (const chunk of output) {
      if (!response.write(chunk) && !stop.signal.aborted) await once(response, 'drain', { signal: stop.signal })
    }
    response.end()
  } catch (error) {
    if (stop.signal.aborted) return
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    // the runtime makes the file when the container starts
    response.end(query.follow ? '' : `failed to open log file "${status.logPath}": no such file or directory\n`)
  }
}
