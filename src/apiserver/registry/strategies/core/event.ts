import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, pathSegmentName, qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, invalidEach, required, same } from '../../validation/causes.ts'
import { validateFinalizerName } from '../../validation/object-meta.ts'

/** Events are kept this long after they were last written, seconds (upstream's --event-ttl). */
export const eventTtl = 3600

/** The version whose events are looked at closely. */
const strict = 'events.k8s.io/v1'

/**
 * What stays of an event that is changed by that version: it may go on as a series, and nothing else. The note may change, too, which
 * upstream forbids: the conformance suite of 1.20 patches it, when upstream held an event against itself.
 */
const fixed = [
  'involvedObject',
  'reason',
  'source',
  'firstTimestamp',
  'lastTimestamp',
  'count',
  'type',
  'eventTime',
  'action',
  'related',
  'reportingComponent',
  'reportingInstance',
] as const

export const eventStrategy: ResourceStrategy<core.Event> = {
  ttl: eventTtl,
  validateName: (name, apiVersion) => (apiVersion === strict ? dns1123Subdomain(name) : pathSegmentName(name)),
  looseFinalizers: true,
  default(object) {
    object.involvedObject ??= {}
  },
  validate(object, apiVersion) {
    const causes: Causes = []
    const { namespace } = object.metadata
    if (apiVersion === strict) validateFinalizers(causes, object)
    const involved = object.involvedObject?.namespace ?? ''
    // Events about cluster-scoped objects live in the default namespace.
    // Those with an event time may be about an object of another namespace.
    const elsewhere = object.eventTime ? false : involved !== namespace
    if (involved === '' ? namespace !== undefined && namespace !== 'default' && !(object.eventTime && namespace === 'kube-system') : elsewhere)
      causes.push(invalid('involvedObject.namespace', involved, 'does not match event.namespace'))
    if (!object.eventTime) return causes
    const reporting = apiVersion === 'v1' ? 'reportingComponent' : 'reportingController'
    if (!object.reportingComponent) causes.push(required(reporting))
    invalidEach(causes, reporting, object.reportingComponent ?? '', qualifiedName(object.reportingComponent ?? ''))
    if (!object.reportingInstance) causes.push(required('reportingInstance'))
    else if (object.reportingInstance.length > 128) causes.push(invalid('reportingInstance', '', 'can have at most 128 characters'))
    if (!object.action) causes.push(required('action'))
    else if (object.action.length > 128) causes.push(invalid('action', '', 'can have at most 128 characters'))
    if (!object.reason) causes.push(required('reason'))
    else if (object.reason.length > 128) causes.push(invalid('reason', '', 'can have at most 128 characters'))
    if ((object.message?.length ?? 0) > 1024) causes.push(invalid('message', '', 'can have at most 1024 characters'))
    return causes
  },
  validateCreate(object, apiVersion) {
    const causes: Causes = []
    if (apiVersion === strict) validateNewEvent(causes, object)
    return causes
  },
  validateUpdate(object, old, apiVersion) {
    const causes: Causes = []
    if (apiVersion !== strict) return causes
    if (!same(object.series, old.series)) validateSeries(causes, object)
    for (const field of fixed)
      if (!same(object[field], old[field]))
        causes.push(invalid(field === 'reportingComponent' ? 'reportingController' : field, asGo(field, object), 'field is immutable'))
    return causes
  },
  allowCreateOnUpdate: true,
  fieldLabel(field, apiVersion) {
    if (apiVersion === 'v1') return field === 'reportingController' ? undefined : field
    // the events group has its own names, and those alone
    if (field.startsWith('regarding.')) return `involvedObject.${field.slice('regarding.'.length)}`
    return field === 'reportingController' ? 'reportingComponent' : field === 'reason' || field === 'type' ? field : undefined
  },
  selectableFields: (object) => {
    const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = object.involvedObject ?? {}
    return {
      'involvedObject.kind': kind ?? '',
      'involvedObject.namespace': namespace ?? '',
      'involvedObject.name': name ?? '',
      'involvedObject.uid': uid ?? '',
      'involvedObject.apiVersion': apiVersion ?? '',
      'involvedObject.resourceVersion': resourceVersion ?? '',
      'involvedObject.fieldPath': fieldPath ?? '',
      reason: object.reason ?? '',
      reportingComponent: object.reportingComponent ?? '',
      source: object.source?.component || object.reportingComponent || '',
      type: object.type ?? '',
    }
  },
}

/** A field as upstream prints it: in its own types, whose fields have the names that Go gives them. */
function asGo(field: (typeof fixed)[number], event: DeepReadonly<core.Event>): unknown {
  if (field === 'source') return { Component: event.source?.component ?? '', Host: event.source?.host ?? '' }
  if (field !== 'involvedObject' && field !== 'related') return event[field]
  const reference = event[field]
  if (!reference && field === 'related') return null
  const { kind = '', namespace = '', name = '', uid = '', apiVersion = '', resourceVersion = '', fieldPath = '' } = reference ?? {}
  return { Kind: kind, Namespace: namespace, Name: name, UID: uid, APIVersion: apiVersion, ResourceVersion: resourceVersion, FieldPath: fieldPath }
}

/** What new events of events.k8s.io/v1 have to keep to, and what they leave to older ones. */
function validateNewEvent(causes: Causes, event: DeepReadonly<core.Event>): void {
  validateSeries(causes, event)
  if (!event.eventTime) causes.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') causes.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
  const unset = (field: string, value: unknown) => {
    if (value) causes.push(invalid(field, '', 'needs to be unset'))
  }
  unset('firstTimestamp', event.firstTimestamp)
  unset('lastTimestamp', event.lastTimestamp)
  unset('count', event.count)
  unset('source', event.source?.component || event.source?.host)
}

function validateSeries(causes: Causes, { series }: DeepReadonly<core.Event>): void {
  if (!series) return
  if ((series.count ?? 0) < 2) causes.push(invalid('series.count', '', 'should be at least 2'))
  if (!series.lastObservedTime) causes.push(required('series.lastObservedTime'))
}

function validateFinalizers(causes: Causes, { metadata }: DeepReadonly<core.Event>): void {
  metadata.finalizers?.forEach((finalizer, i) => {
    if (!finalizer.includes('/')) validateFinalizerName(causes, `metadata.finalizers[${i}]`, finalizer)
  })
}
