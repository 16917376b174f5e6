import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Revision } from './history.ts'
import { planHistory, planTruncation, templateOf, templatePatch } from './history.ts'

const template = (image: string) => ({ spec: { containers: [{ name: 'app', image }] } })
const revision = (n: number, image: string): Revision => ({
  apiVersion: 'apps/v1',
  kind: 'ControllerRevision',
  metadata: { name: `r${n}` },
  data: templatePatch(template(image)),
  revision: n,
})

test('a revision keeps the template as a patch that puts it back', () => {
  assert.deepEqual(templatePatch(template('v1')), { spec: { template: { ...template('v1'), $patch: 'replace' } } })
  assert.deepEqual(templateOf(revision(1, 'v1')), template('v1'))
})

test('its bytes are those that clients compare', () => {
  const template = { spec: { restartPolicy: 'Always', containers: [] }, metadata: { labels: { b: '1', a: '2' } } } as never
  const expected = (time: string) =>
    `{"spec":{"template":{"$patch":"replace","metadata":{${time}"labels":{"a":"2","b":"1"}},"spec":{"containers":[],"restartPolicy":"Always"}}}}`
  assert.equal(JSON.stringify(templatePatch(template)), expected(''))
  assert.equal(JSON.stringify(templatePatch(template, { compat: '1.20' })), expected('"creationTimestamp":null,'))
})

test('an empty creation time makes no other template', () => {
  const old: Revision = {
    ...revision(1, 'v1'),
    data: templatePatch({ ...template('v1'), metadata: { labels: { a: 'b' } } as never }, { compat: '1.20' }),
  }
  assert.equal(planHistory([old], { ...template('v1'), metadata: { labels: { a: 'b' } } as never }).do, 'keep')
})

test('a template that was never there gets the next number', () => {
  const plan = planHistory([revision(1, 'v1'), revision(4, 'v2')], template('v3'))
  assert.deepEqual([plan.do, plan.do === 'create' && plan.revision, plan.old.length], ['create', 5, 2])
  assert.equal(planHistory([], template('v1')).do, 'create')
})

test('the newest stays what it is', () => {
  const plan = planHistory([revision(1, 'v1'), revision(2, 'v2')], template('v2'))
  assert.deepEqual([plan.do, plan.old.map((r) => r.revision)], ['keep', [1]])
})

test('one that comes back becomes the newest', () => {
  const plan = planHistory([revision(1, 'v1'), revision(2, 'v2')], template('v1'))
  assert.equal(plan.do === 'renumber' && plan.revision, 3)
})

test('the oldest that nothing uses go first', () => {
  const old = [revision(3, 'c'), revision(1, 'a'), revision(2, 'b'), revision(4, 'd')]
  const names = (limit: number, used: number[] = []) => planTruncation(old, limit, (r) => used.includes(r.revision)).map((r) => r.revision)
  assert.deepEqual(names(2), [1, 2])
  assert.deepEqual(names(2, [1]), [2])
  assert.deepEqual(names(10), [])
})
