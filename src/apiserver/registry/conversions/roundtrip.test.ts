import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { KubeObject, ObjectSchema, Schema } from '#api'
import { apiVersionOf, decodeObject, kinds, schemaOf } from '#api'
import { conversions } from './index.ts'

// Objects of every served version that is not the stored one, generated from the API facts: what a client writes in its version is what it
// reads, and what is stored is seen whole by way of another version.

type Json = any
const plain = (value: unknown): Json => JSON.parse(JSON.stringify(value))

function decoded(value: Json, schema: ObjectSchema): Json {
  const { object, unknownFields } = decodeObject(value, schema)
  assert.deepEqual(unknownFields, [])
  return plain(object)
}

/** Objects that a schema allows: values that decoding leaves as they are, so that a difference is a loss. */
function objectsOf(schema: ObjectSchema, depth: number): fc.Arbitrary<Json> {
  const fields: Record<string, fc.Arbitrary<Json>> = {}
  for (const field of schema.fields.values()) {
    if (field.number === 0 || (depth <= 0 && (field.schema.type === 'object' || field.schema.type === 'list'))) continue
    fields[field.name] = valuesOf(field.schema, depth - 1)
  }
  return fc.record(fields, { requiredKeys: [] })
}

function valuesOf(schema: Schema, depth: number): fc.Arbitrary<Json> {
  switch (schema.type) {
    case 'string':
      return schema.enum ? fc.constantFrom(...schema.enum.filter((value) => value !== '')) : fc.constantFrom('a', 'b-c', 'example.com/d')
    case 'integer':
    case 'number':
      return fc.integer({ min: 1, max: 99 })
    case 'boolean':
      return fc.constant(true)
    case 'bytes':
      return fc.constant('YWJj')
    case 'quantity':
      return fc.constantFrom('1', '100m', '2Gi')
    case 'time':
      return fc.constant('2026-01-02T03:04:05Z')
    case 'microTime':
      return fc.constant('2026-01-02T03:04:05.000006Z')
    case 'duration':
      return fc.constant('1h0m0s')
    case 'intOrString':
      return fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('50%', 'http'))
    case 'any':
      return fc.constant({ k: 'v' })
    case 'list':
      return fc.array(valuesOf(schema.items, depth), { minLength: 1, maxLength: 2 })
    case 'map':
      return fc.dictionary(fc.constantFrom('x', 'y', 'z'), valuesOf(schema.values, depth), { minKeys: 1, maxKeys: 2 })
    case 'object':
      return objectsOf(schema, depth).map((object) => object ?? {})
  }
}

/** Makes what was generated an object that validation would let pass, where a conversion counts on it. */
const valid: Record<string, (object: Json) => void> = {
  'autoscaling/v1/horizontalpodautoscalers': tidyAutoscalerV1,
  'networking.k8s.io/v1beta1/ingresses': tidyIngressV1beta1,
  'extensions/v1beta1/ingresses': tidyIngressV1beta1,
  'certificates.k8s.io/v1beta1/certificatesigningrequests'(object) {
    object.spec = { usages: ['any'], signerName: 'example.com/s', ...object.spec }
    for (const condition of object.status?.conditions ?? []) condition.status ??= 'True'
  },
  'discovery.k8s.io/v1beta1/endpointslices'(object) {
    object.endpoints ??= []
    for (const endpoint of object.endpoints) {
      // the node's name stands in the topology, too
      if (endpoint.nodeName) endpoint.topology = { ...endpoint.topology, 'kubernetes.io/hostname': endpoint.nodeName }
    }
  },
  'admissionregistration.k8s.io/v1beta1/mutatingwebhookconfigurations': tidyWebhooks,
  'admissionregistration.k8s.io/v1beta1/validatingwebhookconfigurations': tidyWebhooks,
  'flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations'(object) {
    // no shares are the default, unless an annotation says otherwise
    if (object.spec?.limited) object.spec.limited.nominalConcurrencyShares ||= 30
  },
  'events.k8s.io/v1/events': tidyEvent,
  'events.k8s.io/v1beta1/events': tidyEvent,
}

function tidyEvent(object: Json): void {
  object.eventTime ??= null
  object.regarding ??= {}
}

function tidyWebhooks(object: Json): void {
  for (const webhook of object.webhooks ?? []) {
    webhook.failurePolicy ??= 'Fail'
    webhook.matchPolicy ??= 'Exact'
    webhook.timeoutSeconds ??= 5
    webhook.sideEffects ??= 'None'
    webhook.admissionReviewVersions ??= ['v1']
  }
}

function tidyIngressV1beta1(object: Json): void {
  const backend = (value: Json) => {
    if (value?.serviceName) {
      delete value.resource
      value.servicePort ??= 80
    } else if (value) delete value.servicePort
  }
  backend(object.spec?.backend)
  for (const rule of object.spec?.rules ?? [])
    for (const path of rule.http?.paths ?? []) {
      path.pathType ??= 'Exact'
      backend((path.backend ??= { serviceName: 's', servicePort: 80 }))
    }
  for (const rule of object.spec?.rules ?? []) if (rule.http) rule.http.paths ??= []
}

