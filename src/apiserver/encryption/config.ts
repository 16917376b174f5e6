import { parse } from 'yaml'
import type { Clock } from '#base'
import { parseDuration } from '#api'
import type { NamedKey } from './aes.ts'
import { aesCbc, aesGcm } from './aes.ts'
import type { Kms } from './kms.ts'
import type { Transformer } from './transformer.ts'

/** Which values are encrypted, and how: the first provider writes, all of them read. */
export interface EncryptionRules {
  rules: readonly { matches(group: string, resource: string): boolean; providers: readonly Transformer[] }[]
  kms: readonly Kms[]
}

const identity: Transformer = { prefix: '', encrypt: (plain) => plain, decrypt: (plain) => ({ plain }) }

type Raw = Record<string, any>

/** Reads an EncryptionConfiguration (apiserver.config.k8s.io/v1). Rejects with Error naming the field that is wrong, never a key. */
export async function parseEncryptionConfig(text: string, clock: Clock): Promise<EncryptionRules> {
  const config = parse(text) as Raw | null
  if (config?.['kind'] !== 'EncryptionConfiguration' || config['apiVersion'] !== 'apiserver.config.k8s.io/v1')
    throw new Error('encryption: an EncryptionConfiguration of apiserver.config.k8s.io/v1 is expected')
  const kms: Kms[] = []
  const rules: EncryptionRules['rules'][number][] = []
  for (const [i, rule] of list(config['resources'], 'resources').entries()) {
    const at = `resources[${i}]`
    const resources = list(rule['resources'], `${at}.resources`).map((name, n) => matcher(name, `${at}.resources[${n}]`))
    const providers: Transformer[] = []
    for (const [n, provider] of list(rule['providers'], `${at}.providers`).entries())
      providers.push(...(await providersOf(provider, `${at}.providers[${n}]`, clock, kms)))
    const twice = providers.find((p, n) => providers.findIndex((other) => other.prefix === p.prefix) < n)
    if (twice) throw new Error(`encryption: ${at}.providers: ${twice.prefix || 'identity'} is there twice`)
    rules.push({ matches: (group, resource) => resources.some((matches) => matches(group, resource)), providers })
  }
  return { rules, kms }
}

/** `secrets`, `deployments.apps`, `*.apps`, `*.` (the core group) or `*.*`. */
function matcher(name: unknown, at: string): (group: string, resource: string) => boolean {
  if (typeof name !== 'string' || !/^(\*|[a-z]+)(\.(\*|[a-z0-9.-]*))?$/.test(name) || name === '*')
    throw new Error(`encryption: ${at}: ${JSON.stringify(name)} is no resource: secrets, deployments.apps, *.apps, *. and *.* are such`)
  const dot = name.indexOf('.')
  const resource = dot < 0 ? name : name.slice(0, dot)
  const group = dot < 0 ? '' : name.slice(dot + 1)
  if (group === '*' && resource !== '*') throw new Error(`encryption: ${at}: only *.* has a wildcard for the group`)
  return (g, r) => (group === '*' || group === g) && (resource === '*' || resource === r)
}

/** What a provider needs is loaded when it is asked for. */
async function providersOf(provider: Raw, at: string, clock: Clock, kms: Kms[]): Promise<Transformer[]> {
  const names = Object.keys(provider ?? {})
  if (names.length !== 1) throw new Error(`encryption: ${at}: one provider is expected`)
  const [name] = names as [string]
  const value = provider[name] as Raw
  switch (name) {
    case 'identity':
      return [identity]
    case 'aescbc':
      return keys(value, `${at}.aescbc`, [16, 24, 32]).map(aesCbc)
    case 'aesgcm':
      return keys(value, `${at}.aesgcm`, [16, 24, 32]).map(aesGcm)
    case 'secretbox':
      return keys(value, `${at}.secretbox`, [32]).map((await import('./secretbox.ts')).secretbox)
    case 'kms':
      return [await kmsOf(value, `${at}.kms`, clock, kms)]
    default:
      throw new Error(`encryption: ${at}: unknown provider ${JSON.stringify(name)}: aescbc, aesgcm, secretbox, kms and identity are known`)
  }
}

async function kmsOf(value: Raw, at: string, clock: Clock, all: Kms[]): Promise<Kms> {
  const { apiVersion, name, endpoint, timeout = '3s' } = value ?? {}
  if (apiVersion !== 'v2')
    throw new Error(`encryption: ${at}.apiVersion: ${JSON.stringify(apiVersion ?? 'v1')} is not supported: v1 is deprecated, use v2`)
  if (typeof name !== 'string' || name === '' || name.includes(':')) throw new Error(`encryption: ${at}.name: a name without colons is expected`)
  if (typeof endpoint !== 'string' || !endpoint.startsWith('unix://')) throw new Error(`encryption: ${at}.endpoint: unix:///PATH is expected`)
  const { kmsV2 } = await import('./kms.ts')
  const plugin = kmsV2({ name, endpoint, timeout: parseDuration(String(timeout)), clock })
  all.push(plugin)
  return plugin
}

function keys(value: Raw, at: string, sizes: number[]): NamedKey[] {
  return list(value?.['keys'], `${at}.keys`).map((key, i) => {
    const place = `${at}.keys[${i}]`
    const { name, secret } = key as Raw
    if (typeof name !== 'string' || name === '' || name.includes(':')) throw new Error(`encryption: ${place}.name: a name without colons is expected`)
    if (typeof secret !== 'string' || !/^[A-Za-z0-9+/]+={0,2}$/.test(secret)) throw new Error(`encryption: ${place}.secret: base64 is expected`)
    const bytes = Buffer.from(secret, 'base64')
    if (!sizes.includes(bytes.length)) throw new Error(`encryption: ${place}.secret: ${bytes.length} bytes, ${sizes.join(', ')} are possible`)
    return { name, secret: bytes }
  })
}

function list(value: unknown, at: string): any[] {
  if (!Array.isArray(value) || value.length === 0) throw new Error(`encryption: ${at}: a list with something in it is expected`)
  return value
}
