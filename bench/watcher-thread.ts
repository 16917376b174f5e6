// A thread that watches: opens connections, and measures how long after it was sent each event arrived. Started by watching.ts.
import { parentPort, workerData } from 'node:worker_threads'
import { openWatches } from './watch-connection.ts'

export interface WatcherThread {
  url: string
  token: string
  path: string
  connections: number
  streams: number
}

/** What the thread answers to a message: how long events took, milliseconds. */
export interface Deliveries {
  delays: Float64Array
}

const { url, token, path, connections, streams } = workerData as WatcherThread
const now = () => performance.timeOrigin + performance.now()
let delays: number[] = []
const mark = Buffer.from('"sent":"')

/** The writer notes in the object when it sends it. */
function onLines(lines: Buffer): void {
  const arrived = now()
  for (let at = lines.indexOf(mark); at >= 0; at = lines.indexOf(mark, at)) {
    at += mark.length
    delays.push(arrived - Number(lines.toString('latin1', at, lines.indexOf(0x22, at))))
  }
}

// a few at a time: the row is about watches, not about handshakes
for (let opened = 0; opened < connections; opened += 10)
  await Promise.all(Array.from({ length: Math.min(10, connections - opened) }, () => openWatches({ url, token, path, streams, onLines })))
parentPort!.on('message', () => {
  parentPort!.postMessage({ delays: Float64Array.from(delays) } satisfies Deliveries)
  delays = []
})
parentPort!.postMessage('ready')
