import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { emitYaml } from './emit.ts'
import { parseYaml } from './parse.ts'

test('objects look as upstream writes them', () => {
  const object = {
    kind: 'ConfigMap',
    apiVersion: 'v1',
    metadata: { name: 'a', creationTimestamp: '2026-11-23T08:16:22Z', labels: {}, finalizers: [] },
    data: { empty: '', yes: 'yes', num: '012', json: '{"x": 1}', colon: 'a: b', text: 'one\ntwo\n', more: 'one\n\n', none: 'a\nb', led: ' x\ny', tab: 'a\tb', star: '*', time: '1:30', quote: "it's", apostrophe: "'x'", hash: 'a #b', minus: '-', url: 'http://x/y', 'key with: colon': 'v', 'a10': '1', a9: '2', B: '3' },
    list: [{ a: 1, b: [1, 'x', null, true] }, [], {}, [[1, 2]], 'l1\nl2'],
  } // prettier-ignore
  assert.equal(
    emitYaml(object),
    `apiVersion: v1
data:
  B: "3"
  a9: "2"
  a10: "1"
  apostrophe: '''x'''
  colon: 'a: b'
  empty: ""
  hash: 'a #b'
  json: '{"x": 1}'
  'key with: colon': v
  led: |2-
     x
    y
  minus: '-'
  more: |+
    one

  none: |-
    a
    b
  num: "012"
  quote: it's
  star: '*'
  tab: "a\\tb"
  text: |
    one
    two
  time: "1:30"
  url: http://x/y
  "yes": "yes"
kind: ConfigMap
list:
- a: 1
  b:
  - 1
  - x
  - null
  - true
- []
- {}
- - - 1
    - 2
- |-
  l1
  l2
metadata:
  creationTimestamp: "2026-11-23T08:16:22Z"
  finalizers: []
  labels: {}
  name: a
`,
  )
})

test('whatever is written is read again', () => {
  const text = fc.oneof(
    fc.string({ unit: fc.constantFrom('a', ' ', '\n', ':', '#', '-', "'", '"', '1', '.', '\t', '\\', '[', '{', '&', '*', '!', '%', '|', '>', '?', ',', '_', 'é', '\u2028', '\u0085', '\ufeff', '\x1b', '😀') }), // prettier-ignore
    fc.constantFrom('yes', 'null', '~', '0x1', '1e3', '.inf', '---', '...', '- a', '? b', '2020-01-01', '<<', '=', '-', '__proto__'),
  )
  const value = fc.letrec((tie) => ({
    v: fc.oneof({ maxDepth: 4 }, text, text, fc.integer(), fc.boolean(), fc.constant(null), fc.array(tie('v'), { maxLength: 4 }), fc.dictionary(text, tie('v'), { maxKeys: 4, noNullPrototype: true })), // prettier-ignore
  })).v
  fc.assert(
    fc.property(value, (v) => {
      // JSON first: it would be read as JSON otherwise
      assert.deepEqual(parseYaml(Buffer.from(`# YAML\n${emitYaml({ v })}`)), { v }, emitYaml({ v }))
    }),
    { numRuns: 2000 },
  )
})
