/** What a level's requests asked for over a stretch of time. */
export interface DemandStatistics {
  /** Milliseconds. */
  duration: number
  /** Seats, weighted by time. */
  average: number
  deviation: number
  highest: number
}

/** Integrates how many seats the requests of a level want over time, those at work and those that wait alike: what borrowing is decided by. */
export class SeatDemand {
  #seats = 0
  #highest = 0
  #began: number
  #at: number
  /** Integrals of the seats and of their squares, seat × millisecond. */
  #sum = 0
  #squares = 0

  /** Monotonic milliseconds. */
  constructor(now: number) {
    this.#began = now
    this.#at = now
  }

  /** On the path of every request. A time before the last one counts as that. */
  add(seats: number, now: number): void {
    const passed = now - this.#at
    if (passed > 0) {
      this.#sum += this.#seats * passed
      this.#squares += this.#seats * this.#seats * passed
      this.#at = now
    }
    this.#seats += seats
    if (this.#seats > this.#highest) this.#highest = this.#seats
  }

  /** What was asked for since the last time that this was called. */
  take(now: number): DemandStatistics {
    this.add(0, now)
    const duration = this.#at - this.#began
    const average = duration > 0 ? this.#sum / duration : 0
    const variance = duration > 0 ? this.#squares / duration - average * average : 0
    const highest = this.#highest
    this.#highest = this.#seats
    this.#began = this.#at
    this.#sum = 0
    this.#squares = 0
    return { duration, average, deviation: Math.sqrt(Math.max(variance, 0)), highest }
  }
}
