import { NetworkError, parseAddress } from './netip.ts'
import { goQuote } from './quote.ts'

/**
 * A URL as Go's net/url takes it apart. While it is parsed texts are held as UTF-8, one character a byte, since what `%` escapes is bytes; the fields
 * here are text again.
 */
export interface GoUrl {
  scheme: string
  /** `host` or `host:port`. */
  host: string
  hostname: string
  port: string
  escapedPath: string
  query: ReadonlyMap<string, readonly string[]>
  /** Put together again: equal URLs have equal texts. */
  text: string
}

/** Why a text is no URL, in the words of Go. */
export class UrlError extends Error {
  override name = 'UrlError'
}

type Mode = 'path' | 'host' | 'zone' | 'user' | 'query' | 'fragment'

const unreserved = 'A-Za-z0-9._~\\-'
/** What stands for itself in each part of a URL. */
const plain: Record<Mode, RegExp> = {
  path: new RegExp(`[${unreserved}$&+,/:;=@]`),
  host: new RegExp(`[${unreserved}!"$&'()*+,:;<=>[\\]]`),
  zone: new RegExp(`[${unreserved}!"$&'()*+,:;<=>[\\]]`),
  user: new RegExp(`[${unreserved}$&+,;=]`),
  query: new RegExp(`[${unreserved}]`),
  fragment: new RegExp(`[${unreserved}!$&()*+,/:;=?@]`),
}

const bytesOf = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const textOf = (bytes: string): string => Buffer.from(bytes, 'latin1').toString('utf8')

function unescape(bytes: string, mode: Mode): string {
  const wrong = (escape: string) => new UrlError(`invalid URL escape ${goQuote(textOf(escape))}`)
  const isHost = mode === 'host' || mode === 'zone'
  let out = ''
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i]!
    if (c === '%') {
      const escape = bytes.slice(i, i + 3)
      if (!/^%[0-9a-fA-F]{2}$/.test(escape)) throw wrong(escape)
      const byte = String.fromCharCode(Number.parseInt(escape.slice(1), 16))
      // hosts may escape what is not ASCII; zones also what could stand there unescaped
      if (mode === 'host' && byte < '\x80' && escape !== '%25') throw wrong(escape)
      if (mode === 'zone' && escape !== '%25' && byte !== ' ' && !plain.host.test(byte)) throw wrong(escape)
      out += byte
      i += 2
    } else if (isHost && c < '\x80' && !plain[mode].test(c)) {
      throw new UrlError(`invalid character ${goQuote(c)} in host name`)
    } else {
      out += c === '+' && mode === 'query' ? ' ' : c
    }
  }
  return out
}

