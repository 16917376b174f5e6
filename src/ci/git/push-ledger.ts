/**
 * Which repositories may hold refs that nobody has seen to: a push was cut off, or what it starts could not be made. Pushes to one repository go side by side;
 * who makes up for lost ones has it alone.
 */
export interface PushLedger {
  /** A push begins, once nobody has the repository alone; dispose what it answers when it is over. */
  begin(project: string): Promise<Disposable>
  /** All that the project's refs ask for has been done. */
  settled(project: string): void
  /** Remembers a project to look at. */
  unsettle(project: string): void
  unsettled(): string[]
  /** Runs while nobody pushes; false without running when somebody does. */
  alone(project: string, run: () => Promise<void>): Promise<boolean>
}

export function createPushLedger(): PushLedger {
  const running = new Map<string, number>()
  const held = new Map<string, Promise<void>>()
  const open = new Set<string>()
  return {
    async begin(project) {
      while (held.has(project)) await held.get(project)
      open.add(project)
      running.set(project, (running.get(project) ?? 0) + 1)
      return { [Symbol.dispose]: () => void running.set(project, running.get(project)! - 1) }
    },
    settled: (project) => void open.delete(project),
    unsettle: (project) => void open.add(project),
    unsettled: () => [...open],
    async alone(project, run) {
      if (running.get(project) || held.has(project)) return false
      const done = run()
      held.set(
        project,
        done.catch(() => {}),
      )
      try {
        await done
        return true
      } finally {
        held.delete(project)
      }
    },
  }
}
