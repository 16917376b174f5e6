import type { Response } from '#client'
import { Watcher } from '../registry/watcher.ts'
import type { AuditTrail } from './trail.ts'

/** Records the end of a request: with its answer or, when it lasts, its beginning with the answer and its end with the last of it. */
export function recordAnswer(trail: AuditTrail, response: Response, lasts: boolean): void {
  trail.responded(response, lasts)
  if (!lasts) return
  const { body } = response
  if ('events' in body && body.events instanceof Watcher) body.events.onEnd(() => trail.complete())
  else if ('stream' in body) response.body = { stream: untilEnd(body.stream, () => trail.complete()) }
  else trail.complete()
}

async function* untilEnd(chunks: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } finally {
    ended()
  }
}
