import { X509Certificate } from 'node:crypto'

/** What is wrong with what a signer issued (base64, as the API carries it): one or more certificates in PEM, without headers. */
export function issuedProblem(encoded: string): string | undefined {
  if (!encoded) return undefined
  const text = Buffer.from(encoded, 'base64').toString('latin1')
  let found = false
  for (const [, type, body] of text.matchAll(/-----BEGIN ([^-\n]*)-----\r?\n([\s\S]*?)-----END \1-----/g)) {
    if (type !== 'CERTIFICATE') return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`
    if (body!.includes(':')) return 'no PEM block headers are permitted'
    found = true
    try {
      new X509Certificate(Buffer.from(body!, 'base64'))
    } catch {
      return 'x509: malformed certificate'
    }
  }
  return found ? undefined : 'must contain at least one CERTIFICATE PEM block'
}
