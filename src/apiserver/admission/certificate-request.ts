/**
 * The organizations that a PKCS #10 request (base64 of its PEM, as the API carries it) asks for in its subject; undefined when it is none. Enough of DER to read
 * a subject: the whole library is not worth its memory here.
 */
export function requestedOrganizations(request: string): string[] | undefined {
  const pem = Buffer.from(request, 'base64').toString('latin1')
  const body = /-----BEGIN (?:NEW )?CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem)?.[1]
  if (!body) return undefined
  try {
    const outer = children(Buffer.from(body, 'base64'))[0]!
    // CertificationRequestInfo: version, subject, key, attributes
    const subject = children(children(outer.content)[0]!.content)[1]!
    return children(subject.content).flatMap((relative) =>
      children(relative.content).flatMap((attribute) => {
        const [type, value] = children(attribute.content)
        return type!.content.equals(organization) ? [decodeString(value!)] : []
      }),
    )
  } catch {
    return undefined
  }
}

/** 2.5.4.10 */
const organization = Buffer.from([0x55, 0x04, 0x0a])

interface Element {
  tag: number
  content: Buffer
}

function children(bytes: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < bytes.length;) {
    const tag = bytes.readUInt8(at)
    let length = bytes.readUInt8(at + 1)
    at += 2
    if (length & 0x80) {
      const size = length & 0x7f
      length = bytes.readUIntBE(at, size)
      at += size
    }
    if (at + length > bytes.length) throw new RangeError('an element is longer than what holds it')
    found.push({ tag, content: bytes.subarray(at, at + length) })
    at += length
  }
  return found
}

/** BMPString is UTF-16 in network order; the other string types of subjects are UTF-8 or parts of Latin-1. */
function decodeString({ tag, content }: Element): string {
  if (tag === 0x1e) return Buffer.from(content).swap16().toString('utf16le')
  return content.toString(tag === 0x0c ? 'utf8' : 'latin1')
}
