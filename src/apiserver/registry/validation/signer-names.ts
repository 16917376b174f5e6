import { dns1123Label, dns1123Subdomain } from '#api'
import { type Causes, invalid, required, tooLong } from './causes.ts'

const maxDomain = 253
/** The path has room for a label in front of a subdomain. */
const maxName = maxDomain + 1 + 253 + 63 + 1

/** Checks the name of a signer of certificates: a domain of two labels or more, a slash, and a path (upstream's ValidateSignerName). */
export function validateSignerName(causes: Causes, path: string, name: string): void {
  if (!name) {
    causes.push(required(path))
    return
  }
  const segments = name.split('/')
  if (segments.length !== 2) {
    causes.push(invalid(path, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'"))
    return
  }
  const [domain, signer] = segments as [string, string]
  if (domain.length > maxDomain) causes.push(tooLong(path, maxDomain))
  // of several labels that are wrong, the first is enough
  const badLabel = domain.split('.').find((label) => dns1123Label(label).length > 0)
  if (badLabel !== undefined)
    for (const message of dns1123Label(badLabel)) causes.push(invalid(path, domain, `validating label ${JSON.stringify(badLabel)}: ${message}`))
  if (!domain.includes('.')) causes.push(invalid(path, domain, 'should be a domain with at least two segments separated by dots'))
  const badPart = signer.split('.').find((part) => dns1123Subdomain(part).length > 0)
  if (badPart !== undefined)
    for (const message of dns1123Subdomain(badPart)) causes.push(invalid(path, signer, `validating label ${JSON.stringify(badPart)}: ${message}`))
  if (name.length > maxName) causes.push(tooLong(path, maxName))
}
