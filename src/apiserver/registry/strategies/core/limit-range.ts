import { randomUUID } from 'node:crypto'
import type { DeepReadonly, core } from '#api'
import { qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, required, same } from '../../validation/causes.ts'
import { isExtendedResource, isHugePages, validateResourceName } from '../../validation/resources.ts'
import { compareQuantities, quantityNumber, quantityText } from '../../validation/quantities.ts'
import { defaultAmounts } from '../amounts.ts'

type Item = core.LimitRangeItem

export const limitRangeStrategy: ResourceStrategy<core.LimitRange> = {
  allowCreateOnUpdate: true,
  prepareForCreate({ metadata }) {
    metadata.name ||= randomUUID()
  },
  default(object) {
    const spec = (object.spec ??= { limits: [] })
    spec.limits ??= []
    for (const item of spec.limits) {
      if (item.type === 'Container') defaultItem(item)
      defaultAmounts(item.max, item.min, item.default, item.defaultRequest, item.maxLimitRequestRatio)
    }
  },
  validate({ spec }) {
    const causes: Causes = []
    const types = new Set<string>()
    spec.limits.forEach((item, i) => {
      const at = `spec.limits[${i}]`
      const messages = qualifiedName(item.type ?? '')
      invalidEach(causes, `${at}.type`, item.type ?? '', messages)
      if (messages.length === 0 && !item.type.includes('/') && !standardTypes.includes(item.type))
        causes.push(invalid(`${at}.type`, item.type, 'must be a standard limit type or fully qualified'))
      if (types.has(item.type))
        causes.push({ reason: 'FieldValueDuplicate', message: `Duplicate value: ${JSON.stringify(item.type)}`, field: `${at}.type` })
      types.add(item.type)
      validateItem(causes, at, item)
    })
    return causes
  },
}

/** A container gets as its default limit the maximum, and as its default request the default limit or the minimum. */
function defaultItem(item: Item): void {
  const limits = (item.default ??= {})
  const requests = (item.defaultRequest ??= {})
  for (const name in item.max) limits[name] ??= item.max[name]!
  for (const name in limits) requests[name] ??= limits[name]!
  for (const name in item.min) requests[name] ??= item.min[name]!
}

const standardTypes = ['Container', 'PersistentVolumeClaim', 'Pod']

type Bound = (typeof bounds)[number]

const bounds = ['min', 'max', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const

function validateItem(causes: Causes, path: string, item: DeepReadonly<Item>): void {
  const names = new Set<string>()
  for (const bound of bounds) {
    for (const name in item[bound]) {
      names.add(name)
      if (item.type === 'Pod' && (bound === 'default' || bound === 'defaultRequest')) continue
      validateResourceName(causes, `${path}.${bound}[${name}]`, name, item.type === 'Pod' || item.type === 'Container')
    }
  }
  if (item.type === 'Pod') {
    if (!same(item.default, {})) causes.push(forbidden(`${path}.default`, "may not be specified when `type` is 'Pod'"))
    if (!same(item.defaultRequest, {})) causes.push(forbidden(`${path}.defaultRequest`, "may not be specified when `type` is 'Pod'"))
  }
  if (item.type === 'PersistentVolumeClaim' && !item.min?.storage && !item.max?.storage)
    causes.push(required(`${path}.limits`, 'either minimum or maximum storage value is required, but neither was provided'))
  for (const name of names) {
    const order = (low: Bound, high: Bound, at: Bound, text: string, shown: Bound = at) => {
      const [a, b] = [item[low]?.[name], item[high]?.[name]]
      if (a !== undefined && b !== undefined && compareQuantities(a, b) > 0)
        causes.push(
          invalid(`${path}.${at}[${name}]`, quantityText(item[shown]![name]!), text.replace('%1', quantityText(a)).replace('%2', quantityText(b))),
        )
    }
    order('min', 'max', 'min', 'min value %1 is greater than max value %2')
    order('min', 'defaultRequest', 'defaultRequest', 'min value %1 is greater than default request value %2')
    order('min', 'default', 'default', 'min value %1 is greater than default value %2', 'min')
    order('defaultRequest', 'max', 'defaultRequest', 'default request value %1 is greater than max value %2')
    order('defaultRequest', 'default', 'defaultRequest', 'default request value %1 is greater than default limit value %2')
    order('default', 'max', 'default', 'default value %1 is greater than max value %2', 'max')
    validateRatio(causes, path, item, name)
    const [limit, request] = [item.default?.[name], item.defaultRequest?.[name]]
    if (neverOvercommitted(name) && limit !== undefined && request !== undefined && compareQuantities(limit, request) !== 0)
      causes.push(
        invalid(
          `${path}.defaultRequest[${name}]`,
          quantityText(request),
          `default value ${quantityText(limit)} must equal to defaultRequest value ${quantityText(request)} in ${name}`,
        ),
      )
  }
}

const neverOvercommitted = (name: string) => isHugePages(name) || isExtendedResource(name)

/** A limit may be at most as many times its request, which the bounds must leave room for. */
function validateRatio(causes: Causes, path: string, item: DeepReadonly<Item>, name: string): void {
  const ratio = item.maxLimitRequestRatio?.[name]
  if (ratio === undefined) return
  const at = `${path}.maxLimitRequestRatio[${name}]`
  if (compareQuantities(ratio, '1') < 0) causes.push(invalid(at, quantityText(ratio), `ratio ${quantityText(ratio)} is less than 1`))
  const [min, max] = [item.min?.[name], item.max?.[name]]
  if (min === undefined || max === undefined) return
  const widest = quantityNumber(max) / quantityNumber(min)
  if (quantityNumber(ratio) > widest)
    causes.push(invalid(at, quantityText(ratio), `ratio ${quantityText(ratio)} is greater than max/min = ${widest.toFixed(6)}`))
}
