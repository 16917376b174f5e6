/**
 * One turn of the event loop, as requests share it. All requests whose bytes arrived together are begun in one turn, and whatever arrives meanwhile waits until all of them are
 * done: a turn that takes up too many delays everybody. So a turn has a budget; what exceeds it waits in the queues of its level, where the fairness is.
 */
export interface Turn {
  /** Spends `cost` of this turn; false, and nothing spent, when there is none left. Something always fits into an empty turn. */
  spend(cost: number, now: number): boolean
}

export interface TurnOptions {
  /** In requests for a small object; some 50 microseconds each. */
  budget: number
  /** Milliseconds after which a turn is over whatever was spent. */
  limit: number
  /** Calls back when the events of this turn are done with. */
  defer(fn: () => void): void
  /** Runs after each turn in which something was spent or asked for. */
  ended(): void
}

export function loopTurn({ budget, limit, defer, ended }: TurnOptions): Turn {
  let open = false
  let began = 0
  let spent = 0
  const end = () => {
    open = false
    ended()
  }
  return {
    spend(cost, now) {
      if (!open) {
        open = true
        began = now
        spent = 0
        defer(end)
      }
      if (spent > 0 && (spent + cost > budget || now - began > limit)) return false
      spent += cost
      return true
    },
  }
}
