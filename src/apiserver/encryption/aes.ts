import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { Decrypted, Transformer } from './transformer.ts'
import { EncryptionError } from './transformer.ts'

export interface NamedKey {
  name: string
  secret: Uint8Array
}

const blockSize = 16
const nonceSize = 12
const tagSize = 16

/** AES-CBC with PKCS #7 padding: 16 bytes of initialization vector, then the ciphertext. It proves nothing about who wrote a value. */
export function aesCbc({ name, secret }: NamedKey): Transformer {
  const algorithm = `aes-${secret.length * 8}-cbc`
  return {
    prefix: `k8s:enc:aescbc:v1:${name}:`,
    encrypt(plain) {
      const iv = randomBytes(blockSize)
      const cipher = createCipheriv(algorithm, secret, iv)
      return Buffer.concat([iv, cipher.update(plain), cipher.final()])
    },
    decrypt: (bytes) =>
      opened(() => {
        const decipher = createDecipheriv(algorithm, secret, bytes.subarray(0, blockSize))
        return { plain: Buffer.concat([decipher.update(bytes.subarray(blockSize)), decipher.final()]) }
      }),
  }
}

/** AES-GCM: 12 random bytes of nonce, the ciphertext, 16 bytes of tag; the key under which the value stands is authenticated with it. */
export function aesGcm({ name, secret }: NamedKey): Transformer {
  return {
    prefix: `k8s:enc:aesgcm:v1:${name}:`,
    encrypt: (plain, context) => sealGcm(secret, plain, context),
    decrypt: (bytes, context) => opened(() => ({ plain: openGcm(secret, bytes, context) })),
  }
}

export function sealGcm(secret: Uint8Array, plain: Uint8Array, context: string): Buffer {
  const nonce = randomBytes(nonceSize)
  const cipher = createCipheriv(`aes-${(secret.length * 8) as 256}-gcm`, secret, nonce).setAAD(Buffer.from(context))
  return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()])
}

export function openGcm(secret: Uint8Array, bytes: Uint8Array, context: string): Buffer {
  if (bytes.length < nonceSize + tagSize) throw new EncryptionError('the stored data was shorter than the required size')
  const decipher = createDecipheriv(`aes-${(secret.length * 8) as 256}-gcm`, secret, bytes.subarray(0, nonceSize))
    .setAAD(Buffer.from(context))
    .setAuthTag(bytes.subarray(bytes.length - tagSize))
  return Buffer.concat([decipher.update(bytes.subarray(nonceSize, bytes.length - tagSize)), decipher.final()])
}

/** Node's own errors say nothing that a reader could act on. */
export function opened(open: () => Decrypted): Decrypted {
  try {
    return open()
  } catch (error) {
    throw error instanceof EncryptionError ? error : new EncryptionError('the value does not open with this key', { cause: error })
  }
}
