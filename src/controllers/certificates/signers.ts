import type { RequestedCertificate } from './authority.ts'

/** The signers that the cluster's authority serves; each says what is wrong with a request, and undefined when it may be signed. */
export const signers: Record<string, (request: RequestedCertificate, usages: readonly string[]) => string | undefined> = {
  'kubernetes.io/kube-apiserver-client': (_, usages) => wrongClientUsages(usages),
  'kubernetes.io/kube-apiserver-client-kubelet': wrongKubeletClient,
  'kubernetes.io/kubelet-serving': wrongKubeletServing,
  'kubernetes.io/legacy-unknown': () => undefined,
}

/** Why a request is none for a kubelet's client certificate. */
export function wrongKubeletClient(request: RequestedCertificate, usages: readonly string[]): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return wrongName(request) ?? wrongUsages(usages, 'client auth')
}

function wrongKubeletServing(request: RequestedCertificate, usages: readonly string[]): string | undefined {
  if (!isOfNodes(request)) return 'subject organization is not system:nodes'
  if (request.dnsNames.length === 0 && request.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (request.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (request.uris.length > 0) return 'URI subjectAltNames are not allowed'
  return wrongUsages(usages, 'server auth') ?? wrongName(request)
}

function wrongClientUsages(usages: readonly string[]): string | undefined {
  const wrong = usages.find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage))
  if (wrong !== undefined) return `invalid usage for client certificate: ${wrong}`
  return usages.includes('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

const isOfNodes = ({ organizations }: RequestedCertificate) => organizations.length === 1 && organizations[0] === 'system:nodes'

const wrongName = ({ commonName }: RequestedCertificate) =>
  commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node:'

/** Keys that are not RSA do not encipher others. */
function wrongUsages(usages: readonly string[], purpose: 'client auth' | 'server auth'): string | undefined {
  const needed = [purpose, 'digital signature', 'key encipherment'].sort()
  const found = [...new Set(usages)].sort().join()
  return found === needed.join() || found === needed.filter((usage) => usage !== 'key encipherment').join()
    ? undefined
    : `usages did not match [${needed.join(' ')}]`
}
