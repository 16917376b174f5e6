import { Transform } from 'node:stream'

/** Attributes that hold a URL, by tag. */
const urlAttributes: Record<string, string[]> = {
  a: ['href'],
  applet: ['codebase'],
  area: ['href'],
  audio: ['src'],
  base: ['href'],
  blockquote: ['cite'],
  body: ['background'],
  button: ['formaction'],
  del: ['cite'],
  embed: ['src'],
  form: ['action'],
  frame: ['longdesc', 'src'],
  head: ['profile'],
  html: ['manifest'],
  iframe: ['longdesc', 'src'],
  img: ['longdesc', 'src', 'usemap'],
  input: ['src', 'usemap', 'formaction'],
  ins: ['cite'],
  link: ['href'],
  object: ['classid', 'codebase', 'data', 'usemap'],
  q: ['cite'],
  script: ['src'],
  source: ['src'],
  video: ['poster', 'src'],
}

/** How URLs of a page that is shown through the proxy change. */
export interface LinkRewriter {
  /** The proxy's path, without a slash at its end. */
  prefix: string
  /** Hosts whose URLs lead to the backend: its own, and the one the client named. */
  hosts: readonly string[]
}

/** A URL of the backend's page as one that goes through the proxy; others stay as they are. */
export function rewriteUrl(url: string, { prefix, hosts }: LinkRewriter): string {
  const absolute = /^(?:https?:)?\/\/([^/?#]*)(.*)$/i.exec(url)
  if (absolute && !hosts.includes(absolute[1]!)) return url
  const path = absolute ? absolute[2] || '/' : url
  if (!path.startsWith('/')) return absolute ? `${prefix}/${path}` : url
  if (path === prefix || path.startsWith(`${prefix}/`)) return path
  return prefix + path
}

const tagPattern = /<([a-z]+)((?:[^>"']|"[^"]*"|'[^']*')*)>/gi
const attributePattern = /([a-z]+)(\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/gi

/** The links of a piece of HTML rewritten. */
export function rewriteHtml(html: string, rewriter: LinkRewriter): string {
  return html.replace(tagPattern, (whole, tag: string, attributes: string) => {
    const names = urlAttributes[tag.toLowerCase()]
    if (!names) return whole
    const changed = attributes.replace(attributePattern, (same, name: string, equals: string, value: string) => {
      if (!names.includes(name.toLowerCase())) return same
      const quote = value[0] === '"' || value[0] === "'" ? value[0] : ''
      const url = quote ? value.slice(1, -1) : value
      return `${name}${equals}${quote}${rewriteUrl(url, rewriter)}${quote}`
    })
    return `<${tag}${changed}>`
  })
}

/** Longest tag that is waited for. */
const longestTag = 64 * 1024

/** Rewrites a page as it streams by. Bytes that are no links stay what they are, whatever the encoding. */
export function htmlRewriter(rewriter: LinkRewriter): Transform {
  let pending = ''
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      pending += chunk.toString('latin1')
      // a tag that is not complete yet waits for its rest
      const open = pending.lastIndexOf('<')
      const cut = open > pending.lastIndexOf('>') && pending.length - open < longestTag ? open : pending.length
      const ready = pending.slice(0, cut)
      pending = pending.slice(cut)
      done(null, Buffer.from(rewriteHtml(ready, rewriter), 'latin1'))
    },
    flush(done) {
      done(null, Buffer.from(rewriteHtml(pending, rewriter), 'latin1'))
    },
  })
}
