import type { Controller } from '#runtime'
import { certificateApprover } from './approving.ts'
import type { CertificateAuthority } from './authority.ts'
import { certificateCleaner } from './cleaning.ts'
import { certificateSigner } from './signing.ts'

export type { CertificateAuthority, RequestedCertificate } from './authority.ts'

/** What acts on CertificateSigningRequests. Without an authority nobody signs here, old requests are removed all the same. */
export function certificateControllers(authority: CertificateAuthority | undefined): Controller[] {
  return [certificateCleaner, ...(authority ? [certificateApprover(authority), certificateSigner(authority)] : [])]
}
