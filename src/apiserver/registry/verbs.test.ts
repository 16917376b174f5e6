import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '#client'
import type { TestServer } from '../test-server.ts'
import { admin, startTestServer } from '../test-server.ts'

interface Answer {
  status: number
  headers: Record<string, string>
  value: any
}

async function call(t: TestServer, method: Request['method'], target: string, body?: object, contentType = 'application/json'): Promise<Answer> {
  const [path, search] = target.split('?') as [string, string?]
  const headers = { 'content-type': contentType, 'user-agent': 'tester/1.0' }
  const {
    status,
    headers: answered,
    body: answer,
  } = await t.server.transport(admin).send({ method, path, query: new URLSearchParams(search), headers, ...(body ? { body } : {}) })
  assert.ok('value' in answer)
  return { status, headers: answered, value: answer.value }
}

const maps = '/api/v1/namespaces/default/configmaps'
const pods = '/api/v1/namespaces/default/pods'
const merge = 'application/merge-patch+json'
const apply = 'application/apply-patch+yaml'
const pod = (name: string, more: object = {}) => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, labels: { app: 'x' } },
  spec: { containers: [{ name: 'c', image: 'i' }], ...more },
})

test('a create fills in what the server owns and takes no more from the client', async () => {
  await using t = await startTestServer()
  const { status, value } = await call(t, 'POST', maps, {
    metadata: {
      name: 'a',
      uid: 'mine',
      creationTimestamp: '2000-01-01T00:00:00Z',
      deletionTimestamp: '2000-01-01T00:00:00Z',
      selfLink: '/x',
      generation: 7,
    },
  })
  assert.equal(status, 201)
  assert.match(value.metadata.uid, /^[0-9a-f-]{36}$/)
  assert.notEqual(value.metadata.creationTimestamp, '2000-01-01T00:00:00Z')
  assert.deepEqual(Object.keys(value.metadata).sort(), ['creationTimestamp', 'name', 'namespace', 'resourceVersion', 'uid'])
})

test('generateName makes a name that fits, and another one when it is taken', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', maps, { metadata: { generateName: 'x'.repeat(70) } })
  assert.match(value.metadata.name, /^x{58}[bcdfghjklmnpqrstvwxz2456789]{5}$/)
})

const refused: { name: string; target?: string; body: object; code: number; message: RegExp | string }[] = [
  {
    name: 'no name',
    body: { metadata: {} },
    code: 422,
    message: 'ConfigMap "" is invalid: metadata.name: Required value: name or generateName is required',
  },
  {
    name: 'a bad name',
    body: { metadata: { name: 'A_' } },
    code: 422,
    message: /^ConfigMap "A_" is invalid: metadata\.name: Invalid value: "A_": a lowercase RFC 1123 subdomain/,
  },
  {
    name: 'another namespace',
    body: { metadata: { name: 'b', namespace: 'other' } },
    code: 400,
    message: 'the namespace of the provided object does not match the namespace sent on the request',
  },
  {
    name: 'a resourceVersion',
    body: { metadata: { name: 'b', resourceVersion: '1' } },
    code: 500,
    message: 'resourceVersion should not be set on objects to be created',
  },
  {
    name: 'another kind',
    body: { kind: 'Secret', apiVersion: 'v1', metadata: { name: 'b' } },
    code: 400,
    message: 'Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion',
  },
  {
    name: 'a wrong type',
    body: { metadata: { name: 'b' }, data: { k: 1 } },
    code: 400,
    message: /cannot unmarshal number into Go struct field ConfigMap\.data of type string/,
  },
  {
    name: 'an unknown field where it is strict',
    target: `${maps}?fieldValidation=Strict`,
    body: { metadata: { name: 'b' }, foo: 1 },
    code: 400,
    message: 'ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "foo"',
  },
  {
    name: 'a bad dryRun',
    target: `${maps}?dryRun=Some`,
    body: { metadata: { name: 'b' } },
    code: 422,
    message: /CreateOptions\.meta\.k8s\.io "" is invalid: dryRun/,
  },
  {
    name: 'a collection of all namespaces',
    target: '/api/v1/configmaps',
    body: { metadata: { name: 'b' } },
    code: 405,
    message: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'a path with a name',
    target: `${maps}/b`,
    body: { metadata: { name: 'b' } },
    code: 405,
    message: 'the server does not allow this method on the requested resource',
  },
  {
    name: 'a resource that is not',
    target: '/api/v1/namespaces/default/foos',
    body: { metadata: { name: 'b' } },
    code: 404,
    message: 'the server could not find the requested resource',
  },
]

