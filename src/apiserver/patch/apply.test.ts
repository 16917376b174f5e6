import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { StatusError, schemaOf } from '#api'
import { applyServerSide } from './apply.ts'
import { managerName } from './managers.ts'
import { trackUpdate } from './track-update.ts'

const later = '2026-01-01T00:01:00Z'
const now = '2026-01-01T00:00:00Z'

/** Plays writes against one object and keeps what would be stored. */
function play(apiVersion: string, kind: string, withSchema = true) {
  const schema = withSchema ? schemaOf(apiVersion, kind)! : undefined
  let live: any
  const head = { apiVersion, kind }
  const metadata = { name: 'x', namespace: 'default' }
  const keep = (object: any, managedFields: any) => (live = { ...object, metadata: { ...object.metadata, uid: 'u', managedFields } })
  return {
    get live() {
      return live
    },
    apply(manager: string, body: any, options: { force?: boolean; now?: string; subresource?: string } = {}) {
      const applied = { ...head, ...body, metadata: { ...body.metadata, ...metadata } }
      const result = applyServerSide({ live, applied, schema, manager, now, ...options })
      keep(result.object, result.managedFields)
      return result
    },
    update(manager: string, change: (object: any) => any, options: { subresource?: string; now?: string } = {}) {
      const updated = live ? change(structuredClone(live)) : { ...head, metadata, ...change({}) }
      keep(updated, trackUpdate({ old: live, updated, schema, manager, now, ...options }))
    },
    /** The fields of a manager, and its time. */
    of(manager: string, subresource?: string) {
      return live.metadata.managedFields?.find((e: any) => e.manager === manager && e.subresource === subresource)
    },
  }
}

