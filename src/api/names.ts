/**
 * Validation of names: each function answers what is wrong, in upstream's words (apimachinery `util/validation`), or an
 * empty list. The sentences are facts that clients see.
 */
export type NameProblems = string[]

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const label1035 = '[a-z]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const underscored = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?'
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'
const identifier = '[A-Za-z_][A-Za-z0-9_]*'
const envVar = '[-._a-zA-Z][-._a-zA-Z0-9]*'
const configKey = '[-._a-zA-Z0-9]+'
const headerName = '[-A-Za-z0-9]+'
const percent = '[0-9]+%'

interface Rule {
  pattern: string
  regexp: RegExp
  message: string
  examples: string[]
}
const rule = (pattern: string, message: string, ...examples: string[]): Rule => ({ pattern, regexp: new RegExp(`^${pattern}$`), message, examples })

const rules = {
  label: rule(
    label,
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
    'my-name',
    '123-abc',
  ),
  label1035: rule(
    label1035,
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
    'my-name',
    'abc-123',
  ),
  subdomain: rule(
    subdomain,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
    'example.com',
  ),
  underscoredSubdomain: rule(
    `${underscored}(\\.${underscored})*`,
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
    'example.com',
  ),
  wildcard: rule(
    `\\*\\.${subdomain}`,
    "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
    '*.example.com',
  ),
  qualified: rule(
    qualified,
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    'MyName',
    'my.name',
    '123-abc',
  ),
  labelValue: rule(
    `(${qualified})?`,
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    'MyValue',
    'my_value',
    '12345',
  ),
  identifier: rule(
    identifier,
    "a valid C identifier must start with alphabetic character or '_', followed by a string of alphanumeric characters or '_'",
    'my_name',
    'MY_NAME',
    'MyName',
  ),
  envVar: rule(
    envVar,
    "a valid environment variable name must consist of alphabetic characters, digits, '_', '-', or '.', and must not start with a digit",
    'my.env-name',
    'MY_ENV.NAME',
    'MyEnvName1',
  ),
  configKey: rule(configKey, "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", 'key.name', 'KEY_NAME', 'key-name'),
  headerName: rule(headerName, "a valid HTTP header must consist of alphanumeric characters or '-'", 'X-Header-Name'),
  percent: rule(percent, "a valid percent string must be a numeric string followed by an ending '%'", '1%', '93%'),
}

/** The sentence for a value that misses a pattern, with examples. */
export function regexMessage(message: string, pattern: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${pattern}')`
  // The two spaces before `or` are upstream's.
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${pattern}')`
}

export const maxLengthMessage = (length: number): string => `must be no more than ${length} characters`
export const emptyMessage = 'must be non-empty'
export const rangeMessage = (low: number, high: number): string => `must be between ${low} and ${high}, inclusive`

function check(value: string, { regexp, message, pattern, examples }: Rule, maxLength = Infinity): NameProblems {
  const problems = value.length > maxLength ? [maxLengthMessage(maxLength)] : []
  if (!regexp.test(value)) problems.push(regexMessage(message, pattern, ...examples))
  return problems
}

/** An RFC 1123 label: namespaces, container names, port names' hosts. */
export function dns1123Label(value: string): NameProblems {
  const problems = check(value, rules.label, 63)
  // what would be a name of several labels has one mistake alone
  if (problems.length > 0 && value.includes('.') && rules.subdomain.regexp.test(value)) problems[problems.length - 1] = 'must not contain dots'
  return problems
}
/** An RFC 1123 subdomain: the names of most objects. */
export const dns1123Subdomain = (value: string): NameProblems => check(value, rules.subdomain, 253)
/** A subdomain whose labels may have underscores, as search domains of resolvers do. */
export const dns1123SubdomainWithUnderscore = (value: string): NameProblems => check(value, rules.underscoredSubdomain, 253)
/** A DNS-1035 label: the names of services. */
export const dns1035Label = (value: string): NameProblems => check(value, rules.label1035, 63)
export const wildcardDns1123Subdomain = (value: string): NameProblems => check(value, rules.wildcard, 253)
export const labelValue = (value: string): NameProblems => check(value, rules.labelValue, 63)
export const cIdentifier = (value: string): NameProblems => check(value, rules.identifier)
export const httpHeaderName = (value: string): NameProblems => check(value, rules.headerName)
export const percentString = (value: string): NameProblems => check(value, rules.percent)

/** A label or annotation key, a resource name: `name` or `prefix/name`. */
export function qualifiedName(value: string): NameProblems {
  const parts = value.split('/')
  const problems: NameProblems = []
  if (parts.length > 2) {
    const { message, pattern, examples } = rules.qualified
    return [
      `a qualified name ${regexMessage(message, pattern, ...examples)} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ]
  }
  const name = parts.at(-1)!
  if (parts.length === 2) {
    if (parts[0] === '') problems.push(`prefix part ${emptyMessage}`)
    else problems.push(...dns1123Subdomain(parts[0]!).map((p) => `prefix part ${p}`))
  }
  if (name === '') problems.push(`name part ${emptyMessage}`)
  else if (name.length > 63) problems.push(`name part ${maxLengthMessage(63)}`)
  if (!rules.qualified.regexp.test(name))
    problems.push(`name part ${regexMessage(rules.qualified.message, rules.qualified.pattern, ...rules.qualified.examples)}`)
  return problems
}

/** Problems of label keys and values in the words that 1.36 has for them: they differ from those of other qualified names. */
export function inWordsOfLabels(problems: NameProblems): NameProblems {
  if (problems.length === 0) return problems
  return problems.map((text) => text.replace('a qualified name must', 'a valid label key must').replace(/(no more than \d+) characters$/, '$1 bytes'))
}

/** A name that can stand in a URL's path. */
export function pathSegmentName(value: string, prefix = false): NameProblems {
  if (!prefix && (value === '.' || value === '..')) return [`may not be '${value}'`]
  return ['/', '%'].filter((c) => value.includes(c)).map((c) => `may not contain '${c}'`)
}

export function envVarName(value: string): NameProblems {
  return [...check(value, rules.envVar), ...dotted(value)]
}

/** A key of a ConfigMap or Secret. */
export function configMapKey(value: string): NameProblems {
  return [...check(value, rules.configKey, 253), ...dotted(value)]
}

function dotted(value: string): NameProblems {
  if (value === '.') return [`must not be '.'`]
  if (value === '..') return [`must not be '..'`]
  return value.startsWith('..') ? [`must not start with '..'`] : []
}

/** A port's name (IANA service name). */
export function portName(value: string): NameProblems {
  const problems: NameProblems = []
  if (value.length > 15) problems.push(maxLengthMessage(15))
  if (!/^[-a-z0-9]+$/.test(value)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)')
  if (value.includes('--')) problems.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

export function portNumber(value: number): NameProblems {
  return value >= 1 && value <= 65535 ? [] : [rangeMessage(1, 65535)]
}
