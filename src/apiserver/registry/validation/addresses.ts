import { addressText } from '../allocation/ranges.ts'
import { type Causes, invalid } from './causes.ts'
import { parseCidr, parseIP, validateCidr, validateIP } from './ip.ts'

/*
 * Addresses in kinds that came after upstream became strict: there is one way to write each.
 */

/** apimachinery's IsValidIP, as a check of names. */
export function addressProblems(text: string): string[] {
  const causes: Causes = []
  // it is the sentences that are asked for, without what they are about
  const problems = (all: Causes) => all.map(({ message }) => message!.slice(`Invalid value: ${JSON.stringify(text)}: `.length))
  if (!validateIP(causes, '', text)) return problems(causes)
  const { number, family } = parseIP(text)!
  requireCanonical(causes, '', text, addressText(number, family))
  return problems(causes)
}

/** apimachinery's IsValidCIDR: a range of addresses, such as 192.168.1.0/24. */
export function validateRange(causes: Causes, path: string, text: string): void {
  const before = causes.length
  validateCidr(causes, path, text)
  if (causes.length === before) requireCanonical(causes, path, text, canonicalPrefix(text)!)
}

/** apimachinery's IsValidInterfaceAddress: an address of an interface with the length of its network, such as 192.168.1.5/24. */
export function validateInterfaceAddress(causes: Causes, path: string, text: string): void {
  const canonical = canonicalPrefix(text)
  if (canonical === undefined) causes.push(invalid(path, text, 'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'))
  else requireCanonical(causes, path, text, canonical)
}

function canonicalPrefix(text: string): string | undefined {
  const cidr = parseCidr(text)
  if (!cidr) return undefined
  const { address, bits } = cidr
  // of an IPv4 address in the form of IPv6 a length that is too short for it stays, as upstream has it
  const written = Number(text.slice(text.indexOf('/') + 1))
  return `${addressText(address.number, address.family)}/${address.mapped && written <= 32 ? written : bits}`
}

function requireCanonical(causes: Causes, path: string, text: string, canonical: string): void {
  if (text !== canonical) causes.push(invalid(path, text, `must be in canonical form (${JSON.stringify(canonical)})`))
}
