import type { DeepReadonly, flowcontrol } from '#api'

/** How many seats a level has by its configuration: what is its share, what of it is never lent, and what it has with all that it may borrow. */
export interface Limits {
  /** Its share of all seats, rounded up. */
  nominal: number
  min: number
  max: number
}

type Level = DeepReadonly<flowcontrol.PriorityLevelConfiguration>

/**
 * Divides `total` seats among levels by their shares, as documented for PriorityLevelConfiguration: nominal = ceil(total × shares / all shares), min = nominal − round(nominal × lendable
 * percent / 100), max = nominal + round(nominal × borrowing percent / 100), or with `total` seats more where borrowing has no limit.
 */
export function divideSeats(levels: readonly Level[], total: number): Map<string, Limits> {
  const sharesOf = ({ spec }: Level) => spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? (spec?.limited ? 30 : 0)
  const all = levels.reduce((sum, level) => sum + sharesOf(level), 0)
  return new Map(
    levels.map((level) => {
      const nominal = all > 0 ? Math.ceil((total * sharesOf(level)) / all) : 0
      const { lendablePercent = 0 } = level.spec?.limited ?? level.spec?.exempt ?? {}
      const borrowing = level.spec?.limited?.borrowingLimitPercent
      return [
        level.metadata.name,
        {
          nominal,
          min: nominal - Math.round((nominal * lendablePercent) / 100),
          max: nominal + (borrowing === undefined ? total : Math.round((nominal * borrowing) / 100)),
        },
      ]
    }),
  )
}

/** The most seats that one request of a level may take, so that it does not wait for all the others to end; none is given for levels without queues. */
export function widestRequest(level: Level, nominal: number): number | undefined {
  const queuing = level.spec?.limited?.limitResponse?.queuing
  if (!queuing) return undefined
  return Math.max(1, Math.min(Math.ceil(nominal * 0.15), Math.floor(nominal / (queuing.handSize ?? 8))))
}
