import type { core } from '#api'
import { formatQuantity, parseQuantity } from '#api'

/** Amounts of resources are whole thousandths: what is finer is rounded up (`100u` of a CPU is `1m`). */
export function defaultAmounts(...lists: (Record<string, string> | undefined)[]): void {
  for (const list of lists) for (const name in list) if (isFine(list[name]!)) list[name] = wholeThousandths(list[name]!)
}

export function defaultRequirements(resources: core.ResourceRequirements | core.VolumeResourceRequirements | undefined): void {
  if (resources) defaultAmounts(resources.limits, resources.requests)
}

/** Only these suffixes stand for less than a thousandth, once decoding has brought a quantity into its canonical form. */
const isFine = (quantity: string) => quantity.endsWith('u') || quantity.endsWith('n') || quantity.includes('e-')

const milli = 1_000_000n

function wholeThousandths(quantity: string): string {
  const { nano, format } = parseQuantity(quantity)
  const rest = nano % milli
  if (rest === 0n) return quantity
  return formatQuantity({ nano: nano - rest + (rest > 0n ? milli : -milli), format })
}
