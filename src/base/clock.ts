/** Wall time, monotonic time and abortable sleep: everything that waits or stamps takes a Clock, so that tests decide what time it is. */
export interface Clock {
  /** Wall time, milliseconds since the Unix epoch. */
  now(): number
  /** Monotonic time in milliseconds; only differences mean something. */
  monotonic(): number
  /** Resolves after `ms`; rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `fn` once after `ms`; the returned function cancels it. */
  schedule(ms: number, fn: () => void): () => void
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: (ms, signal) => sleepOn(realClock, ms, signal),
  schedule: (ms, fn) => {
    // setTimeout overflows past 2^31-1 ms and would fire at once
    const timer = setTimeout(fn, Math.min(Math.max(ms, 0), 2 ** 31 - 1))
    return () => clearTimeout(timer)
  },
}

/** A clock that stands still until `advance` moves it; due callbacks run in order of their time. */
export interface ManualClock extends Clock {
  advance(ms: number): Promise<void>
  /** Number of callbacks that wait. */
  readonly waiting: number
}

export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let elapsed = 0
  let sequence = 0
  const timers = new Map<number, { at: number; fn: () => void }>()
  const clock: ManualClock = {
    now: () => start + elapsed,
    monotonic: () => elapsed,
    sleep: (ms, signal) => sleepOn(clock, ms, signal),
    schedule: (ms, fn) => {
      const id = sequence++
      timers.set(id, { at: elapsed + Math.max(ms, 0), fn })
      return () => timers.delete(id)
    },
    async advance(ms) {
      const end = elapsed + ms
      for (;;) {
        const due = [...timers].filter(([, t]) => t.at <= end).sort(([a, x], [b, y]) => x.at - y.at || a - b)[0]
        if (!due) break
        timers.delete(due[0])
        elapsed = Math.max(elapsed, due[1].at)
        due[1].fn()
        await drain()
      }
      elapsed = end
      await drain()
    },
    get waiting() {
      return timers.size
    },
  }
  return clock
}

/** Lets everything that is ready run, so that a test sees the effects of a tick. */
const drain = () => new Promise<void>((resolve) => setImmediate(resolve))

function sleepOn(clock: Clock, ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason)
    const onAbort = () => {
      cancel()
      reject(signal!.reason)
    }
    const cancel = clock.schedule(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
