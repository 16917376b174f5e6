/**
 * Bytes that are no CBOR of Kubernetes' profile, in the words of the decoder that upstream uses: clients see them. `inside`: what says the kind of the object
 * can be read all the same.
 */
export class CborError extends Error {
  override name = 'CborError'
  readonly inside: boolean
  constructor(message: string, inside = false) {
    super(message)
    this.inside = inside
  }
}
