import type { Client } from '#client'
import type { Clock } from '#base'
import type { authentication, core, DeepReadonly } from '#api'
import { resources } from '#api'

export interface IssuedToken {
  token: string
  /** Wall time, milliseconds. */
  expiresAt: number
  /** When to ask for the next one, wall time in milliseconds. */
  renewAt: number
}

/** Tokens bound to a pod, kept until it is time to renew them. */
export interface TokenSource {
  token(pod: DeepReadonly<core.Pod>, projection: DeepReadonly<core.ServiceAccountTokenProjection>, signal?: AbortSignal): Promise<IssuedToken>
  forget(podUid: string): void
}

const day = 24 * 60 * 60 * 1000

export function tokenSource({ client, clock }: { client: Client; clock: Clock }): TokenSource {
  const pods = new Map<string, Map<string, IssuedToken>>()

  const request = async (pod: DeepReadonly<core.Pod>, projection: DeepReadonly<core.ServiceAccountTokenProjection>, signal?: AbortSignal) => {
    const answer = await client.resource(resources.serviceAccounts).createSubresource<authentication.TokenRequest>(
      pod.spec.serviceAccountName || 'default',
      pod.metadata.namespace,
      'token',
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: {},
        spec: {
          audiences: projection.audience ? [projection.audience] : [],
          expirationSeconds: projection.expirationSeconds ?? 3600,
          boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: pod.metadata.name, uid: pod.metadata.uid },
        },
      },
      { signal },
    )
    const now = clock.now()
    const expiresAt = Date.parse(answer.status!.expirationTimestamp!)
    // at 80 % of its life, and at least once a day
    return { token: answer.status!.token!, expiresAt, renewAt: now + Math.min((expiresAt - now) * 0.8, day) }
  }

  return {
    async token(pod, projection, signal) {
      const uid = pod.metadata.uid!
      const key = JSON.stringify([pod.spec.serviceAccountName, projection.audience, projection.expirationSeconds])
      const issued = pods.get(uid) ?? new Map<string, IssuedToken>()
      pods.set(uid, issued)
      const kept = issued.get(key)
      if (kept && clock.now() < kept.renewAt) return kept
      try {
        const fresh = await request(pod, projection, signal)
        issued.set(key, fresh)
        return fresh
      } catch (error) {
        // an old token is better than none for as long as it is valid; the next try is due soon
        if (kept && clock.now() < kept.expiresAt) return { ...kept, renewAt: clock.now() + 10_000 }
        throw new Error(`failed to fetch token: ${(error as Error).message}`, { cause: error })
      }
    },
    forget(podUid) {
      pods.delete(podUid)
    },
  }
}
