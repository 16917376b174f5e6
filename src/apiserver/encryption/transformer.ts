/** Turns values into what stands in the store and back. The context is the value's key: ciphertext that is copied to another key is not taken for its value there. */
export interface Transformer {
  /** What its ciphertext begins with, e.g. `k8s:enc:aescbc:v1:key1:`; empty for plain values. */
  prefix: string
  encrypt(plain: Uint8Array, context: string): Uint8Array | Promise<Uint8Array>
  /** Of what follows the prefix. `stale`: it would be written in another way now. Throws EncryptionError. */
  decrypt(cipher: Uint8Array, context: string): Decrypted | Promise<Decrypted>
}

export interface Decrypted {
  plain: Uint8Array
  stale?: boolean
}

/** A value cannot be read or written; says of which key and why, and nothing of the value. */
export class EncryptionError extends Error {
  override name = 'EncryptionError'
}
