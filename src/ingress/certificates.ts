import { X509Certificate, createHash, createPrivateKey } from 'node:crypto'
import type { DeepReadonly, core } from '#api'
import type { Certificate } from './desired.ts'
import type { Trouble } from './backends.ts'

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/** The certificate in a Secret's `tls.crt` and `tls.key`, or what is wrong with it. Expired ones are served, as everywhere: clients say so themselves. */
export function certificateOf(secret: DeepReadonly<core.Secret>): { certificate: Certificate } | { trouble: Trouble } {
  const name = `${secret.metadata.namespace}/${secret.metadata.name}`
  const bad = (message: string) => ({ trouble: { reason: 'InvalidCertificate', message: `secret ${name} ${message}` } })
  const text = (key: string) => Buffer.from(secret.data?.[key] ?? '', 'base64').toString('latin1')
  const chain = text('tls.crt').match(block) ?? []
  if (chain.length === 0) return bad('has no PEM certificate in tls.crt')
  let key
  try {
    key = createPrivateKey(text('tls.key'))
  } catch {
    return bad('has no PEM private key in tls.key')
  }
  try {
    const certificates = chain.map((pem) => new X509Certificate(pem))
    if (!certificates[0]!.checkPrivateKey(key)) return bad('has a key that does not belong to its certificate')
  } catch {
    return bad('has a certificate that cannot be read')
  }
  // written anew: nothing of the Secret but certificates and the key gets into a file
  const pem = `${chain.join('\n')}\n${String(key.export({ type: 'pkcs8', format: 'pem' })).trim()}\n`
  return { certificate: { id: createHash('sha256').update(pem).digest('hex').slice(0, 32), pem } }
}
