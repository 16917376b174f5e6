import type { UserInfo } from './authn/authenticator.ts'
import type { RequestInfo, Verb } from './request-info.ts'

const verbs: Record<string, Verb> = { GET: 'get', HEAD: 'get', POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'delete' }

/** Subresources of namespaces themselves: what else follows `/namespaces/NAME/` is a resource in that namespace. */
const namespaceSubresources = new Set(['status', 'finalize'])

/**
 * Says what a request is about, as upstream's RequestInfo does. `path` is the path as sent, without the query.
 * Paths outside `/api/VERSION/…` and `/apis/GROUP/VERSION/…` are non-resource requests. A path that cannot be
 * percent-decoded throws a URIError.
 */
export function parseRequest(method: string, path: string, query: URLSearchParams | undefined, user: UserInfo): RequestInfo {
  const parts = split(path)
  let at: number
  let group = ''
  if (parts[0] === 'api' && parts.length >= 3) at = 1
  else if (parts[0] === 'apis' && parts.length >= 4) {
    group = parts[1]!
    at = 2
  } else return { user, verb: method.toLowerCase(), path }
  const version = parts[at++]!
  let verb: Verb = verbs[method] ?? ''
  const special = parts[at]
  if (special === 'watch' || special === 'proxy') {
    if (parts.length - at < 2) return { user, verb: method.toLowerCase(), path }
    verb = special
    at++
  }
  let namespace = ''
  if (parts[at] === 'namespaces' && parts.length - at > 1) {
    namespace = parts[at + 1]!
    if (parts.length - at > 2 && !namespaceSubresources.has(parts[at + 2]!)) at += 2
  }
  const resource = parts[at]!
  let name = parts[at + 1] ?? ''
  let subresource = ''
  let rest = ''
  if (parts.length - at >= 3 && verb !== 'watch' && verb !== 'proxy') {
    subresource = parts[at + 2]!
    if (parts.length - at > 3) rest = restOf(path, at + 3)
  }
  if (!name) {
    if (verb === 'get') {
      verb = isTrue(query?.get('watch')) ? 'watch' : 'list'
      name = singleName(query?.get('fieldSelector'))
    } else if (verb === 'delete') verb = 'deletecollection'
    else if (verb === 'watch') name = singleName(query?.get('fieldSelector'))
  }
  return { user, verb, path, resource: { group, version, resource, subresource, namespace, name, rest } }
}

/** Whether a query parameter says yes: everything does but `false` and `0`, as upstream reads them. */
export function isTrue(value: string | null | undefined): boolean {
  return value !== null && value !== undefined && value !== '0' && value.toLowerCase() !== 'false'
}

const lastingSubresources = new Set(['attach', 'exec', 'proxy', 'log', 'portforward'])

/** Whether a request lasts by design (upstream's long-running requests): it has no deadline, and holds no seat. */
export function isLongRunning({ verb, resource }: RequestInfo): boolean {
  return (
    resource !== undefined && (verb === 'watch' || verb === 'proxy' || (resource.subresource !== '' && lastingSubresources.has(resource.subresource)))
  )
}

/** Whether the collection request's name came from its field selector rather than from its path. */
export function isCollection(info: RequestInfo): boolean {
  return info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection'
}

/** The path is decoded before it is taken apart, as upstream does: an encoded slash parts what it stands in. What is empty in the middle stays, and names nothing. */
function split(path: string): string[] {
  const decoded = path.includes('%') ? decodeURIComponent(path) : path
  let start = 0
  let end = decoded.length
  while (start < end && decoded[start] === '/') start++
  while (end > start && decoded[end - 1] === '/') end--
  return start === end ? [] : decoded.slice(start, end).split('/')
}

/** What follows the first `count` segments, as sent (a proxied path keeps its encoding and its trailing slash). */
function restOf(path: string, count: number): string {
  let at = 0
  for (let seen = 0; seen < count; seen++) {
    while (path[at] === '/') at++
    while (at < path.length && path[at] !== '/') at++
  }
  return path.slice(at + 1)
}

/** The name that `metadata.name=x` asks for, so that rules with resourceNames apply to list and watch. */
function singleName(selector: string | null | undefined): string {
  if (!selector) return ''
  for (const term of selector.split(',')) {
    const match = /^metadata\.name==?([^=!]+)$/.exec(term)
    if (match) return match[1]!
  }
  return ''
}