describe('server-side apply', () => {
  test('the key of a port has its protocol by default, so that configurations with and without it mean one port', () => {
    const service = play('v1', 'Service')
    service.apply('one', { spec: { ports: [{ port: 80, name: 'http' }] } })
    service.apply('two', { spec: { ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }] } })
    assert.deepEqual(service.live.spec.ports, [{ port: 80, name: 'http', protocol: 'TCP', targetPort: 8080 }])
    assert.deepEqual(service.of('two').fieldsV1, {
      'f:spec': { 'f:ports': { 'k:{"port":80,"protocol":"TCP"}': { '.': {}, 'f:port': {}, 'f:protocol': {}, 'f:targetPort': {} } } },
    })
  })

  test('a second apply of the same configuration changes nothing, not even the time', () => {
    const map = play('v1', 'ConfigMap')
    map.apply('one', { data: { a: '1' } })
    const before = map.live
    assert.equal(map.apply('one', { data: { a: '1' } }, { now: later }).changed, false)
    assert.deepEqual(map.live, before)
    map.apply('one', { data: { a: '1', b: '1' } }, { now: later })
    assert.equal(map.of('one').time, later)
  })

  test('managers that apply the same value share it, and it goes when the last one drops it', () => {
    const map = play('v1', 'ConfigMap')
    map.apply('one', { data: { a: '1', b: '1' } })
    map.apply('two', { data: { a: '1' } })
    map.apply('one', { data: { b: '1' } })
    assert.deepEqual(map.live.data, { a: '1', b: '1' })
    map.apply('two', { metadata: {} })
    assert.deepEqual(map.live.data, { b: '1' })
    assert.equal(map.of('two'), undefined)
  })

  test('a struct goes with the last of its fields', () => {
    const pod = play('v1', 'Pod')
    const containers = [{ name: 'a', image: 'a', resources: { limits: { cpu: '1' } }, securityContext: { runAsUser: 1 } }]
    pod.apply('one', { spec: { containers } })
    pod.apply('one', { spec: { containers: [{ name: 'a', image: 'a' }] } })
    assert.deepEqual(pod.live.spec.containers, [{ name: 'a', image: 'a' }])
  })

  test('items that others added stay, also inside an item that is dropped from the configuration', () => {
    const deployment = play('apps/v1', 'Deployment')
    const spec = (containers: object[]) => ({ spec: { template: { spec: { containers } } } })
    deployment.apply(
      'cd',
      spec([
        { name: 'app', image: 'a' },
        { name: 'old', image: 'o' },
      ]),
    )
    deployment.apply(
      'injector',
      spec([
        { name: 'sidecar', image: 's' },
        { name: 'old', env: [{ name: 'X', value: '1' }] },
      ]),
    )
    deployment.apply('cd', spec([{ name: 'app', image: 'a' }]))
    assert.deepEqual(deployment.live.spec.template.spec.containers, [
      { name: 'app', image: 'a' },
      { name: 'sidecar', image: 's' },
      { name: 'old', env: [{ name: 'X', value: '1' }] },
    ])
  })

  test('conflicts name each field and manager; force takes the fields', () => {
    const deployment = play('apps/v1', 'Deployment')
    deployment.update('kubectl-client-side-apply', () => ({ spec: { replicas: 1, paused: true } }))
    assert.throws(
      () => deployment.apply('cd', { spec: { replicas: 3 } }),
      (error) => {
        assert.ok(error instanceof StatusError)
        assert.equal(error.message, 'Apply failed with 1 conflict: conflict with "kubectl-client-side-apply" using apps/v1: .spec.replicas')
        assert.deepEqual(error.status.details, {
          causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "kubectl-client-side-apply" using apps/v1', field: '.spec.replicas' }],
        })
        return error.code === 409 && error.reason === 'Conflict'
      },
    )
    deployment.apply('cd', { spec: { replicas: 3 } }, { force: true })
    assert.equal(deployment.live.spec.replicas, 3)
    assert.deepEqual(deployment.of('kubectl-client-side-apply').fieldsV1, { 'f:spec': { 'f:paused': {} } })
  })

  test('null in a configuration is applied as it is, for decoding to take the field out', () => {
    const map = play('v1', 'ConfigMap')
    map.apply('one', { data: { a: '1', b: '1' } })
    map.apply('one', { data: { a: null, b: '1' } })
    assert.deepEqual(map.live.data, { a: null, b: '1' })
  })

  test('a custom resource has granular objects and atomic lists', () => {
    const widget = play('example.com/v1', 'Widget', false)
    widget.apply('one', { spec: { size: { x: 1 }, tags: ['a'] } })
    widget.apply('two', { spec: { size: { y: 2 } } })
    assert.throws(() => widget.apply('two', { spec: { size: { y: 2 }, tags: ['a', 'b'] } }), /1 conflict: conflict with "one": \.spec\.tags/)
    widget.apply('one', { spec: { tags: ['b'] } })
    assert.deepEqual(widget.live.spec, { size: { y: 2 }, tags: ['b'] })
  })

  test('configurations that cannot be applied are refused', () => {
    const map = play('v1', 'ConfigMap')
    assert.throws(() => map.apply('one', { metadata: { managedFields: [{}] } }), /metadata\.managedFields must be nil/)
    assert.throws(
      () => map.apply('one', { nonsense: 1 }),
      /failed to create typed patch object \(default\/x; \/v1, Kind=ConfigMap\): \.nonsense: field not declared in schema/,
    )
    map.apply('one', { data: { a: '1' } })
    assert.throws(
      () => map.apply('one', { apiVersion: 'v2' }),
      /Incorrect version specified in apply patch\. Specified patch version: v2, expected: v1/,
    )
  })

  test('a resource and its status have managers of their own under one name', () => {
    const deployment = play('apps/v1', 'Deployment')
    deployment.apply('controller', { spec: { replicas: 1 }, status: { replicas: 9 } })
    deployment.apply('controller', { status: { replicas: 1 }, spec: { replicas: 7 } }, { subresource: 'status' })
    assert.deepEqual(deployment.of('controller').fieldsV1, { 'f:spec': { 'f:replicas': {} } })
    assert.deepEqual(deployment.of('controller', 'status').fieldsV1, { 'f:status': { 'f:replicas': {} } })
  })
})

