import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, pathSegmentName, qualifiedName } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, invalid, invalidEach, required, same } from '../../validation/causes.ts'
import { validateFinalizerName } from '../../validation/object-meta.ts'

/** Events are kept this long after they were last written, seconds (upstream's --event-ttl). */
export const eventTtl = 3600

/** An event may be changed in every field: upstream's check of an update holds it against itself, and its own conformance suite patches notes. */
export const eventStrategy: ResourceStrategy<core.Event> = {
  ttl: eventTtl,
  validateName: (name, apiVersion) => (apiVersion === 'events.k8s.io/v1' ? dns1123Subdomain(name) : pathSegmentName(name)),
  looseFinalizers: true,
  default(object) {
    object.involvedObject ??= {}
  },
  validate(object, apiVersion, old) {
    const causes: Causes = []
    const { namespace } = object.metadata
    if (apiVersion === 'events.k8s.io/v1') validateStrictEvent(causes, object, old)
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
    if (apiVersion === 'events.k8s.io/v1') validateNewEvent(causes, object)
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

/** What new events of events.k8s.io/v1 leave to older ones. */
function validateNewEvent(causes: Causes, event: DeepReadonly<core.Event>): void {
  const unset = (field: string, value: unknown) => {
    if (value) causes.push(invalid(field, '', 'needs to be unset'))
  }
  unset('firstTimestamp', event.firstTimestamp)
  unset('lastTimestamp', event.lastTimestamp)
  unset('count', event.count)
  unset('source', event.source?.component || event.source?.host)
}

/** What events of events.k8s.io/v1 have to keep to, and older ones need not; an older one that is changed keeps to it in what is changed. */
function validateStrictEvent(causes: Causes, event: DeepReadonly<core.Event>, old: DeepReadonly<core.Event> | undefined): void {
  event.metadata.finalizers?.forEach((finalizer, i) => {
    if (!finalizer.includes('/')) validateFinalizerName(causes, `metadata.finalizers[${i}]`, finalizer)
  })
  if (event.series && !(old && same(event.series, old.series))) {
    if ((event.series.count ?? 0) < 2) causes.push(invalid('series.count', '', 'should be at least 2'))
    if (!event.series.lastObservedTime) causes.push(required('series.lastObservedTime'))
  }
  if (old) return
  if (!event.eventTime) causes.push(required('eventTime'))
  if (event.type !== 'Normal' && event.type !== 'Warning') causes.push(invalid('type', '', `has invalid value: ${event.type ?? ''}`))
}
