import { createReadStream } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import type { ServerResponse } from 'node:http'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { HttpError } from './container-logs.ts'

/** GET /logs/…: the node's log files, directories as a list of links. Nothing outside of `dir` is shown. */
export async function serveLogFiles(response: ServerResponse, dir: string, parts: string[]): Promise<void> {
  if (parts.includes('..') || parts.some((part) => part.includes('\0'))) throw new HttpError(400, 'invalid path')
  const root = await realpath(dir).catch(() => undefined)
  const path = root && (await realpath(join(root, ...parts)).catch(() => undefined))
  if (!path || (path !== root && !path.startsWith(`${root}/`))) throw new HttpError(404, '404 page not found')
  const found = await stat(path)
  if (found.isDirectory()) {
    const entries = await readdir(path, { withFileTypes: true })
    const names = entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort()
    response.writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
    response.end(
      `<pre>\n${names.map((name) => `<a href="${encodeURI(name).replaceAll('#', '%23').replaceAll('?', '%3F')}">${html(name)}</a>\n`).join('')}</pre>\n`,
    )
    return
  }
  if (!found.isFile()) throw new HttpError(404, '404 page not found')
  response.writeHead(200, { 'content-type': 'text/plain; charset=utf-8', 'content-length': found.size })
  // a log that grows meanwhile must not exceed what was announced
  if (found.size === 0) response.end()
  else await pipeline(createReadStream(path, { end: found.size - 1 }), response)
}

const html = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&#34;')
