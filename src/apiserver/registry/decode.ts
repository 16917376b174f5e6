import type { KubeObject, ObjectSchema, Schema } from '#api'
import {
  CborError,
  DecodeError,
  StatusError,
  apiVersionOf,
  cannotBeHandled,
  decodeObject,
  encodeCbor,
  errors,
  failure,
  kindOf,
  parseApiVersion,
  schemaOf,
} from '#api'
import type { Request } from '#client'
import { isCbor, mediaType, readBody } from '../body.ts'
import { jsonType } from '../patch/index.ts'
import { YamlError } from '../yaml/parse.ts'
import { jsonError } from '../json-error.ts'
import type { FieldValidation } from './registry.ts'

export interface DecodeOptions {
  fieldValidation: FieldValidation
  /** Gets the texts about fields that were dropped. */
  warnings: string[]
  /** What reading the body found already: fields that are there twice. */
  duplicates?: readonly string[]
  /** The body was CBOR: mistakes are worded as upstream's CBOR decoder does. */
  cbor?: boolean
  /** Unknown fields are told in the order of their paths, not in that of the body. */
  sorted?: boolean
}

interface Expected {
  group: string
  version: string
  kind: string
}

const schemas = new Map<string, ObjectSchema | undefined>()

/** The schema of a kind, looked up once. */
export function schemaFor(apiVersion: string, kind: string): ObjectSchema | undefined {
  const key = `${apiVersion} ${kind}`
  if (!schemas.has(key)) schemas.set(key, schemaOf(apiVersion, kind))
  return schemas.get(key)
}

/**
 * Makes an object of the expected kind from what a client sent: a value of its own, in the shape of the kind's schema. `value` may be
 * shared (clients in process pass their objects by reference) and stays as it is. Throws BadRequest as upstream words it.
 */
export function decode(expected: Expected, value: unknown, options: DecodeOptions): KubeObject {
  const apiVersion = apiVersionOf(expected)
  // null stands for an object without anything in it, as in Go
  value ??= {}
  if (typeof value !== 'object' || Array.isArray(value)) throw notAnObject(expected.kind, value)
  const given = value as Partial<KubeObject>
  checkTypeMeta(expected.kind, given, options.cbor)
  const kind = given.kind || expected.kind
  const version = given.apiVersion || apiVersion
  if (kind !== expected.kind || version !== apiVersion) throw otherKind(expected, apiVersion, kind, version)
  const schema = schemaFor(apiVersion, expected.kind)
  if (!schema) throw errors.internal(`no schema for ${apiVersion} ${expected.kind}`)
  try {
    const { object, unknownFields } = decodeObject<KubeObject>(value, schema)
    if (unknownFields.length > 0 || options.duplicates?.length)
      report(
        expected,
        options.cbor
          ? [unknownElement(value, schema)]
          : (options.sorted ? unknownFields.toSorted() : unknownFields).map((field) => `unknown field "${field}"`),
        options,
      )
    object.kind = expected.kind
    object.apiVersion = apiVersion
    object.metadata ??= { name: '' }
    // an empty list is left out like any other, but this one asks to forget who manages what
    if (given.metadata?.managedFields?.length === 0) object.metadata.managedFields = []
    return object
  } catch (error) {
    if (error instanceof DecodeError) throw mismatched(expected, options.cbor ? new DecodeError(cborWords(expected, error.message)) : error)
    throw error
  }
}

const typeMetaMismatch = (value: unknown, into: string) => `cbor: cannot unmarshal ${cborTypeOf(value)} into Go ${into}`

const mismatched = (expected: Expected, cause: DecodeError) =>
  failure('BadRequest', 400, cannotBeHandled(expected.kind, expected.version, cause), undefined, { cause })

/** The first field that is not known, as upstream's CBOR decoder tells it: by its place in its map. */
function unknownElement(value: unknown, schema: ObjectSchema): string {
  return `cbor: found unknown field at map element index ${unknownIndex(value, schema) ?? 0}`
}

function unknownIndex(value: unknown, schema: Schema): number | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  let index = 0
  for (const [key, inner] of Object.entries(value)) {
    let of: Schema | undefined
    if (schema.type === 'object') {
      of = schema.fields.get(key)?.schema
      if (!of) return index
    } else if (schema.type === 'list') of = schema.items
    else if (schema.type === 'map') of = schema.values
    const found = of && unknownIndex(inner, of)
    if (found !== undefined) return found
    index++
  }
  return undefined
}

const cborTypes: Record<string, string> = { string: 'byte string', bool: 'primitives', object: 'map', array: 'array' }

/** What upstream calls a value's type in CBOR; whether text was a text or a byte string is not known any more. */
export function cborTypeOf(value: unknown): string {
  if (typeof value === 'number') return !Number.isInteger(value) ? 'primitives' : value < 0 ? 'negative integer' : 'positive integer'
  return cborTypes[jsonType(value)] ?? 'primitives'
}

/** A mismatch in the words of upstream's CBOR decoder: it names the outermost field below which it is. */
function cborWords({ kind, version }: Expected, message: string): string {
  if (message.startsWith('illegal base64')) return `cbor: failed to decode base64 from byte string: ${message}`
  const match = /^json: cannot unmarshal (\w+)(?: (\S+))? into Go (?:struct field \w+\.([^.]+)\S*|value) of type (.+)$/.exec(message)
  if (!match) return message
  const [, type, number, field, goType] = match
  const what = number !== undefined ? cborTypeOf(Number(number)) : (cborTypes[type!] ?? 'positive integer')
  const beyond = number !== undefined && what !== 'primitives' ? ` (${number} overflows ${goType})` : ''
  return `cbor: cannot unmarshal ${what} into Go ${field ? `struct field ${version}.${kind}.${field}` : 'value'} of type ${goType!.replace('[]byte', '[]uint8')}${beyond}`
}

