import type { Request } from '#client'
import type { UserInfo } from './authenticator.ts'

/** Whom the headers of a request name instead of its sender (`kubectl --as`). */
export interface Impersonation {
  username: string
  uid: string
  groups: string[]
  extra: Record<string, string[]>
}

const extraPrefix = 'impersonate-extra-'

/** Undefined where the headers name nobody. */
export function impersonation(request: Request): Impersonation | undefined {
  const { headers } = request
  const username = headers['impersonate-user']
  const uid = headers['impersonate-uid']
  if (username === undefined && headers['impersonate-group'] === undefined && uid === undefined && !hasExtra(headers)) return undefined
  const extra: Record<string, string[]> = {}
  for (const name of Object.keys(headers).sort()) {
    if (name.startsWith(extraPrefix)) extra[keyOf(name.slice(extraPrefix.length))] = valuesOf(request, name)
  }
  return { username: username ?? '', uid: uid ?? '', groups: valuesOf(request, 'impersonate-group'), extra }
}

function hasExtra(headers: Record<string, string>): boolean {
  for (const name in headers) if (name.startsWith(extraPrefix)) return true
  return false
}

/** A header's values, one for each time that it stands there: a value may have commas in it, by which Node joins them. */
function valuesOf({ headers, rawHeaders }: Request & { rawHeaders?: readonly string[] }, name: string): string[] {
  if (headers[name] === undefined) return []
  if (!rawHeaders) return [headers[name]]
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === name)
}

/** Keys are percent-encoded, as header names cannot have every character. */
function keyOf(escaped: string): string {
  try {
    return decodeURIComponent(escaped)
  } catch {
    return escaped
  }
}

/** The user that the sender becomes, once it may. */
export function impersonatedUser({ username, uid, groups: named, extra }: Impersonation): UserInfo {
  const groups = [...named]
  const [, namespace] = serviceAccountOf(username) ?? []
  if (namespace !== undefined && groups.length === 0) groups.push('system:serviceaccounts', `system:serviceaccounts:${namespace}`)
  const everyone = username === 'system:anonymous' ? 'system:unauthenticated' : 'system:authenticated'
  if (!groups.includes(everyone)) groups.push(everyone)
  return { username, groups, ...(uid ? { uid } : {}), ...(Object.keys(extra).length > 0 ? { extra } : {}) }
}

export interface ImpersonatedAttribute {
  resource: 'users' | 'serviceaccounts' | 'groups' | 'uids' | 'userextras'
  group: '' | 'authentication.k8s.io'
  namespace: string
  subresource: string
  name: string
}

/** What the sender needs the verb `impersonate` on: every attribute that is taken on. */
export function impersonatedAttributes({ username, uid, groups, extra }: Impersonation): ImpersonatedAttribute[] {
  const core = { group: '', namespace: '', subresource: '' } as const
  const authentication = { ...core, group: 'authentication.k8s.io' } as const
  const [, namespace, account] = serviceAccountOf(username) ?? []
  return [
    account === undefined
      ? { ...core, resource: 'users', name: username }
      : { ...core, resource: 'serviceaccounts', namespace: namespace!, name: account },
    ...groups.map((name) => ({ ...core, resource: 'groups' as const, name })),
    ...(uid ? [{ ...authentication, resource: 'uids' as const, name: uid }] : []),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((name) => ({ ...authentication, resource: 'userextras' as const, subresource: key, name })),
    ),
  ]
}

const serviceAccountOf = (username: string) => /^system:serviceaccount:([^:]+):([^:]+)$/.exec(username)

/** What is asked for, as Go prints it. */
export function impersonationText({ username, uid, groups, extra }: Impersonation): string {
  const list = (values: string[]) => (values.length > 0 ? `[]string{${values.map((value) => JSON.stringify(value)).join(', ')}}` : '[]string(nil)')
  const entries = Object.entries(extra).map(([key, values]) => `${JSON.stringify(key)}:${list(values)}`)
  const extras = entries.length > 0 ? `map[string][]string{${entries.join(', ')}}` : 'map[string][]string(nil)'
  return `&user.DefaultInfo{Name:${JSON.stringify(username)}, UID:${JSON.stringify(uid)}, Groups:${list(groups)}, Extra:${extras}}`
}
