import type { Request } from '#client'
import { isTrue } from '../parse-request.ts'
import type { RequestInfo } from '../request-info.ts'

/** How much work a request is, guessed before it begins. */
export interface Work {
  /** What it takes of a turn of the event loop, in requests for a small object. */
  cost: number
  /** Seats while it is worked on, before its level's limit for one request. */
  seats: number
  /** Watches that learn of a change; -1 for what changes nothing. */
  watchers: number
}

/** What is known of the objects that a request is about. */
export interface Stock {
  readonly count: number
  /** Bytes of all of them. */
  readonly size: number
  countIn(namespace: string): number
  watchersOf(namespace: string, name: string): number
}

const one: Work = Object.freeze({ cost: 1, seats: 1, watchers: -1 })
const other: Work = Object.freeze({ cost: 3, seats: 1, watchers: -1 })
const quietWrite: Work = Object.freeze({ cost: 3, seats: 1, watchers: 0 })

/** A list of so many objects is as much work as getting one of them. */
const objectsPerCost = 25
/** Upstream's: so many bytes that are put together at once take a seat; from memory, they are sent piece by piece. */
const bytesPerSeat = 100_000
const bytesAtOnce = 1_000_000

/** Guesses as upstream does (its work estimator), from what there is to list and who watches. Most requests share their answer. */
export function estimateWork(info: RequestInfo, query: Request['query'], stock: Stock | undefined): Work {
  const { resource } = info
  switch (info.verb) {
    case 'get':
      return one
    case 'list':
    case 'watch':
      return stock && resource ? listing(info.verb === 'list', resource, query, stock) : one
    case 'deletecollection':
      return stock ? { cost: 1 + stock.count / objectsPerCost, seats: 1, watchers: -1 } : other
    case 'create':
    case 'update':
    case 'patch':
    case 'delete': {
      // a token of a service account changes nothing
      if (!stock || !resource || resource.subresource === 'token') return other
      const watchers = stock.watchersOf(resource.namespace, resource.name)
      return watchers === 0 ? quietWrite : { cost: 3, seats: 1, watchers }
    }
    default:
      return other
  }
}

function listing(isList: boolean, { namespace, name }: NonNullable<RequestInfo['resource']>, query: Request['query'], stock: Stock): Work {
  const version = query.get('resourceVersion')
  // only these begin with what there is
  const initial = isList || isTrue(query.get('sendInitialEvents')) || version === null || version === '' || version === '0'
  if (!initial || name) return one
  const limit = Number(query.get('limit')) || 0
  const { count } = stock
  const page = limit > 0 ? Math.min(limit, count) : count
  const fromStore = isList && (query.get('resourceVersionMatch') === 'Exact' || query.has('continue'))
  const selected = query.has('labelSelector') || query.has('fieldSelector')
  const loaded = fromStore && selected ? Math.max(page, count / 2) : page
  const bytes = count > 0 ? loaded * (stock.size / count) : 0
  const here = namespace ? stock.countIn(namespace) : count
  // a selector is held against what is not answered, too
  const touched = limit > 0 && !selected ? Math.min(limit, here) : here
  return {
    cost: 1 + touched / objectsPerCost,
    seats: Math.max(1, Math.ceil((fromStore ? bytes : Math.min(bytes, bytesAtOnce)) / bytesPerSeat)),
    watchers: -1,
  }
}

/** Upstream's: what it takes to tell so many watches is a seat for this long, milliseconds. */
const watchesPerSeat = 10
const tellingTime = 5

/** The most seats for telling watches, and for a list. */
const writeSeatsAtMost = 10
const listSeatsAtMost = 100

export interface Width {
  seats: number
  /** Kept for `after` milliseconds more when the request is answered. */
  finalSeats: number
  after: number
}

/** How wide a request is at a level: what it takes while it is worked on and then for telling watches, neither wider than `widest`. */
export function widthOf({ seats, watchers }: Work, widest: number | undefined): Width {
  if (watchers < watchesPerSeat) return { seats: Math.min(seats, widest ?? listSeatsAtMost, listSeatsAtMost), finalSeats: 0, after: 0 }
  const wanted = Math.ceil(watchers / watchesPerSeat)
  const finalSeats = Math.min(wanted, widest ?? writeSeatsAtMost, writeSeatsAtMost)
  return { seats: Math.max(1, finalSeats), finalSeats, after: (wanted * tellingTime) / finalSeats }
}
