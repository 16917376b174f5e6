import { type DeepReadonly, type certificates, isStatus, resources } from '#api'
import { type Controller, primary } from '#runtime'
import type { CertificateAuthority } from './authority.ts'
import { hasCondition, readRequest } from './request.ts'
import { wrongKubeletClient } from './signers.ts'

/** Approves requests for client certificates of kubelets, whose senders the authorizer lets have one: for themselves, or for any node. */
export function certificateApprover(authority: CertificateAuthority): Controller {
  return {
    name: 'csrapproving',
    setup({ client, cache }) {
      const requests = cache(resources.certificateSigningRequests)
      const api = client.resource(resources.certificateSigningRequests)

      async function isAllowed(
        { spec }: DeepReadonly<certificates.CertificateSigningRequest>,
        subresource: string,
        signal: AbortSignal,
      ): Promise<boolean> {
        const resourceAttributes = { group: 'certificates.k8s.io', resource: 'certificatesigningrequests', verb: 'create', subresource }
        const review = await client
          .resource(resources.subjectAccessReviews)
          .create(
            { apiVersion: 'authorization.k8s.io/v1', kind: 'SubjectAccessReview', metadata: {}, spec: { ...asker(spec), resourceAttributes } },
            { signal },
          )
        return review.status?.allowed ?? false
      }

      return {
        watches: [primary(requests)],
        async reconcile(key, signal) {
          const request = requests.get(key)
          if (request?.spec.signerName !== 'kubernetes.io/kube-apiserver-client-kubelet' || request.status?.certificate) return
          if (hasCondition(request, 'Approved') || hasCondition(request, 'Denied')) return
          const asked = await readRequest(authority, request)
          if (wrongKubeletClient(asked, request.spec.usages ?? [])) return
          const own = asked.commonName === request.spec.username && (await isAllowed(request, 'selfnodeclient', signal))
          if (!own && !(await isAllowed(request, 'nodeclient', signal))) return
          const message = `Auto approving ${own ? 'self ' : ''}kubelet client certificate after SubjectAccessReview.`
          const condition = { type: 'Approved', status: 'True', reason: 'AutoApproved', message }
          try {
            const status = { ...request.status, conditions: [...(request.status?.conditions ?? []), condition] }
            await api.updateSubresource(key, undefined, 'approval', { ...request, status }, { signal })
          } catch (error) {
            if (!isStatus(error, 'NotFound')) throw error
          }
        },
      }
    },
  }
}

/** Who made a request; arrays of what the cache shares are copied. */
function asker({ username = '', uid, groups, extra }: DeepReadonly<certificates.CertificateSigningRequestSpec>) {
  const extras = extra && Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]))
  return { user: username, ...(uid ? { uid } : {}), ...(groups ? { groups: [...groups] } : {}), ...(extras ? { extra: extras } : {}) }
}