test('a create is refused with', async (context) => {
  await using t = await startTestServer()
  for (const { name, target = maps, body, code, message } of refused)
    await context.test(name, async () => {
      const { status, value } = await call(t, 'POST', target, body)
      assert.equal(status, code)
      if (typeof message === 'string') assert.equal(value.message, message)
      else assert.match(value.message, message)
    })
  assert.equal((await call(t, 'GET', maps)).value.items.length, 0)
})

test('unknown fields are dropped and warned about', async () => {
  await using t = await startTestServer()
  const { value, headers } = await call(t, 'POST', maps, { metadata: { name: 'a', foo: 1 }, bar: 2 })
  assert.equal(headers.warning, '299 - "unknown field \\"metadata.foo\\"", 299 - "unknown field \\"bar\\""')
  assert.equal(value.bar, undefined)
})

test('a dry run changes nothing', async () => {
  await using t = await startTestServer()
  const made = await call(t, 'POST', `${maps}?dryRun=All`, { metadata: { name: 'a' } })
  assert.equal(made.status, 201)
  assert.equal(made.value.metadata.resourceVersion, undefined)
  assert.equal((await call(t, 'GET', `${maps}/a`)).status, 404)
  await call(t, 'POST', maps, { metadata: { name: 'a' }, data: { k: 'v' } })
  const patched = await call(t, 'PATCH', `${maps}/a?dryRun=All`, { data: { k: 'w' } }, merge)
  assert.equal(patched.value.data.k, 'w')
  assert.equal((await call(t, 'DELETE', `${maps}/a?dryRun=All`)).value.status, 'Success')
  assert.equal((await call(t, 'GET', `${maps}/a`)).value.data.k, 'v')
})

test('an update without a change makes no revision', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', maps, { metadata: { name: 'a' }, data: { k: 'v' } })
  const again = await call(t, 'PUT', `${maps}/a`, value)
  assert.equal(again.value.metadata.resourceVersion, value.metadata.resourceVersion)
  const patched = await call(t, 'PATCH', `${maps}/a`, { data: { k: 'v' } }, merge)
  assert.equal(patched.value.metadata.resourceVersion, value.metadata.resourceVersion)
})

test('a change of the spec is a new generation, a change of labels is none', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', pods, pod('p'))
  assert.equal(value.metadata.generation, 1)
  const labelled = await call(t, 'PATCH', `${pods}/p`, { metadata: { labels: { a: 'b' } } }, merge)
  assert.equal(labelled.value.metadata.generation, 1)
  const changed = await call(t, 'PATCH', `${pods}/p`, { spec: { activeDeadlineSeconds: 9 } }, merge)
  assert.equal(changed.value.metadata.generation, 2)
})

test('patches of all four kinds', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', pods, pod('p'))
  const json = await call(t, 'PATCH', `${pods}/p`, [{ op: 'add', path: '/metadata/labels/j', value: '1' }], 'application/json-patch+json')
  assert.equal(json.value.metadata.labels.j, '1')
  const strategic = await call(
    t,
    'PATCH',
    `${pods}/p`,
    { spec: { containers: [{ name: 'c', image: 'new' }] } },
    'application/strategic-merge-patch+json',
  )
  assert.equal(strategic.value.spec.containers[0].image, 'new')
  assert.equal(strategic.value.spec.containers[0].imagePullPolicy, 'Always')
  const applied = await call(
    t,
    'PATCH',
    `${maps}/m?fieldManager=a`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'v' } },
    apply,
  )
  assert.equal(applied.status, 201)
  assert.deepEqual(
    applied.value.metadata.managedFields.map((e: any) => [e.manager, e.operation]),
    [['a', 'Apply']],
  )
  const again = await call(
    t,
    'PATCH',
    `${maps}/m?fieldManager=a`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'v' } },
    apply,
  )
  assert.equal(again.value.metadata.resourceVersion, applied.value.metadata.resourceVersion)
  const conflict = await call(
    t,
    'PATCH',
    `${maps}/m?fieldManager=b`,
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { k: 'w' } },
    apply,
  )
  assert.equal(conflict.status, 409)
  assert.equal(conflict.value.details.causes[0].field, '.data.k')
  const none = await call(t, 'PATCH', `${maps}/m`, { apiVersion: 'v1', kind: 'ConfigMap' }, apply)
  assert.equal(none.value.message, 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch')
  const wrong = await call(t, 'PATCH', `${maps}/m`, { data: { k: 'w' } }, 'application/json')
  assert.equal(wrong.status, 415)
})

