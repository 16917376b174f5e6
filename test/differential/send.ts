import { Agent, request } from 'node:https'
import { parse } from 'yaml'
import { parseProtobuf } from '#api'
import type { Answer, Step } from './step.ts'

/** A server that takes the suite's requests, as an administrator. */
export interface Target extends AsyncDisposable {
  url: string
  token: string
}

const agent = new Agent({ keepAlive: true, rejectUnauthorized: false, maxSockets: 4 })

/** The headers that are compared; the others differ every time or say nothing about the request. */
const compared = ['content-type', 'warning', 'retry-after', 'location', 'allow', 'cache-control', 'www-authenticate', 'x-content-type-options']

export async function send(target: Target, step: Step): Promise<Answer> {
  const { status, headers, bytes } = await exchange(target, step)
  const type = headers['content-type'] ?? ''
  return {
    status,
    headers: Object.fromEntries(compared.flatMap((name) => (headers[name] === undefined ? [] : [[name, headers[name]]]))),
    ...(bytes.length === 0 ? {} : { body: readAnswer(type, bytes, step.events !== undefined) }),
  }
}

function readAnswer(type: string, bytes: Buffer, watch: boolean): unknown {
  if (type.startsWith('application/vnd.kubernetes.protobuf')) return parseProtobuf(bytes)
  const text = bytes.toString()
  if (watch)
    return text
      .split('\n')
      .filter((line) => line)
      .map((line) => JSON.parse(line) as unknown)
  if (type.startsWith('application/json')) return JSON.parse(text)
  if (type.startsWith('application/yaml')) return parse(text, { version: '1.1' })
  return text
}

async function exchange(target: Target, step: Step) {
  let { body } = step
  const headers: Record<string, string> = { authorization: `Bearer ${target.token}`, 'user-agent': 'differential/1.0' }
  if (step.edit) {
    const found = await once(target, { ...step, method: 'GET', events: undefined } as unknown as Step, headers, undefined)
    const object = JSON.parse(found.bytes.toString()) as object
    step.edit(object)
    body = object
  }
  const payload = body === undefined || typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    // node says no length of its own for a DELETE
    headers['content-length'] = String(Buffer.byteLength(payload))
  }
  for (const [name, value] of Object.entries(step.headers ?? {})) {
    if (value === '') delete headers[name]
    else headers[name] = value
  }
  return once(target, step, headers, payload)
}

function once(target: Target, step: Step, headers: Record<string, string>, payload: string | Uint8Array | undefined) {
  return new Promise<{ status: number; headers: Record<string, string>; bytes: Buffer }>((resolve, reject) => {
    const url = new URL(target.url)
    // the path is sent as it stands: what a URL would tidy up is part of the question
    const options = { host: url.hostname, port: url.port, method: step.method, path: step.path, headers, agent, timeout: 60_000 }
    const asking = request(options, (response) => {
      const chunks: Buffer[] = []
      const done = () => {
        const names = Object.fromEntries(
          Object.entries(response.headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(', ') : value!]),
        )
        resolve({ status: response.statusCode!, headers: names, bytes: Buffer.concat(chunks) })
      }
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        if (step.events === undefined) return
        const lines = Buffer.concat(chunks).toString().split('\n').length - 1
        if (lines < step.events && response.statusCode === 200) return
        done()
        asking.destroy()
      })
      response.on('end', done)
      response.on('error', reject)
    })
    asking.on('error', reject)
    asking.on('timeout', () => asking.destroy(new Error(`${step.name}: no answer`)))
    asking.end(payload)
  })
}
