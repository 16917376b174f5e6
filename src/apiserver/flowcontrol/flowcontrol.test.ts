import assert from 'node:assert/strict'
import { test } from 'node:test'
import { manualClock } from '#base'
import type { flowcontrol } from '#api'
import { parseRequest } from '../parse-request.ts'
import { inOrder, matchesRules, rulesFor } from './classify.ts'
import { defaultLevels, defaultSchemas } from './defaults.ts'
import { flowControl } from './flow-control.ts'
import { danglingCondition, planDefaults } from './objects.ts'
import type { Seat, TooManyRequests } from './seat.ts'
import { divideSeats, widestRequest } from './seats.ts'
import { dealHand, flowHash } from './shuffle.ts'

const user = (username: string, ...groups: string[]) => ({ username, groups: [...groups, 'system:authenticated'] })
const account = (namespace: string, name: string) =>
  user(`system:serviceaccount:${namespace}:${name}`, 'system:serviceaccounts', `system:serviceaccounts:${namespace}`)
const lease = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-1'

test('the default schemas classify', async (context) => {
  const rows: [string, ReturnType<typeof user>, string, string, string][] = [
    ['an administrator is exempt', user('admin', 'system:masters'), 'GET', '/api/v1/pods', 'exempt'],
    ['a probe is exempt', { username: 'system:anonymous', groups: ['system:unauthenticated'] }, 'GET', '/readyz', 'probes'],
    ['a part of a probe is not', user('alice'), 'GET', '/readyz/etcd', 'global-default'],
    ['a scheduler that renews its lease', user('system:kube-scheduler'), 'PUT', lease, 'system-leader-election'],
    ['a scheduler that watches', user('system:kube-scheduler'), 'GET', '/api/v1/pods?watch=1', 'kube-scheduler'],
    ['an account of kube-system that renews its lease', account('kube-system', 'operator'), 'PUT', lease, 'system-leader-election'],
    ['an account of kube-system', account('kube-system', 'operator'), 'GET', '/api/v1/pods', 'kube-system-service-accounts'],
    ['another account that renews its lease', account('shop', 'operator'), 'PUT', lease, 'service-accounts'],
    ['a kubelet that says it is alive', user('system:node:node-1', 'system:nodes'), 'PUT', lease, 'system-node-high'],
    ['a kubelet with its status', user('system:node:node-1', 'system:nodes'), 'PATCH', '/api/v1/nodes/node-1/status', 'system-node-high'],
    ['a kubelet that reads a secret', user('system:node:node-1', 'system:nodes'), 'GET', '/api/v1/namespaces/a/secrets/b', 'system-nodes'],
    [
      'endpoints of the endpoint controller',
      account('kube-system', 'endpoint-controller'),
      'PUT',
      '/api/v1/namespaces/a/endpoints/b',
      'kube-system-service-accounts',
    ],
    ['anybody', user('alice'), 'POST', '/api/v1/namespaces/a/pods', 'global-default'],
  ]
  for (const [name, who, method, url, expected] of rows)
    await context.test(name, () => {
      const [path, query] = url.split('?') as [string, string?]
      const info = parseRequest(method, path, new URLSearchParams(query), who)
      const found = inOrder(defaultSchemas).find((schema) => matchesRules(rulesFor(schema, who), info))
      assert.equal(found?.metadata.name, expected)
    })
})

test('seats are divided by shares as documented', () => {
  const seats = divideSeats(defaultLevels, 600)
  assert.deepEqual(seats.get('global-default'), { nominal: 49, min: 24, max: 649 })
  assert.deepEqual(seats.get('workload-low'), { nominal: 245, min: 24, max: 845 })
  assert.deepEqual(seats.get('leader-election'), { nominal: 25, min: 25, max: 625 })
  assert.deepEqual(seats.get('exempt'), { nominal: 0, min: 0, max: 600 })
})

test('a hand has different cards, and flows have different hands', () => {
  assert.deepEqual(dealHand(0, 4, 2), [0, 1])
  assert.deepEqual(dealHand(5, 4, 2), [1, 2])
  const hands = new Set<string>()
  const used = new Set<number>()
  for (let i = 0; i < 1000; i++) {
    const hand = dealHand(flowHash('service-accounts', `user-${i}`), 128, 6)
    assert.equal(new Set(hand).size, 6)
    assert.ok(hand.every((card) => Number.isInteger(card) && card >= 0 && card < 128))
    hands.add([...hand].sort((a, b) => a - b).join())
    for (const card of hand) used.add(card)
  }
  assert.ok(hands.size > 990, `${hands.size} hands`)
  assert.equal(used.size, 128)
})