function escape(bytes: string, mode: Mode): string {
  let out = ''
  for (const c of bytes) {
    out += plain[mode].test(c) ? c : `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  }
  return out
}

function cut(text: string, separator: string): [before: string, after: string] {
  const at = text.indexOf(separator)
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)]
}

interface Parts {
  scheme: string
  opaque: string
  /** With its `@`, escaped anew; undefined for none. */
  user: string | undefined
  host: string
  /** Unescaped, and as it was written. */
  path: string
  writtenPath: string
  rawQuery: string
  /** It ends in a `?` with nothing after it. */
  forceQuery: boolean
  /** `scheme:/path`. */
  omitHost: boolean
  fragment: string
  writtenFragment: string
}

/**
 * Parses a URL that stands alone: one with a scheme, or an absolute path. That is what the format `uri` of OpenAPI asks for. Throws UrlError, whose
 * message names the text.
 */
export function parseUrl(text: string): GoUrl {
  checkUrl(text)
  // the text as it is sent in a request has no fragment: the check above took it for a part of the path or query
  const bytes = bytesOf(text)
  const [before, fragment] = cut(bytes, '#')
  const parts = named(textOf(before), () => parse(before, false))
  if (fragment !== '') {
    parts.fragment = named(text, () => unescape(fragment, 'fragment'))
    parts.writtenFragment = fragment
  }
  const { host, port } = splitPort(parts.host)
  return {
    scheme: textOf(parts.scheme),
    host: textOf(parts.host),
    hostname: textOf(host),
    port,
    escapedPath: textOf(escapedPath(parts)),
    query: parseQuery(parts.rawQuery),
    text: textOf(format(parts)),
  }
}

/** Throws UrlError unless the text is a URL that stands alone. */
export function checkUrl(text: string): void {
  named(text, () => parse(bytesOf(text), true))
}

function named<T>(text: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof UrlError ? new UrlError(`parse ${goQuote(text)}: ${error.message}`) : error
  }
}

function parse(bytes: string, alone: boolean): Parts {
  // oxlint-disable-next-line no-control-regex -- these are what is looked for
  if (/[\x00-\x1f\x7f]/.test(bytes)) throw new UrlError('net/url: invalid control character in URL')
  if (bytes === '' && alone) throw new UrlError('empty url')
  const parts: Parts = {
    scheme: '',
    opaque: '',
    user: undefined,
    host: '',
    path: '',
    writtenPath: '',
    rawQuery: '',
    forceQuery: false,
    omitHost: false,
    fragment: '',
    writtenFragment: '',
  }
  if (bytes === '*') return { ...parts, path: '*', writtenPath: '*' }
  if (bytes.startsWith(':')) throw new UrlError('missing protocol scheme')
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(bytes)?.[1]
  parts.scheme = scheme?.toLowerCase() ?? ''
  let rest = scheme === undefined ? bytes : bytes.slice(scheme.length + 1)
  if (rest.indexOf('?') === rest.length - 1 && rest !== '') {
    parts.forceQuery = true
    rest = rest.slice(0, -1)
  } else {
    ;[rest, parts.rawQuery] = cut(rest, '?')
  }
  if (!rest.startsWith('/')) {
    if (parts.scheme !== '') return { ...parts, opaque: rest }
    if (alone) throw new UrlError('invalid URI for request')
    if (cut(rest, '/')[0].includes(':')) throw new UrlError('first path segment in URL cannot contain colon')
  }
  if ((parts.scheme !== '' || (!alone && !rest.startsWith('///'))) && rest.startsWith('//')) {
    const slash = rest.indexOf('/', 2)
    const authority = slash < 0 ? rest.slice(2) : rest.slice(2, slash)
    rest = slash < 0 ? '' : rest.slice(slash)
    Object.assign(parts, parseAuthority(parts.scheme, authority))
  } else if (parts.scheme !== '' && rest.startsWith('/')) {
    parts.omitHost = true
  }
  return { ...parts, path: unescape(rest, 'path'), writtenPath: rest }
}

function parseAuthority(scheme: string, authority: string): Pick<Parts, 'user' | 'host'> {
  const at = authority.lastIndexOf('@')
  const host = parseHost(scheme, authority.slice(at + 1))
  if (at < 0) return { user: undefined, host }
  const userinfo = authority.slice(0, at)
  if (!/^[A-Za-z0-9._:~!$&'()*+,;=%@-]*$/.test(userinfo)) throw new UrlError('net/url: invalid userinfo')
  const [name, password] = cut(userinfo, ':').map((part) => escape(unescape(part, 'user'), 'user')) as [string, string]
  return { user: userinfo.includes(':') ? `${name}:${password}@` : `${name}@`, host }
}

const isPort = (text: string): boolean => /^(?::[0-9]*)?$/.test(text)

function parseHost(scheme: string, host: string): string {
  const port = (text: string) => {
    if (!isPort(text)) throw new UrlError(`invalid port ${goQuote(textOf(text))} after host`)
    return text
  }
  const open = host.lastIndexOf('[')
  if (open > 0) throw new UrlError('invalid IP-literal')
  if (open === 0) {
    const close = host.lastIndexOf(']')
    if (close < 0) throw new UrlError("missing ']' in host")
    const after = unescape(port(host.slice(close + 1)), 'host')
    const literal = host.slice(1, close)
    const zone = literal.indexOf('%25')
    const name = zone < 0 ? unescape(literal, 'host') : unescape(literal.slice(0, zone), 'host') + unescape(literal.slice(zone), 'zone')
    if (familyOf(name) === 4) throw new UrlError('invalid IP-literal')
    return `[${name}]${after}`
  }
  const first = host.indexOf(':')
  // hosts of other schemes may have colons of their own: the last one is the port's
  if (first >= 0) port(host.slice(scheme === 'http' || scheme === 'https' ? first : host.lastIndexOf(':')))
  return unescape(host, 'host')
}

function familyOf(literal: string): 4 | 6 {
  try {
    return parseAddress(textOf(literal)).family
  } catch (error) {
    throw error instanceof NetworkError ? new UrlError(`invalid host: ${error.message}`) : error
  }
}

function splitPort(hostAndPort: string): { host: string; port: string } {
  const colon = hostAndPort.lastIndexOf(':')
  const has = colon >= 0 && isPort(hostAndPort.slice(colon))
  const host = has ? hostAndPort.slice(0, colon) : hostAndPort
  return { host: /^\[.*\]$/s.test(host) ? host.slice(1, -1) : host, port: has ? hostAndPort.slice(colon + 1) : '' }
}

/** Whether a part can stay as it was written. */
const isEscaped = (written: string, mode: Mode): boolean => [...written].every((c) => "!$&'()*+,;=:@[]%".includes(c) || plain[mode].test(c))

function escapedPath({ path, writtenPath }: Parts): string {
  if (writtenPath !== '' && isEscaped(writtenPath, 'path')) return writtenPath
  return path === '*' ? '*' : escape(path, 'path')
}

function format(parts: Parts): string {
  let text = parts.scheme === '' ? '' : `${parts.scheme}:`
  if (parts.opaque !== '') {
    text += parts.opaque
  } else {
    const { host, user } = parts
    if ((parts.scheme !== '' || host !== '' || user !== undefined) && !(parts.omitHost && host === '' && user === undefined)) {
      if (host !== '' || parts.path !== '' || user !== undefined) text += '//'
      text += (user ?? '') + escape(host, 'host')
    }
    const path = escapedPath(parts)
    if (path !== '' && path[0] !== '/' && host !== '') text += '/'
    if (text === '' && cut(path, '/')[0].includes(':')) text += './'
    text += path
  }
  if (parts.forceQuery || parts.rawQuery !== '') text += `?${parts.rawQuery}`
  if (parts.fragment === '') return text
  const { fragment, writtenFragment } = parts
  return `${text}#${isEscaped(writtenFragment, 'fragment') ? writtenFragment : escape(fragment, 'fragment')}`
}

const mostParameters = 10_000

/** What cannot be read is left out, as Go does. */
function parseQuery(raw: string): Map<string, string[]> {
  const query = new Map<string, string[]>()
  const terms = raw.split('&')
  if (terms.length > mostParameters) return query
  for (const term of terms) {
    if (term === '' || term.includes(';')) continue
    try {
      const [key, value] = cut(term, '=').map((part) => textOf(unescape(part, 'query'))) as [string, string]
      const values = query.get(key)
      if (values) values.push(value)
      else query.set(key, [value])
    } catch (error) {
      if (!(error instanceof UrlError)) throw error
    }
  }
  return query
}
