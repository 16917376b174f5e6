import { isDeepStrictEqual } from 'node:util'
import type { Client } from '#client'
import type { Clock, Logger } from '#base'
import { Backoff } from '#base'
import type { core } from '#api'
import { isStatus, resources } from '#api'
import type { Pod } from './names.ts'
import { ownedConditions } from './status.ts'

export interface StatusSenderOptions {
  client: Client
  clock: Clock
  log: Logger
}

/**
 * Sends pods' statuses to the API server: only what changed, one request per pod at a time, always the newest, until it is accepted. Statuses that
 * were overtaken before they could be sent are skipped.
 */
export interface StatusSender extends AsyncDisposable {
  set(pod: Pod, status: core.PodStatus): void
  /** Resolves when the pod's newest status is at the API server, or the pod is not. */
  flush(podUid: string): Promise<void>
  forget(podUid: string): void
}

interface Entry {
  pod: Pod
  newest: core.PodStatus
  /** What the API server has, as far as we know. */
  acknowledged: unknown
  sending: Promise<void> | undefined
  /** Cancels the sending that is put off. */
  cancelDelay: (() => void) | undefined
}

/** How long a status that only tells of progress towards running may wait for the next one, milliseconds. */
const progressDelay = 250

export function statusSender({ client, clock, log }: StatusSenderOptions): StatusSender {
  const entries = new Map<string, Entry>()
  const stop = new AbortController()
  const pods = client.resource(resources.pods)

  async function send(uid: string, entry: Entry): Promise<void> {
    const backoff = new Backoff({ initial: 100, max: 10_000, jitter: 0.2 })
    while (!stop.signal.aborted && entries.get(uid) === entry && !same(entry.newest, entry.acknowledged)) {
      const status = entry.newest
      const { name, namespace } = entry.pod.metadata
      try {
        await pods.patch(name, namespace, 'strategic', statusPatch(uid, status, entry.acknowledged), { subresource: 'status', signal: stop.signal })
        entry.acknowledged = status
        backoff.reset()
      } catch (error) {
        if (stop.signal.aborted) return
        // The pod is gone, or another of the same name stands in its place: nobody is left to tell.
        if (isStatus(error, 'NotFound') || isStatus(error, 'Conflict')) {
          entry.acknowledged = status
          return
        }
        log.warn('cannot send the status of a pod', { pod: `${namespace}/${name}`, error })
        await clock.sleep(backoff.next(), stop.signal).catch(() => {})
      }
    }
  }

  /** A pod that is being started passes through states that nobody waits for: they are sent only when they last. */
  function schedule(uid: string, entry: Entry): void {
    if (!onlyProgress(entry.newest, entry.acknowledged)) return start(uid, entry)
    entry.cancelDelay ??= clock.schedule(progressDelay, () => start(uid, entry))
  }

  function start(uid: string, entry: Entry): void {
    entry.cancelDelay?.()
    entry.cancelDelay = undefined
    if (entry.sending || same(entry.newest, entry.acknowledged)) return
    entry.sending = send(uid, entry).finally(() => {
      entry.sending = undefined
      if (entries.get(uid) === entry && !stop.signal.aborted) start(uid, entry)
    })
  }

  return {
    set(pod, status) {
      const uid = pod.metadata.uid ?? ''
      const entry = entries.get(uid) ?? { pod, newest: status, acknowledged: pod.status, sending: undefined, cancelDelay: undefined }
      entry.pod = pod
      entry.newest = status
      entries.set(uid, entry)
      schedule(uid, entry)
    },
    async flush(podUid) {
      const waiting = entries.get(podUid)
      if (waiting?.cancelDelay) start(podUid, waiting)
      for (let entry = entries.get(podUid); entry?.sending; entry = entries.get(podUid)) await entry.sending
    },
    forget(podUid) {
      entries.get(podUid)?.cancelDelay?.()
      entries.delete(podUid)
    },
    async [Symbol.asyncDispose]() {
      for (const [uid, entry] of entries) if (entry.cancelDelay) start(uid, entry)
      const enough = new AbortController()
      await Promise.race([Promise.all([...entries.values()].map((e) => e.sending)), clock.sleep(lastWords, enough.signal).catch(() => {})])
      enough.abort()
      stop.abort()
      await Promise.all([...entries.values()].map((e) => e.sending))
    },
  }
}

/** How long the last statuses may take when the kubelet stops, milliseconds. */
const lastWords = 1000

function onlyProgress(status: core.PodStatus, before: unknown): boolean {
  const old = before as core.PodStatus | undefined
  if (status.phase !== 'Pending' || (old?.phase ?? 'Pending') !== 'Pending' || status.reason) return false
  const all = [...(status.containerStatuses ?? []), ...(status.initContainerStatuses ?? [])]
  return all.every((c) => c.restartCount === 0 && (c.state?.waiting === undefined || ordinaryWaits.has(c.state.waiting.reason ?? '')))
}
const ordinaryWaits = new Set(['ContainerCreating', 'PodInitializing', ''])

/** As the wire would show them: an absent field and an undefined one are the same. */
function same(a: unknown, b: unknown): boolean {
  return a === b || isDeepStrictEqual(plain(a), plain(b))
}
const plain = (value: unknown): unknown => (value === undefined ? undefined : JSON.parse(JSON.stringify(value)))

const cleared = ['reason', 'message', 'podIP', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const
const replaced = ['podIPs', 'hostIPs'] as const

/**
 * A strategic merge patch that makes the kubelet's part of the status what it should be and leaves other writers' conditions alone. The uid keeps
 * it from reaching another pod of the same name.
 */
export function statusPatch(uid: string, status: core.PodStatus, before: unknown): object {
  const old = (before ?? {}) as Record<string, unknown>
  const patch: Record<string, unknown> = { ...status }
  for (const field of cleared) if (patch[field] === undefined && old[field] !== undefined) patch[field] = null
  for (const field of replaced) {
    const list = status[field]
    if (list && old[field] !== undefined && !isDeepStrictEqual(plain(list), plain(old[field]))) patch[field] = [...list, { $patch: 'replace' }]
  }
  const owned: readonly string[] = [...ownedConditions, 'DisruptionTarget']
  patch.conditions = status.conditions
    ?.filter((c) => owned.includes(c.type))
    .map((c): object => ({ ...c, reason: c.reason ?? null, message: c.message ?? null }))
  const gone = ((old.conditions ?? []) as core.PodCondition[]).filter(
    (c) => owned.includes(c.type) && !status.conditions?.some((n) => n.type === c.type),
  )
  if (gone.length > 0) patch.conditions = [...(patch.conditions as object[]), ...gone.map(({ type }) => ({ $patch: 'delete', type }))]
  return { metadata: { uid }, status: patch }
}
