import type { Backend } from '../desired.ts'
import { serverKeywords } from './config.ts'

export interface EndpointChange {
  /** Commands that put endpoints into service; they come first, so that there is always one. */
  add: { backend: string; endpoint: string; keywords: string }[]
  /** Endpoints that get no more requests; what they are answering now is let finish. */
  drain: { backend: string; endpoint: string }[]
}

/** What leads from the endpoints of the same backends as served to those as wanted. */
export function endpointChange(served: readonly Backend[], wanted: readonly Backend[]): EndpointChange {
  const before = new Map(served.map((b) => [b.id, new Set(b.endpoints)]))
  const change: EndpointChange = { add: [], drain: [] }
  for (const backend of wanted) {
    const old = before.get(backend.id) ?? new Set()
    const now = new Set(backend.endpoints)
    for (const endpoint of now) if (!old.has(endpoint)) change.add.push({ backend: backend.id, endpoint, keywords: serverKeywords(backend) })
    for (const endpoint of old) if (!now.has(endpoint)) change.drain.push({ backend: backend.id, endpoint })
  }
  return change
}
