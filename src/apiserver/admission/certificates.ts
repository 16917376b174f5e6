import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, certificates } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { rejected, targets } from './rejection.ts'
import { requestedOrganizations } from './certificate-request.ts'

type SigningRequest = certificates.CertificateSigningRequest

const group = 'certificates.k8s.io'

/** Who approves a request must be allowed to approve for its signer. */
export function certificateApproval(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    resources: [`${group}/certificatesigningrequests`],
    handles: (request) => request.operation === 'UPDATE' && targets(request, group, 'certificatesigningrequests', 'approval'),
    validate(request) {
      const { signerName = '' } = (request.old as DeepReadonly<SigningRequest>).spec
      if (maySign(authorizer, request, 'approve', signerName)) return
      throw rejected(request, `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}

/** Who issues a certificate must be allowed to sign for the request's signer. */
export function certificateSigning(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    resources: [`${group}/certificatesigningrequests`],
    handles: (request) => request.operation === 'UPDATE' && targets(request, group, 'certificatesigningrequests', 'status'),
    validate(request) {
      const old = request.old as DeepReadonly<SigningRequest>
      const { status } = request.object as SigningRequest
      if (status?.certificate === old.status?.certificate && isDeepStrictEqual(status?.conditions, old.status?.conditions)) return
      const { signerName = '' } = old.spec
      if (maySign(authorizer, request, 'sign', signerName)) return
      throw rejected(request, `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`)
    },
  }
}

/** No client certificate makes its holder a member of `system:masters`: it could not be taken back. */
export function certificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    resources: [`${group}/certificatesigningrequests`],
    handles: (request) =>
      request.operation === 'CREATE' &&
      targets(request, group, 'certificatesigningrequests') &&
      (request.object as SigningRequest).spec?.signerName === 'kubernetes.io/kube-apiserver-client',
    validate(request) {
      const organizations = requestedOrganizations((request.object as SigningRequest).spec.request ?? '')
      if (!organizations) throw rejected(request, 'failed to parse CSR: PEM block type must be CERTIFICATE REQUEST')
      if (!organizations.includes('system:masters')) return
      throw rejected(request, 'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed')
    },
  }
}

/** Whether the requesting user may `verb` for a signer, by its name or for its whole domain. */
function maySign(authorizer: Authorizer, { context }: AdmissionRequest, verb: string, signer: string): boolean {
  return [signer, `${signer.split('/')[0]}/*`].some((name) => {
    const resource = { group, version: '*', resource: 'signers', subresource: '', namespace: '', name, rest: '' }
    return authorizer.authorize({ user: context.request.user, verb, path: '', resource }).decision === 'allow'
  })
}
