import type { Clock, RunOptions } from '#base'
import { CommandError, realClock, run as runProgram } from '#base'

export interface AptGetOptions extends RunOptions {
  clock?: Clock
  run?: typeof runProgram
  /** For how long others may be at it, milliseconds; five minutes when absent. */
  patience?: number
}

/** Runs apt-get. Where somebody else has its locks, such as a machine's own updates after its start, it waits for them. */
export async function aptGet(args: readonly string[], { clock = realClock, run = runProgram, patience = 300_000, ...options }: AptGetOptions = {}) {
  // what it says about locks is told apart by its text
  const env = { DEBIAN_FRONTEND: 'noninteractive', LC_ALL: 'C.UTF-8', ...options.env }
  const end = clock.monotonic() + patience
  for (;;)
    try {
      return await run('apt-get', args, { ...options, env })
    } catch (error) {
      if (!(error instanceof CommandError && /Could not get lock|Unable to (acquire|lock)/.test(error.stderr)) || clock.monotonic() >= end)
        throw error
      await clock.sleep(1000, options.signal)
    }
}
