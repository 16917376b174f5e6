import { createPrivateKey, createPublicKey, generateKeyPair, generateKeyPairSync, randomBytes, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import type { Extension, JsonGeneralNames, JsonName, Name } from '@peculiar/x509'
import { x509 } from './x509.ts'

/** A certificate and its private key, both PEM (the key as PKCS #8). */
export interface KeyPair {
  certificate: string
  key: string
}

export type CertificateUsage = 'server' | 'client'

export interface CertificateRequest {
  /** For a client certificate: the user's name. */
  commonName: string
  /** For a client certificate: the user's groups. */
  organizations?: string[]
  /** DNS names and IP addresses that a server certificate answers for. */
  names?: string[]
  usages: CertificateUsage[]
  /** How long it is valid, in days. */
  days?: number
  /** Milliseconds since the epoch; the present when absent. */
  now?: number
}

export const dayMs = 24 * 60 * 60 * 1000
export const certificateDays = 365
export const authorityDays = 3650

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** Clocks of nodes differ: what is issued is valid from a little while ago. */
export const backdateMs = 5 * 60 * 1000

/** A self-signed certificate authority. With `key` it is the same authority with a new lifetime: what it signed stays valid. */
export async function createAuthority(options: { commonName: string; days?: number; now?: number; key?: string }): Promise<KeyPair> {
  const lib = await x509()
  const key = options.key ?? newPrivateKey()
  const keys = { privateKey: signingKey(key), publicKey: publicKey(key) }
  const certificate = await lib.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: subject(options),
    ...validity(options.now, options.days ?? authorityDays),
    keys,
    signingAlgorithm: ecdsa,
    extensions: [
      new lib.BasicConstraintsExtension(true, undefined, true),
      new lib.KeyUsagesExtension(lib.KeyUsageFlags.digitalSignature | lib.KeyUsageFlags.keyEncipherment | lib.KeyUsageFlags.keyCertSign, true),
      await lib.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate: pem(certificate), key }
}

/** A certificate signed by `authority`, with a new key. */
export async function issueCertificate(authority: KeyPair, request: CertificateRequest): Promise<KeyPair> {
  const lib = await x509()
  const key = newPrivateKey()
  const purposes = { server: lib.ExtendedKeyUsage.serverAuth, client: lib.ExtendedKeyUsage.clientAuth }
  const { notBefore, notAfter } = validity(request.now, request.days ?? certificateDays)
  const certificate = await sign(authority, {
    subject: subject(request),
    names: (request.names ?? []).map((value) => ({ type: isIP(value) ? 'ip' : 'dns', value })),
    keyUsages: lib.KeyUsageFlags.digitalSignature | lib.KeyUsageFlags.keyEncipherment,
    extendedUsages: request.usages.map((usage) => purposes[usage]),
    publicKey: publicKey(key),
    notBefore: notBefore.getTime(),
    notAfter: notAfter.getTime(),
  })
  return { certificate, key }
}

/** What a certificate says; times are milliseconds since the epoch, extended usages object identifiers. */
export interface CertificateContent {
  subject: JsonName | Name
  names: JsonGeneralNames
  keyUsages: number
  extendedUsages: string[]
  publicKey: CryptoKey
  notBefore: number
  notAfter: number
}

/** Signs a public key; answers the certificate as PEM. */
export async function sign(authority: KeyPair, content: CertificateContent): Promise<string> {
  const lib = await x509()
  const issuer = new lib.X509Certificate(authority.certificate)
  const { names, keyUsages, extendedUsages } = content
  const extensions: Extension[] = [new lib.BasicConstraintsExtension(false, undefined, true)]
  if (keyUsages) extensions.push(new lib.KeyUsagesExtension(keyUsages, true))
  if (extendedUsages.length > 0) extensions.push(new lib.ExtendedKeyUsageExtension(extendedUsages))
  extensions.push(await lib.AuthorityKeyIdentifierExtension.create(issuer.publicKey))
  // whoever has no name but these must not have them passed over (RFC 5280, section 4.2.1.6)
  const nameless = (Array.isArray(content.subject) ? content.subject : content.subject.toJSON()).length === 0
  if (names.length > 0) extensions.push(new lib.SubjectAlternativeNameExtension(names, nameless))
  const certificate = await lib.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    issuer: issuer.subjectName,
    subject: content.subject,
    notBefore: new Date(content.notBefore),
    notAfter: new Date(content.notAfter),
    publicKey: content.publicKey,
    signingKey: signingKey(authority.key),
    signingAlgorithm: ecdsa,
    extensions,
  })
  return pem(certificate)
}

/** Subject names with characters that a distinguished name's text form gives a meaning to need no escaping this way. */
function subject(of: { commonName: string; organizations?: string[] }): JsonName {
  return [...(of.organizations ?? []).map((organization) => ({ O: [organization] })), { CN: [of.commonName] }]
}

/** The key that signs service-account tokens: RSA, because RS256 is what every OpenID verifier accepts. PEM. */
export async function createTokenSigningKey(): Promise<string> {
  const { privateKey } = await promisify(generateKeyPair)('rsa', { modulusLength: 2048 })
  return privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
}

/** Whether a certificate can go on being used: its authority signed it, its key fits, it is not about to expire, and it has all names. */
export function isUsable(pair: KeyPair, authority: KeyPair, needed: { names?: string[]; now: number; renewBeforeDays: number }): boolean {
  try {
    const certificate = new X509Certificate(pair.certificate)
    const names = certificate.subjectAltName ?? ''
    const present = new Set(names.split(', ').map((name) => canonicalName(name.replace(/^(DNS|IP Address):/, ''))))
    return (
      certificate.checkPrivateKey(createPrivateKey(pair.key)) &&
      certificate.verify(new X509Certificate(authority.certificate).publicKey) &&
      Date.parse(certificate.validTo) - needed.now > needed.renewBeforeDays * dayMs &&
      (needed.names ?? []).every((name) => present.has(canonicalName(name)))
    )
  } catch {
    return false
  }
}

/** IPv6 addresses have many spellings. */
const canonicalName = (name: string): string => (isIP(name) === 6 ? new URL(`http://[${name}]`).hostname : name)

const newPrivateKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

const signingKey = (key: string): CryptoKey => createPrivateKey(key).toCryptoKey(ecdsa, false, ['sign'])

function publicKey(key: string): CryptoKey {
  const { x, y } = createPrivateKey(key).export({ format: 'jwk' }) as { x: string; y: string }
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' }).toCryptoKey(ecdsa, true, ['verify'])
}

/** 16 random bytes with the top bit clear: positive, and unique without a counter. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = (bytes[0]! & 0x7f) | 0x40
  return bytes.toString('hex')
}

const validity = (now = Date.now(), days: number) => ({ notBefore: new Date(now - backdateMs), notAfter: new Date(now + days * dayMs) })

const pem = (certificate: { toString(format: 'pem'): string }): string => `${certificate.toString('pem').trim()}\n`
