import { X509Certificate, createPrivateKey } from 'node:crypto'

const block = /-----BEGIN ([^-]+)-----\r?\n[\s\S]*?-----END \1-----/g

const blocksOf = (text: string) => [...text.matchAll(block)].map(([pem, type]) => ({ pem, type: type! }))

const list = (types: readonly string[]) => `[${types.join(' ')}]`

/** What crypto/tls says of a certificate and a key that do not belong together, in its words; undefined where they do. */
export function tlsPairProblem(certificate: string, key: string): string | undefined {
  const blocks = blocksOf(certificate)
  const types = blocks.map((one) => one.type)
  const first = blocks.find((one) => one.type === 'CERTIFICATE')
  if (!first) {
    if (types.length === 0) return 'tls: failed to find any PEM data in certificate input'
    if (types.length === 1 && types[0]!.endsWith('PRIVATE KEY'))
      return 'tls: failed to find certificate PEM data in certificate input, but did find a private key; PEM inputs may have been switched'
    return `tls: failed to find "CERTIFICATE" PEM block in certificate input after skipping PEM blocks of the following types: ${list(types)}`
  }
  const keyBlocks = blocksOf(key)
  const keyTypes = keyBlocks.map((one) => one.type)
  const found = keyBlocks.find((one) => one.type === 'PRIVATE KEY' || one.type.endsWith(' PRIVATE KEY'))
  if (!found) {
    if (keyTypes.length === 0) return 'tls: failed to find any PEM data in key input'
    if (keyTypes.length === 1 && keyTypes[0] === 'CERTIFICATE') return 'tls: found a certificate rather than a key in the PEM for the private key'
    return `tls: failed to find PEM block with type ending in "PRIVATE KEY" in key input after skipping PEM blocks of the following types: ${list(keyTypes)}`
  }
  return mismatch(first.pem, found.pem)
}

function mismatch(certificate: string, key: string): string | undefined {
  let parsed
  try {
    parsed = new X509Certificate(certificate)
  } catch {
    return 'x509: malformed certificate'
  }
  let secret
  try {
    secret = createPrivateKey(key)
  } catch {
    return 'tls: failed to parse private key'
  }
  const type = parsed.publicKey.asymmetricKeyType
  if (type !== secret.asymmetricKeyType) return 'tls: private key type does not match public key type'
  return parsed.checkPrivateKey(secret) ? undefined : 'tls: private key does not match public key'
}
