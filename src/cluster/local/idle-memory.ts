import type { Clock } from '#base'
import { realClock } from '#base'

export interface IdleMemoryOptions {
  clock: Clock
  /** Processor time that the process has taken so far, milliseconds. */
  processorTime(): number
  /** Bytes that V8 holds of the system, used or not. */
  held(): number
  /** Collects all garbage and gives back what is free; keeps the thread meanwhile. */
  collect(): void
}

/** How long a process must have done next to nothing, milliseconds. */
const idleSpan = 5000
/** The share of that time that next to nothing may take. */
const idleShare = 0.02
/** What must have been added since the last time to be worth it, bytes. */
const worthwhile = 8 << 20
/** A collection takes about 2 ms a megabyte: beyond this it would keep whoever comes just then waiting, bytes. */
const largest = 256 << 20

/**
 * Gives back what a burst of work (the start, a rollout) made V8 take, once the process is idle. V8 does so late: an idle control plane would hold 25 to 40 MB more.
 * It keeps the thread for about 80 ms, when nobody needs it.
 */
export function returnIdleMemory({ clock, processorTime, held, collect }: IdleMemoryOptions): Disposable {
  let before = processorTime()
  let kept = 0
  let cancel: () => void
  const look = () => {
    const now = processorTime()
    const idle = now - before < idleSpan * idleShare
    before = now
    const holds = idle ? held() : 0
    if (holds > kept + worthwhile && holds < largest) {
      collect()
      kept = held()
      before = processorTime()
    }
    cancel = clock.schedule(idleSpan, look)
  }
  cancel = clock.schedule(idleSpan, look)
  return { [Symbol.dispose]: () => cancel() }
}

/** The same for this process, where it runs with `--expose-gc`; elsewhere nothing happens. */
export function returnOwnIdleMemory(): Disposable {
  const { gc } = globalThis
  if (!gc) return { [Symbol.dispose]() {} }
  return returnIdleMemory({
    clock: realClock,
    processorTime() {
      const { user, system } = process.cpuUsage()
      return (user + system) / 1000
    },
    held: () => process.memoryUsage().heapTotal,
    collect: () => gc({ type: 'major', execution: 'sync', flavor: 'last-resort' }),
  })
}