/** A flow control whose turns end when the test says so. */
function controlled(options: { totalSeats?: number; levels?: flowcontrol.PriorityLevelConfiguration[]; schemas?: flowcontrol.FlowSchema[] } = {}) {
  const clock = manualClock()
  let deferred: (() => void)[] = []
  const control = flowControl({ clock, totalSeats: options.totalSeats ?? 600, defer: (fn) => void deferred.push(fn) })
  control.configure(options.levels ?? defaultLevels, options.schemas ?? defaultSchemas)
  return {
    clock,
    control,
    enter(who: ReturnType<typeof user>, path = '/api/v1/namespaces/a/pods/b', cost = 1) {
      const info = parseRequest('GET', path, undefined, who)
      return control.enter({ info, work: { cost, seats: 1, watchers: -1 }, now: clock.monotonic(), request: { query: new URLSearchParams() } })
    },
    async turn() {
      const fns = deferred
      deferred = []
      for (const fn of fns) fn()
      // a turn begins many requests, each in its microtask
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

const limited = (name: string, shares: number, queuing?: flowcontrol.QueuingConfiguration): flowcontrol.PriorityLevelConfiguration => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'PriorityLevelConfiguration',
  metadata: { name, uid: `level-${name}` },
  spec: { type: 'Limited', limited: { nominalConcurrencyShares: shares, limitResponse: queuing ? { type: 'Queue', queuing } : { type: 'Reject' } } },
})
const forUser = (name: string, level: string): flowcontrol.FlowSchema => ({
  apiVersion: 'flowcontrol.apiserver.k8s.io/v1',
  kind: 'FlowSchema',
  metadata: { name, uid: `schema-${name}` },
  spec: {
    priorityLevelConfiguration: { name: level },
    matchingPrecedence: 500,
    distinguisherMethod: { type: 'ByUser' },
    rules: [
      {
        subjects: [{ kind: 'User', user: { name } }],
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], clusterScope: true, namespaces: ['*'] }],
      },
    ],
  },
})

test('who finds a free seat has it at once', () => {
  const t = controlled()
  const seat = t.enter(user('alice'))
  assert.ok(!(seat instanceof Promise))
  assert.equal((seat as Seat).level.name, 'global-default')
  assert.equal((seat as Seat).level.executing, 1)
  t.control.leave(seat as Seat, 0, 0)
  assert.equal((seat as Seat).level.executing, 0)
})

test('who finds none waits, and is begun when one is given back', async () => {
  const t = controlled({
    totalSeats: 2,
    levels: [limited('small', 1, { queues: 4, handSize: 1, queueLengthLimit: 2 })],
    schemas: [forUser('bob', 'small')],
  })
  const bob = user('bob')
  const first = t.enter(bob) as Seat
  assert.equal(first.level.limits.nominal, 1)
  const waits = [t.enter(bob), t.enter(bob)]
  assert.ok(waits.every((w) => w instanceof Promise))
  await assert.rejects(
    async () => t.enter(bob),
    (error: TooManyRequests) => error.reason === 'queue-full' && error.seat.levelUid === 'level-small',
  )
  t.control.leave(first, 0, 0)
  await t.turn()
  const second = await waits[0]!
  assert.equal(second.level.executing, 1)
  assert.equal(second.level.waiting, 1)
})

test('a level that rejects lets nobody wait for a seat', async () => {
  const t = controlled({ totalSeats: 2, levels: [limited('strict', 5)], schemas: [forUser('bob', 'strict')] })
  const seat = t.enter(user('bob')) as Seat
  await assert.rejects(
    async () => t.enter(user('bob')),
    (error: TooManyRequests) => error.reason === 'concurrency-limit',
  )
  t.control.leave(seat, 0, 0)
  assert.ok(!(t.enter(user('bob')) instanceof Promise))
})

