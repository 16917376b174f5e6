import { type DerElement, derElements } from '../der.ts'

/**
 * The organizations that a PKCS #10 request (base64 of its PEM, as the API carries it) asks for in its subject; undefined when it is none. Enough of DER to read
 * a subject: the whole library is not worth its memory here.
 */
export function requestedOrganizations(request: string): string[] | undefined {
  const pem = Buffer.from(request, 'base64').toString('latin1')
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem)?.[1]
  if (!body) return undefined
  try {
    const outer = derElements(Buffer.from(body, 'base64'))[0]!
    // CertificationRequestInfo: version, subject, key, attributes
    const subject = derElements(derElements(outer.content)[0]!.content)[1]!
    return derElements(subject.content).flatMap((relative) =>
      derElements(relative.content).flatMap((attribute) => {
        const [type, value] = derElements(attribute.content)
        return type!.content.equals(organization) ? [decodeString(value!)] : []
      }),
    )
  } catch {
    return undefined
  }
}

/** 2.5.4.10 */
const organization = Buffer.from([0x55, 0x04, 0x0a])

/** BMPString is UTF-16 in network order; the other string types of subjects are UTF-8 or parts of Latin-1. */
function decodeString({ tag, content }: DerElement): string {
  if (tag === 0x1e) return Buffer.from(content).swap16().toString('utf16le')
  return content.toString(tag === 0x0c ? 'utf8' : 'latin1')
}
