import protobuf from 'protobufjs/minimal.js'
import type { JsonSchema } from './definitions.ts'
import type { Encode } from './protobuf-fields.ts'
import { any, bool, double, fields, int, message, named, repeated, string, strings } from './protobuf-fields.ts'

/**
 * The OpenAPI 2.0 document in the protobuf form that kubectl asks for: gnostic's `openapi.v2.Document`. Field numbers are
 * those of gnostic's OpenAPIv2.proto; its messages for oneofs and maps wrap what is plain in JSON.
 */
export function encodeDocument(document: JsonSchema): Uint8Array {
  const writer = protobuf.Writer.create()
  encodeRoot(writer, document)
  return writer.finish()
}

// Schemas contain schemas: the table is complete only after the function it calls exists.
const schema: Encode = (w, v) => schemaFields(w, v)
const schemaFields = fields(
  {
    $ref: string(1),
    format: string(2),
    title: string(3),
    description: string(4),
    default: any(5),
    multipleOf: double(6),
    maximum: double(7),
    exclusiveMaximum: bool(8),
    minimum: double(9),
    exclusiveMinimum: bool(10),
    maxLength: int(11),
    minLength: int(12),
    pattern: string(13),
    maxItems: int(14),
    minItems: int(15),
    uniqueItems: bool(16),
    maxProperties: int(17),
    minProperties: int(18),
    required: strings(19),
    enum: repeated(any(20)),
    additionalProperties: message(21, (w, v) => (typeof v === 'boolean' ? bool(2)(w, v) : message(1, schema)(w, v))),
    type: message(22, string(1)),
    items: message(23, message(1, schema)),
    allOf: repeated(message(24, schema)),
    properties: message(25, named(1, message(2, schema))),
    readOnly: bool(27),
    externalDocs: message(29, (w, v) => fields({ description: string(1), url: string(2) }, 3)(w, v)),
    example: any(30),
  },
  31,
)

const bodyParameter = fields({ description: string(1), name: string(2), in: string(3), required: bool(4), schema: message(5, schema) }, 6)
const queryParameter = fields(
  { required: bool(1), in: string(2), description: string(3), name: string(4), type: string(6), format: string(7), uniqueItems: bool(21) },
  23,
)
const pathParameter = fields(
  { required: bool(1), in: string(2), description: string(3), name: string(4), type: string(5), format: string(6), uniqueItems: bool(20) },
  22,
)

const parameter: Encode = (w, v) => {
  const { in: place } = v as { in: string }
  const nonBody = place === 'path' ? message(4, pathParameter) : message(3, queryParameter)
  ;(place === 'body' ? message(1, bodyParameter) : message(2, nonBody))(w, v)
}

const parameterItem: Encode = (w, v) =>
  message('$ref' in (v as object) ? 2 : 1, '$ref' in (v as object) ? fields({ $ref: string(1) }, 0) : parameter)(w, v)

const response = fields({ description: string(1), schema: message(2, message(1, schema)) }, 5)
const operation = (n: number): Encode =>
  message(
    n,
    fields(
      {
        tags: strings(1),
        summary: string(2),
        description: string(3),
        operationId: string(5),
        produces: strings(6),
        consumes: strings(7),
        parameters: repeated(message(8, parameterItem)),
        responses: message(9, named(1, message(2, message(1, response)))),
        schemes: strings(10),
        deprecated: bool(11),
      },
      13,
    ),
  )

const pathItem = fields(
  {
    get: operation(2),
    put: operation(3),
    post: operation(4),
    delete: operation(5),
    options: operation(6),
    head: operation(7),
    patch: operation(8),
    parameters: repeated(message(9, parameterItem)),
  },
  10,
)

const apiKeySecurity = fields({ type: string(1), name: string(2), in: string(3), description: string(4) }, 5)

const encodeRoot = fields(
  {
    swagger: string(1),
    info: message(2, fields({ title: string(1), version: string(2), description: string(3) }, 7)),
    paths: message(8, named(2, message(2, pathItem))),
    definitions: message(9, named(1, message(2, schema))),
    parameters: message(10, named(1, message(2, parameter))),
    security: repeated(message(12, named(1, message(2, strings(1))))),
    securityDefinitions: message(13, named(1, message(2, message(2, apiKeySecurity)))),
  },
  16,
)
