import type { DeepReadonly, autoscaling } from '#api'
import { dns1123Label, pathSegmentName } from '#api'
import { type Causes, forbidden, invalid, invalidEach, notSupported, required } from '../../validation/causes.ts'
import { compareQuantities } from '../../validation/quantities.ts'
import { validateResourceName } from '../../validation/resources.ts'
import { type Leniency, validateReference } from './references.ts'

type Metric = DeepReadonly<autoscaling.MetricSpec>
type Target = DeepReadonly<autoscaling.MetricTarget> | undefined

const types = ['ContainerResource', 'External', 'Object', 'Pods', 'Resource']

/** Where each type of metric has its source, in the order in which upstream looks for them. */
const sources = [
  ['Object', 'object'],
  ['External', 'external'],
  ['Pods', 'pods'],
  ['Resource', 'resource'],
  ['ContainerResource', 'containerResource'],
] as const

type Source = (typeof sources)[number][1]

/** A metric has the source of its type, and no other. `leniency` is about the objects that are described. */
export function validateMetric(causes: Causes, path: string, metric: Metric, leniency: Leniency): void {
  const { type = '' } = metric
  const unsupported = notSupported(`${path}.type`, type, types)
  const expected = sources.find(([name]) => name === type)?.[1]
  if (type === '') causes.push(required(`${path}.type`, 'must specify a metric source type'))
  if (!expected) causes.push(unsupported)
  const present = sources.map(([, field]) => field).filter((field) => metric[field])
  if (present[0]) validateSource[present[0]](causes, `${path}.${present[0]}`, metric, leniency)
  if (!expected) causes.push(unsupported)
  else if (!metric[expected]) causes.push(required(`${path}.${expected}`, 'must populate information for the given metric source'))
  if (present.length === 1) return
  for (const field of present) if (field !== expected) causes.push(forbidden(`${path}.${field}`, 'must populate the given metric source only'))
}

const validateSource: Record<Source, (causes: Causes, path: string, metric: Metric, leniency: Leniency) => void> = {
  object(causes, path, { object }, leniency) {
    const { describedObject, metric, target } = object!
    validateReference(causes, `${path}.describedObject`, describedObject, leniency)
    validateIdentifier(causes, `${path}.metric`, metric)
    validateTarget(causes, `${path}.target`, target)
    if (target?.value === undefined && target?.averageValue === undefined)
      causes.push(required(`${path}.target.averageValue`, 'must set either a target value or averageValue'))
  },
  external(causes, path, { external }) {
    const { metric, target } = external!
    validateIdentifier(causes, `${path}.metric`, metric)
    validateTarget(causes, `${path}.target`, target)
    if (target?.value === undefined && target?.averageValue === undefined)
      causes.push(required(`${path}.target.averageValue`, 'must set either a target value for metric or a per-pod target'))
    if (target?.value !== undefined && target.averageValue !== undefined)
      causes.push(forbidden(`${path}.target.value`, 'may not set both a target value for metric and a per-pod target'))
  },
  pods(causes, path, { pods }) {
    const { metric, target } = pods!
    validateIdentifier(causes, `${path}.metric`, metric)
    validateTarget(causes, `${path}.target`, target)
    if (target?.averageValue === undefined) causes.push(required(`${path}.target.averageValue`, 'must specify a positive target averageValue'))
  },
  resource(causes, path, { resource }) {
    const { name, target } = resource!
    if (!name) causes.push(required(`${path}.name`, 'must specify a resource name'))
    validateUse(causes, `${path}.target`, target)
  },
  containerResource(causes, path, { containerResource }) {
    const { name, container, target } = containerResource!
    if (!name) causes.push(required(`${path}.name`, 'must specify a resource name'))
    else validateResourceName(causes, `${path}.name`, name, true)
    if (!container) causes.push(required(`${path}.container`, 'must specify a container'))
    else invalidEach(causes, `${path}.container`, container, dns1123Label(container))
    validateUse(causes, `${path}.target`, target)
  },
}

function validateIdentifier(causes: Causes, path: string, metric: DeepReadonly<autoscaling.MetricIdentifier> | undefined): void {
  if (!metric?.name) causes.push(required(`${path}.name`, 'must specify a metric name'))
  else invalidEach(causes, `${path}.name`, metric.name, pathSegmentName(metric.name))
}

/** How much of a resource is used: an amount, or a part of what was asked for. */
function validateUse(causes: Causes, path: string, target: Target): void {
  validateTarget(causes, path, target)
  const { averageUtilization, averageValue } = target ?? {}
  if (averageUtilization === undefined && averageValue === undefined)
    causes.push(required(`${path}.averageUtilization`, 'must set either a target raw value or a target utilization'))
  if (averageUtilization !== undefined && averageValue !== undefined)
    causes.push(forbidden(`${path}.averageValue`, 'may not set both a target raw value and a target utilization'))
}

function validateTarget(causes: Causes, path: string, target: Target): void {
  const { type = '', value, averageValue, averageUtilization } = target ?? {}
  if (type === '') causes.push(required(`${path}.type`, 'must specify a metric target type'))
  if (!['Utilization', 'Value', 'AverageValue'].includes(type))
    causes.push(invalid(`${path}.type`, type, 'must be either Utilization, Value, or AverageValue'))
  if (value !== undefined && compareQuantities(value, '0') <= 0) causes.push(invalid(`${path}.value`, value, 'must be positive'))
  if (averageValue !== undefined && compareQuantities(averageValue, '0') <= 0)
    causes.push(invalid(`${path}.averageValue`, averageValue, 'must be positive'))
  if (averageUtilization !== undefined && averageUtilization < 1)
    causes.push(invalid(`${path}.averageUtilization`, averageUtilization, 'must be greater than 0'))
}
