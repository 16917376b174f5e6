import { randomBytes } from 'node:crypto'
import { xsalsa20poly1305 } from '@noble/ciphers/salsa.js'
import type { NamedKey } from './aes.ts'
import { opened } from './aes.ts'
import type { Transformer } from './transformer.ts'

const nonceSize = 24

/** XSalsa20 with Poly1305 (NaCl's secretbox): 24 random bytes of nonce, then the box. */
export function secretbox({ name, secret }: NamedKey): Transformer {
  return {
    prefix: `k8s:enc:secretbox:v1:${name}:`,
    encrypt(plain) {
      const nonce = randomBytes(nonceSize)
      return Buffer.concat([nonce, xsalsa20poly1305(secret, nonce).encrypt(plain)])
    },
    decrypt: (bytes) => opened(() => ({ plain: xsalsa20poly1305(secret, bytes.subarray(0, nonceSize)).decrypt(bytes.subarray(nonceSize)) })),
  }
}
