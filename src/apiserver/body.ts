import { errors, findDuplicateFields, fieldProblems, parseCbor, parseProtobuf } from '#api'
import type { Request } from '#client'
import { TooMany, checkDepth, maxDepth } from './depth.ts'
import { parseWellFormed } from './well-formed.ts'
import { parseYaml } from './yaml/parse.ts'

/** What a request's body says it is, without parameters; JSON when it says nothing. */
export function mediaType(request: Request): string {
  const header = request.headers['content-type']
  if (!header) return 'application/json'
  const semicolon = header.indexOf(';')
  return (semicolon < 0 ? header : header.slice(0, semicolon)).trim().toLowerCase()
}

/** Whether a body is CBOR, whose mistakes have words of their own. */
export const isCbor = (request: Request): boolean => request.body instanceof Uint8Array && mediaType(request).endsWith('cbor')

export const bodyTypes = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf']

/**
 * The body as a plain value, owned by the caller when it came as bytes. Undefined when there is none. `duplicates` gets a sentence for keys that
 * an object has twice, where it is asked for. Throws SyntaxError for what is no JSON, YamlError for what is no YAML, CborError for what is no CBOR.
 */
export function readBody(request: Request, duplicates?: string[]): unknown {
  const { body } = request
  if (body === undefined) return undefined
  if (!(body instanceof Uint8Array)) return body
  if (body.length === 0 && !isCbor(request)) return mediaType(request).includes('yaml') ? null : undefined
  switch (mediaType(request)) {
    case 'application/json':
    case 'application/json-patch+json':
    case 'application/merge-patch+json':
    case 'application/strategic-merge-patch+json':
    case '*/*':
      return parseJson(body, duplicates)
    case 'application/vnd.kubernetes.protobuf':
      return parseProtobuf(body)
    case 'application/cbor':
    case 'application/apply-patch+cbor':
      return parseCbor(body, { depth: maxDepth, values: maxValues })
    case 'application/apply-patch+yaml':
    case 'application/yaml':
      return parseYaml(body, duplicates)
    default:
      throw errors.unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${bodyTypes.join(', ')}`)
  }
}

/** Of CBOR, where a value may take one byte and fifty in memory. */
const maxValues = 300_000

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function parseJson(bytes: Uint8Array, duplicates?: string[]): unknown {
  let text: string
  try {
    text = decoder.decode(bytes)
  } catch {
    throw errors.badRequest('the body of the request is not valid UTF-8')
  }
  try {
    checkDepth(bytes)
  } catch (error) {
    throw error instanceof TooMany ? errors.tooLarge(`Request entity too large: ${error.message}`) : error
  }
  let value: unknown
  try {
    value = parseWellFormed(text)
  } catch (error) {
    // what is wrong with it is said by whoever answers
    throw new SyntaxError((error as Error).message, { cause: text })
  }
  if (duplicates) duplicates.push(...fieldProblems([], findDuplicateFields(text)))
  return value
}