test('patches race without losing one another', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', maps, { metadata: { name: 'a' } })
  const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => call(t, 'PATCH', `${maps}/a`, { data: { [`k${i}`]: 'v' } }, merge)))
  assert.deepEqual(new Set(answers.map((a) => a.status)), new Set([200]))
  assert.equal(Object.keys((await call(t, 'GET', `${maps}/a`)).value.data).length, 8)
})

test('managed fields tell who wrote what', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', `${maps}?fieldManager=first`, { metadata: { name: 'a' }, data: { k: 'v' } })
  const { value } = await call(t, 'PATCH', `${maps}/a?fieldManager=second`, { data: { l: 'w' } }, merge)
  assert.deepEqual(
    value.metadata.managedFields.map((e: any) => [e.manager, e.fieldsV1]),
    [
      ['first', { 'f:data': { '.': {}, 'f:k': {} } }],
      ['second', { 'f:data': { 'f:l': {} } }],
    ],
  )
})

test('status and the rest are written apart', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', pods, pod('p'))
  const asStatus = await call(t, 'PUT', `${pods}/p/status`, {
    ...value,
    spec: { ...value.spec, nodeName: 'n' },
    status: { ...value.status, phase: 'Running' },
  })
  assert.equal(asStatus.value.status.phase, 'Running')
  assert.equal(asStatus.value.spec.nodeName, undefined)
  const asMain = await call(t, 'PUT', `${pods}/p`, { ...asStatus.value, status: { phase: 'Failed' } })
  assert.equal(asMain.value.status.phase, 'Running')
})

test('an update of a name that is not there creates where the kind allows it', async () => {
  await using t = await startTestServer()
  assert.equal((await call(t, 'PUT', `${maps}/a`, { metadata: { name: 'a' } })).status, 404)
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases/l'
  assert.equal((await call(t, 'PUT', leases, { metadata: { name: 'l' }, spec: {} })).status, 201)
})

test('finalizers hold an object until the last is gone', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', maps, { metadata: { name: 'a', finalizers: ['x/y', 'x/z'] } })
  const marked = await call(t, 'DELETE', `${maps}/a`)
  assert.equal(marked.status, 200)
  assert.ok(marked.value.metadata.deletionTimestamp)
  assert.equal((await call(t, 'PATCH', `${maps}/a`, { metadata: { finalizers: ['x/y', 'x/n'] } }, merge)).status, 422)
  assert.equal((await call(t, 'PATCH', `${maps}/a`, { metadata: { finalizers: ['x/y'] } }, merge)).status, 200)
  assert.equal((await call(t, 'PATCH', `${maps}/a`, { metadata: { finalizers: null } }, merge)).status, 200)
  assert.equal((await call(t, 'GET', `${maps}/a`)).status, 404)
})

test('preconditions guard a delete', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', maps, { metadata: { name: 'a' } })
  assert.equal((await call(t, 'DELETE', `${maps}/a`, { preconditions: { uid: 'other' } })).status, 409)
  assert.equal((await call(t, 'DELETE', `${maps}/a`, { preconditions: { resourceVersion: '1000' } })).status, 409)
  const { value: gone } = await call(t, 'DELETE', `${maps}/a`, { preconditions: { uid: value.metadata.uid } })
  assert.deepEqual(gone.details, { name: 'a', kind: 'configmaps', uid: value.metadata.uid })
})

