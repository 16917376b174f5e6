import type { IncomingMessage, ServerResponse } from 'node:http'
import { HttpError } from './container-logs.ts'
import { runningContainer } from './find-container.ts'
import type { KubeletServerOptions } from './server.ts'

/** POST /run/NAMESPACE/POD[/UID]/CONTAINER?cmd=…: runs a command and answers its output. */
export async function runCommand(
  options: Pick<KubeletServerOptions, 'pods' | 'records' | 'runtime'>,
  request: IncomingMessage,
  response: ServerResponse,
  search: URLSearchParams,
  path: string[],
): Promise<void> {
  if (request.method !== 'POST') throw new HttpError(405, 'Method Not Allowed')
  const { containerId } = runningContainer(options, path)
  const { stdout, stderr, exitCode } = await options.runtime.execSync({ containerId, cmd: (search.get('cmd') ?? '').split(' ') })
  if (exitCode !== 0) throw new HttpError(500, `command exited with ${exitCode}: ${Buffer.from(stderr).toString()}`)
  response.writeHead(200, { 'content-type': 'text/plain' })
  response.end(Buffer.concat([stdout, stderr]))
}
