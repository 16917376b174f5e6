import { X509Certificate } from 'node:crypto'
import type { CertificateAuthority, RequestedCertificate } from '#controllers'
import { type KeyPair, backdateMs, certificateDays, dayMs, sign } from './certificates.ts'
import { type X509, x509 } from './x509.ts'

const subjectAltName = '2.5.29.17'
const hourMs = 60 * 60 * 1000

/** The cluster's authority over PKCS #10 requests (RFC 2986), as upstream's signers issue certificates. */
export function certificateAuthority(authority: KeyPair): CertificateAuthority {
  return {
    async read(pem): Promise<RequestedCertificate> {
      const lib = await x509()
      const request = await verified(lib, pem)
      const names = namesOf(lib, request)
      const of = (type: string) => names.filter((name) => name.type === type).map((name) => name.value)
      return {
        commonName: request.subjectName.getField('CN')[0] ?? '',
        organizations: request.subjectName.getField('O'),
        dnsNames: of('dns'),
        ipAddresses: of('ip'),
        emailAddresses: of('email'),
        uris: of('url'),
      }
    },

    async sign(pem, { usages, seconds, now }): Promise<string> {
      const lib = await x509()
      const request = await verified(lib, pem)
      const unknown = usages.filter((usage) => !(usage in keyUsages) && !(usage in extendedUsages))
      if (unknown.length > 0) throw new Error(`unrecognized usage values: ${JSON.stringify(unknown)}`)
      const end = Date.parse(new X509Certificate(authority.certificate).validTo)
      if (now >= end) throw new Error('refusing to sign a certificate that expired in the past')
      const life = Math.min(Math.max(seconds === undefined ? Infinity : seconds * 1000, 10 * 60 * 1000), certificateDays * dayMs)
      // what is valid from a little while ago lasts as long as it says in all, unless that little is much of it
      const notAfter = now + life - (life < 8 * hourMs ? 0 : backdateMs)
      return sign(authority, {
        subject: request.subjectName,
        names: namesOf(lib, request).filter(({ type }) => ['dns', 'ip', 'email', 'url'].includes(type)),
        keyUsages: usages.reduce((flags, usage) => flags | (keyUsages[usage] ? lib.KeyUsageFlags[keyUsages[usage]] : 0), 0),
        extendedUsages: [...new Set(usages.flatMap((usage) => extendedUsages[usage] ?? []))],
        publicKey: await request.publicKey.export(),
        notBefore: now - backdateMs,
        notAfter: Math.min(notAfter, end),
      })
    },
  }
}

type Request = InstanceType<X509['Pkcs10CertificateRequest']>

async function verified(lib: X509, pem: string): Promise<Request> {
  const request = new lib.Pkcs10CertificateRequest(pem)
  if (!(await request.verify())) throw new Error('the signature of the certificate request does not match its key')
  return request
}

function namesOf(lib: X509, request: Request) {
  const extension = request.extensions.find(({ type }) => type === subjectAltName)
  return extension ? new lib.SubjectAlternativeNameExtension(extension.rawData).names.items : []
}

/** Usages of the API that are bits of a certificate's key usage (RFC 5280, section 4.2.1.3). */
const keyUsages: Record<string, keyof X509['KeyUsageFlags'] & string> = {
  signing: 'digitalSignature',
  'digital signature': 'digitalSignature',
  'content commitment': 'nonRepudiation',
  'key encipherment': 'keyEncipherment',
  'key agreement': 'keyAgreement',
  'data encipherment': 'dataEncipherment',
  'cert sign': 'keyCertSign',
  'crl sign': 'cRLSign',
  'encipher only': 'encipherOnly',
  'decipher only': 'decipherOnly',
}

/** Those that are purposes of their own (section 4.2.1.12). */
const extendedUsages: Record<string, string> = {
  any: '2.5.29.37.0',
  'server auth': '1.3.6.1.5.5.7.3.1',
  'client auth': '1.3.6.1.5.5.7.3.2',
  'code signing': '1.3.6.1.5.5.7.3.3',
  'email protection': '1.3.6.1.5.5.7.3.4',
  's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5',
  'ipsec tunnel': '1.3.6.1.5.5.7.3.6',
  'ipsec user': '1.3.6.1.5.5.7.3.7',
  timestamping: '1.3.6.1.5.5.7.3.8',
  'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3',
  'netscape sgc': '2.16.840.1.113730.4.1',
}
