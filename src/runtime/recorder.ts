import { type DeepReadonly, type KubeObject, type core, isStatus, resources } from '#api'
import { type Clock, type Logger, describeError, silentLogger } from '#base'
import type { Client } from '#client'
import type { EventRecorder } from './events.ts'

export interface EventRecorderOptions {
  client: Client
  component: string
  host?: string
  clock: Clock
  log?: Logger
  /** Events that wait to be sent; more are dropped, as events are best effort. 5000 when absent. */
  queueLimit?: number
}

export interface RunningRecorder extends EventRecorder, AsyncDisposable {
  /** Resolves when all that was recorded so far is sent or dropped. */
  flush(): Promise<void>
}

/** What to send for one occurrence: a new event, or a higher count of one that was sent. */
export interface CorrelatedEvent {
  event: core.Event
  repeat: boolean
}

// client-go's correlator: these numbers are its defaults
const similarLimit = 10
const similarWindow = 600_000
const burst = 25
const refillEvery = 300_000
const remembered = 4096
const attempts = 5

/** Requests at the same time: a durable write takes milliseconds, and events come in bursts. */
const parallel = 16

/**
 * Merges occurrences as client-go's correlator does: an equal event raises the count of the first; from the tenth different message about one object
 * and reason within ten minutes they share one event; one object gets 25 events at once and then one every five minutes. Answers undefined for an event
 * that is not sent.
 */
export function createCorrelator(now: () => number): (event: core.Event, source: string) => CorrelatedEvent | undefined {
  const sent = new Map<string, { name: string; count: number; first: string }>()
  const similar = new Map<string, { messages: Set<string>; last: number }>()
  const budgets = new Map<string, { tokens: number; at: number }>()

  function affordable(key: string): boolean {
    const budget = recall(budgets, key, () => ({ tokens: burst, at: now() }))
    const time = now()
    budget.tokens = Math.min(burst, budget.tokens + (time - budget.at) / refillEvery)
    budget.at = time
    if (budget.tokens < 1) return false
    budget.tokens--
    return true
  }

  return (event, source) => {
    const o = event.involvedObject
    const object = [source, o.kind, o.namespace, o.name, o.uid, o.apiVersion].join('\0')
    const group = [object, event.type, event.reason].join('\0')
    const likes = recall(similar, group, () => ({ messages: new Set<string>(), last: now() }))
    if (now() - likes.last > similarWindow) likes.messages.clear()
    likes.last = now()
    const message = event.message ?? ''
    if (likes.messages.size < similarLimit) likes.messages.add(message)
    const combined = likes.messages.size >= similarLimit
    const key = combined ? group : [group, o.fieldPath, message].join('\0')
    if (!affordable(object)) return undefined
    const text = combined ? `(combined from similar events): ${message}` : message
    const known = sent.get(key)
    if (known) {
      known.count++
      // most recently used last
      sent.delete(key)
      sent.set(key, known)
      return {
        repeat: true,
        event: { ...event, message: text, metadata: { ...event.metadata, name: known.name }, count: known.count, firstTimestamp: known.first },
      }
    }
    remember(sent, key, { name: event.metadata.name, count: 1, first: event.firstTimestamp! })
    return { repeat: false, event: { ...event, message: text } }
  }
}

function recall<V>(map: Map<string, V>, key: string, make: () => V): V {
  let value = map.get(key)
  if (value === undefined) remember(map, key, (value = make()))
  return value
}
function remember<V>(map: Map<string, V>, key: string, value: V): void {
  map.set(key, value)
  if (map.size > remembered) map.delete(map.keys().next().value!)
}

export function createEventRecorder(options: EventRecorderOptions): RunningRecorder {
  const { client, component: own, host, clock, log = silentLogger, queueLimit = 5000 } = options
  const correlate = createCorrelator(() => clock.now())
  const events = client.resource(resources.events)
  const queue: CorrelatedEvent[] = []
  const stopped = new AbortController()
  let sequence = 0
  // by event name: a count is raised after its event has been written
  const sending = new Map<string, Promise<void>>()
  const senders = new Set<Promise<void>>()

  async function drain(): Promise<void> {
    for (let next = queue.shift(); next; next = queue.shift()) {
      const { name } = next.event.metadata
      const sent = (sending.get(name) ?? Promise.resolve()).then(send.bind(undefined, next))
      sending.set(name, sent)
      await sent
      if (sending.get(name) === sent) sending.delete(name)
    }
  }

  function wake(): void {
    if (senders.size >= parallel) return
    const sender: Promise<void> = drain().finally(() => senders.delete(sender))
    senders.add(sender)
  }

  async function send({ event, repeat }: CorrelatedEvent): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        if (repeat && (await raise(event))) return
        await events.create(event, { signal: stopped.signal })
        return
      } catch (error) {
        if (stopped.signal.aborted) return
        // an answer is an answer (a namespace that terminates, no permission); only trouble on the way is worth another try
        const final = isStatus(error) && error.code < 500 && error.code !== 429
        if (final || attempt >= attempts) return log.debug('event dropped', { reason: event.reason, error: describeError(error) })
        await clock.sleep(1000 * 2 ** attempt, stopped.signal).catch(() => {})
      }
    }
  }

  /** False when the event that would be raised has expired meanwhile. */
  async function raise({ metadata, count, lastTimestamp, message }: core.Event): Promise<boolean> {
    try {
      await events.patch(metadata.name, metadata.namespace, 'merge', { count, lastTimestamp, message }, { signal: stopped.signal })
      return true
    } catch (error) {
      if (isStatus(error, 'NotFound')) return false
      throw error
    }
  }

  return {
    event(about, type, reason, message, { fieldPath, component = own } = {}) {
      if (stopped.signal.aborted || queue.length >= queueLimit) return
      const time = new Date(clock.now()).toISOString().replace(/\.\d+Z$/, 'Z')
      // nanoseconds in hexadecimal, as client-go names events; the counter keeps two of one millisecond apart
      const stamp = (BigInt(Math.floor(clock.now())) * 1_000_000n + BigInt(sequence++ % 1_000_000)).toString(16)
      const correlated = correlate(
        {
          apiVersion: 'v1',
          kind: 'Event',
          metadata: { name: `${about.metadata.name}.${stamp}`, namespace: about.metadata.namespace || 'default' },
          involvedObject: referenceTo(about, fieldPath),
          reason,
          message,
          source: host ? { component, host } : { component },
          firstTimestamp: time,
          lastTimestamp: time,
          count: 1,
          type,
          reportingComponent: component,
          reportingInstance: host ?? '',
        },
        `${component}\0${host ?? ''}`,
      )
      if (!correlated) return
      queue.push(correlated)
      wake()
    },
    async flush() {
      while (senders.size > 0) await Promise.all(senders)
    },
    async [Symbol.asyncDispose]() {
      queue.length = 0
      stopped.abort()
      await Promise.all(senders)
    },
  }
}

function referenceTo(object: DeepReadonly<KubeObject>, fieldPath: string | undefined): core.ObjectReference {
  const { name, namespace, uid, resourceVersion } = object.metadata
  return {
    kind: object.kind,
    apiVersion: object.apiVersion,
    name,
    ...(namespace ? { namespace } : {}),
    ...(uid ? { uid } : {}),
    ...(resourceVersion ? { resourceVersion } : {}),
    ...(fieldPath ? { fieldPath } : {}),
  }
}