test('a collection is deleted by selector and answers what went', async () => {
  await using t = await startTestServer()
  for (const [name, x] of [
    ['a', '1'],
    ['b', '2'],
    ['c', '1'],
  ])
    await call(t, 'POST', maps, { metadata: { name, labels: { x } } })
  const { value } = await call(t, 'DELETE', `${maps}?labelSelector=x%3D1`)
  assert.equal(value.kind, 'ConfigMapList')
  assert.deepEqual(
    value.items.map((i: any) => i.metadata.name),
    ['a', 'c'],
  )
  assert.deepEqual(
    (await call(t, 'GET', maps)).value.items.map((i: any) => i.metadata.name),
    ['b'],
  )
})

test('an unscheduled pod goes at once, a scheduled one after its grace period', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', pods, pod('a'))
  await call(t, 'DELETE', `${pods}/a`)
  assert.equal((await call(t, 'GET', `${pods}/a`)).status, 404)
  await call(t, 'POST', pods, pod('b', { nodeName: 'n' }))
  const { value } = await call(t, 'DELETE', `${pods}/b`)
  assert.equal(value.metadata.deletionGracePeriodSeconds, 30)
  assert.equal((await call(t, 'GET', `${pods}/b`)).status, 200)
  await call(t, 'DELETE', `${pods}/b`, { gracePeriodSeconds: 0 })
  assert.equal((await call(t, 'GET', `${pods}/b`)).status, 404)
})

test('a pod is bound once', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', pods, pod('p'))
  const bound = await call(t, 'POST', `${pods}/p/binding`, { metadata: { name: 'p', annotations: { k: 'v' } }, target: { kind: 'Node', name: 'n' } })
  assert.equal(bound.status, 201)
  const { value } = await call(t, 'GET', `${pods}/p`)
  assert.equal(value.spec.nodeName, 'n')
  assert.equal(value.metadata.annotations.k, 'v')
  assert.equal(value.metadata.generation, 1)
  assert.deepEqual(
    value.status.conditions.map((c: any) => [c.type, c.status]),
    [['PodScheduled', 'True']],
  )
  const again = await call(t, 'POST', `${pods}/p/binding`, { metadata: { name: 'p' }, target: { kind: 'Node', name: 'm' } })
  assert.equal(again.value.message, 'Operation cannot be fulfilled on pods/binding "p": pod p is already assigned to node "n"')
  await call(t, 'POST', pods, pod('q'))
  assert.equal((await call(t, 'POST', '/api/v1/namespaces/default/bindings', { metadata: { name: 'q' }, target: { name: 'n' } })).status, 201)
})

