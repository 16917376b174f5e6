import type { Clock } from '#base'
import { parseDuration } from '#api'
import type { DeepReadonly, flowcontrol } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { RequestInfo } from '../request-info.ts'
import { lendSeats, smoothed } from './borrowing.ts'
import { inOrder, matchesRules, rulesFor } from './classify.ts'
import { defaultLevels, defaultSchemas, mandatoryNames } from './defaults.ts'
import { dumps } from './dump.ts'
import type { FlowMetrics } from './flow-metrics.ts'
import { flowMetrics, observe } from './flow-metrics.ts'
import type { Queue, RejectReason, Waiting } from './priority-level.ts'
import { PriorityLevel } from './priority-level.ts'
import type { Entry, Seat } from './seat.ts'
import { TooManyRequests } from './seat.ts'
import { divideSeats } from './seats.ts'
import { flowHash } from './shuffle.ts'
import { loopTurn } from './turn.ts'
import { widthOf } from './work.ts'

type Schema = DeepReadonly<flowcontrol.FlowSchema>
type Level = DeepReadonly<flowcontrol.PriorityLevelConfiguration>

/** Priority and fairness (KEP-1040): who may begin, who waits, who is sent away. */
export interface FlowControl {
  /** A seat, at once or after waiting. Throws, or rejects with, `TooManyRequests` when there is none to be had. */
  enter(entry: Entry): Seat | Promise<Seat>
  /** Gives a seat back that was held from `began` to `ended`, monotonic milliseconds. */
  leave(seat: Seat, began: number, ended: number): void
  /** Takes up what the objects say now. Requests that wait go on doing so. */
  configure(levels: readonly Level[], schemas: readonly Schema[]): void
  /** Lends the seats anew by what was asked for since the last time: called every ten seconds. */
  lend(): void
  metrics: FlowMetrics
  /** What goes on, for `/debug/api_priority_and_fairness/NAME`. */
  dump: Record<'dump_priority_levels' | 'dump_queues' | 'dump_requests', (details: boolean) => string>
}

export interface FlowControlOptions {
  clock: Clock
  /** Seats of the whole server; 600 when absent, as upstream's two in-flight limits add up to by default. */
  totalSeats?: number
  /** How long a request may take, milliseconds; 60,000 when absent. It waits for a quarter of that, or of its own timeout. */
  requestLimit?: number
  /** How turns of the event loop end; setImmediate when absent. */
  defer?: (fn: () => void) => void
}

/** A schema as it is asked: with the rules that are about one user. */
interface Flow {
  schema: ServedSchema
  rules: ReturnType<typeof rulesFor>
}

