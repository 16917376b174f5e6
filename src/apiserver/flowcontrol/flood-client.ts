import { connect } from 'node:http2'
import { parentPort, workerData } from 'node:worker_threads'

/** Floods an API server from a thread of its own: sessions of HTTP/2 with many requests under way on each, until it is told to stop; then it posts how often each status was answered. */
const { url, token, path, sessions, streams } = workerData as { url: string; token: string; path: string; sessions: number; streams: number }
const answers: Record<string, number> = {}
let stopped = false
let told = false

const clients = Array.from({ length: sessions }, () => {
  const session = connect(url, { rejectUnauthorized: false })
  session.on('error', () => {})
  const one = () => {
    if (stopped || session.destroyed) return
    const stream = session.request({ ':path': path, authorization: `Bearer ${token}`, accept: 'application/json;as=Table;g=meta.k8s.io;v=v1' })
    stream.on('response', (headers) => {
      const status = String(headers[':status'])
      answers[status] = (answers[status] ?? 0) + 1
      if (!told) {
        told = true
        parentPort!.postMessage('flooding')
      }
    })
    stream.on('error', () => {})
    stream.resume()
    stream.on('close', one)
  }
  session.on('connect', () => {
    for (let i = 0; i < streams; i++) one()
  })
  return session
})

parentPort!.on('message', () => {
  stopped = true
  for (const session of clients) session.destroy()
  parentPort!.postMessage(answers)
  parentPort!.close()
})
