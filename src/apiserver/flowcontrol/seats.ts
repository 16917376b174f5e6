import type { DeepReadonly, flowcontrol } from '#api'

/** How many seats a level has by its share of all: what is its own, what it lends, and up to how many it may borrow. */
export interface Limits {
  /** Its share of all seats, rounded up. */
  nominal: number
  /** Those of its share that it lends while it does not use them. */
  lendable: number
  /** With all it may borrow. */
  upper: number
}

type Level = DeepReadonly<flowcontrol.PriorityLevelConfiguration>

/**
 * Divides `total` seats among levels by their shares, as documented for PriorityLevelConfiguration:
 * nominal = ceil(total × shares / all shares), lendable = round(nominal × percent / 100), upper = nominal + round(nominal × borrowing percent / 100).
 */
export function divideSeats(levels: readonly Level[], total: number): Map<string, Limits> {
  const sharesOf = ({ spec }: Level) => spec?.limited?.nominalConcurrencyShares ?? spec?.exempt?.nominalConcurrencyShares ?? (spec?.limited ? 30 : 0)
  const all = levels.reduce((sum, level) => sum + sharesOf(level), 0)
  return new Map(
    levels.map((level) => {
      const nominal = all > 0 ? Math.ceil((total * sharesOf(level)) / all) : 0
      const { lendablePercent = 0 } = level.spec?.limited ?? level.spec?.exempt ?? {}
      const borrowing = level.spec?.limited?.borrowingLimitPercent
      const lendable = Math.round((nominal * lendablePercent) / 100)
      return [level.metadata.name, { nominal, lendable, upper: borrowing === undefined ? total : nominal + Math.round((nominal * borrowing) / 100) }]
    }),
  )
}