test('an eviction asks the disruption budget', async () => {
  await using t = await startTestServer()
  const budgets = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
  await call(t, 'POST', pods, pod('p', { nodeName: 'n' }))
  await call(t, 'PATCH', `${pods}/p/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, merge)
  await call(t, 'POST', budgets, { metadata: { name: 'b' }, spec: { minAvailable: 1, selector: { matchLabels: { app: 'x' } } } })
  const evict = () => call(t, 'POST', `${pods}/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' } })
  const early = await evict()
  assert.equal(early.status, 429)
  assert.equal(early.value.details.causes[0].message, 'The disruption budget b is still being processed by the server.')
  const status = (disruptionsAllowed: number) =>
    call(
      t,
      'PATCH',
      `${budgets}/b/status`,
      { status: { observedGeneration: 1, disruptionsAllowed, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1 } },
      merge,
    )
  await status(0)
  const refusal = await evict()
  assert.equal(refusal.value.message, "Cannot evict pod as it would violate the pod's disruption budget.")
  assert.equal(refusal.value.details.causes[0].message, 'The disruption budget b needs 1 healthy pods and has 1 currently')
  await status(1)
  assert.equal((await evict()).status, 201)
  const { value } = await call(t, 'GET', `${budgets}/b`)
  assert.equal(value.status.disruptionsAllowed ?? 0, 0)
  assert.ok(value.status.disruptedPods.p)
  assert.ok((await call(t, 'GET', `${pods}/p`)).value.metadata.deletionTimestamp)
})

test('scale reads and writes replicas alone', async () => {
  await using t = await startTestServer()
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  await call(t, 'POST', deployments, { metadata: { name: 'd' }, spec: { replicas: 1, selector: { matchLabels: { a: 'b' } }, template } })
  const { value } = await call(t, 'GET', `${deployments}/d/scale`)
  assert.deepEqual(
    [value.kind, value.apiVersion, value.spec, value.status],
    ['Scale', 'autoscaling/v1', { replicas: 1 }, { replicas: 0, selector: 'a=b' }],
  )
  assert.deepEqual((await call(t, 'PUT', `${deployments}/d/scale`, { ...value, spec: { replicas: 3 } })).value.spec, { replicas: 3 })
  assert.deepEqual((await call(t, 'PATCH', `${deployments}/d/scale`, { spec: { replicas: 0 } }, merge)).value.spec, {})
  const { value: deployment } = await call(t, 'GET', `${deployments}/d`)
  assert.equal(deployment.spec.replicas, 0)
  assert.equal(deployment.metadata.generation, 3)
  assert.equal((await call(t, 'PUT', `${deployments}/d/scale`, value)).status, 409)
  assert.equal(
    (await call(t, 'PATCH', `${deployments}/d/scale`, { spec: { replicas: -1 } }, merge)).value.message,
    'Scale.autoscaling "d" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
  )
  assert.equal((await call(t, 'GET', `${deployments}/x/scale`)).value.message, 'deployments/scale.apps "x" not found')
})

test('a namespace goes when it is finalized', async () => {
  await using t = await startTestServer()
  const { value } = await call(t, 'POST', '/api/v1/namespaces', { metadata: { name: 'n' } })
  assert.deepEqual(value.spec.finalizers, ['kubernetes'])
  const marked = await call(t, 'DELETE', '/api/v1/namespaces/n')
  assert.equal(marked.value.status.phase, 'Terminating')
  assert.equal((await call(t, 'GET', '/api/v1/namespaces/n')).status, 200)
  await call(t, 'PUT', '/api/v1/namespaces/n/finalize', { metadata: { name: 'n' }, spec: { finalizers: [] } })
  assert.equal((await call(t, 'GET', '/api/v1/namespaces/n')).status, 404)
})

test('a kind is served in several versions', async () => {
  await using t = await startTestServer()
  const made = await call(t, 'POST', '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers', {
    metadata: { name: 'h' },
    spec: { maxReplicas: 3, targetCPUUtilizationPercentage: 50, scaleTargetRef: { kind: 'Deployment', name: 'd', apiVersion: 'apps/v1' } },
  })
  assert.equal(made.status, 201)
  assert.equal(made.value.apiVersion, 'autoscaling/v1')
  const { value } = await call(t, 'GET', '/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers/h')
  assert.equal(value.apiVersion, 'autoscaling/v2')
  assert.equal(value.spec.metrics[0].resource.target.averageUtilization, 50)
  const list = await call(t, 'GET', '/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers')
  assert.equal(list.value.items[0].apiVersion, 'autoscaling/v1')
  assert.equal(list.value.items[0].spec.targetCPUUtilizationPercentage, 50)
})

test('tables and metadata alone', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', maps, { metadata: { name: 'a' }, data: { k: 'v' } })
  const as = async (accept: string) => {
    const { body } = await t.server.transport(admin).send({ method: 'GET', path: maps, query: new URLSearchParams(), headers: { accept } })
    return (body as { value: any }).value
  }
  const table = await as('application/json;as=Table;v=v1;g=meta.k8s.io,application/json')
  assert.equal(table.kind, 'Table')
  assert.equal(table.rows[0].cells[0], 'a')
  assert.equal(table.rows[0].object.kind, 'PartialObjectMetadata')
  const partial = await as('application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io')
  assert.equal(partial.kind, 'PartialObjectMetadataList')
  assert.equal(partial.items[0].data, undefined)
  assert.equal((await as('application/xml')).code, 406)
})

