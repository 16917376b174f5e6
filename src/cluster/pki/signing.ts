import { X509Certificate } from 'node:crypto'
import type { CertificateUsage, KeyPair } from './certificates.ts'
import { certificateDays, dayMs, signCertificate } from './certificates.ts'
import { x509 } from './x509.ts'

const subjectAltName = '2.5.29.17'

/** What a PKCS #10 request asks for. */
export interface ParsedRequest {
  commonName: string
  organizations: string[]
  /** DNS names and IP addresses. */
  names: string[]
  publicKey: CryptoKey
}

/** Reads a PEM `CERTIFICATE REQUEST` and checks that its sender holds the key. Throws an Error that says what is wrong. */
export async function parseRequest(pem: string): Promise<ParsedRequest> {
  const lib = await x509()
  const request = new lib.Pkcs10CertificateRequest(pem)
  if (!(await request.verify())) throw new Error('the signature of the certificate request does not match its key')
  const extension = request.extensions.find((e) => e.type === subjectAltName)
  const alternatives = extension ? new lib.SubjectAlternativeNameExtension(extension.rawData).names.items : []
  const unsupported = alternatives.find((name) => name.type !== 'dns' && name.type !== 'ip')
  if (unsupported) throw new Error(`names of type ${unsupported.type} cannot be signed`)
  return {
    commonName: request.subjectName.getField('CN')[0] ?? '',
    organizations: request.subjectName.getField('O'),
    names: alternatives.map((name) => name.value),
    publicKey: await request.publicKey.export(),
  }
}

export interface SigningOptions {
  usages: CertificateUsage[]
  /** The lifetime that was asked for (CertificateSigningRequest's expirationSeconds); at least 600. */
  seconds?: number
  now?: number
}

/** Signs a PEM request as it stands, for CertificateSigningRequests; answers PEM. The certificate never outlives the authority. */
export async function signRequest(authority: KeyPair, pem: string, options: SigningOptions): Promise<string> {
  const { publicKey, commonName, organizations, names } = await parseRequest(pem)
  const now = options.now ?? Date.now()
  const asked = now + Math.min(Math.max(options.seconds ?? Infinity, 600) * 1000, certificateDays * dayMs)
  const notAfter = Math.min(asked, Date.parse(new X509Certificate(authority.certificate).validTo))
  return signCertificate(authority, { commonName, organizations, names, usages: options.usages, publicKey, now, notAfter })
}
