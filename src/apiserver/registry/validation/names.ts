/**
 * Checks of names, each answering messages (none: valid) in apimachinery's words. The checks scan for valid input without
 * allocating: they run for every write.
 */
const none: readonly string[] = []

const label63 = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label1035 = /^[a-z]([-a-z0-9]*[a-z0-9])?$/
const qualified = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/
const value63 = /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/
const wildcard = /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const cName = /^[A-Za-z_][A-Za-z0-9_]*$/
const envName = /^[-._a-zA-Z][-._a-zA-Z0-9]*$/
const configKey = /^[-._a-zA-Z0-9]+$/
const header = /^[-A-Za-z0-9]+$/
const portChars = /^[-a-z0-9]+$/
const oneLetter = /[a-z]/
const percentage = /^[0-9]+%$/

const longer = (max: number) => `must be no more than ${max} characters`
const regexMessage = (text: string, regex: string, ...examples: string[]) =>
  examples.length === 0
    ? `${text} (regex used for validation is '${regex}')`
    : `${text} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${regex}')`

const subdomainText =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"
const subdomainMessage = regexMessage(subdomainText, '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*', 'example.com')
const labelMessage = regexMessage(
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
  '[a-z0-9]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  '123-abc',
)
const label1035Message = regexMessage(
  "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
  '[a-z]([-a-z0-9]*[a-z0-9])?',
  'my-name',
  'abc-123',
)
const qualifiedMessage = regexMessage(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]',
  'MyName',
  'my.name',
  '123-abc',
)
const valueMessage = regexMessage(
  "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?',
  'MyValue',
  'my_value',
  '12345',
)
const wildcardMessage = regexMessage(
  "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
  '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*',
  '*.example.com',
)
const cMessage = regexMessage(
  "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
  '[A-Za-z_][A-Za-z0-9_]*',
  'my_name',
  'MY_NAME',
  'MyName',
)
const envMessage = regexMessage(
  "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
  '[-._a-zA-Z][-._a-zA-Z0-9]*',
  'my.env-name',
  'MY_ENV.NAME',
  'MyEnvName1',
)
const configKeyMessage = regexMessage(
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
  '[-._a-zA-Z0-9]+',
  'key.name',
  'KEY_NAME',
  'key-name',
)
const headerMessage = regexMessage("a valid HTTP header must consist of alphanumeric characters or '-'", '[-A-Za-z0-9]+', 'X-Header-Name')
const percentMessage = regexMessage("a valid percent string must be a numeric string followed by an ending '%'", '[0-9]+%', '1%', '93%')

export function dns1123Label(name: string): readonly string[] {
  if (name.length <= 63 && label63.test(name)) return none
  const messages = name.length > 63 ? [longer(63)] : []
  if (!label63.test(name)) messages.push(subdomain.test(name) ? 'must not contain dots' : labelMessage)
  return messages
}

export function dns1123Subdomain(name: string): readonly string[] {
  if (name.length <= 253 && subdomain.test(name)) return none
  return [...(name.length > 253 ? [longer(253)] : []), ...(subdomain.test(name) ? [] : [subdomainMessage])]
}

export function dns1035Label(name: string): readonly string[] {
  if (name.length <= 63 && label1035.test(name)) return none
  return [...(name.length > 63 ? [longer(63)] : []), ...(label1035.test(name) ? [] : [label1035Message])]
}

export function wildcardDns1123Subdomain(name: string): readonly string[] {
  if (name.length <= 253 && wildcard.test(name)) return none
  return [...(name.length > 253 ? [longer(253)] : []), ...(wildcard.test(name) ? [] : [wildcardMessage])]
}

/** `name` or `prefix/name`, as the keys of labels and annotations, finalizers and resource names are. */
export function qualifiedName(key: string): readonly string[] {
  const slash = key.indexOf('/')
  if (slash < 0) return namePart(key)
  if (key.indexOf('/', slash + 1) >= 0)
    return [
      "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ]
  const prefix = key.slice(0, slash)
  const prefixMessages = prefix === '' ? ['prefix part must be non-empty'] : dns1123Subdomain(prefix).map((m) => `prefix part ${m}`)
  const nameMessages = namePart(key.slice(slash + 1))
  return prefixMessages.length === 0 ? nameMessages : [...prefixMessages, ...nameMessages]
}

function namePart(name: string): readonly string[] {
  if (name.length > 0 && name.length <= 63 && qualified.test(name)) return none
  const messages = []
  if (name.length === 0) messages.push('name part must be non-empty')
  else if (name.length > 63) messages.push(`name part ${longer(63)}`)
  if (!qualified.test(name)) messages.push(`name part ${qualifiedMessage}`)
  return messages
}

export function labelValue(value: string): readonly string[] {
  if (value.length <= 63 && value63.test(value)) return none
  return [...(value.length > 63 ? [longer(63)] : []), ...(value63.test(value) ? [] : [valueMessage])]
}

export function cIdentifier(name: string): readonly string[] {
  return cName.test(name) ? none : [cMessage]
}

export function envVarName(name: string): readonly string[] {
  if (envName.test(name) && !name.startsWith('.')) return none
  const messages = envName.test(name) ? [] : [envMessage]
  if (name === '.') messages.push("must not be '.'")
  else if (name === '..') messages.push("must not be '..'")
  else if (name.startsWith('..')) messages.push("must not start with '..'")
  return messages
}

/** Keys of ConfigMaps and Secrets, which become file names. */
export function configMapKey(key: string): readonly string[] {
  if (key.length <= 253 && configKey.test(key) && !key.startsWith('.')) return none
  const messages = []
  if (key.length > 253) messages.push(longer(253))
  if (!configKey.test(key)) messages.push(configKeyMessage)
  if (key === '.') messages.push("must not be '.'")
  else if (key === '..') messages.push("must not be '..'")
  else if (key.startsWith('..')) messages.push("must not start with '..'")
  return messages
}

export function httpHeaderName(name: string): readonly string[] {
  return header.test(name) ? none : [headerMessage]
}

/** An IANA service name, as ports are called. */
export function portName(name: string): readonly string[] {
  if (name.length <= 15 && portChars.test(name) && oneLetter.test(name) && !name.startsWith('-') && !name.endsWith('-') && !name.includes('--'))
    return none
  const messages = []
  if (name.length > 15) messages.push(longer(15))
  if (!portChars.test(name)) messages.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!oneLetter.test(name)) messages.push('must contain at least one letter (a-z)')
  if (name.includes('--')) messages.push('must not contain consecutive hyphens')
  if (name.startsWith('-') || name.endsWith('-')) messages.push('must not begin or end with a hyphen')
  return messages
}

export function portNumber(port: number): readonly string[] {
  return Number.isInteger(port) && port >= 1 && port <= 65535 ? none : ['must be between 1 and 65535, inclusive']
}

export function percent(text: string): readonly string[] {
  return percentage.test(text) ? none : [percentMessage]
}

/** RBAC names are path segments: anything that a URL can carry. */
export function pathSegment(name: string): readonly string[] {
  if (name === '.') return ["may not be '.'"]
  if (name === '..') return ["may not be '..'"]
  if (!name.includes('/') && !name.includes('%')) return none
  return [...(name.includes('/') ? ["may not contain '/'"] : []), ...(name.includes('%') ? ["may not contain '%'"] : [])]
}

const relaxedEnvName = /^[ -<>-~]+$/

/** Names of environment variables as they are accepted since 1.34: any printable ASCII but `=`. */
export function relaxedEnvVarName(name: string): readonly string[] {
  return relaxedEnvName.test(name) ? none : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}
