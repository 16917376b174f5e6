import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Request } from '#client'
import type { TestServer } from '../../test-server.ts'
import { admin, startTestServer } from '../../test-server.ts'

interface Answer {
  status: number
  value: any
}

async function call(
  t: TestServer,
  method: Request['method'],
  target: string,
  body?: object,
  contentType = 'application/json',
  accept?: string,
): Promise<Answer> {
  const [path, search] = target.split('?') as [string, string?]
  const { status, body: answer } = await t.server.transport(admin).send({
    method,
    path,
    query: new URLSearchParams(search),
    headers: { 'content-type': contentType, ...(accept ? { accept } : {}) },
    ...(body ? { body } : {}),
  })
  assert.ok('value' in answer)
  return { status, value: answer.value }
}

const pods = '/api/v1/namespaces/default/pods'
const merge = 'application/merge-patch+json'

test('events are selected by the names that their group gives the fields', async () => {
  await using t = await startTestServer()
  const events = '/apis/events.k8s.io/v1/namespaces/default/events'
  const made = await call(t, 'POST', events, {
    metadata: { name: 'e' },
    eventTime: '2026-01-01T00:00:00.000000Z',
    reportingController: 'example.com/c',
    reportingInstance: 'i',
    action: 'A',
    reason: 'R',
    type: 'Normal',
    regarding: { kind: 'Pod', name: 'p', namespace: 'default' },
  })
  assert.equal(made.status, 201, JSON.stringify(made.value))
  const count = async (path: string, selector: string) => {
    const { status, value } = await call(t, 'GET', `${path}?fieldSelector=${encodeURIComponent(selector)}`)
    return status === 200 ? value.items.length : value.message
  }
  const core = '/api/v1/namespaces/default/events'
  const rows: [path: string, selector: string, found: number | string][] = [
    [events, 'regarding.name=p', 1],
    [events, 'regarding.name=q', 0],
    [events, 'regarding.kind=Pod,reportingController=example.com/c,reason=R,type=Normal', 1],
    [events, 'reportingController!=example.com/c', 0],
    [events, 'involvedObject.name=p', 'field label not supported: involvedObject.name'],
    [core, 'involvedObject.name=p', 1],
    [core, 'involvedObject.name=p,source=example.com/c,metadata.name=e', 1],
    [core, 'reportingComponent=example.com/c', 1],
    [core, 'regarding.name=p', 'field label not supported: regarding.name'],
    [core, 'reportingController=example.com/c', 'field label not supported: reportingController'],
  ]
  for (const [path, selector, found] of rows) assert.equal(await count(path, selector), found, selector)
})

test('a resize changes resources alone, counts as a generation, and refuses what upstream refuses', async () => {
  await using t = await startTestServer()
  const resources = { requests: { cpu: '100m', memory: '64Mi' }, limits: { memory: '128Mi' } }
  await call(t, 'POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i', resources }] } })
  const resize = (container: object, method: 'PATCH' | 'PUT' = 'PATCH') =>
    call(t, method, `${pods}/p/resize`, { spec: { nodeName: 'n', containers: [{ name: 'c', image: 'other', ...container }] } }, merge)
  const grown = await resize({ resources: { ...resources, requests: { cpu: '200m', memory: '64Mi' } } })
  assert.equal(grown.status, 200)
  const { spec, metadata } = grown.value
  assert.deepEqual(
    [spec.containers[0].resources.requests.cpu, spec.containers[0].image, spec.nodeName, metadata.generation],
    ['200m', 'i', undefined, 2],
  )
  const refused = await resize({ resources: {} })
  assert.equal(refused.status, 422)
  assert.deepEqual(
    refused.value.details.causes.map((c: { field: string }) => c.field),
    ['spec', 'spec.containers[0].resources.requests', 'spec.containers[0].resources.limits'],
  )
  // the main resource still refuses it
  const main = await call(t, 'PATCH', `${pods}/p`, { spec: { containers: [{ name: 'c', image: 'i', resources: {} }] } }, merge)
  assert.equal(main.status, 422)
})

const budget = (name: string, spec: object, status: object) => ({
  metadata: { name },
  spec: { selector: { matchLabels: { app: 'x' } }, ...spec },
  status: { observedGeneration: 1, currentHealthy: 1, desiredHealthy: 1, expectedPods: 1, disruptionsAllowed: 0, ...status },
})

interface Eviction {
  name: string
  ready?: boolean
  phase?: string
  budgets: ReturnType<typeof budget>[]
  dryRun?: boolean
  code: number
  message?: RegExp
  /** What is left to disrupt. */
  left?: number
}

