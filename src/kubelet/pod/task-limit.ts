/** Runs a task when there is room for it; one that finishes what was begun (`urgent`) goes before those that begin something. */
export type TaskLimit = <T>(task: () => Promise<T>, urgent?: boolean) => Promise<T>

/** Lets at most `limit` tasks run at the same time; the others wait in order. */
export function taskLimit(limit: number): TaskLimit {
  let running = 0
  const urgently: (() => void)[] = []
  const waiting: (() => void)[] = []
  return async (task, urgent = false) => {
    if (running >= limit) await new Promise<void>((resolve) => (urgent ? urgently : waiting).push(resolve))
    else running++
    try {
      return await task()
    } finally {
      // A slot is handed over, so that nobody can slip in between.
      const next = urgently.shift() ?? waiting.shift()
      if (next) next()
      else running--
    }
  }
}
