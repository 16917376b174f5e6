import { GCProfiler, setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** What something cost the thread that did it. */
export interface Cost {
  /** Milliseconds of processor time, whoever else wants the processor. */
  time: number
  /** Bytes of heap beyond what was there before: the most that was left after a collection in between, or at the end. */
  memory: number
}

let collector: (() => void) | undefined

/** Collects garbage, so that what comes next is not charged with it. */
export function collect(): void {
  if (!collector) {
    setFlagsFromString('--expose-gc')
    collector = runInNewContext('gc') as () => void
  }
  collector()
}

const held = ({ heapUsed, external } = process.memoryUsage()) => heapUsed + external

/** Does `act` and says what it cost. `exact` collects garbage first. */
export async function costOf<T>(act: () => Promise<T>, exact: boolean): Promise<{ value: T; cost: Cost }> {
  if (exact) collect()
  const profiler = new GCProfiler()
  const before = held()
  const start = process.threadCpuUsage()
  profiler.start()
  const value = await act()
  const { user, system } = process.threadCpuUsage(start)
  const { statistics } = profiler.stop()
  const after = statistics.map(({ afterGC: { heapStatistics } }) => heapStatistics.usedHeapSize + heapStatistics.externalMemory)
  return { value, cost: { time: (user + system) / 1000, memory: Math.max(held(), ...after) - before } }
}
