import type { DeepReadonly, core } from '#api'
import type { cri } from '../cri/index.ts'

interface DockerAuth {
  username?: string
  password?: string
  auth?: string
  identitytoken?: string
}

/** Credentials by the registry that they are for, as docker's `config.json` has them under `auths`. */
export type DockerAuths = Readonly<Record<string, DockerAuth>>

/** The registry host of an image name, as docker reads it: `busybox` lives at `docker.io`. */
export function registryOf(image: string): string {
  const first = image.split('/')[0]!
  const named = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return named ? first : 'docker.io'
}

/**
 * All credentials that may be right for an image, the most specific first, to be tried in turn: that is how a password is changed. An entry is
 * `HOST[:PORT][/PATH]`; the port must be the image's, each part of the host may be a glob (`*.example.com`), the path leads the image's. What stands first
 * in `sources` goes before what is as specific and stands later: https://kubernetes.io/docs/concepts/containers/images/#config-json
 */
export function credentialsFor(image: string, sources: readonly DockerAuths[]): cri.AuthConfig[] {
  const registry = registryOf(image)
  const full = image.startsWith(`${registry}/`) ? image : `${registry}/${image}`
  return sources.flatMap((auths) =>
    Object.entries(auths)
      .map(([entry, auth]) => ({ entry: normalized(entry), auth }))
      .filter(({ entry }) => matches(entry, full))
      .toSorted((a, b) => (a.entry < b.entry ? 1 : a.entry > b.entry ? -1 : 0))
      .map(({ auth }) => authConfig(auth)),
  )
}

/** Without scheme and without the API's version; docker's own registry has many names. */
function normalized(entry: string): string {
  const plain = entry.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
  return plain.replace(/^(index\.)?docker\.io(?=\/|$)/, 'docker.io')
}

function matches(entry: string, image: string): boolean {
  const [host, path] = hostAndPath(entry)
  const [imageHost, imagePath] = hostAndPath(image)
  const [name, port] = splitOnce(host)
  const [imageName, imagePort] = splitOnce(imageHost)
  const parts = name.split('.')
  const imageParts = imageName.split('.')
  return (
    port === imagePort &&
    parts.length === imageParts.length &&
    parts.every((part, i) => globMatches(part, imageParts[i]!)) &&
    imagePath.startsWith(path)
  )
}

function hostAndPath(text: string): [string, string] {
  const slash = text.indexOf('/')
  return slash < 0 ? [text, ''] : [text.slice(0, slash), text.slice(slash)]
}

/** `*` is any number of characters, `?` one. */
function globMatches(glob: string, text: string): boolean {
  if (!/[*?]/.test(glob)) return glob === text
  const pattern = glob
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
  return new RegExp(`^${pattern}$`).test(text)
}

/** Without the server's address: a runtime hands credentials to that server alone, and the node may reach the registry at another one. */
function authConfig(auth: DockerAuth): cri.AuthConfig {
  const [username, password] = auth.auth ? splitOnce(Buffer.from(auth.auth, 'base64').toString()) : [auth.username, auth.password]
  return { username: username ?? '', password: password ?? '', identityToken: auth.identitytoken ?? '' }
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

/** What a docker `config.json` holds; a text that is none holds no credentials: the pull then fails with the registry's own words. */
export function dockerAuths(config: string): DockerAuths {
  return entriesOf((parsed(config) as { auths?: unknown } | undefined)?.auths)
}

/** The credentials of a pull secret. */
export function secretAuths({ type, data }: DeepReadonly<core.Secret>): DockerAuths {
  const text = (key: string) => Buffer.from(data?.[key] ?? '', 'base64').toString()
  if (type === 'kubernetes.io/dockerconfigjson') return dockerAuths(text('.dockerconfigjson'))
  // the format before: what is under `auths` now
  if (type === 'kubernetes.io/dockercfg') return entriesOf(parsed(text('.dockercfg')))
  return {}
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch {
    return undefined
  }
}

function entriesOf(value: unknown): DockerAuths {
  if (typeof value !== 'object' || value === null) return {}
  return Object.fromEntries(Object.entries(value).filter(([, auth]) => typeof auth === 'object' && auth !== null)) as DockerAuths
}
