import { type Status, type StatusReason, StatusError, failure } from '#api'
import type { Response } from './transport.ts'

/** What a code means when the answer is no Status object: a proxy, a webhook or another program spoke. Wording and reasons are client-go's. */
const byCode: Record<number, { reason: StatusReason; message: string }> = {
  400: { reason: 'BadRequest', message: 'the server rejected our request for an unknown reason' },
  401: { reason: 'Unauthorized', message: 'the server has asked for the client to provide credentials' },
  403: { reason: 'Forbidden', message: 'the server does not allow access to the requested resource' },
  404: { reason: 'NotFound', message: 'the server could not find the requested resource' },
  405: { reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource' },
  406: { reason: 'NotAcceptable', message: 'the server was unable to respond with a content type that the client supports' },
  409: { reason: 'Conflict', message: 'the server reported a conflict' },
  410: { reason: 'Gone', message: 'the server no longer has the requested resource' },
  413: { reason: 'RequestEntityTooLarge', message: 'the request is too large for the server to handle' },
  415: { reason: 'UnsupportedMediaType', message: 'the body of the request was in an unknown format' },
  422: { reason: 'Invalid', message: 'the server rejected our request due to an error in our request' },
  429: { reason: 'TooManyRequests', message: 'the server has received too many requests and has asked us to try again later' },
  500: { reason: 'InternalError', message: 'an error on the server has prevented the request from succeeding' },
  503: { reason: 'ServiceUnavailable', message: 'the server is currently unable to handle the request' },
  504: { reason: 'Timeout', message: 'the server was unable to return a response in the time allotted, but may still be processing the request' },
}

/** The error of an answer whose code is 400 or more, whatever its body is. */
export async function failureOf(response: Response): Promise<StatusError> {
  const { body, status, headers } = response
  if ('value' in body && isStatusObject(body.value)) return new StatusError(body.value)
  const text = 'value' in body ? '' : new TextDecoder().decode(await readAll(response))
  return failureFromText(status, headers, text)
}

export function failureFromText(code: number, headers: Record<string, string>, text: string): StatusError {
  try {
    const value: unknown = JSON.parse(text)
    if (isStatusObject(value)) return new StatusError(value)
  } catch {
    // not JSON: the code alone says what happened
  }
  const known = byCode[code] ?? (code >= 500 ? byCode[500]! : undefined)
  const said = text.trim().slice(0, 2048)
  const message = known?.message ?? `the server responded with the status code ${code} but did not return more information`
  const retryAfterSeconds = retryAfter(headers)
  return failure(known?.reason ?? '', code, said ? `${message}: ${said}` : message, {
    ...(said ? { causes: [{ reason: 'UnexpectedServerResponse', message: said }] } : {}),
    ...(retryAfterSeconds === undefined ? {} : { retryAfterSeconds }),
  })
}

/** The Retry-After header in seconds; undefined when there is none or it is a date. */
export function retryAfter(headers: Record<string, string>): number | undefined {
  const value = headers['retry-after']
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : undefined
}

/** The whole body as bytes. */
export async function readAll(response: Response): Promise<Uint8Array> {
  const { body } = response
  if ('bytes' in body) return Array.isArray(body.bytes) ? Buffer.concat(body.bytes) : body.bytes
  if ('value' in body) return Buffer.from(JSON.stringify(body.value))
  const chunks: Uint8Array[] = []
  if ('stream' in body) for await (const chunk of body.stream) chunks.push(chunk)
  else for await (const frame of body.events) chunks.push(frame.bytes())
  return Buffer.concat(chunks)
}

function isStatusObject(value: unknown): value is Status {
  const status = value as Partial<Status> | null
  return typeof status === 'object' && status !== null && status.kind === 'Status' && status.status === 'Failure'
}
