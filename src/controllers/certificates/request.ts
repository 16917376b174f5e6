import type { DeepReadonly, certificates } from '#api'
import { TerminalError } from '#runtime'
import type { CertificateAuthority, RequestedCertificate } from './authority.ts'

type SigningRequest = DeepReadonly<certificates.CertificateSigningRequest>

export const hasCondition = (request: SigningRequest, type: string): boolean =>
  request.status?.conditions?.some((condition) => condition.type === type && (condition.status ?? 'True') === 'True') ?? false

/** The PKCS #10 request in it, PEM. */
export const requestOf = (request: SigningRequest): string => Buffer.from(request.spec.request ?? '', 'base64').toString('latin1')

export async function readRequest(authority: CertificateAuthority, request: SigningRequest): Promise<RequestedCertificate> {
  try {
    return await authority.read(requestOf(request))
  } catch (cause) {
    throw new TerminalError(`unable to parse csr ${JSON.stringify(request.metadata.name)}: ${(cause as Error).message}`, { cause })
  }
}
