/** The longest that anybody is told to stay away, seconds. */
const longest = 32

/**
 * How long clients that were sent away are told to stay away, by how many were of late: it doubles while there are more than three a second for as long as it says, and goes back
 * by a second when there is less than one (upstream's numbers, after TCP's).
 */
export class RetryAfter {
  /** Seconds. */
  seconds = 1
  #second = 0
  #count = 0
  #doubled = 0
  #history: { second: number; count: number }[] = []

  /** One was sent away; `now` is in milliseconds. */
  record(now: number): void {
    const second = Math.floor(now / 1000)
    if (second === this.#second) {
      this.#count++
      return
    }
    if (this.#count > 0) this.#history.push({ second: this.#second, count: this.#count })
    this.#second = second
    this.#count = 1
    this.#history = this.#history.filter((each) => second - each.second <= longest)
    this.#adjust(second)
  }

  #adjust(second: number): void {
    const recent = this.#history.reduce((sum, each) => (second - each.second <= this.seconds ? sum + each.count : sum), 0)
    if (second - this.#doubled >= this.seconds && recent >= 3 * this.seconds) {
      this.seconds = Math.min(2 * this.seconds, longest)
      this.#doubled = second
    } else if (recent < this.seconds && this.seconds > 1) this.seconds--
  }
}
