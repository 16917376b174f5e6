import { type DeepReadonly, type certificates, isStatus, resources } from '#api'
import { type Controller, primary } from '#runtime'
import type { CertificateAuthority } from './authority.ts'
import { hasCondition, readRequest, requestOf } from './request.ts'
import { signers } from './signers.ts'

type SigningRequest = certificates.CertificateSigningRequest

/**
 * Issues certificates for what was approved, for the signers `kubernetes.io/*` that the cluster's authority stands for. A request that its signer does not
 * take gets the condition Failed.
 */
export function certificateSigner(authority: CertificateAuthority): Controller {
  return {
    name: 'csrsigning',
    setup({ client, clock, cache }) {
      const requests = cache(resources.certificateSigningRequests)
      const api = client.resource(resources.certificateSigningRequests)

      async function decided(request: DeepReadonly<SigningRequest>): Promise<SigningRequest['status']> {
        const { usages = [], expirationSeconds, signerName } = request.spec
        const wrong = signers[signerName!]!(await readRequest(authority, request), usages)
        if (wrong === undefined) {
          const certificate = await authority.sign(requestOf(request), {
            usages,
            ...(expirationSeconds ? { seconds: expirationSeconds } : {}),
            now: clock.now(),
          })
          return { ...(request.status as SigningRequest['status']), certificate: Buffer.from(certificate).toString('base64') }
        }
        const failed = { type: 'Failed', status: 'True', reason: 'SignerValidationFailure', message: wrong }
        const lastUpdateTime = `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
        return {
          conditions: [...((request.status?.conditions ?? []) as certificates.CertificateSigningRequestCondition[]), { ...failed, lastUpdateTime }],
        }
      }

      return {
        watches: [primary(requests)],
        async reconcile(key, signal) {
          const request = requests.get(key)
          if (!request || !signers[request.spec.signerName ?? ''] || request.status?.certificate) return
          if (!hasCondition(request, 'Approved') || hasCondition(request, 'Denied') || hasCondition(request, 'Failed')) return
          try {
            await api.updateStatus({ ...request, status: await decided(request) } as SigningRequest, { signal })
          } catch (error) {
            if (!isStatus(error, 'NotFound')) throw error
          }
        },
      }
    },
  }
}
