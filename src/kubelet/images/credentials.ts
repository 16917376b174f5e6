import type { DeepReadonly, core } from '#api'
import type { cri } from '../cri/index.ts'

interface DockerAuth {
  username?: string
  password?: string
  auth?: string
  identitytoken?: string
}

/** The registry host of an image name, as docker reads it: `busybox` lives at `docker.io`. */
export function registryOf(image: string): string {
  const first = image.split('/')[0]!
  const named = image.includes('/') && (first.includes('.') || first.includes(':') || first === 'localhost')
  return named ? first : 'docker.io'
}

/** The credentials for an image's registry among pull secrets; the longest matching entry wins. */
export function credentialsFor(image: string, secrets: readonly DeepReadonly<core.Secret>[]): cri.AuthConfig | undefined {
  const registry = registryOf(image)
  const full = image.startsWith(registry) ? image : `${registry}/${image}`
  let best: { length: number; auth: DockerAuth; server: string } | undefined
  for (const secret of secrets) {
    for (const [server, auth] of Object.entries(dockerAuths(secret))) {
      const host = server.replace(/^https?:\/\//, '').replace(/\/(v[12]\/?)?$/, '')
      const target = host === 'index.docker.io' ? 'docker.io' : host
      if ((full === target || full.startsWith(`${target}/`)) && target.length > (best?.length ?? -1)) best = { length: target.length, auth, server }
    }
  }
  if (!best) return undefined
  const [username, password] = best.auth.auth ? splitOnce(Buffer.from(best.auth.auth, 'base64').toString()) : [best.auth.username, best.auth.password]
  return { username: username ?? '', password: password ?? '', serverAddress: best.server, identityToken: best.auth.identitytoken ?? '' }
}

function splitOnce(text: string): [string, string] {
  const colon = text.indexOf(':')
  return colon < 0 ? [text, ''] : [text.slice(0, colon), text.slice(colon + 1)]
}

function dockerAuths(secret: DeepReadonly<core.Secret>): Record<string, DockerAuth> {
  const read = (key: string) => {
    const data = secret.data?.[key]
    return data === undefined ? undefined : (JSON.parse(Buffer.from(data, 'base64').toString()) as Record<string, any>)
  }
  try {
    if (secret.type === 'kubernetes.io/dockerconfigjson') return read('.dockerconfigjson')?.auths ?? {}
    if (secret.type === 'kubernetes.io/dockercfg') return read('.dockercfg') ?? {}
  } catch {
    // A secret that is no JSON holds no credentials; the pull then fails with the registry's own words.
  }
  return {}
}
