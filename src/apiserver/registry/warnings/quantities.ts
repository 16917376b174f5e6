import type { DeepReadonly } from '#api'
import { isIntegerQuantity, quantityText } from '../validation/quantities.ts'

/** Warns of bytes that are not whole, as `100m` of memory: mostly a `M` was meant. */
export function fractionWarnings(
  warnings: string[],
  path: string,
  amounts: DeepReadonly<Record<string, string>> | undefined,
  resources: readonly string[],
): void {
  if (!amounts) return
  for (const name of resources) {
    const value = amounts[name]
    if (value !== undefined && !isIntegerQuantity(value))
      warnings.push(`${path}[${name}]: fractional byte value "${quantityText(value)}" is invalid, must be an integer`)
  }
}