function tidyAutoscalerV1(object: Json): void {
  // a current value of nothing is none
  delete object.status?.currentCPUUtilizationPercentage
  if (object.status) object.status.currentReplicas ??= 0
  object.spec ??= {}
}

const others = kinds.filter((kind) => kind.verbs.includes('list') && apiVersionOf(kind) !== apiVersionOf(kind.storage))

for (const kind of others) {
  const apiVersion = apiVersionOf(kind)
  const storedVersion = apiVersionOf(kind.storage)
  const key = `${kind.group}/${kind.version}/${kind.resource}`
  const conversion = conversions[key] ?? {
    toStorage: (object: KubeObject) => ({ ...object, apiVersion: storedVersion }),
    fromStorage: (object: Json) => ({ ...object, apiVersion }),
  }
  const served = schemaOf(apiVersion, kind.kind)!
  const stored = schemaOf(storedVersion, kind.kind)!

  test(`${key}: what is written is read, and all of it is stored`, () => {
    fc.assert(
      fc.property(objectsOf(served, 6), (generated) => {
        const object = { ...generated, apiVersion, kind: kind.kind, metadata: { name: 'a' } }
        valid[key]?.(object)
        const before = decoded(plain(object), served)
        const inStore = plain(conversion.toStorage(plain(before)))
        decoded(inStore, stored)
        const after = decoded(plain(conversion.fromStorage(inStore)), served)
        assert.deepEqual(after, before)
      }),
      { numRuns: 60 },
    )
  })
}

/** What is stored and shown by way of an older version comes back as it was. */
const wholeThrough = [
  'autoscaling/v1/horizontalpodautoscalers',
  'events.k8s.io/v1/events',
  'flowcontrol.apiserver.k8s.io/v1beta3/prioritylevelconfigurations',
  'flowcontrol.apiserver.k8s.io/v1beta3/flowschemas',
  'batch/v1beta1/cronjobs',
  'coordination.k8s.io/v1beta1/leases',
  'storage.k8s.io/v1beta1/storageclasses',
]

for (const kind of others) {
  const key = `${kind.group}/${kind.version}/${kind.resource}`
  if (!wholeThrough.includes(key)) continue
  const apiVersion = apiVersionOf(kind)
  const storedVersion = apiVersionOf(kind.storage)
  const stored = schemaOf(storedVersion, kind.kind)!
  const served = schemaOf(apiVersion, kind.kind)!
  test(`${key}: a client that writes back what it read changes nothing`, () => {
    fc.assert(
      fc.property(objectsOf(stored, 6), (generated) => {
        const object = { ...generated, apiVersion: storedVersion, kind: kind.kind, metadata: { name: 'a' } }
        if (kind.resource === 'horizontalpodautoscalers') tidyAutoscalerV2(object)
        if (kind.resource === 'events') object.involvedObject ??= {}
        // never absent from what is stored
        if (object.spec?.limited) object.spec.limited.nominalConcurrencyShares ??= 30
        const before = decoded(plain(object), stored)
        const { toStorage, fromStorage } = conversions[key] ?? {
          toStorage: (o: KubeObject) => ({ ...o, apiVersion: storedVersion }),
          fromStorage: (o: Json) => ({ ...o, apiVersion }),
        }
        const shown = decoded(plain(fromStorage(before)), served)
        const after = decoded(plain(toStorage(shown)), stored)
        assert.deepEqual(after, before)
      }),
      { numRuns: 80 },
    )
  })
}

/** Metrics as validation lets them pass: of the type that they name, with one target of its type. */
function tidyAutoscalerV2(object: Json): void {
  object.spec ??= {}
  const types: Record<string, string> = {
    Resource: 'resource',
    ContainerResource: 'containerResource',
    Pods: 'pods',
    Object: 'object',
    External: 'external',
  }
  const names = Object.keys(types)
  object.spec.metrics?.forEach((metric: Json, i: number) => {
    const type = names[(i + (metric.type?.length ?? 0)) % names.length]!
    const source = metric[types[type]!] ?? {}
    for (const field of Object.keys(metric)) delete metric[field]
    const utilization = type === 'Resource' || type === 'ContainerResource'
    const value = type === 'Object' || type === 'External'
    const target =
      utilization && i % 2 === 0
        ? { type: 'Utilization', averageUtilization: 50 }
        : value && i % 2 === 1
          ? { type: 'Value', value: '5' }
          : { type: 'AverageValue', averageValue: '5' }
    const named = utilization ? { name: 'memory', ...(type === 'ContainerResource' ? { container: 'c' } : {}) } : { metric: { name: 'm' } }
    Object.assign(metric, {
      type,
      [types[type]!]: {
        ...named,
        ...(type === 'Object' ? { describedObject: { kind: 'Service', name: 's' } } : {}),
        ...(source.metric?.selector ? { metric: { name: 'm', selector: source.metric.selector } } : {}),
        target,
      },
    })
  })
  if (!object.status) return
  object.status = { desiredReplicas: 1, currentReplicas: 1, ...object.status }
  delete object.status.currentMetrics
}
