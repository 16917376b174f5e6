import type { IncomingMessage, ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import type { LocalVolumes } from '../volumes/local-volumes.ts'
import { LocalVolumeError } from '../volumes/local-volumes.ts'
import { HttpError } from './container-logs.ts'

const codes: Record<LocalVolumeError['why'], number> = { name: 400, use: 409, room: 507 }

/**
 * The volumes on this node's disk, as those who provision them ask for them: PUT /localVolumes/NAME with `{"bytes": N}` makes one or sees that N bytes still fit beside
 * what it has (`"more": true`), and answers `{"path": …}`; DELETE /localVolumes/NAME removes it with its data. Both may be asked for again.
 */
export async function serveLocalVolumes(volumes: LocalVolumes, request: IncomingMessage, response: ServerResponse, path: string[]): Promise<void> {
  const [name = '', ...rest] = path
  if (rest.length > 0) throw new HttpError(404, '404 page not found')
  try {
    if (request.method === 'DELETE') {
      await volumes.remove(name)
      return void response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
    }
    if (request.method !== 'PUT') throw new HttpError(405, 'Method Not Allowed')
    const { bytes, more } = await bodyOf(request)
    if (more) await volumes.checkRoom(bytes)
    const where = await volumes.provide(name, bytes)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ path: where }))
  } catch (error) {
    if (error instanceof LocalVolumeError) throw new HttpError(codes[error.why], error.message)
    throw error
  }
}

async function bodyOf(request: IncomingMessage): Promise<{ bytes: number; more: boolean }> {
  const length = Number(request.headers['content-length'] ?? 0)
  if (length === 0 || length > 1024) throw new HttpError(400, 'a body of at most 1024 bytes is needed: {"bytes": N}')
  let body: { bytes?: unknown; more?: unknown }
  try {
    body = JSON.parse(await text(request)) as typeof body
  } catch {
    throw new HttpError(400, 'the body is not JSON')
  }
  if (!Number.isSafeInteger(body?.bytes) || (body.bytes as number) < 0) throw new HttpError(400, '"bytes" must be a number that is not negative')
  return { bytes: body.bytes as number, more: body.more === true }
}