test('one turn of the loop begins only so much of a flood, and others take the next one', async () => {
  const t = controlled()
  const flood = Array.from({ length: 200 }, () => t.enter(user('mallory'), undefined, 4))
  const begun = () => flood.filter((f) => !(f instanceof Promise)).length
  assert.equal(begun(), 16)
  const other = t.enter(user('system:node:a', 'system:nodes'), '/api/v1/nodes/a/status', 4)
  const done: string[] = []
  if (other instanceof Promise) void other.then(() => done.push('node'))
  else done.push('node')
  for (const each of flood) if (each instanceof Promise) void each.then(() => done.push('flood'))
  for (const each of flood) if (!(each instanceof Promise)) t.control.leave(each, 0, 0)
  await t.turn()
  assert.ok(done.indexOf('node') >= 0 && done.indexOf('node') < 16, done.join())
  assert.ok(done.length <= 17)
})

test('flows of one level are served in turn, however many requests one of them has', async () => {
  const queuing = { queues: 64, handSize: 4, queueLengthLimit: 50 }
  const schema = forUser('alice', 'shared')
  schema.spec!.rules![0]!.subjects.push({ kind: 'User', user: { name: 'mallory' } })
  const t = controlled({ totalSeats: 2, levels: [limited('shared', 1, queuing)], schemas: [schema] })
  const first = t.enter(user('mallory')) as Seat
  const order: string[] = []
  const wait = (name: string) =>
    void (t.enter(user(name)) as Promise<Seat>).then((seat) => {
      order.push(name)
      t.control.leave(seat, 0, 0)
    })
  for (let i = 0; i < 100; i++) wait('mallory')
  for (let i = 0; i < 4; i++) wait('alice')
  t.control.leave(first, 0, 0)
  for (let i = 0; i < 40; i++) await t.turn()
  assert.ok(order.lastIndexOf('alice') < 20, order.slice(0, 30).join())
})

test('seats are lent by what levels want, and come back when their level wants them', async () => {
  const lender = limited('lender', 1, { queues: 1, handSize: 1, queueLengthLimit: 50 })
  lender.spec!.limited!.lendablePercent = 50
  const borrower = limited('borrower', 1, { queues: 1, handSize: 1, queueLengthLimit: 50 })
  const t = controlled({
    totalSeats: 20,
    levels: [lender, borrower, limited('catch-all', 0)],
    schemas: [forUser('bob', 'borrower'), forUser('lena', 'lender')],
  })
  const current = () =>
    Object.fromEntries(
      [...t.control.metrics.toString().matchAll(/current_limit_seats\{priority_level="(lender|borrower)"\} (\d+)/g)].map(([, name, n]) => [
        name,
        Number(n),
      ]),
    )
  assert.deepEqual(current(), { lender: 7, borrower: 13 })
  const begun: string[] = []
  const ask = (who: string, count: number) => {
    for (let i = 0; i < count; i++) {
      const seat = t.enter(user(who))
      if (seat instanceof Promise)
        void seat.then(
          () => begun.push(who),
          () => {},
        )
      else begun.push(who)
    }
  }
  const count = (who: string) => begun.filter((name) => name === who).length
  ask('bob', 20)
  assert.equal(count('bob'), 13)
  await t.clock.advance(10_000)
  t.control.lend()
  assert.deepEqual(current(), { lender: 5, borrower: 15 })
  for (let i = 0; i < 10; i++) await t.turn()
  assert.equal(count('bob'), 15)
  // half of its share is the lender's at any time; the rest when it has asked for a while
  ask('lena', 8)
  assert.equal(count('lena'), 5)
  await t.clock.advance(4_000)
  t.control.lend()
  assert.deepEqual(current(), { lender: 8, borrower: 12 })
  for (let i = 0; i < 10; i++) await t.turn()
  assert.equal(count('lena'), 8)
})

test('a write that many watch keeps seats for a while when it is answered', async () => {
  const t = controlled()
  const info = parseRequest('PUT', '/api/v1/namespaces/a/pods/b', undefined, user('alice'))
  const enter = (watchers: number) =>
    t.control.enter({ info, work: { cost: 3, seats: 1, watchers }, now: t.clock.monotonic(), request: { query: new URLSearchParams() } }) as Seat
  const few = enter(9)
  assert.equal(few.level.executing, 1)
  t.control.leave(few, 0, 0)
  assert.equal(few.level.executing, 0)
  // 31 watches are 4 seats for 5 ms
  const many = enter(31)
  assert.equal(many.level.executing, 4)
  t.control.leave(many, 0, 0)
  assert.equal(many.level.executing, 4)
  await t.clock.advance(5)
  assert.equal(many.level.executing, 0)
  // at most 8 of the 49 seats of this level, for longer then
  const crowd = enter(1000)
  assert.deepEqual([crowd.seats, crowd.after], [8, 62.5])
})

