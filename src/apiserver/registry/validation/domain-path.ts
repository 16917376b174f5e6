import type { StatusCause } from '#api'
import { dns1123Subdomain } from '#api'
import { invalid, required } from './causes.ts'

const path = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const pathPattern = new RegExp(`^${path}$`)

/** What is wrong with a path behind a domain, such as `acme.io/foo`: apimachinery's IsDomainPrefixedPath. */
export function domainPrefixedPath(field: string, value: string): StatusCause[] {
  if (value === '') return [required(field)]
  const slash = value.indexOf('/')
  if (slash <= 0 || slash === value.length - 1) return [invalid(field, value, 'must be a domain-prefixed path (such as "acme.io/foo")')]
  const host = value.slice(0, slash)
  const rest = value.slice(slash + 1)
  const causes = dns1123Subdomain(host).map((message) => invalid(field, host, message))
  if (!pathPattern.test(rest)) causes.push(invalid(field, rest, `Invalid path (regex used for validation is '${path}')`))
  return causes
}