const evictions: Eviction[] = [
  { name: 'without a budget a pod may go', budgets: [], code: 201 },
  { name: 'a budget that allows it is charged', budgets: [budget('a', {}, { disruptionsAllowed: 1 })], code: 201, left: 0 },
  { name: 'a dry run charges nothing', dryRun: true, budgets: [budget('a', {}, { disruptionsAllowed: 1 })], code: 201, left: 1 },
  { name: 'a budget that is used up refuses', budgets: [budget('a', {}, {})], code: 429, message: /violate the pod's disruption budget/, left: 0 },
  { name: 'a dry run is refused as well', dryRun: true, budgets: [budget('a', {}, {})], code: 429 },
  {
    name: 'a budget that nobody has looked at yet is waited for',
    budgets: [budget('a', {}, { observedGeneration: 0, disruptionsAllowed: 1 })],
    code: 429,
  },
  { name: 'a budget below zero is an error', budgets: [budget('a', {}, { disruptionsAllowed: -1 })], code: 422 },
  {
    name: 'two budgets are one too many',
    budgets: [budget('a', {}, { disruptionsAllowed: 1 }), budget('b', {}, { disruptionsAllowed: 1 })],
    code: 500,
  },
  { name: 'a pod that is not ready may go while the others are healthy', ready: false, budgets: [budget('a', {}, {})], code: 201, left: 0 },
  { name: 'and may not while they are not', ready: false, budgets: [budget('a', {}, { currentHealthy: 0 })], code: 429 },
  {
    name: 'it may always go where the policy says so',
    ready: false,
    budgets: [budget('a', { unhealthyPodEvictionPolicy: 'AlwaysAllow' }, { currentHealthy: 0 })],
    code: 201,
  },
  { name: 'a pod that is done disturbs nobody', phase: 'Succeeded', budgets: [budget('a', {}, {})], code: 201, left: 0 },
  { name: 'nor does one that has not begun', phase: 'Pending', budgets: [budget('a', {}, {})], code: 201, left: 0 },
]

for (const { name, ready = true, phase = 'Running', budgets, dryRun, code, message, left } of evictions) {
  test(`eviction: ${name}`, async () => {
    await using t = await startTestServer()
    await call(t, 'POST', pods, { metadata: { name: 'p', labels: { app: 'x' } }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
    await call(t, 'PATCH', `${pods}/p/status`, { status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] } }, merge)
    const all = '/apis/policy/v1/namespaces/default/poddisruptionbudgets'
    for (const one of budgets) {
      await call(t, 'POST', all, one)
      const written = await call(t, 'PATCH', `${all}/${one.metadata.name}/status`, { status: one.status }, merge)
      if (written.status !== 200) {
        // the server keeps such a status out itself
        assert.equal(written.status, code)
        return
      }
    }
    const answer = await call(t, 'POST', `${pods}/p/eviction`, {
      apiVersion: 'policy/v1',
      kind: 'Eviction',
      metadata: { name: 'p' },
      ...(dryRun ? { deleteOptions: { dryRun: ['All'] } } : {}),
    })
    assert.equal(answer.status, code, JSON.stringify(answer.value))
    if (message) assert.match(answer.value.message, message)
    if (left !== undefined) {
      const charged = (await call(t, 'GET', `${all}/a`)).value.status
      assert.equal(charged.disruptionsAllowed, left)
      const allows = charged.conditions?.find((c: { type: string }) => c.type === 'DisruptionAllowed')
      if (charged.disruptedPods) assert.deepEqual([allows.status, allows.reason], ['False', 'InsufficientPods'])
    }
    const { status, value } = await call(t, 'GET', `${pods}/p`)
    const goes = status === 404 || value.metadata.deletionTimestamp !== undefined
    assert.equal(goes, code === 201 && !dryRun)
    const target = value.status?.conditions?.find((c: { type: string }) => c.type === 'DisruptionTarget')
    if (status === 200) assert.equal(target?.reason, goes ? 'EvictionByEvictionAPI' : undefined)
  })
}

test('an eviction keeps to its preconditions, its own change of the status aside', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', pods, { metadata: { name: 'p' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  await call(t, 'PATCH', `${pods}/p/status`, { status: { phase: 'Running' } }, merge)
  const seen = (await call(t, 'GET', `${pods}/p`)).value.metadata
  const evict = (preconditions: object) =>
    call(t, 'POST', `${pods}/p/eviction`, { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'p' }, deleteOptions: { preconditions } })
  assert.equal((await evict({ uid: 'another' })).status, 409)
  assert.equal((await evict({ resourceVersion: '1' })).status, 409)
  assert.equal((await call(t, 'GET', `${pods}/p`)).value.metadata.resourceVersion, seen.resourceVersion)
  assert.equal((await evict({ uid: seen.uid, resourceVersion: seen.resourceVersion })).status, 201)
  assert.ok((await call(t, 'GET', `${pods}/p`)).value.metadata.deletionTimestamp)
})

