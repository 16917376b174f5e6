import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, dns1123SubdomainWithUnderscore } from '#api'
import { validateIP } from '../ip.ts'
import { type Causes, forbidden, invalid, invalidEach, required, tooLong } from '../causes.ts'

type PodSpec = DeepReadonly<core.PodSpec>

const maxNameservers = 3
const maxSearches = 32
const maxSearchCharacters = 2048
/** Of the kernel: HOST_NAME_MAX. */
const maxHostname = 64

export function validateDnsConfig(causes: Causes, path: string, { dnsConfig: config, dnsPolicy }: PodSpec): void {
  if (dnsPolicy === 'None') {
    if (!config) causes.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    else if (!config.nameservers?.length)
      causes.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
    if (!config?.nameservers?.length) return
  }
  const { nameservers = [], searches = [], options = [] } = config!
  if (nameservers.length > maxNameservers)
    causes.push(invalid(`${path}.nameservers`, nameservers, `must not have more than ${maxNameservers} nameservers`))
  nameservers.forEach((server, i) => validateIP(causes, `${path}.nameservers[${i}]`, server))
  if (searches.length > maxSearches) causes.push(invalid(`${path}.searches`, searches, `must not have more than ${maxSearches} search paths`))
  if (searches.join(' ').length > maxSearchCharacters)
    causes.push(
      invalid(`${path}.searches`, searches, `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`),
    )
  searches.forEach((search, i) => {
    if (search === '.') return
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    invalidEach(causes, `${path}.searches[${i}]`, name, dns1123SubdomainWithUnderscore(name))
  })
  options.forEach((option, i) => {
    if (!option.name) causes.push(required(`${path}.options[${i}]`, 'must not be empty'))
  })
}

/** Checks the names by which a pod calls itself. */
export function validateHostnames(causes: Causes, path: string, spec: PodSpec): void {
  const { hostname, subdomain, hostnameOverride } = spec
  if (hostnameOverride !== undefined) {
    const at = `${path}.hostnameOverride`
    if (spec.setHostnameAsFQDN) causes.push(forbidden(at, 'may not be specified when setHostnameAsFQDN is true'))
    if (spec.hostNetwork) causes.push(forbidden(at, 'may not be specified when hostNetwork is true'))
    if (hostnameOverride.length > maxHostname) causes.push(tooLong(at, maxHostname))
    invalidEach(causes, at, hostnameOverride, dns1123Subdomain(hostnameOverride))
  }
  if (hostname) invalidEach(causes, `${path}.hostname`, hostname, dns1123Label(hostname))
  if (subdomain) invalidEach(causes, `${path}.subdomain`, subdomain, dns1123Label(subdomain))
}

export function validateHostAliases(causes: Causes, path: string, aliases: NonNullable<PodSpec['hostAliases']>): void {
  aliases.forEach((alias, i) => {
    validateIP(causes, `${path}[${i}].ip`, alias.ip)
    alias.hostnames?.forEach((name, j) => invalidEach(causes, `${path}[${i}].hostnames[${j}]`, name, dns1123Subdomain(name)))
  })
}
