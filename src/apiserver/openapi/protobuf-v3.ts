import protobuf from 'protobufjs/minimal.js'
import type { JsonSchema } from './definitions.ts'
import type { Encode } from './protobuf-fields.ts'
import { any, bool, double, fields, int, message, named, repeated, string, strings } from './protobuf-fields.ts'

/**
 * An OpenAPI 3.0 document in the protobuf form that kubectl asks for when it looks for what a server validates: gnostic's `openapi.v3.Document`. Field numbers
 * are those of gnostic's OpenAPIv3.proto; each thing that may be a reference is wrapped in a message that says whether it is one.
 */
export function encodeDocumentV3(document: JsonSchema): Uint8Array {
  const writer = protobuf.Writer.create()
  encodeRoot(writer, document)
  return writer.finish()
}

const reference = fields({ $ref: string(1), summary: string(2), description: string(3) }, 0)

/** What is defined in place (1), or somewhere else (2). */
const orReference =
  (encode: Encode): Encode =>
  (w, v) =>
    '$ref' in (v as object) ? message(2, reference)(w, v) : message(1, encode)(w, v)

/** Things by name, any of which may be a reference, as field `n`. */
const byName = (n: number, encode: Encode) => message(n, named(1, message(2, orReference(encode))))

// Schemas contain schemas: the table is complete only after the function it calls exists.
const schema: Encode = (w, v) => schemaFields(w, v)
const schemaOrReference = orReference(schema)

/** Numbers, booleans and text have a place in gnostic's message; of other defaults there is only that they are there. */
const defaultValue: Encode = (w, v) => {
  if (typeof v === 'number') double(1)(w, v)
  else if (typeof v === 'boolean') bool(2)(w, v)
  else if (typeof v === 'string') string(3)(w, v)
}

const schemaFields = fields(
  {
    nullable: bool(1),
    readOnly: bool(3),
    writeOnly: bool(4),
    externalDocs: message(6, fields({ description: string(1), url: string(2) }, 3)),
    example: any(7),
    deprecated: bool(8),
    title: string(9),
    multipleOf: double(10),
    maximum: double(11),
    exclusiveMaximum: bool(12),
    minimum: double(13),
    exclusiveMinimum: bool(14),
    maxLength: int(15),
    minLength: int(16),
    pattern: string(17),
    maxItems: int(18),
    minItems: int(19),
    uniqueItems: bool(20),
    maxProperties: int(21),
    minProperties: int(22),
    required: strings(23),
    enum: repeated(any(24)),
    type: string(25),
    allOf: repeated(message(26, schemaOrReference)),
    oneOf: repeated(message(27, schemaOrReference)),
    anyOf: repeated(message(28, schemaOrReference)),
    not: message(29, schema),
    items: message(30, message(1, schemaOrReference)),
    properties: byName(31, schema),
    additionalProperties: message(32, (w, v) => (typeof v === 'boolean' ? bool(2)(w, v) : message(1, schemaOrReference)(w, v))),
    default: message(33, defaultValue),
    description: string(34),
    format: string(35),
  },
  36,
)

const mediaType = fields({ schema: message(1, schemaOrReference), example: any(2) }, 5)
const content = (n: number) => message(n, named(1, message(2, mediaType)))

const parameter = fields(
  {
    name: string(1),
    in: string(2),
    description: string(3),
    required: bool(4),
    deprecated: bool(5),
    allowEmptyValue: bool(6),
    style: string(7),
    explode: bool(8),
    allowReserved: bool(9),
    schema: message(10, schemaOrReference),
    content: content(13),
  },
  14,
)

const requestBody = fields({ description: string(1), content: content(2), required: bool(3) }, 4)
const header = fields({ description: string(1), required: bool(2), schema: message(8, schemaOrReference) }, 12)
const response = fields({ description: string(1), headers: byName(2, header), content: content(3) }, 5)

const responses: Encode = (w, v) => {
  const { default: otherwise, ...byCode } = v as Record<string, unknown>
  if (otherwise !== undefined) message(1, orReference(response))(w, otherwise)
  named(2, message(2, orReference(response)))(w, byCode)
}

const security = (n: number) => repeated(message(n, named(1, message(2, strings(1)))))

const operation = (n: number): Encode =>
  message(
    n,
    fields(
      {
        tags: strings(1),
        summary: string(2),
        description: string(3),
        operationId: string(5),
        parameters: repeated(message(6, orReference(parameter))),
        requestBody: message(7, orReference(requestBody)),
        responses: message(8, responses),
        deprecated: bool(10),
        security: security(11),
      },
      13,
    ),
  )

const pathItem = fields(
  {
    summary: string(2),
    description: string(3),
    get: operation(4),
    put: operation(5),
    post: operation(6),
    delete: operation(7),
    options: operation(8),
    head: operation(9),
    patch: operation(10),
    trace: operation(11),
    parameters: repeated(message(13, orReference(parameter))),
  },
  14,
)

const securityScheme = fields(
  { type: string(1), description: string(2), name: string(3), in: string(4), scheme: string(5), bearerFormat: string(6) },
  9,
)

const encodeRoot = fields(
  {
    openapi: string(1),
    info: message(2, fields({ title: string(1), description: string(2), version: string(6) }, 7)),
    paths: message(4, named(1, message(2, pathItem))),
    components: message(
      5,
      fields(
        {
          schemas: byName(1, schema),
          responses: byName(2, response),
          parameters: byName(3, parameter),
          requestBodies: byName(5, requestBody),
          headers: byName(6, header),
          securitySchemes: byName(7, securityScheme),
        },
        10,
      ),
    ),
    security: security(6),
  },
  9,
)
