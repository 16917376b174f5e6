import assert from 'node:assert/strict'
import { test } from 'node:test'
import { StatusError } from '#api'
import { applyJsonPatch, applyMergePatch } from './json-patch.ts'

const fails = (code: number, run: () => unknown) => assert.throws(run, (error) => error instanceof StatusError && error.code === code)

test('json patch: operations apply in order, to a copy', () => {
  const object = { a: [1, 2, 3], b: { c: 'x' } }
  const patched = applyJsonPatch(object, [
    { op: 'test', path: '/b/c', value: 'x' },
    { op: 'add', path: '/a/-', value: 4 },
    { op: 'remove', path: '/a/0' },
    { op: 'replace', path: '/b/c', value: { d: null } },
    { op: 'copy', from: '/a', path: '/e' },
    { op: 'move', from: '/b/c/d', path: '/f~1g' },
  ])
  assert.deepEqual(patched, { a: [2, 3, 4], b: { c: {} }, e: [2, 3, 4], 'f/g': null })
  assert.deepEqual(object, { a: [1, 2, 3], b: { c: 'x' } })
})

test('json patch: what is no patch is 400, what does not fit is 422, too much is 413', () => {
  const object = { a: { b: 1 } }
  fails(400, () => applyJsonPatch(object, { op: 'add' }))
  fails(400, () => applyJsonPatch(object, ['add']))
  for (const operation of [
    { op: 'test', path: '/a/b', value: 2 },
    { op: 'remove', path: '/a/x' },
    { op: 'replace', path: '/x', value: 1 },
    { op: 'add', path: '/x/y', value: 1 },
    { op: 'add', path: 'no-pointer', value: 1 },
    { op: 'nonsense', path: '/a' },
    { op: 'copy', from: '/x', path: '/y' },
    { op: 'copy', path: '/y' },
    { op: 'add', path: '', value: {} },
    { op: 'remove', path: '/constructor' },
    null,
  ])
    fails(422, () => applyJsonPatch(object, [operation]))
  fails(413, () => applyJsonPatch(object, Array(10_001).fill({ op: 'test', path: '/a/b', value: 1 })))
})

test('json patch: copies cannot blow an object up', () => {
  const copies = Array.from({ length: 60 }, (_, i) => ({ op: 'copy', from: '/a', path: `/c${i}` }))
  fails(422, () => applyJsonPatch({ a: 'x'.repeat(100_000) }, copies))
  const deeper = Array.from({ length: 1500 }, () => [
    { op: 'add', path: '/n', value: {} },
    { op: 'move', from: '/a', path: '/n/a' },
    { op: 'move', from: '/n', path: '/a' },
  ])
  fails(422, () => applyJsonPatch({ a: {} }, deeper.flat()))
})

test('json patch: the prototype of objects is out of reach', () => {
  assert.throws(() => applyJsonPatch({ a: {} }, [{ op: 'add', path: '/__proto__/polluted', value: 1 }]))
  assert.throws(() => applyJsonPatch({ a: {} }, [{ op: 'add', path: '/constructor/prototype/polluted', value: 1 }]))
  assert.equal(({} as any).polluted, undefined)
  const keys = ['__proto__', 'constructor', 'toString'].map((key) => ({ op: 'add', path: `/a/${key}`, value: 'x' }))
  assert.deepEqual(Object.entries(applyJsonPatch({ a: {} }, keys).a), [
    ['__proto__', 'x'],
    ['constructor', 'x'],
    ['toString', 'x'],
  ])
})

test('json patch: what upstream allows beyond the RFC', () => {
  const object = { a: ['x', 'y'], b: { c: 1 } }
  const rows: [patch: unknown, expected: unknown][] = [
    [null, object],
    [[{ op: 'add', path: '/a/-1', value: 'z' }], { ...object, a: ['x', 'y', 'z'] }],
    [[{ op: 'remove', path: '/a/-1' }], { ...object, a: ['x'] }],
    [[{ op: 'add', path: '/b/d' }], { ...object, b: { c: 1, d: null } }],
    [[{ op: 'test', path: '/b/d', value: null }], object],
  ]
  for (const [patch, expected] of rows) assert.deepEqual(applyJsonPatch(object, patch), expected)
})

test('merge patch: the examples of RFC 7386', () => {
  for (const [object, patch, expected] of [
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ] as [object, object, object][])
    assert.deepEqual(applyMergePatch(object, patch), expected)
})

test('merge patch: only an object is a patch, and the prototype is out of reach', () => {
  for (const patch of [[], 'x', null, 1]) fails(400, () => applyMergePatch({}, patch))
  const patched: any = applyMergePatch({}, JSON.parse('{"__proto__": {"polluted": 1}}'))
  assert.equal(patched.polluted, undefined)
  assert.equal(Object.getPrototypeOf(patched), Object.prototype)
})

test('json patch: a bounded number of items is moved in lists, however few operations ask for it', () => {
  const list = Array.from({ length: 100_000 }, () => 0)
  const insert = { op: 'add', path: '/a/0', value: 1 }
  fails(422, () => applyJsonPatch({ a: list }, Array(1000).fill(insert)))
  fails(422, () => applyJsonPatch({ a: list }, Array(1000).fill({ op: 'remove', path: '/a/0' })))
  fails(422, () => applyJsonPatch({ a: list }, Array(1000).fill({ op: 'move', path: '/a/0', from: '/a/1' })))
  assert.equal(applyJsonPatch({ a: list }, Array(1000).fill({ op: 'add', path: '/a/-', value: 1 })).a.length, 101_000)
  assert.equal(applyJsonPatch({ a: [] as number[] }, Array(10_000).fill(insert)).a.length, 10_000)
})

test('json patch: copies of what is small in text and large in memory are bounded', () => {
  const copies = Array(30).fill({ op: 'copy', from: '/a', path: '/a/0' })
  fails(422, () => applyJsonPatch({ a: [] }, copies))
  assert.equal(applyJsonPatch({ a: [] as unknown[] }, copies.slice(0, 15)).a.length, 15)
})

test('json patch: what operations nest deeper than any stack is refused', () => {
  const chain = (depth: number): unknown => (depth === 0 ? {} : { a: chain(depth - 1) })
  const leaf = '/a'.repeat(900)
  // each puts what there is under the end of another chain
  const operations = Array.from({ length: 200 }, (_, n) => [
    { op: 'add', path: `/y${n}`, value: chain(900) },
    { op: 'move', from: n === 0 ? '/x' : `/y${n - 1}`, path: `/y${n}${leaf}/b` },
  ]).flat()
  fails(422, () => applyJsonPatch({ x: {} }, [...operations, { op: 'copy', from: '/y199', path: '/z' }]))
  fails(422, () => applyJsonPatch({ x: {} }, operations))
})
