import type { Accepted } from '../http/negotiate.ts'
import type { BinaryForm } from './binary-form.ts'
import { cborForm } from './cbor.ts'
import { protobufForm } from './protobuf.ts'

const forms: Partial<Record<Accepted['format'], BinaryForm>> = { protobuf: protobufForm, cbor: cborForm }

/** The binary form of a format; undefined for what is made of JSON. */
export const binaryForm = (format: Accepted['format']): BinaryForm | undefined => forms[format]