interface ServedSchema {
  object: Schema
  name: string
  by: 'ByUser' | 'ByNamespace' | undefined
  /** What its requests share while they take one seat; those that begin a watch are counted apart. */
  seat: Seat
  watchSeat: Seat
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
  const { clock, totalSeats = 600, requestLimit = 60_000, defer = setImmediate } = options
  const levels = new Map<string, PriorityLevel>()
  const metrics = flowMetrics(() => levels.values())
  let schemas: ServedSchema[] = []
  let flows = new WeakMap<UserInfo, Flow[]>()
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
    const now = clock.monotonic()
    for (const level of levels.values()) level.retired = true
    for (const object of objects) {
      const { name } = object.metadata
      const own = limits.get(name)!
      let level = levels.get(name)
      if (!level) {
        levels.set(name, (level = new PriorityLevel(name, now)))
        // half of what it could lend is lent until it is known what it wants
        level.current = own.nominal - Math.floor((own.nominal - own.min) / 2)
      }
      level.configure(object, own)
    }
    for (const [name, level] of levels) if (level.retired && level.waiting === 0 && level.executing === 0) levels.delete(name)
    // a schema whose level is not there is left out, as upstream does
    schemas = inOrder(withMandatory(givenSchemas, defaultSchemas)).flatMap((object) => {
      const level = levels.get(object.spec?.priorityLevelConfiguration?.name ?? '')
      if (!level || level.retired) return []
      const series = metrics.series(object.metadata.name, level.name)
      const about = { schemaUid: object.metadata.uid ?? '', levelUid: level.uid, level, series }
      const single = { seats: 1, finalSeats: 0, after: 0, queue: undefined, waited: undefined }
      return [
        {
          object,
          name: object.metadata.name,
          by: object.spec?.distinguisherMethod?.type as ServedSchema['by'],
          seat: { ...about, ...single, execution: series.execution.regular },
          watchSeat: { ...about, ...single, execution: series.execution.watch },
        },
      ]
    })
    flows = new WeakMap()
    lend()
  }

  function lend(): void {
    const now = clock.monotonic()
    const all = [...levels.values()]
    for (const level of all) {
      const { duration, average, deviation, highest } = level.demand.take(now)
      const before = level.demanded
      level.demanded =
        duration > 0 ? { ...before, highest, average, deviation, smoothed: smoothed(before.smoothed, average, deviation) } : { ...before, highest }
    }
    const { current, targets, fairFraction } = lendSeats(
      all.map(({ exempt, limits, current, demanded: { highest, smoothed } }) => ({ exempt, limits, current, highest, smoothed })),
    )
    all.forEach((level, i) => {
      level.current = current[i]!
      level.demanded.target = targets[i]!
    })
    metrics.fairFraction = fairFraction
    if (totalWaiting > 0) defer(() => void drain())
  }

  function flowsOf(user: UserInfo): Flow[] {
    let known = flows.get(user)
    if (!known) {
      known = schemas.map((schema) => ({ schema, rules: rulesFor(schema.object, user) })).filter((flow) => flow.rules.length > 0)
      flows.set(user, known)
    }
    return known
  }

  function classify(info: RequestInfo): ServedSchema {
    for (const flow of flowsOf(info.user)) if (matchesRules(flow.rules, info)) return flow.schema
    // whom nothing is about: the last schema that there is
    return schemas.at(-1)!
  }

  /** Counts a request that begins; its demand is counted already. */
  function begin(
    shared: Seat,
    { seats, finalSeats, after }: { seats: number; finalSeats: number; after: number },
    queue?: Queue,
    waited?: Waiting,
  ): Seat {
    const { series, level } = shared
    level.executing += seats
    series.dispatched++
    series.executing++
    series.executingSeats += seats
    return seats === 1 && finalSeats === 0 && !queue ? shared : { ...shared, seats, finalSeats, after, queue, waited }
  }

  function wait(schema: ServedSchema, seat: Seat, entry: Entry, width: ReturnType<typeof widthOf>): Promise<Seat> {
    const { level, series } = seat
    const { info, now } = entry
    const { seats } = width
    if (level.rejects && !level.room(seats)) return refuse(seat, 'concurrency-limit', now)
    return new Promise((resolve, reject) => {
      const kind = info.verb === 'get' || info.verb === 'list' || info.verb === 'watch' ? 'readOnly' : 'mutating'
      const done = (waited: 'true' | 'false') => {
        totalWaiting--
        series.waiting--
        series.waitingSeats -= seats
        metrics.inqueue[kind]--
        metrics.waited(series, waited, (clock.monotonic() - now) / 1000)
      }
      const gone = () => level.demand.add(-seats, clock.monotonic())
      const item: Waiting = {
        info,
        schema: schema.name,
        flow: schema.by === 'ByUser' ? info.user.username : schema.by === 'ByNamespace' ? (info.resource?.namespace ?? '') : '',
        ...width,
        cost: entry.work.cost,
        arrived: clock.now(),
        began: 0,
        since: now,
        until: now + waitLimitOf(entry, requestLimit),
        start(queue) {
          const left = entry.request.signal?.aborted === true
          done(left ? 'false' : 'true')
          if (left) {
            gone()
            reject(refused(seat, 'cancelled'))
          } else {
            item.began = clock.now()
            queue.running.add(item)
            resolve(begin(seat, item, queue, item))
          }
          return !left
        },
        reject(reason) {
          done('false')
          gone()
          reject(refused(seat, reason))
        },
      }
      // a level that had nothing to do has saved nothing up
      if (level.waiting === 0) level.served = Math.max(level.served, served)
      const length = level.enqueue(flowHash(schema.name, item.flow), item)
      if (length === 0) return resolve(refuse(seat, level.rejects ? 'concurrency-limit' : 'queue-full', now))
      level.demand.add(seats, now)
      totalWaiting++
      series.waiting++
      series.waitingSeats += seats
      metrics.inqueue[kind]++
      observe(series.queueLength, length)
      // what waits for its turn alone is told so by the turn's end
      turn.spend(0, now)
      sweep()
    })
  }

  const errors = new WeakMap<Seat, Map<RejectReason, TooManyRequests>>()

  function refused(seat: Seat, reason: RejectReason): TooManyRequests {
    metrics.rejected(seat.series, reason)
    seat.level.retryAfter.record(clock.monotonic())
    let known = errors.get(seat)
    if (!known) errors.set(seat, (known = new Map()))
    let error = known.get(reason)
    if (!error) known.set(reason, (error = new TooManyRequests(reason, seat)))
    return error
  }

  /** Sends a request away, in this turn or, when it has sent many, in a later one. */
  function refuse(seat: Seat, reason: RejectReason, now: number): Promise<Seat> {
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
      if (level.exempt || level.room(level.peek()!.seats)) best = level
    }
    return best
  }

  /** Whether requests of another level are under way: they need turns to end, and the shorter these are, the sooner. */
  function othersUnderWay(level: PriorityLevel | undefined): boolean {
    for (const other of levels.values()) if (other !== level && other.executing > other.kept) return true
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
      const { item, queue } = level.take()
      if (!item.start(queue)) continue
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
      const now = clock.monotonic()
      for (const level of levels.values()) if (level.waiting > 0) for (const item of level.takeExpired(now)) item.reject('time-out')
      if (totalWaiting > 0) sweep()
    })
  }

  /** Gives seats back: whoever waits may have them. */
  function release(level: PriorityLevel, seats: number, now: number): void {
    level.executing -= seats
    level.demand.add(-seats, now)
    if (totalWaiting > 0 && !draining) turn.spend(0, clock.monotonic())
  }

  configure([], [])
  return {
    configure,
    lend,
    metrics,
    dump: dumps(() => [...levels.values()].map((level) => ({ level, series: metrics.ofLevel(level.name) }))),
    enter(entry) {
      const { info, work, now } = entry
      const schema = classify(info)
      const seat = info.verb === 'watch' ? schema.watchSeat : schema.seat
      const { level, series } = seat
      if (work.watchers >= 0) observe(series.watchers, work.watchers)
      const width = work.seats === 1 && work.watchers <= 0 ? oneSeat : widthOf(work, level.widest)
      const { seats } = width
      if (seats === 1) series.estimatedOne++
      else observe(series.estimated, seats)
      if (level.exempt || (level.waiting === 0 && level.room(seats) && turn.spend(work.cost, now))) {
        level.demand.add(seats, now)
        return begin(seat, width)
      }
      return wait(schema, seat, entry, width)
    },
    leave(seat, began, ended) {
      const { level, seats, finalSeats, series } = seat
      series.executing--
      series.executingSeats -= seats
      finished++
      observe(seat.execution, (ended - began) / 1000)
      seat.queue?.running.delete(seat.waited!)
      if (finalSeats === 0 || level.exempt) return release(level, seats, ended)
      level.kept += finalSeats
      if (seats > finalSeats) release(level, seats - finalSeats, ended)
      clock.schedule(seat.after, () => {
        level.kept -= finalSeats
        release(level, finalSeats, clock.monotonic())
      })
    },
  }
}

const oneSeat = Object.freeze({ seats: 1, finalSeats: 0, after: 0 })

/** A quarter of the time that it may take, and never more than a minute; what lasts by design may wait as long as others. Milliseconds. */
function waitLimitOf({ info, request }: Entry, requestLimit: number): number {
  let limit = requestLimit
  const asked = info.verb === 'watch' || request.query.size === 0 ? null : request.query.get('timeout')
  if (asked) {
    try {
      const own = parseDuration(asked)
      if (own > 0) limit = Math.min(own, limit)
    } catch {
      // it is answered so by whoever reads it
    }
  }
  return Math.min(limit / 4, 60_000)
}

/** What cannot be done without is there also when its object is not. */
function withMandatory<T extends Level | Schema>(objects: readonly T[], defaults: readonly (Level | Schema)[]): T[] {
  const missing = defaults.filter((d) => mandatoryNames.has(d.metadata.name) && !objects.some((o) => o.metadata.name === d.metadata.name))
  return [...objects, ...(missing as T[])]
}
