import { parseDocument } from 'yaml'
import { errors, parseProtobuf } from '#api'
import type { Request } from '#client'

/** What a request's body says it is, without parameters; JSON when it says nothing. */
export function mediaType(request: Request): string {
  const header = request.headers['content-type']
  if (!header) return 'application/json'
  const semicolon = header.indexOf(';')
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase()
}

export const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/** The body as a plain value, owned by the caller when it came as bytes. Undefined when there is none. */
export function readBody(request: Request): unknown {
  const { body } = request
  if (body === undefined) return undefined
  if (!(body instanceof Uint8Array)) return body
  if (body.length === 0) return undefined
  switch (mediaType(request)) {
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
    case '*/*':
      return parseJson(body)
    case 'application/vnd.kubernetes.protobuf':
      return parseProtobuf(body)
    case 'application/apply-patch+yaml':
    case 'application/yaml':
    case 'application/x-yaml':
    case 'text/yaml':
      return parseYaml(body)
    default:
      throw errors.unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${bodyTypes.join(', ')}`)
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function parseJson(bytes: Uint8Array): unknown {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw errors.badRequest('the body of the request is not valid UTF-8')
  }
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new SyntaxError((error as Error).message, { cause: text })
  }
}

export function parseYaml(bytes: Uint8Array): unknown {
  // YAML 1.1, as Go's parser reads it: 0644 is octal
  const document = parseDocument(Buffer.from(bytes).toString(), { version: '1.1', schema: 'yaml-1.1', merge: true })
  const [error] = document.errors
  if (error) throw errors.badRequest(`error parsing YAML: ${error.message}`)
  return document.toJS({ maxAliasCount: 100 })
}