test('one request takes at most a part of its level', () => {
  const level = (name: string) => defaultLevels.find(({ metadata }) => metadata.name === name)!
  assert.equal(widestRequest(level('global-default'), 49), 8)
  assert.equal(widestRequest(level('leader-election'), 25), 4)
  assert.equal(widestRequest(level('leader-election'), 3), 1)
  assert.equal(widestRequest(level('catch-all'), 13), undefined)
})

test('who waits may do so for a quarter of his own timeout', async () => {
  const t = controlled({
    totalSeats: 2,
    levels: [limited('small', 1, { queues: 1, handSize: 1, queueLengthLimit: 9 })],
    schemas: [forUser('bob', 'small')],
  })
  t.enter(user('bob'))
  const info = parseRequest('GET', '/api/v1/namespaces/a/pods/b', undefined, user('bob'))
  const hurried = t.control.enter({ info, work: { cost: 1, seats: 1, watchers: -1 }, now: 0, request: { query: new URLSearchParams('timeout=8s') } })
  const patient = t.enter(user('bob'))
  const outcomes: string[] = []
  for (const [name, seat] of [
    ['hurried', hurried],
    ['patient', patient],
  ] as const)
    void (seat as Promise<Seat>).catch(() => outcomes.push(name))
  await t.clock.advance(3_000)
  assert.deepEqual(outcomes, ['hurried'])
  await t.clock.advance(13_000)
  assert.deepEqual(outcomes, ['hurried', 'patient'])
})

test('what goes on is shown as tables', async () => {
  const t = controlled({
    totalSeats: 2,
    levels: [limited('small', 1, { queues: 4, handSize: 1, queueLengthLimit: 2 })],
    schemas: [forUser('bob', 'small')],
  })
  const first = t.enter(user('bob')) as Seat
  const second = t.enter(user('bob')) as Promise<Seat>
  t.enter(user('bob'))
  const rows = (text: string) => text.split('\n').map((line) => line.split(/, */))
  const levelRow = rows(t.control.dump.dump_priority_levels(false)).find(([name]) => name === 'small')
  assert.deepEqual(levelRow, ['small', '1', 'false', 'false', '2', '1', '1', '0', '0', '0'])
  const queue = rows(t.control.dump.dump_queues(false))[1]!
  assert.deepEqual([queue[0], ...queue.slice(2, 5)], ['small', '2', '0', '0'])
  const [header, request] = rows(t.control.dump.dump_requests(true))
  assert.equal(header!.length, 18)
  assert.deepEqual(
    [request![1], request![3], ...request!.slice(4, 10)],
    ['bob', '0', 'bob', '2026-01-01T00:00:00.000Z', '1', '0', '0s', '0001-01-01T00:00:00Z'],
  )
  assert.deepEqual(request!.slice(10), ['bob', 'get', '/api/v1/namespaces/a/pods/b', 'a', 'b', 'v1', 'pods', ''])
  t.control.leave(first, 0, 0)
  await t.turn()
  await second
  // what waited is listed while it is under way
  assert.deepEqual(
    rows(t.control.dump.dump_requests(false)).map((row) => row[3]),
    ['RequestIndexInQueue', '0', '-1', undefined],
  )
})

test('who has waited too long is sent away', async () => {
  const t = controlled({
    totalSeats: 2,
    levels: [limited('small', 1, { queues: 1, handSize: 1, queueLengthLimit: 9 })],
    schemas: [forUser('bob', 'small')],
  })
  t.enter(user('bob'))
  const waiting = assert.rejects(t.enter(user('bob')) as Promise<Seat>, (error: TooManyRequests) => error.reason === 'time-out')
  await t.clock.advance(17_000)
  await waiting
  assert.match(t.control.metrics.toString(), /rejected_requests_total\{flow_schema="bob",priority_level="small",reason="time-out"\} 1/)
})