test('a scale is written with a precondition, is validated, and names what it scales', async () => {
  await using t = await startTestServer()
  const labels = { app: 'x' }
  const template = { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } }
  const spec = { replicas: 1, selector: { matchLabels: labels }, template }
  const scalable: [path: string, spec: object][] = [
    ['/apis/apps/v1/namespaces/default/deployments', spec],
    ['/apis/apps/v1/namespaces/default/replicasets', spec],
    ['/apis/apps/v1/namespaces/default/statefulsets', { ...spec, serviceName: 's' }],
    ['/api/v1/namespaces/default/replicationcontrollers', { replicas: 1, selector: labels, template }],
  ]
  for (const [path, own] of scalable) {
    assert.equal((await call(t, 'POST', path, { metadata: { name: 'a' }, spec: own })).status, 201)
    const read = await call(t, 'GET', `${path}/a/scale`)
    assert.deepEqual([read.value.spec.replicas, read.value.status.selector], [1, 'app=x'])
    const table = await call(t, 'GET', `${path}/a/scale`, undefined, 'application/json', 'application/json;as=Table;v=v1;g=meta.k8s.io')
    assert.deepEqual(
      table.value.columnDefinitions.map((column: { name: string }) => column.name),
      ['Name', 'Desired', 'Available', 'Age'],
    )
    assert.deepEqual(table.value.rows[0].cells.slice(0, 3), ['a', 1, 0])
    const scale = { ...read.value, spec: { replicas: 4 } }
    assert.deepEqual((await call(t, 'PUT', `${path}/a/scale`, scale)).value.spec, { replicas: 4 })
    assert.equal((await call(t, 'PUT', `${path}/a/scale`, scale)).status, 409)
    assert.equal((await call(t, 'PATCH', `${path}/a/scale`, { spec: { replicas: 2 } }, merge)).value.spec.replicas, 2)
    const dry = await call(t, 'PATCH', `${path}/a/scale?dryRun=All`, { spec: { replicas: 9 } }, merge)
    assert.equal(dry.value.spec.replicas, 9)
    const object = (await call(t, 'GET', `${path}/a`)).value
    assert.deepEqual([object.spec.replicas, object.metadata.generation], [2, 3])
    const negative = await call(t, 'PATCH', `${path}/a/scale`, { spec: { replicas: -1 } }, merge)
    assert.deepEqual([negative.status, negative.value.details.causes[0].field], [422, 'spec.replicas'])
    assert.equal((await call(t, 'PUT', `${path}/a/scale`, { ...scale, metadata: { name: 'b' } })).status, 400)
    assert.equal((await call(t, 'GET', `${path}/nope/scale`)).status, 404)
  }
})

test('a pod is bound once, to a node, and not when it waits or goes', async () => {
  await using t = await startTestServer()
  const make = (name: string, more: object = {}) =>
    call(t, 'POST', pods, { metadata: { name }, spec: { containers: [{ name: 'c', image: 'i' }], ...more } })
  const bind = (name: string, target: object = { kind: 'Node', name: 'n' }, metadata: object = {}) =>
    call(t, 'POST', `${pods}/${name}/binding`, { metadata: { name, ...metadata }, target })
  await make('p')
  await make('gated', { schedulingGates: [{ name: 'example.com/g' }] })
  const before = (await call(t, 'GET', `${pods}/p`)).value.metadata
  await call(t, 'PATCH', `${pods}/p/status`, { status: { nominatedNodeName: 'n' } }, merge)
  assert.equal((await bind('p', { kind: 'Pod', name: 'n' })).status, 500)
  assert.equal((await bind('p', { kind: 'Node', name: 'n' }, { uid: 'other' })).status, 409)
  assert.equal((await bind('p', { kind: 'Node', name: 'n' }, { uid: before.uid, annotations: { k: 'v' }, labels: { l: 'v' } })).status, 201)
  const bound = (await call(t, 'GET', `${pods}/p`)).value
  assert.deepEqual([bound.metadata.labels, bound.status.nominatedNodeName], [{ l: 'v' }, undefined])
  assert.deepEqual([bound.spec.nodeName, bound.metadata.annotations, bound.metadata.generation], ['n', { k: 'v' }, before.generation])
  assert.equal(bound.status.conditions.find((c: { type: string }) => c.type === 'PodScheduled').status, 'True')
  assert.equal((await bind('p')).status, 409)
  assert.equal((await bind('gated')).status, 409)
  assert.equal((await bind('nope')).status, 404)
})