/** What says the kind of an object has to be text, whatever the object is. */
function checkTypeMeta(expected: string, given: { apiVersion?: unknown; kind?: unknown }, cbor = false): void {
  for (const name of ['apiVersion', 'kind'] as const) {
    const value = given[name]
    if (value === undefined || value === null || typeof value === 'string') continue
    if (cbor)
      throw unreadable(
        expected,
        `unable to determine group/version/kind: ${typeMetaMismatch(value, `struct field v1.TypeMeta.${name} of type string`)}`,
        encodeCbor(given),
      )
    const why = `json: cannot unmarshal ${jsonType(value)} into Go struct field .${name} of type string`
    throw unrecognized(expected, why, Buffer.from(JSON.stringify(given)))
  }
}

/** Says why an object of another kind or version is not taken: nobody knows it, it is no such thing, or it came to the wrong place. */
function otherKind(expected: Expected, apiVersion: string, kind: string, given: string): Error {
  const { version } = parseApiVersion(given)
  const refused = `${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: `
  if (!kindOf(given, kind)) {
    const why = `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(given)} in scheme "pkg/api/legacyscheme/scheme.go:30"`
    return failure('BadRequest', 400, `${refused}${why}`, undefined, { cause: new DecodeError(why) })
  }
  const storedIn = kindOf(apiVersion, expected.kind)?.storage.group ?? expected.group
  if (kind !== expected.kind)
    return errors.badRequest(
      `${refused}converting (${version}.${kind}) to (${storedIn.split('.')[0] || 'core'}.${expected.kind}): unknown conversion`,
    )
  return errors.badRequest(`the API version in the data (${given}) does not match the expected API version (${apiVersion})`)
}

function report(expected: Expected, unknown: string[], { fieldValidation, warnings, duplicates = [] }: DecodeOptions): void {
  if (fieldValidation === 'Ignore') return
  const texts = [...duplicates, ...unknown]
  if (fieldValidation === 'Warn') warnings.push(...texts)
  else
    throw errors.badRequest(
      `${expected.kind} in version "${expected.version}" cannot be handled as a ${expected.kind}: strict decoding error: ${texts.join(', ')}`,
    )
}

function notAnObject(kind: string, value: unknown): Error {
  const target = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
  return unrecognized(kind, `json: cannot unmarshal ${jsonType(value)} into Go value of type ${target}`, Buffer.from(JSON.stringify(value) ?? ''))
}

/** The request's body as plain values; `kind` is what it should hold. Undefined when there is none. Throws BadRequest for what cannot be read. */
export function valueOf(request: Request, kind: string, duplicates?: string[]): unknown {
  try {
    const value = readBody(request, duplicates)
    if (isCbor(request) && value !== null && (typeof value !== 'object' || Array.isArray(value)))
      throw new CborError(
        typeMetaMismatch(value, 'value of type v1.TypeMeta') +
          (Array.isArray(value) ? ' (cannot decode CBOR array to struct without toarray option)' : ''),
      )
    return value
  } catch (error) {
    if (error instanceof CborError) throw unreadableCbor(request, kind, error)
    if (error instanceof SyntaxError) throw unrecognized(kind, goSyntaxError(error), request.body as Uint8Array)
    if (error instanceof YamlError) throw unreadable(kind, error.message, request.body as Uint8Array)
    if (error instanceof StatusError && error.message.includes('protobuf message'))
      throw unreadable(kind, error.message.replace(/^the /, ''), request.body as Uint8Array)
    throw error
  }
}

function unreadableCbor({ body, path }: Request, kind: string, error: CborError): Error {
  if (!error.inside) return unreadable(kind, `unable to determine group/version/kind: ${error.message}`, body as Uint8Array)
  const version = /^\/apis?\/(?:[^/]+\/)?(v\d\w*)\//.exec(path)?.[1] ?? 'v1'
  return mismatched({ group: '', version, kind }, new DecodeError(error.message))
}

/** A JSON syntax error as Go words it. */
export const goSyntaxError = (error: SyntaxError) => (typeof error.cause === 'string' ? jsonError(error.cause) : undefined) ?? error.message

/** The answer to a body that is missing. */
export const nothingSent = (request: Request, kind: string): Error =>
  mediaType(request).endsWith('cbor')
    ? unreadable(kind, 'unable to determine group/version/kind: EOF', new Uint8Array())
    : unrecognized(kind, 'unexpected end of JSON input', new Uint8Array())

/** The answer to a body that is no object at all; it shows the start of the body. */
const unrecognized = (kind: string, why: string, body: Uint8Array) => unreadable(kind, `couldn't get version/kind; json parse error: ${why}`, body)

const unreadable = (kind: string, why: string, body: Uint8Array) =>
  failure('BadRequest', 400, `the object provided is unrecognized (must be of type ${kind}): ${why} (${summary(body)})`, undefined, {
    cause: new DecodeError(why),
  })

function summary(body: Uint8Array, max = 30): string {
  if (body.length === 0) return '<empty>'
  const start = Buffer.from(body.subarray(0, max))
  const text = start[0] === 0x7b ? start.toString() : start.toString('hex')
  return body.length > max ? `${text} ...` : text
}
