import type { Clock } from '#base'
import type { DeepReadonly, flowcontrol } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { RequestInfo } from '../request-info.ts'
import { inOrder, matchesRules, rulesFor } from './classify.ts'
import { defaultLevels, defaultSchemas, mandatoryNames } from './defaults.ts'
import type { FlowMetrics, FlowSeries } from './flow-metrics.ts'
import { flowMetrics } from './flow-metrics.ts'
import type { RejectReason } from './priority-level.ts'
import { PriorityLevel } from './priority-level.ts'
import { divideSeats } from './seats.ts'
import { flowHash } from './shuffle.ts'
import { loopTurn } from './turn.ts'

type Schema = DeepReadonly<flowcontrol.FlowSchema>
type Level = DeepReadonly<flowcontrol.PriorityLevelConfiguration>

/** What a request holds while it is worked on; given back by `leave`. */
export interface Seat {
  schemaUid: string
  levelUid: string
  level: PriorityLevel
  seats: number
  series: FlowSeries
}

export interface Entry {
  info: RequestInfo
  /** How much work is ahead, in requests for a small object. */
  cost: number
  /** How many seats it takes while it is worked on. */
  seats: number
  /** Monotonic milliseconds. */
  now: number
  /** Aborts when the client goes away; asked for only when the request waits. */
  signal(): AbortSignal | undefined
}

/** Priority and fairness (KEP-1040): who may begin, who waits, who is sent away. */
export interface FlowControl {
  /** A seat, at once or after waiting. Throws, or rejects with, `TooManyRequests` when there is none to be had. */
  enter(entry: Entry): Seat | Promise<Seat>
  /** Gives a seat back; `seconds` is how long the work took. */
  leave(seat: Seat, seconds: number): void
  /** Takes up what the objects say now. Requests that wait go on doing so. */
  configure(levels: readonly Level[], schemas: readonly Schema[]): void
  metrics: FlowMetrics
}

/** There was no seat for a request: answered with 429. One per schema and reason serves all: a flood must not cost a stack trace each. */
export class TooManyRequests extends Error {
  readonly reason: RejectReason
  readonly seat: Pick<Seat, 'schemaUid' | 'levelUid'>
  constructor(reason: RejectReason, seat: Pick<Seat, 'schemaUid' | 'levelUid'>) {
    super('Too many requests, please try again later.')
    this.name = 'TooManyRequests'
    this.reason = reason
    this.seat = seat
  }
}

export interface FlowControlOptions {
  clock: Clock
  /** Seats of the whole server; 600 when absent, as upstream's two in-flight limits add up to by default. */
  totalSeats?: number
  /** Waiting ends after this many milliseconds; 15,000 when absent: a quarter of a request's time, as upstream. */
  waitLimit?: number
  /** How turns of the event loop end; setImmediate when absent. */
  defer?: (fn: () => void) => void
}

/** A schema as it is asked: with the rules that are about one user. */
interface Flow {
  name: string
  rules: ReturnType<typeof rulesFor>
  by: 'ByUser' | 'ByNamespace' | undefined
  seat: Seat
}

/** Of a turn: some 3 ms of requests for small objects. */
const turnBudget = 64
const turnLimit = 5
/** Work of this cost is waited for, so that its time counts, for so many microtasks at most: what takes longer waits for something else than the processor. */
const largeCost = 8
const ticksForLarge = 64
/** What waits lets so many turns pass for the sake of what is under way. */
const yieldsAtMost = 8
/** So many are sent away in one turn; the others learn of it later. Whoever asks again at once does so more slowly then: refusing is work, too. */
const refusalsPerTurn = 16
/** Who has to learn at once: more than these are not kept. */
const refusalsKept = 20_000
const sweepEvery = 1000

