import { type KeyObject, constants, createPublicKey, verify } from 'node:crypto'
import { derElements } from '../../../der.ts'

interface Algorithm {
  /** As Go's x509 names it. */
  name: string
  hash?: string
  insecure?: boolean
}

// by the bytes of their object identifiers
const algorithms: Record<string, Algorithm> = {
  '2a864886f70d010104': { name: 'MD5-RSA', insecure: true },
  '2a864886f70d010105': { name: 'SHA1-RSA', insecure: true },
  '2a864886f70d01010b': { name: 'RSA', hash: 'sha256' },
  '2a864886f70d01010c': { name: 'RSA', hash: 'sha384' },
  '2a864886f70d01010d': { name: 'RSA', hash: 'sha512' },
  '2a864886f70d01010a': { name: 'PSS' },
  '2a8648ce3d0401': { name: 'ECDSA-SHA1', insecure: true },
  '2a8648ce3d040302': { name: 'ECDSA', hash: 'sha256' },
  '2a8648ce3d040303': { name: 'ECDSA', hash: 'sha384' },
  '2a8648ce3d040304': { name: 'ECDSA', hash: 'sha512' },
  '2b6570': { name: 'Ed25519' },
}
/** Of the hashes that PSS names in its parameters, but for the last byte: SHA-256, 384, 512. */
const sha2 = Buffer.from('6086480165030402', 'hex')
const sha2Names: Record<number, string> = { 1: 'sha256', 2: 'sha384', 3: 'sha512' }

const block = /-----BEGIN ([^-\n]+)-----\r?\n([\s\S]*?)-----END \1-----/

/**
 * What is wrong with a PKCS #10 request (base64 of its PEM, as the API carries it) in the words of Go's libraries; undefined when it
 * is signed by the key that it asks a certificate for.
 */
export function requestProblem(request: string): string | undefined {
  const pem = block.exec(Buffer.from(request, 'base64').toString('latin1'))
  if (pem?.[1] !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST'
  let parts
  try {
    parts = requestParts(Buffer.from(pem[2]!, 'base64'))
  } catch {
    return 'asn1: syntax error: data truncated'
  }
  return signatureProblem(parts)
}

interface Parts {
  signed: Buffer
  key: KeyObject
  algorithm: Algorithm | undefined
  parameters: Buffer
  signature: Buffer
}

function requestParts(bytes: Buffer): Parts {
  const [info, algorithm, signature] = derElements(derElements(bytes)[0]!.content)
  // version, subject, public key, attributes
  const key = derElements(info!.content)[2]!
  return {
    signed: info!.raw,
    key: createPublicKey({ key: key.raw, format: 'der', type: 'spki' }),
    algorithm: algorithms[derElements(algorithm!.content)[0]!.content.toString('hex')],
    parameters: algorithm!.content,
    // a bit string begins with the number of its unused bits
    signature: signature!.content.subarray(1),
  }
}

function signatureProblem({ signed, key, algorithm, parameters, signature }: Parts): string | undefined {
  const cannot = 'x509: cannot verify signature: '
  if (!algorithm) return `${cannot}algorithm unimplemented`
  if (algorithm.insecure) return `${cannot}insecure algorithm ${algorithm.name}`
  const holds = (hash: string | null, padding?: object) => {
    try {
      return verify(hash, signed, padding ? { key, ...padding } : key, signature)
    } catch {
      return false
    }
  }
  if (algorithm.name === 'Ed25519') return holds(null) ? undefined : 'x509: Ed25519 verification failure'
  if (algorithm.name === 'ECDSA') return holds(algorithm.hash!) ? undefined : 'x509: ECDSA verification failure'
  if (algorithm.name === 'RSA') return holds(algorithm.hash!) ? undefined : 'crypto/rsa: verification error'
  const hash = sha2Names[parameters[parameters.indexOf(sha2) + sha2.length] ?? 0]
  if (parameters.indexOf(sha2) < 0 || !hash) return `${cannot}algorithm unimplemented`
  const padding = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO }
  return holds(hash, padding) ? undefined : 'crypto/rsa: verification error'
}
