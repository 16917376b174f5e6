import type { DeepReadonly, resource } from '#api'
import { addQuantity, compareQuantity, formatQuantity, parseQuantity } from '#api'
import { type Causes, duplicate, forbidden, invalid, required, tooMany } from '../causes.ts'
import { compareQuantities, quantityText } from '../quantities.ts'

type Policy = DeepReadonly<resource.CapacityRequestPolicy>
type Range = DeepReadonly<resource.CapacityRequestPolicyRange>

const maxValues = 10

/** What of a device's capacity its users may ask for, where several may use it at once. */
export function validateRequestPolicy(causes: Causes, path: string, capacity: string, policy: Policy): void {
  const { validValues = [], validRange: range, default: byDefault } = policy
  if (validValues.length > 0 && range)
    causes.push(forbidden(path, 'exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time'))
  else if (validValues.length > 0) {
    if (byDefault === undefined) causes.push(required(`${path}.default`, 'required when validValues is defined'))
    else validateValues(causes, `${path}.validValues`, capacity, validValues, byDefault)
  } else if (range) {
    if (byDefault === undefined) causes.push(required(`${path}.default`, 'required when validRange is defined'))
    else validateRange(causes, `${path}.validRange`, capacity, range, byDefault)
  }
}

function validateValues(causes: Causes, path: string, capacity: string, values: readonly string[], byDefault: string): void {
  values.forEach((value, i) => {
    if (i > 0 && compareQuantities(values[i - 1]!, value) > 0)
      causes.push(invalid(`${path}[${i}]`, quantityText(value), 'values must be sorted in ascending order'))
  })
  if (values.length > maxValues) causes.push(tooMany(path, values.length, maxValues))
  else {
    values.forEach((value, i) => {
      if (compareQuantities(value, capacity) > 0)
        causes.push(invalid(`${path}[${i}]`, quantityText(value), `option is larger than capacity value: ${quantityText(capacity)}`))
    })
    const seen = new Set<string>()
    values.forEach((value, i) => {
      const key = `${wholeOf(value)}`
      if (seen.has(key)) causes.push(duplicate(`${path}[${i}]`, key))
      seen.add(key)
    })
  }
  if (values.length > maxValues || !values.some((value) => compareQuantities(value, byDefault) === 0))
    causes.push(invalid(path, quantityText(byDefault), 'default value is not valid according to the requestPolicy'))
}

function validateRange(causes: Causes, path: string, capacity: string, { min, max, step }: Range, byDefault: string): void {
  if (min === undefined) {
    causes.push(required(`${path}.min`, 'required when validRange is defined'))
    return
  }
  const complain = (field: string, value: string, what: string, than: string) =>
    causes.push(invalid(`${path}.${field}`, quantityText(value), `${what}: ${quantityText(than)}`))
  if (compareQuantities(min, capacity) > 0) complain('min', min, 'min is larger than capacity value', capacity)
  if (compareQuantities(byDefault, min) < 0) complain('default', byDefault, 'default is less than min', min)
  if (max !== undefined) {
    if (compareQuantities(min, max) > 0) complain('max', min, 'min is larger than max', max)
    if (compareQuantities(max, capacity) > 0) complain('max', max, 'max is larger than capacity value', capacity)
    if (compareQuantities(byDefault, max) > 0) complain('default', byDefault, 'default is more than max', max)
  }
  if (step === undefined) return
  if (compareQuantities(step, '0') <= 0) {
    causes.push(invalid(`${path}.step`, quantityText(step), 'must be greater than zero'))
    return
  }
  const first = addQuantity(min, step)
  if (compareQuantity(first, capacity) > 0)
    causes.push(
      invalid(`${path}.step`, quantityText(step), `one step ${formatQuantity(first)} is larger than capacity value: ${quantityText(capacity)}`),
    )
  for (const value of [byDefault, ...(max === undefined ? [] : [max])])
    if ((wholeOf(value) - wholeOf(min)) % wholeOf(step) !== 0n)
      causes.push(
        invalid(`${path}.step`, quantityText(value), `value is not a multiple of a given step (${quantityText(step)}) from (${quantityText(min)})`),
      )
}

const unit = 1_000_000_000n

/** As an integer, rounded away from zero, as upstream reckons here. */
function wholeOf(quantity: string): bigint {
  const { nano } = parseQuantity(quantity)
  const rest = nano % unit
  return nano / unit + (rest > 0n ? 1n : rest < 0n ? -1n : 0n)
}