test('an applied configuration means the object that it names', async () => {
  await using t = await startTestServer()
  const config = (metadata: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { k: 'v' } })
  const rows: [metadata: object, code: number, message: string][] = [
    [{ name: 'm', uid: 'x' }, 409, 'Operation cannot be fulfilled on configmaps "m": uid mismatch: the provided object specified uid x, and no existing object was found'], // prettier-ignore
    [{ name: 'm', resourceVersion: '5' }, 201, ''],
    [{ name: 'other' }, 400, 'the name of the object (other) does not match the name on the URL (m)'],
    [{ name: 'm', namespace: 'other' }, 400, 'the namespace of the provided object does not match the namespace sent on the request'],
    [{ name: 'm', uid: 'x' }, 422, 'ConfigMap "m" is invalid: metadata.uid: Invalid value: "x": field is immutable'],
    [{ name: 'm', resourceVersion: '99' }, 409, 'Operation cannot be fulfilled on configmaps "m": the object has been modified; please apply your changes to the latest version and try again'], // prettier-ignore
    [{ name: 'm' }, 200, ''],
  ]
  for (const [metadata, code, message] of rows) {
    const { status, value } = await call(t, 'PATCH', `${maps}/m?fieldManager=a`, config(metadata), apply)
    assert.deepEqual([status, code < 300 ? '' : value.message], [code, message], JSON.stringify(metadata))
  }
})

test('an empty list of managed fields forgets who manages what, null does not', async () => {
  await using t = await startTestServer()
  for (const managedFields of [[], [{}]]) {
    const name = `m${managedFields.length}`
    await call(t, 'POST', `${maps}?fieldManager=a`, { metadata: { name }, data: { k: 'v' } })
    const kept = await call(t, 'PATCH', `${maps}/${name}?fieldManager=a`, { metadata: { managedFields: null } }, merge)
    assert.equal(kept.value.metadata.managedFields.length, 1)
    const reset = await call(t, 'PATCH', `${maps}/${name}?fieldManager=a`, { metadata: { managedFields } }, merge)
    assert.equal(reset.value.metadata.managedFields, undefined)
  }
})

test('a write that changes nothing of a new object stores nothing, whatever defaults it got', async () => {
  await using t = await startTestServer()
  const labels = { app: 'a' }
  const template = { metadata: { labels }, spec: pod('a').spec }
  const deployments = '/apis/apps/v1/namespaces/default/deployments'
  const rows: [target: string, body: object][] = [
    [pods, { ...pod('a'), metadata: { name: 'a', labels } }],
    [deployments, { metadata: { name: 'a', labels }, spec: { selector: { matchLabels: labels }, template } }],
  ]
  for (const [target, body] of rows) {
    const { value: created } = await call(t, 'POST', target, body)
    const patched = await call(t, 'PATCH', `${target}/a`, { metadata: { labels } }, 'application/strategic-merge-patch+json')
    assert.equal(patched.value.metadata.resourceVersion, created.metadata.resourceVersion, 'a patch')
    const { value: replaced } = await call(t, 'PUT', `${target}/a`, created)
    assert.equal(replaced.metadata.resourceVersion, created.metadata.resourceVersion, 'an update')
  }
})

test('the resourceVersion 0 is none: an update with it is unconditional, where such are allowed', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', maps, { metadata: { name: 'a' } })
  const update = { metadata: { name: 'a', resourceVersion: '0' }, data: { k: 'v' } }
  const { status, value } = await call(t, 'PUT', `${maps}/a`, update)
  assert.deepEqual([status, value.data], [200, { k: 'v' }])
  const patched = await call(t, 'PATCH', `${maps}/a`, { ...update, data: { k: 'w' } }, merge)
  assert.equal(patched.status, 200)
  const leases = '/apis/coordination.k8s.io/v1/namespaces/default/leases'
  await call(t, 'POST', leases, { metadata: { name: 'a' }, spec: {} })
  const conditional = await call(t, 'PUT', `${leases}/a`, { metadata: { name: 'a', resourceVersion: '0' }, spec: {} })
  assert.equal(conditional.status, 422)
  assert.match(conditional.value.message, /metadata\.resourceVersion: Invalid value: 0x0: must be specified for an update/)
})
