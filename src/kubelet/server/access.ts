import type { PeerCertificate, TLSSocket } from 'node:tls'

/** Who asks the kubelet. */
export interface KubeletUser {
  username: string
  uid?: string
  groups: string[]
}

/** What a request to the kubelet means to authorization: a subresource of the node (upstream's node authorizer attributes). */
export interface RequestAttributes {
  verb: string
  resource: 'nodes'
  subresource: 'proxy' | 'stats' | 'metrics' | 'log' | 'healthz' | 'pods' | 'configz'
  name: string
  path: string
}

const verbs: Record<string, string> = { POST: 'create', GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }
const subresources: Record<string, RequestAttributes['subresource']> = {
  stats: 'stats',
  metrics: 'metrics',
  logs: 'log',
  healthz: 'healthz',
  pods: 'pods',
  configz: 'configz',
}

export function requestAttributes(method: string, path: string, nodeName: string): RequestAttributes {
  const first = path.split('/')[1] ?? ''
  return { verb: verbs[method] ?? '', resource: 'nodes', subresource: subresources[first] ?? 'proxy', name: nodeName, path }
}

/** By client certificate where one was presented and holds, else by bearer token; undefined when there is neither. */
export async function authenticate(
  socket: TLSSocket,
  authorization: string | undefined,
  byToken: ((token: string) => Promise<KubeletUser | undefined>) | undefined,
): Promise<KubeletUser | undefined> {
  if (socket.authorized) {
    const subject = socket.getPeerCertificate().subject as (PeerCertificate['subject'] & { O?: string | string[] }) | undefined
    const names = subject?.CN as string | string[] | undefined
    const username = Array.isArray(names) ? names[0] : names
    if (username) return { username, groups: [...[subject?.O ?? []].flat(), 'system:authenticated'] }
  }
  const token = /^Bearer +(.+)$/i.exec(authorization ?? '')?.[1]
  return token && byToken ? byToken(token) : undefined
}

export async function authorized(
  user: KubeletUser,
  attributes: RequestAttributes,
  authorize: ((user: KubeletUser, attributes: RequestAttributes) => Promise<boolean>) | undefined,
): Promise<boolean> {
  if (user.groups.includes('system:masters')) return true
  if (!authorize) return false
  if (await authorize(user, attributes)) return true
  // whoever may do anything on the node may do this too
  return ['healthz', 'pods', 'configz'].includes(attributes.subresource) && authorize(user, { ...attributes, subresource: 'proxy' })
}