test('ephemeral containers are added and never changed', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', pods, { metadata: { name: 'p' }, spec: { containers: [{ name: 'c', image: 'i' }] } })
  const put = async (ephemeralContainers: object[]) => {
    const pod = (await call(t, 'GET', `${pods}/p`)).value
    return call(t, 'PUT', `${pods}/p/ephemeralcontainers`, { ...pod, spec: { ...pod.spec, ephemeralContainers } })
  }
  const debug = { name: 'd', image: 'i', targetContainerName: 'c' }
  const added = await put([debug])
  assert.equal(added.status, 200, JSON.stringify(added.value))
  assert.equal((await put([])).status, 422)
  assert.equal((await put([{ ...debug, image: 'other' }])).status, 422)
  assert.equal((await put([debug, { name: 'c', image: 'i' }])).status, 422)
  assert.equal((await put([debug, { name: 'e', image: 'i', targetContainerName: 'nope' }])).status, 422)
  assert.equal((await put([debug, { name: 'e', image: 'i', ports: [{ containerPort: 80 }] }])).status, 422)
  assert.equal((await put([debug, { name: 'e', image: ' i' }])).status, 422)
  assert.equal((await put([debug, { name: 'e', image: 'i' }])).status, 200)
})

test('static pods get no ephemeral containers, and are not resized', async () => {
  await using t = await startTestServer()
  const mirror = { annotations: { 'kubernetes.io/config.mirror': 'x' } }
  await call(t, 'POST', pods, { metadata: { name: 'p', ...mirror }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'i' }] } })
  const pod = (await call(t, 'GET', `${pods}/p`)).value
  const refused = async (subresource: string, spec: object) => {
    const { status, value } = await call(t, 'PUT', `${pods}/p/${subresource}`, { ...pod, spec: { ...pod.spec, ...spec } })
    return [status, value.message]
  }
  assert.deepEqual(await refused('ephemeralcontainers', { ephemeralContainers: [{ name: 'd', image: 'i' }] }), [
    422,
    'Pod "p" is invalid: : Forbidden: static pods do not support ephemeral containers',
  ])
  assert.deepEqual(await refused('resize', { resources: { requests: { cpu: '1' } } }), [
    422,
    'Pod "p" is invalid: : Forbidden: static pods cannot be resized',
  ])
})

test('a collection goes by selectors, and no more than the limit of it', async () => {
  await using t = await startTestServer()
  const maps = '/api/v1/namespaces/default/configmaps'
  for (const name of ['a', 'b', 'c', 'd']) await call(t, 'POST', maps, { metadata: { name, labels: { half: name < 'c' ? 'first' : 'second' } } })
  const names = async () => (await call(t, 'GET', maps)).value.items.map((item: { metadata: { name: string } }) => item.metadata.name).join('')
  await call(t, 'DELETE', `${maps}?dryRun=All`)
  assert.equal(await names(), 'abcd')
  await call(t, 'DELETE', `${maps}?labelSelector=half%3Dfirst&limit=1`)
  assert.equal(await names(), 'bcd')
  await call(t, 'DELETE', `${maps}?fieldSelector=metadata.name!%3Dc`)
  assert.equal(await names(), 'c')
})

test('finalizers of a namespace are standard or fully qualified', async () => {
  await using t = await startTestServer()
  await call(t, 'POST', '/api/v1/namespaces', { metadata: { name: 'n' } })
  const neither = 'name is neither a standard finalizer name nor is it fully qualified'
  const rows: [finalizers: string[], refused?: string][] = [
    [['kubernetes', 'example.com/a']],
    [['kubernetes', 'own'], `Namespace "n" is invalid: spec.finalizers[1]: Invalid value: "own": ${neither}`],
  ]
  for (const [finalizers, refused] of rows) {
    const { value } = await call(t, 'PUT', '/api/v1/namespaces/n/finalize', { metadata: { name: 'n' }, spec: { finalizers } })
    assert.equal(value.message, refused)
    if (!refused) assert.deepEqual(value.spec.finalizers, finalizers)
  }
})
