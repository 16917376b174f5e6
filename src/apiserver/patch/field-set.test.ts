import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { FieldSet } from './field-set.ts'
import { difference, equalSets, intersection, isLeaf, leaf, parseFieldSet, paths, printPath, recursiveDifference, union } from './field-set.ts'

const set = (...members: string[]): FieldSet => {
  let result: FieldSet = leaf
  for (const path of members) {
    let node: FieldSet = leaf
    for (const element of path.split(' ').toReversed()) node = { [element]: node }
    result = union(result, node)
  }
  return result
}
const members = (s: FieldSet) => paths(s).map((path) => path.join(' '))
const path = fc.array(fc.constantFrom('f:a', 'f:b', 'k:{"name":"x"}', 'v:1'), { minLength: 1, maxLength: 4 }).map((p) => p.join(' '))
const someSet = fc.array(path, { maxLength: 12 })

test('sets of paths obey the algebra of sets', () => {
  fc.assert(
    fc.property(someSet, someSet, (x, y) => {
      const a = set(...x)
      const b = set(...y)
      const same = (s: FieldSet, expected: string[]) => assert.deepEqual(members(s).sort(), [...new Set(expected)].sort())
      same(a, x)
      same(union(a, b), [...x, ...y])
      same(
        difference(a, b),
        x.filter((p) => !y.includes(p)),
      )
      same(
        intersection(a, b),
        x.filter((p) => y.includes(p)),
      )
      same(
        recursiveDifference(a, b),
        x.filter((p) => !y.some((q) => p === q || p.startsWith(`${q} `))),
      )
      assert.equal(equalSets(a, b), members(a).sort().join() === members(b).sort().join())
      assert.equal(union(a, a), a)
      assert.ok(isLeaf(difference(a, a)))
      assert.deepEqual(parseFieldSet(JSON.parse(JSON.stringify(a))), JSON.parse(JSON.stringify(a)))
    }),
    { seed: 3, numRuns: 500 },
  )
})

test('an operation that changes nothing answers its first argument', () => {
  const a = set('f:spec f:replicas', 'f:metadata f:labels', 'f:metadata f:labels f:app')
  assert.equal(difference(a, set('f:spec')), a)
  assert.equal(union(a, set('f:spec f:replicas')), a)
  assert.equal(intersection(a, a), a)
})

test('a set is written as objects carry it', () => {
  assert.deepEqual(set('f:labels', 'f:labels f:app', 'f:ports k:{"port":80} f:name'), {
    'f:labels': { '.': {}, 'f:app': {} },
    'f:ports': { 'k:{"port":80}': { 'f:name': {} } },
  })
})

test('what a client sends is checked and brought to one form', () => {
  assert.deepEqual(parseFieldSet({ 'k:{"protocol": "TCP", "port": 80}': {}, 'v: 1.0': {}, 'i:07': {}, 'x:new': {} }), {
    'k:{"port":80,"protocol":"TCP"}': {},
    'v:1': {},
    'i:7': {},
  })
  for (const bad of [[], 'x', null, { f: {} }, { name: {} }, { 'k:name': {} }, { 'k:[]': {} }, { 'v:': {} }, { 'i:x': {} }, { 'f:a': 1 }])
    assert.equal(parseFieldSet(bad), undefined, JSON.stringify(bad))
})

test('paths read as messages show them', () => {
  const found = paths(set('f:spec f:containers k:{"name":"app"} f:image', 'f:spec f:replicas', 'f:finalizers v:"a/b"', 'f:list i:3'))
  assert.deepEqual(found.map(printPath), ['.finalizers[="a/b"]', '.list[3]', '.spec.replicas', '.spec.containers[name="app"].image'])
})
