import type { Clock } from '#base'
import { failure } from '#api'
import type { DeepReadonly, core } from '#api'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf } from './rejection.ts'

export const limitTypes = ['Server', 'Namespace', 'User', 'SourceAndObject'] as const

export interface EventLimit {
  type: (typeof limitTypes)[number]
  /** Events a second, and how many of them may come at once. */
  qps: number
  burst: number
  /** Keys whose use is remembered; 4096 when 0. */
  cacheSize: number
}

interface Bucket {
  tokens: number
  /** Monotonic milliseconds. */
  at: number
}

/** Keeps events from flooding the store: so many a second in all, of a namespace, of a user, or about an object from a source. Off by default, as upstream. */
export function eventRateLimit(limits: readonly EventLimit[], clock: Clock): AdmissionPlugin {
  const enforcers = limits.map((limit) => ({ limit, buckets: new Map<string, Bucket>() }))

  function accepts({ limit: { qps, burst, cacheSize }, buckets }: (typeof enforcers)[number], key: string): boolean {
    const now = clock.monotonic()
    const bucket = buckets.get(key) ?? { tokens: burst, at: now }
    // what was used last stands last: the first one is forgotten
    buckets.delete(key)
    buckets.set(key, bucket)
    if (buckets.size > (cacheSize || 4096)) buckets.delete(buckets.keys().next().value!)
    bucket.tokens = Math.min(burst, bucket.tokens + ((now - bucket.at) * qps) / 1000)
    bucket.at = now
    if (bucket.tokens < 1) return false
    bucket.tokens--
    return true
  }

  return {
    name: 'EventRateLimit',
    handles: ({ operation, kind, context }) => (operation === 'CREATE' || operation === 'UPDATE') && kind.kind === 'Event' && !context.dryRun,
    validate(request) {
      const reached = enforcers.flatMap((enforcer) => {
        const { type } = enforcer.limit
        const key = keyOf(type, request)
        return accepts(enforcer, key) ? [] : [`limit reached on type ${type} for key ${key}`]
      })
      if (reached.length > 0)
        throw failure('TooManyRequests', 429, `Too many requests: ${reached.length === 1 ? reached[0]! : `[${reached.join(', ')}]`}`)
    },
  }
}

function keyOf(type: EventLimit['type'], request: AdmissionRequest): string {
  switch (type) {
    case 'Server':
      return ''
    case 'Namespace':
      return namespaceOf(request)
    case 'User':
      return request.context.request.user.username
    case 'SourceAndObject': {
      const { source, involvedObject: about } = request.object as unknown as DeepReadonly<core.Event>
      return [source?.component, source?.host, about?.kind, about?.namespace, about?.name, about?.uid, about?.apiVersion]
        .map((part) => part ?? '')
        .join('')
    }
  }
}
