import { once } from 'node:events'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import type { core } from '#api'
import { resources } from '#api'
import type { Subject } from './subjects/subject.ts'
import { subjectClient } from './subjects/subject.ts'
import type { Deliveries, WatcherThread } from './watcher-thread.ts'

const watches = 1000
const streamsEach = 10
const writesPerSecond = 100
/** Until memory is weighed, milliseconds. */
const settling = 15_000

export interface Watching {
  /** Write → event, of every event at every watcher, milliseconds. */
  delays: number[]
  /** Events that should have come and did not. */
  missed: number
  /** Memory that an idle watch takes, kB. */
  memory: number
}

/**
 * 1,000 watches of the same ConfigMaps, ten on a connection; memory is weighed before they are opened and while they are idle. Then objects are updated 100
 * times a second, each write at its time whether the one before it is answered or not, and each event is timed where it arrives.
 */
export async function measureWatching(subject: Subject, seconds: number): Promise<Watching> {
  await using owned = subjectClient(subject)
  const configMaps = owned.client.resource<core.ConfigMap>(resources.configMaps)
  const namespace = 'watched'
  let written = 0
  await owned.client
    .resource<core.Namespace>(resources.namespaces)
    .create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } } as core.Namespace)
  await pause(settling)
  const before = subject.memory()
  const workerData: WatcherThread = {
    url: subject.url,
    token: subject.token,
    path: `/api/v1/namespaces/${namespace}/configmaps?watch=true&labelSelector=app%3Dbench`,
    connections: watches / streamsEach,
    streams: streamsEach,
  }
  const thread = new Worker(join(import.meta.dirname, 'watcher-thread.ts'), { workerData })
  try {
    await once(thread, 'message')
    await pause(settling)
    const memory = ((subject.memory() - before) * 1024) / watches
    // the first second compiles code and is not counted
    await write(writesPerSecond)
    await deliveries(thread)
    const writes = writesPerSecond * seconds
    await write(writes)
    const { delays } = await deliveries(thread)
    return { delays: [...delays], missed: writes * watches - delays.length, memory }
  } finally {
    await thread.terminate()
  }

  async function write(count: number): Promise<void> {
    const start = performance.now()
    const sent: Promise<unknown>[] = []
    for (let i = 0; i < count; i++) {
      const due = start + (i * 1000) / writesPerSecond
      if (due > performance.now()) await pause(due - performance.now())
      sent.push(
        configMaps.create({
          apiVersion: 'v1',
          kind: 'ConfigMap',
          metadata: { name: `written-${++written}`, namespace, labels: { app: 'bench' } },
          data: { sent: String(performance.timeOrigin + performance.now()), k: 'x'.repeat(256) },
        } as core.ConfigMap),
      )
    }
    await Promise.all(sent)
  }
}

/** What has arrived by the time that nothing more does. */
async function deliveries(thread: Worker): Promise<Deliveries> {
  await pause(1000)
  const answer = once(thread, 'message')
  thread.postMessage('deliveries')
  const [message] = (await answer) as [Deliveries]
  return message
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))