test('a new configuration keeps who waits', async () => {
  const queuing = { queues: 8, handSize: 1, queueLengthLimit: 9 }
  const t = controlled({ totalSeats: 2, levels: [limited('small', 1, queuing)], schemas: [forUser('bob', 'small')] })
  t.enter(user('bob'))
  const waiting = t.enter(user('bob'))
  t.control.configure([limited('small', 1, { ...queuing, queues: 2 }), limited('other', 1)], [forUser('bob', 'other')])
  const elsewhere = t.enter(user('bob'))
  assert.equal((elsewhere as Seat).level.name, 'other')
  t.control.configure([limited('small', 50, { ...queuing, queues: 2 })], [])
  // the other level's request is under way: some turns pass for its sake
  for (let i = 0; i < 10; i++) await t.turn()
  assert.equal((await waiting).level.name, 'small')
})

test('defaults are made, put right where they must be, and left alone where they may be changed', async (context) => {
  const stored = <T extends { metadata: object }>(object: T, metadata = {}, spec = {}) =>
    ({ ...object, metadata: { ...object.metadata, generation: 2, ...metadata }, spec: { ...(object as { spec?: object }).spec, ...spec } }) as T
  const [exempt] = defaultLevels
  const system = defaultLevels[2]!
  const catchAll = defaultSchemas.at(-1)!
  await context.test('what is missing is made', () => {
    assert.deepEqual(
      planDefaults(defaultLevels, []).map((s) => s.action),
      defaultLevels.map(() => 'create'),
    )
  })
  await context.test('what is as it should be is left', () =>
    assert.deepEqual(planDefaults([exempt!, system], [stored(exempt!), stored(system)]), []),
  )
  await context.test('a mandatory one is put right', () => {
    const [step] = planDefaults([catchAll], [stored(catchAll, {}, { matchingPrecedence: 77 })])
    assert.equal(step?.action, 'update')
    assert.equal(step?.object.spec?.matchingPrecedence, 10000)
  })
  await context.test('the exempt level keeps the shares that it was given', () =>
    assert.deepEqual(planDefaults([exempt!], [stored(exempt!, {}, { exempt: { nominalConcurrencyShares: 10, lendablePercent: 20 } })]), []),
  )
  await context.test('a suggested one that nobody claimed is put right', () =>
    assert.equal(planDefaults([system], [stored(system, {}, { limited: { nominalConcurrencyShares: 3 } })]).length, 1),
  )
  await context.test('one that somebody changed is marked as his, and left', () => {
    const [step, ...more] = planDefaults([system], [stored(system, { annotations: {} }, { limited: { nominalConcurrencyShares: 3 } })])
    assert.deepEqual(more, [])
    assert.equal(step?.object.metadata.annotations?.['apf.kubernetes.io/autoupdate-spec'], 'false')
    assert.equal((step!.object as flowcontrol.PriorityLevelConfiguration).spec?.limited?.nominalConcurrencyShares, 3)
  })
  await context.test("what was a default of another release goes, but not what is the administrator's", () =>
    assert.deepEqual(
      planDefaults(
        [system],
        [
          stored(system),
          stored({ ...system, metadata: { ...system.metadata, name: 'old' } }),
          stored({ ...system, metadata: { name: 'mine' } }),
          stored({ ...system, metadata: { name: 'kept', annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } } }),
        ],
      ).map(({ action, object }) => [action, object.metadata.name]),
      [['delete', 'old']],
    ),
  )
  await context.test('one that says it is not to be touched is not', () =>
    assert.deepEqual(
      planDefaults(
        [system],
        [stored(system, { annotations: { 'apf.kubernetes.io/autoupdate-spec': 'false' } }, { limited: { nominalConcurrencyShares: 3 } })],
      ),
      [],
    ),
  )
})

test('a schema says whether its level is there', () => {
  const schema = forUser('bob', 'gone')
  const missing = danglingCondition(schema, new Set(), 'T1')!
  assert.deepEqual(missing, {
    type: 'Dangling',
    status: 'True',
    lastTransitionTime: 'T1',
    reason: 'NotFound',
    message: 'This FlowSchema references the PriorityLevelConfiguration object named "gone" but there is no such object',
  })
  const told = { ...schema, status: { conditions: [missing] } }
  assert.equal(danglingCondition(told, new Set(), 'T2'), undefined)
  assert.equal(danglingCondition(told, new Set(['gone']), 'T2')?.status, 'False')
})
