import { type Clock, realClock } from '#base'
import { TransportError } from '#client'

export interface ResumeOptions {
  clock?: Clock
  signal?: AbortSignal
  /** How long the other side may be away, milliseconds; 60 s when absent. */
  patience?: number
}

/** Tries again after trouble on the way, with growing pauses, until the other side has been away for too long. Any answer ends it. */
export async function patiently<T>(attempt: () => Promise<T>, { clock = realClock, signal, patience = 60_000 }: ResumeOptions = {}): Promise<T> {
  const begun = clock.monotonic()
  for (let wait = 200; ; wait = Math.min(wait * 2, 3000)) {
    try {
      return await attempt()
    } catch (error) {
      if (!(error instanceof TransportError) || signal?.aborted || clock.monotonic() - begun + wait > patience) throw error
      await clock.sleep(wait, signal)
    }
  }
}

/** Bytes from `read(offset)`, gone on with where they broke off when the connection did. */
export async function* resuming(
  read: (offset: number) => Promise<AsyncIterable<Uint8Array>>,
  options: ResumeOptions = {},
): AsyncGenerator<Uint8Array> {
  let offset = 0
  for (;;) {
    const chunks = await patiently(() => read(offset), options)
    try {
      for await (const chunk of chunks) {
        offset += chunk.length
        yield chunk
      }
      return
    } catch (error) {
      if (!(error instanceof TransportError) || options.signal?.aborted) throw error
    }
  }
}
