import { X509Certificate } from 'node:crypto'
import { type DeepReadonly, type certificates, isStatus, resources } from '#api'
import { type Controller, primary } from '#runtime'

const hour = 3_600_000

/** When a request has to go, milliseconds since the epoch: an hour after it was settled, a day after it was made, with its certificate at the latest. */
export function expiresAt({ metadata, status }: DeepReadonly<certificates.CertificateSigningRequest>): number | undefined {
  const conditions = status?.conditions ?? []
  if (conditions.length === 0) return metadata.creationTimestamp ? Date.parse(metadata.creationTimestamp) + 24 * hour : undefined
  const settled = conditions.filter(({ type }) => type === 'Denied' || type === 'Failed' || (type === 'Approved' && status?.certificate))
  const times = settled.flatMap(({ lastUpdateTime }) => (lastUpdateTime ? [Date.parse(lastUpdateTime) + hour] : []))
  if (status?.certificate && settled.length > 0) times.push(endOf(Buffer.from(status.certificate, 'base64')) ?? Infinity)
  const first = Math.min(...times)
  return Number.isFinite(first) ? first : undefined
}

function endOf(certificate: Buffer): number | undefined {
  try {
    return Date.parse(new X509Certificate(certificate).validTo)
  } catch {
    return undefined
  }
}

/** Deletes CertificateSigningRequests that are settled, or that nobody settles. */
export const certificateCleaner: Controller = {
  name: 'csrcleaner',
  setup({ client, clock, cache }) {
    const requests = cache(resources.certificateSigningRequests)
    const api = client.resource(resources.certificateSigningRequests)
    return {
      watches: [primary(requests)],
      async reconcile(key, signal) {
        const request = requests.get(key)
        const due = request && expiresAt(request)
        if (due === undefined) return
        if (due > clock.now()) return { requeueAfter: due - clock.now() }
        const { uid, resourceVersion } = request!.metadata
        try {
          await api.delete(key, undefined, { preconditions: { uid: uid!, resourceVersion: resourceVersion! }, signal })
        } catch (error) {
          if (!isStatus(error, 'NotFound')) throw error
        }
      },
    }
  },
}
