import { failure } from '#api'
import { goFormat } from './json-value.ts'

/** The answer to a patch that is well-formed and does not fit the object. */
export const unprocessable = (options?: ErrorOptions) =>
  failure('Invalid', 422, 'the server rejected our request due to an error in our request', {}, options)

/** Upstream answers 500 with the bare text for the mistakes that it has no code for. */
export const broken = (message: string) => failure('', 500, message)
export const noMergeKey = (map: unknown, key: string) => broken(`map: ${goFormat(map)} does not contain declared merge key: ${key}`)
