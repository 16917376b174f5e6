import type { Outcome } from './expression.ts'

/** A part of a cache key's template: text, or what is known only when the step runs. */
export type CacheKeyPart =
  | { kind: 'text'; text: string }
  | { kind: 'branch' | 'revision' | 'build-num' | 'checkout-key' | 'epoch' | 'arch' }
  | { kind: 'environment'; name: string }
  | { kind: 'checksum'; file: string }

const fields: Record<string, CacheKeyPart> = {
  '.Branch': { kind: 'branch' },
  '.Revision': { kind: 'revision' },
  '.BuildNum': { kind: 'build-num' },
  '.CheckoutKey': { kind: 'checkout-key' },
  epoch: { kind: 'epoch' },
  arch: { kind: 'arch' },
}

const longestKey = 900

/** The parts of a template such as `v1-{{ arch }}-{{ checksum "package-lock.json" }}`. */
export function parseCacheKey(template: string): Outcome<CacheKeyPart[]> {
  if (template.length > longestKey) return { ok: false, message: `a cache key may have ${longestKey} characters` }
  const parts: CacheKeyPart[] = []
  let from = 0
  for (let open = template.indexOf('{{'); open >= 0; open = template.indexOf('{{', from)) {
    const close = template.indexOf('}}', open)
    if (close < 0) return { ok: false, message: 'the template of the cache key has a "{{" without "}}"' }
    if (open > from) parts.push({ kind: 'text', text: template.slice(from, open) })
    const inner = template.slice(open + 2, close).trim()
    const part = partOf(inner)
    if (!part) {
      const known = `${Object.keys(fields).join(', ')}, .Environment.NAME, checksum "FILE"`
      return { ok: false, message: `the cache key has no value "{{ ${inner} }}"; it has ${known}` }
    }
    parts.push(part)
    from = close + 2
  }
  if (from < template.length) parts.push({ kind: 'text', text: template.slice(from) })
  return { ok: true, value: parts }
}

function partOf(inner: string): CacheKeyPart | undefined {
  if (Object.hasOwn(fields, inner)) return fields[inner]
  const environment = /^\.Environment\.([A-Za-z_][A-Za-z0-9_]*)$/.exec(inner)
  if (environment) return { kind: 'environment', name: environment[1]! }
  const checksum = /^checksum\s+(?:"([^"]+)"|`([^`]+)`)$/.exec(inner)
  return checksum ? { kind: 'checksum', file: (checksum[1] ?? checksum[2])! } : undefined
}

/** Files that have to be read before the key is known, as they are written in it. */
export function cacheKeyFiles(template: string): string[] {
  const parts = parseCacheKey(template)
  return parts.ok ? parts.value.flatMap((part) => (part.kind === 'checksum' ? [part.file] : [])) : []
}

export interface CacheKeyValues {
  branch?: string
  revision: string
  buildNum: number
  /** Of contexts, the project and CircleCI's own. */
  environment: Record<string, string>
  /** Base64 of the SHA-256 of a file's contents; throws when it cannot be read. */
  checksum(file: string): string
  /** Seconds since 1970. */
  epoch: number
  /** Such as `linux-amd64-…`: caches of another machine type do not fit. */
  arch: string
  checkoutKey?: string
}

/** The key that a template gives now. Throws what `checksum` throws, and an Error for a template that compiling refuses. */
export function expandCacheKey(template: string, values: CacheKeyValues): string {
  const parts = parseCacheKey(template)
  if (!parts.ok) throw new Error(parts.message)
  return parts.value.map((part) => valueOf(part, values)).join('')
}

function valueOf(part: CacheKeyPart, values: CacheKeyValues): string {
  switch (part.kind) {
    case 'text':
      return part.text
    case 'branch':
      return values.branch ?? ''
    case 'revision':
      return values.revision
    case 'build-num':
      return String(values.buildNum)
    case 'checkout-key':
      return values.checkoutKey ?? ''
    case 'epoch':
      return String(Math.floor(values.epoch))
    case 'arch':
      return values.arch
    case 'environment':
      // What a Go template makes of a key that is not in a map.
      return Object.hasOwn(values.environment, part.name) ? values.environment[part.name]! : '<no value>'
    case 'checksum':
      return values.checksum(part.file)
  }
}

export interface StoredCache {
  key: string
  /** Milliseconds since 1970. */
  createdAt: number
}

/**
 * The cache that `restore_cache` takes: keys are tried in order; a key finds every stored one that begins with it, and of these the newest
 * wins, even when an older one fits exactly.
 */
export function chooseCache<T extends StoredCache>(keys: readonly string[], stored: readonly T[]): T | undefined {
  for (const key of keys) {
    let best: T | undefined
    for (const cache of stored) if (cache.key.startsWith(key) && (!best || cache.createdAt > best.createdAt)) best = cache
    if (best) return best
  }
  return undefined
}
