import type { Response } from '#client'
import { Watcher } from '../registry/watcher.ts'

/** Calls `ended` when all of an answer is sent, or nobody wants it any more. */
export function untilEnd(response: Response, ended: () => void): void {
  const { body } = response
  if ('events' in body && body.events instanceof Watcher) body.events.onEnd(ended)
  else if ('stream' in body) response.body = { stream: passing(body.stream, ended) }
  else ended()
}

async function* passing(chunks: AsyncIterable<Uint8Array>, ended: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* chunks
  } finally {
    ended()
  }
}

/** Bytes of an answer that are known before it is sent. */
export function sizeOf({ body }: Response): number | undefined {
  if (!('bytes' in body)) return undefined
  const { bytes } = body
  if (!Array.isArray(bytes)) return bytes.length
  let size = 0
  for (const part of bytes) size += part.length
  return size
}
