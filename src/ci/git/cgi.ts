import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Writable } from 'node:stream'

export interface CgiHead {
  status: number
  headers: [string, string][]
  /** What of the body came with it. */
  rest: Buffer
}

/** An answer's head is short; more is no CGI answer. */
const maxHead = 64 * 1024

/** The head of a CGI answer (RFC 3875, section 6), or undefined while it is not complete. */
export function parseCgiHead(bytes: Buffer): CgiHead | undefined {
  const end = /\r?\n\r?\n/.exec(bytes.toString('latin1', 0, maxHead))
  if (!end) {
    if (bytes.length > maxHead) throw new Error('the answer of git http-backend has no end of its head')
    return undefined
  }
  const headers: [string, string][] = []
  let status = 200
  for (const line of bytes.toString('latin1', 0, end.index).split(/\r?\n/)) {
    const colon = line.indexOf(':')
    if (colon < 0) throw new Error('the answer of git http-backend has a malformed head')
    const name = line.slice(0, colon)
    const value = line.slice(colon + 1).trim()
    if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10) || 500
    else headers.push([name, value])
  }
  return { status, headers, rest: bytes.subarray(end.index + end[0].length) }
}

export interface CgiOptions {
  program: string
  args: readonly string[]
  /** All of it: nothing of this process' environment reaches the program. */
  env: Record<string, string>
  /** Sees the request's body as it passes. A throw ends the exchange. */
  onRequestData?: (chunk: Buffer) => void
  /** What to send for a chunk of the answer's body; the chunk itself when absent. */
  onAnswerData?: (chunk: Buffer) => Buffer
  /** What ends the answer's body: called when the program has ended, before the response does. */
  onAnswerEnd?: (write: (chunk: Uint8Array) => Promise<void>) => Promise<void>
  onError?: (line: string) => void
}

/** Serves one request by a CGI program. Bodies pass through in both directions at the speed of the slower side; nothing is collected. */
export async function serveCgi(request: AsyncIterable<Buffer>, response: ServerResponse, options: CgiOptions): Promise<void> {
  const { program, args, env, onRequestData, onAnswerData = (chunk) => chunk, onAnswerEnd, onError } = options
  const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', () => resolve())
  })
  ended.catch(() => {})
  // a client that went away must not leave the program waiting for it
  const gone = () => response.writableFinished || child.kill()
  response.once('close', gone)
  reportErrors(child, onError)
  try {
    const fed = feed(request, child.stdin, onRequestData).catch((error: unknown) => {
      child.kill()
      throw error
    })
    fed.catch(() => {})
    let head: CgiHead | undefined
    let early: Buffer = Buffer.alloc(0)
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      let body: Buffer = chunk
      if (!head) {
        early = Buffer.concat([early, chunk])
        head = parseCgiHead(early)
        if (!head) continue
        for (const [name, value] of head.headers) response.appendHeader(name, value)
        response.writeHead(head.status)
        body = head.rest
      }
      await write(response, head.status === 200 ? onAnswerData(body) : body)
    }
    await ended
    if (!head) {
      await fed
      throw new Error('git http-backend ended without an answer')
    }
    if (head.status === 200 && onAnswerEnd) await onAnswerEnd((chunk) => write(response, chunk))
    response.end()
  } finally {
    response.off('close', gone)
    if (child.exitCode === null && child.signalCode === null) child.kill()
  }
}

async function feed(request: AsyncIterable<Buffer>, into: Writable, onData: ((chunk: Buffer) => void) | undefined): Promise<void> {
  // the program may end without reading all of it
  let closed = false
  into.on('error', () => (closed = true))
  into.on('close', () => (closed = true))
  for await (const chunk of request) {
    onData?.(chunk)
    if (!closed && !into.write(chunk)) await Promise.race([once(into, 'drain'), once(into, 'close')]).catch(() => {})
  }
  into.end()
}

async function write(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  if (chunk.length === 0 || response.destroyed) return
  if (!response.write(chunk)) await Promise.race([once(response, 'drain'), once(response, 'close')])
}

function reportErrors(child: ChildProcess, onError: ((line: string) => void) | undefined): void {
  let line = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    const lines = (line + text).split('\n')
    line = lines.pop()!.slice(-4096)
    for (const each of lines) onError?.(each)
  })
}