export function flowControl(options: FlowControlOptions): FlowControl {
  const { clock, totalSeats = 600, waitLimit = 15_000, defer = setImmediate } = options
  const levels = new Map<string, PriorityLevel>()
  const metrics = flowMetrics(() => levels.values())
  let schemas: { object: Schema; by: Flow['by']; seat: Seat }[] = []
  let flows = new WeakMap<UserInfo, Flow[]>()
  let pool = 0
  /** Seats that levels use beyond what they keep for themselves. */
  let drawn = 0
  let totalWaiting = 0
  /** How much the level that was served last had been served. */
  let served = 0
  let draining = false
  let yielded = 0
  /** Requests that gave their seats back, ever. */
  let finished = 0
  /** Who is to be sent away, and how many of them this turn has sent already. */
  let refusals: (() => void)[] = []
  let refusedInTurn = 0
  let sweeping = false

  const turn = loopTurn({
    budget: turnBudget,
    limit: turnLimit,
    defer,
    ended: () => {
      refusedInTurn = 0
      if (refusals.length > 0) sendAway()
      if (totalWaiting > 0) void drain()
    },
  })

  function configure(givenLevels: readonly Level[], givenSchemas: readonly Schema[]): void {
    const objects = withMandatory(givenLevels, defaultLevels)
    const limits = divideSeats(objects, totalSeats)
    for (const level of levels.values()) level.retired = true
    for (const object of objects) {
      const { name } = object.metadata
      let level = levels.get(name)
      if (!level) levels.set(name, (level = new PriorityLevel(name)))
      level.configure(object, limits.get(name)!)
    }
    for (const [name, level] of levels) if (level.retired && level.waiting === 0 && level.executing === 0) levels.delete(name)
    pool = 0
    drawn = 0
    for (const level of levels.values()) {
      if (level.exempt) continue
      if (!level.retired) pool += level.limits.lendable
      drawn += beyond(level, level.executing)
    }
    // a schema whose level is not there is left out, as upstream does
    schemas = inOrder(withMandatory(givenSchemas, defaultSchemas)).flatMap((object) => {
      const level = levels.get(object.spec?.priorityLevelConfiguration?.name ?? '')
      if (!level || level.retired) return []
      const seat: Seat = {
        schemaUid: object.metadata.uid ?? '',
        levelUid: level.uid,
        level,
        seats: 1,
        series: metrics.series(object.metadata.name, level.name),
      }
      return [{ object, by: object.spec?.distinguisherMethod?.type as Flow['by'], seat }]
    })
    flows = new WeakMap()
    if (totalWaiting > 0) defer(() => void drain())
  }

  function flowsOf(user: UserInfo): Flow[] {
    let known = flows.get(user)
    if (!known) {
      known = schemas
        .map(({ object, by, seat }) => ({ name: object.metadata.name, rules: rulesFor(object, user), by, seat }))
        .filter((flow) => flow.rules.length > 0)
      flows.set(user, known)
    }
    return known
  }

  function classify(info: RequestInfo): Flow {
    for (const flow of flowsOf(info.user)) if (matchesRules(flow.rules, info)) return flow
    // whom nothing is about: the last schema that there is
    const { object, by, seat } = schemas.at(-1)!
    return { name: object.metadata.name, rules: [], by, seat }
  }

  /** Seats of `executing` that are not the level's own to keep, but from the pool of what levels lend. */
  function beyond({ limits }: PriorityLevel, executing: number): number {
    return Math.max(0, executing - (limits.nominal - limits.lendable))
  }

  function room(level: PriorityLevel, seats: number): boolean {
    const after = level.executing + seats
    const { nominal, lendable, upper } = level.limits
    if (after <= nominal - lendable) return true
    // a level whose share is smaller than a request has it to itself
    if (after > upper) return level.executing === 0
    return drawn - beyond(level, level.executing) + beyond(level, after) <= pool || level.executing === 0
  }

  function seatOf(level: PriorityLevel, seats: number): void {
    drawn += beyond(level, level.executing + seats) - beyond(level, level.executing)
    level.executing += seats
  }

  function begin(seat: Seat, seats: number): Seat {
    seatOf(seat.level, seats)
    seat.series.dispatched++
    seat.series.executing++
    return seats === 1 ? seat : { ...seat, seats }
  }

  function wait(flow: Flow, entry: Entry): Promise<Seat> {
    const { seat } = flow
    const { level, series } = seat
    if (level.rejects && !room(level, entry.seats)) return refuse(flow, 'concurrency-limit', entry.now)
    return new Promise((resolve, reject) => {
      const done = (waited: 'true' | 'false') => {
        totalWaiting--
        series.waiting--
        metrics.waited(series, waited, (clock.monotonic() - entry.now) / 1000)
      }
      const item = {
        seats: entry.seats,
        cost: entry.cost,
        since: entry.now,
        start() {
          const gone = entry.signal()?.aborted === true
          done(gone ? 'false' : 'true')
          if (gone) reject(refused(seat, 'cancelled'))
          else resolve(begin(seat, entry.seats))
          return !gone
        },
        reject(reason: RejectReason) {
          done('false')
          reject(refused(seat, reason))
        },
      }
      const by = flow.by === 'ByUser' ? entry.info.user.username : flow.by === 'ByNamespace' ? (entry.info.resource?.namespace ?? '') : ''
      // a level that had nothing to do has saved nothing up
      if (level.waiting === 0) level.served = Math.max(level.served, served)
      if (!level.enqueue(flowHash(flow.name, by), item)) return resolve(refuse(flow, level.rejects ? 'concurrency-limit' : 'queue-full', entry.now))
      totalWaiting++
      series.waiting++
      // what waits for its turn alone is told so by the turn's end
      turn.spend(0, entry.now)
      sweep()
    })
  }

  const errors = new WeakMap<Seat, Map<RejectReason, TooManyRequests>>()

  function refused(seat: Seat, reason: RejectReason): TooManyRequests {
    metrics.rejected(seat.series, reason)
    let known = errors.get(seat)
    if (!known) errors.set(seat, (known = new Map()))
    let error = known.get(reason)
    if (!error) known.set(reason, (error = new TooManyRequests(reason, seat)))
    return error
  }

  /** Sends a request away, in this turn or, when it has sent many, in a later one. */
  function refuse({ seat }: Flow, reason: RejectReason, now: number): Promise<Seat> {
    const error = refused(seat, reason)
    turn.spend(0, now)
    if (refusedInTurn++ < refusalsPerTurn || refusals.length >= refusalsKept) return Promise.reject(error)
    return new Promise((_, reject) => refusals.push(() => reject(error)))
  }

  function sendAway(): void {
    for (const send of refusals.splice(0, refusalsPerTurn)) send()
    refusedInTurn = refusalsPerTurn
    if (refusals.length > 0) turn.spend(0, clock.monotonic())
  }

  /** Of the levels that have somebody waiting and a seat for him, the one that was served least for its size. */
  function nextLevel(): PriorityLevel | undefined {
    let best: PriorityLevel | undefined
    for (const level of levels.values()) {
      if (level.waiting === 0 || (best && level.served >= best.served)) continue
      if (level.exempt || room(level, level.peek()!.seats)) best = level
    }
    return best
  }

  /** Whether requests of another level are under way: they need turns to end, and the shorter these are, the sooner. */
  function othersUnderWay(level: PriorityLevel | undefined): boolean {
    for (const other of levels.values()) if (other !== level && other.executing > 0) return true
    return false
  }

  /** Begins what waits, as far as seats and one turn go. */
  async function drain(): Promise<void> {
    if (draining) return
    if (yielded < yieldsAtMost && othersUnderWay(nextLevel())) {
      yielded++
      turn.spend(0, clock.monotonic())
      return
    }
    yielded = 0
    draining = true
    const began = clock.monotonic()
    let spent = 0
    for (let level = nextLevel(); level; level = nextLevel()) {
      const { cost } = level.peek()!
      if (spent > 0 && (spent + cost > turnBudget || clock.monotonic() - began > turnLimit)) {
        defer(() => void drain())
        break
      }
      const item = level.take()
      if (!item.start()) continue
      served = level.served
      level.served += cost / Math.max(level.limits.nominal, 1)
      spent += cost
      // the request works in microtasks: let it, so that its time counts
      const before = finished
      for (let ticks = cost < largeCost ? 1 : ticksForLarge; ticks > 0 && finished === before; ticks--) await undefined
    }
    draining = false
  }

  function sweep(): void {
    if (sweeping) return
    sweeping = true
    clock.schedule(sweepEvery, () => {
      sweeping = false
      const before = clock.monotonic() - waitLimit
      for (const level of levels.values()) if (level.waiting > 0) for (const item of level.takeOlderThan(before)) item.reject('time-out')
      if (totalWaiting > 0) sweep()
    })
  }

  configure([], [])
  return {
    configure,
    metrics,
    enter(entry) {
      const flow = classify(entry.info)
      const { seat } = flow
      const { level } = seat
      if (level.exempt) {
        level.executing++
        seat.series.dispatched++
        seat.series.executing++
        return seat
      }
      const { seats } = entry
      if (level.waiting === 0 && room(level, seats) && turn.spend(entry.cost, entry.now)) return begin(seat, seats)
      return wait(flow, entry)
    },
    leave({ level, seats, series }, seconds) {
      series.executing--
      finished++
      metrics.executed(series, seconds)
      if (level.exempt) {
        level.executing--
        return
      }
      seatOf(level, -seats)
      if (totalWaiting > 0 && !draining) turn.spend(0, clock.monotonic())
    },
  }
}

/** What cannot be done without is there also when its object is not. */
function withMandatory<T extends Level | Schema>(objects: readonly T[], defaults: readonly (Level | Schema)[]): T[] {
  const missing = defaults.filter((d) => mandatoryNames.has(d.metadata.name) && !objects.some((o) => o.metadata.name === d.metadata.name))
  return [...objects, ...(missing as T[])]
}