describe('tracking of updates', () => {
  test('a write takes what it changes and leaves the rest to its owners', () => {
    const map = play('v1', 'ConfigMap')
    map.update('one', () => ({ data: { a: '1', b: '1' } }))
    map.update('two', (o) => ({ ...o, data: { a: '2', c: '1' } }), { now: later })
    assert.deepEqual(map.of('one'), {
      manager: 'one',
      operation: 'Update',
      apiVersion: 'v1',
      time: now,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:data': {} },
    })
    assert.deepEqual(map.of('two').fieldsV1, { 'f:data': { 'f:a': {}, 'f:c': {} } })
    assert.equal(map.of('two').time, later)
  })

  test('a write that changes nothing keeps entries and times', () => {
    const map = play('v1', 'ConfigMap')
    map.update('one', () => ({ data: { a: '1' } }))
    const entries = map.live.metadata.managedFields
    map.update('two', (o) => o, { now: later })
    assert.deepEqual(map.live.metadata.managedFields, entries)
  })

  test('a client that leaves managedFields out or sends nonsense changes none', () => {
    for (const sent of [undefined, [{ manager: 'x', operation: 'Update', fieldsType: 'V9' }], [{ fieldsType: 'FieldsV1', fieldsV1: { bad: {} } }]]) {
      const map = play('v1', 'ConfigMap')
      map.update('one', () => ({ data: { a: '1' } }))
      map.update('two', (o) => ({ ...o, metadata: { ...o.metadata, managedFields: sent }, data: { a: '1', b: '1' } }))
      assert.deepEqual(map.of('one').fieldsV1, { 'f:data': { '.': {}, 'f:a': {} } })
      assert.deepEqual(map.of('two').fieldsV1, { 'f:data': { 'f:b': {} } })
    }
  })

  test('a client may clear all managers, and may edit them', () => {
    for (const sent of [[], [{}]]) {
      const map = play('v1', 'ConfigMap')
      map.update('one', () => ({ data: { a: '1' } }))
      map.update('one', (o) => ({ ...o, metadata: { ...o.metadata, managedFields: sent } }))
      assert.equal(map.live.metadata.managedFields, undefined)
      map.update('one', (o) => ({ ...o, data: { b: '1' } }))
      assert.equal(map.live.metadata.managedFields, undefined)
      map.apply('two', { data: { b: '1' } })
      assert.deepEqual(map.of('before-first-apply').fieldsV1, { 'f:data': { '.': {}, 'f:b': {} } })
    }
    const map = play('v1', 'ConfigMap')
    map.update('one', () => ({ data: { a: '1' } }))
    map.update('one', (o) => {
      o.metadata.managedFields[0].manager = 'renamed'
      return o
    })
    assert.deepEqual(map.of('renamed').fieldsV1, { 'f:data': { '.': {}, 'f:a': {} } })
  })

  test('beyond ten, the oldest managers by update are merged', () => {
    const map = play('v1', 'ConfigMap')
    for (let i = 0; i < 13; i++) map.update(`m${i}`, (o) => ({ ...o, data: { ...o.data, [`k${i}`]: '1' } }), { now: `2026-01-01T00:00:${10 + i}Z` })
    const entries = map.live.metadata.managedFields
    assert.equal(entries.length, 10)
    assert.equal(entries[0].manager, 'ancient-changes')
    assert.deepEqual(Object.keys(entries[0].fieldsV1['f:data']).sort(), ['.', 'f:k0', 'f:k1', 'f:k2', 'f:k3'])
  })

  test("identity and bookkeeping of the object are nobody's", () => {
    const map = play('v1', 'ConfigMap')
    map.update('one', () => ({
      metadata: { name: 'x', namespace: 'y', uid: 'z', resourceVersion: '1', generation: 1, creationTimestamp: now, labels: { a: 'b' } },
    }))
    assert.deepEqual(map.of('one').fieldsV1, { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } } })
  })

  test('keys that every JavaScript object inherits are keys like others', () => {
    const map = play('v1', 'ConfigMap')
    map.update('one', () => ({ data: { constructor: '1', a: '1' } }))
    assert.deepEqual(map.of('one').fieldsV1, { 'f:data': { '.': {}, 'f:constructor': {}, 'f:a': {} } })
    map.update('two', (o) => ({ ...o, data: { a: '1' } }))
    assert.deepEqual(map.of('one').fieldsV1, { 'f:data': { '.': {}, 'f:a': {} } })
  })

  test('the manager of a write is its fieldManager or the start of its user agent', () => {
    assert.equal(managerName('me', 'kubectl/v1.20'), 'me')
    assert.equal(managerName('', 'kubectl/v1.20 (linux/amd64)'), 'kubectl')
    assert.equal(managerName(undefined, 'a\u0000b\u0007c/1'), 'abc')
    assert.equal(managerName(undefined, 'é'.repeat(100)), 'é'.repeat(64))
    assert.equal(managerName(undefined, undefined), 'unknown')
  })
})
