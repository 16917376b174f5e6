import assert from 'node:assert/strict'
import { test } from 'node:test'
import { YamlError, parseYaml } from './parse.ts'

const parse = (text: string, duplicates?: string[]) => parseYaml(Buffer.from(text), duplicates)

test('plain scalars have the types that Go gives them', () => {
  const rows: [text: string, value: unknown][] = [
    ['yes', true], ['On', true], ['y', true], ['off', false], ['N', false], ['yEs', 'yEs'], ['~', null], ['Null', null], ['nULL', 'nULL'],
    ['0644', 420], ['0o17', 15], ['0O17', 15], ['0x1F', 31], ['-0x10', -16], ['0b101', 5], ['1_000', 1000], ['08', 8], ['0', 0], ['+12', 12], ['-0', 0],
    ['1.5', 1.5], ['.5', 0.5], ['1.', 1], ['1e3', 1000], ['1e999', '1e999'], ['1.5.2', '1.5.2'], ['1:30', '1:30'], ['0o9', '0o9'], ['0x', '0x'], ['+', '+'], ['.', '.'],
    ['2020-01-01', '2020-01-01'], ['2001-12-14t21:59:43.10-05:00', '2001-12-14t21:59:43.10-05:00'], ['99999999999999999999999', 1e23], ['0x11111111111111111111', '0x11111111111111111111'],
    ['"yes"', 'yes'], ["'0644'", '0644'], ['!!str 5', '5'], ['!!int 5', 5], ['!!float 5', 5], ['!foo b', 'b'], ['!!binary aGk=', 'hi'], ['1Gi', '1Gi'], ['10m', '10m'], ['=', '='], ['<', '<'],
  ] // prettier-ignore
  for (const [text, value] of rows) assert.deepEqual(parse(`a: ${text}\n`), { a: value }, text)
})

test('keys are strings, however they were written', () => {
  assert.deepEqual(parse('{0644: b, yes: c, 1.5: d, 0o17: e, 1_000: f}'), { 15: 'e', 420: 'b', 1000: 'f', 1.5: 'd', true: 'c' })
  const value = parse('__proto__: {a: 1}\nconstructor: 2\n') as Record<string, unknown>
  assert.deepEqual(Object.keys(value), ['__proto__', 'constructor'])
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
})

test('the first document counts, with or without markers', () => {
  const rows: [text: string, value: unknown][] = [
    ['', null], ['# only a comment\n', null], ['--- 5', 5], ['%YAML 1.1\n---\na: b\n', { a: 'b' }], ['a: b\n---\nc: [', { a: 'b' }], ['a: b\n...\n}', { a: 'b' }],
    ['# c\n\n---\na: b\n--- \nc: d\n', { a: 'b' }], ['---\n---\na: b\n', null], ['a: |\n  x\n  ---\n', { a: 'x\n---\n' }], ['a: ---b\n', { a: '---b' }], ['{"a": [1, null, "x\\u0041"]}', { a: [1, null, 'xA'] }], ['{"a": b, # no JSON\n}', { a: 'b' }],
    ['\ufeffa: b', { a: 'b' }], ['a: >-\n  x\n  y\n\n  z\n', { a: 'x y\nz' }], ['- a\n-\n  - b\n', ['a', ['b']]], ['? a\n: b\n', { a: 'b' }],
  ] // prettier-ignore
  for (const [text, value] of rows) assert.deepEqual(parse(text), value, JSON.stringify(text))
})

test('anchors, aliases and merge keys are resolved', () => {
  assert.deepEqual(parse('a: &x {b: 1}\nc: *x\nd:\n  <<: *x\n  e: 2\nf:\n  <<: [*x, {g: 3}]\n  b: 4\n'), {
    a: { b: 1 },
    c: { b: 1 },
    d: { b: 1, e: 2 },
    f: { b: 4, g: 3 },
  })
})

test('what is no YAML is refused in the words of Go', () => {
  const rows: [text: string, message: string][] = [
    ['a:\tb\n\tc: d', 'yaml: line 2: found a tab character that violates indentation'],
    ['a: [b', "yaml: line 1: did not find expected ',' or ']'"],
    ['a: *x', "yaml: unknown anchor 'x' referenced"],
    ["a: 'x", 'yaml: line 1: found unexpected end of stream'],
    ['a: "\\q"', 'yaml: line 1: found unknown escape character'],
    ['a: \x01', 'yaml: line 1: control characters are not allowed'],
    ['a: .inf', 'json: unsupported value: +Inf'],
    ['a: !!int x', 'yaml: cannot decode !!str `x` as a !!int'],
    ['a:\n  <<: x\n', 'yaml: line 2: map merge requires map or sequence of maps as the value'],
    ['a: &a {b: *a}', "yaml: an anchor's value contains itself"],
    ['['.repeat(1200), 'yaml: line 1: exceeded max depth of 1000'],
    [`${'['.repeat(1200)}${']'.repeat(1200)}`, 'yaml: exceeded max depth of 1000'],
    ['x\n'.repeat(400_000), 'yaml: the document has more than 300000 lines'],
    [`[${'{},'.repeat(300_000)}a: b]`, 'yaml: the document has more than 200000 mappings and sequences'],
    [`[${'{},'.repeat(500_000)}1]`, 'yaml: the document has more than 400000 objects and lists'],
    [`[${'a,'.repeat(800_000)}]`, 'yaml: the document has more than 700000 nodes'],
  ]
  for (const [text, message] of rows) assert.throws(() => parse(text), { name: 'YamlError', message }, text.slice(0, 100))
  assert.throws(() => parseYaml(Buffer.from([0x61, 0x3a, 0x20, 0xff])), { message: 'yaml: invalid leading UTF-8 octet' })
})

test('honest manifests of three megabytes are read', () => {
  const line = '    - name: container-name-of-average-length # and a comment\n      image: registry.example.com/team/image:1.2.3\n'
  const rows: [name: string, text: string][] = [
    ['a list of pods', `items:\n${Array.from({ length: 2000 }, (_, n) => `- metadata: {name: pod-${n}, labels: {app: a, tier: b}}\n  spec:\n    containers:\n${line.repeat(12)}`).join('')}`],
    ['a long text of short lines', `data:\n  a: |\n${'    short line\n'.repeat(195_000)}`],
    ['a text full of indicators', `data:\n  a: |\n${`    ${'- {a, b: [c, d]}, '.repeat(50)}\n`.repeat(3000)}`],
    ['many keys', `data:\n${Array.from({ length: 100_000 }, (_, n) => `  key-number-${n}: "value"\n`).join('')}`],
    ['deep structure', `spec:\n${Array.from({ length: 1500 }, (_, n) => `  - a${n}:\n${Array.from({ length: 20 }, (_, d) => `${' '.repeat(6 + 2 * d)}properties-${d}:\n${' '.repeat(8 + 2 * d)}type: object\n`).join('')}`).join('')}`],
  ] // prettier-ignore
  for (const [name, text] of rows) {
    assert.ok(text.length > 2_000_000 && text.length < 3 * 1024 * 1024, `${name}: ${text.length} characters`)
    assert.equal(typeof parse(text, []), 'object', name)
  }
})

test('aliases cannot make a small document large', () => {
  const lines = ['a: &a [x,x,x,x,x,x,x,x,x]']
  for (const [before, name] of ['ab', 'bc', 'cd', 'de', 'ef', 'fg', 'gh', 'hi'].map((pair) => [...pair]))
    lines.push(`${name}: &${name} [${Array.from({ length: 9 }, () => `*${before}`).join(',')}]`)
  const text = `a: &a "${'x'.repeat(100_000)}"\nb: [${'*a,'.repeat(1000)}]\n`
  for (const bomb of [lines.join('\n'), text]) assert.throws(() => parse(bomb), { message: 'yaml: document contains excessive aliasing' })
  assert.equal((parse(`a: &a {b: c}\nd: [${'*a,'.repeat(50)}]\n`) as { d: unknown[] }).d.length, 50)
})

test('the last of two equal keys counts, and who asks is told', () => {
  const duplicates: string[] = []
  assert.deepEqual(parse('data:\n  a: b\n  "a": c\n', duplicates), { data: { a: 'c' } })
  assert.deepEqual(duplicates, ['yaml: unmarshal errors:\n  line 3: key "a" already set in map'])
  assert.deepEqual(parse('{"a": 1, "a": 2}'), { a: 2 })
})

test('three megabytes of anything are answered, one way or the other', () => {
  for (const piece of [
    'a\n',
    'a: b\n',
    '- ',
    '[',
    '{a,',
    ': ',
    '? ',
    '&a ',
    '*a,',
    '"',
    "'",
    '|\n',
    '!',
    '%',
    '\t',
    '---\n',
    '#\n',
    '<<: ',
    '\\',
    '\ud800',
  ]) {
    const bytes = Buffer.from(piece.repeat(100_000).slice(0, 300_000))
    try {
      parseYaml(bytes)
    } catch (error) {
      assert.ok(error instanceof YamlError, `${JSON.stringify(piece)}: ${String(error)}`)
    }
  }
})

test('half a surrogate pair is no character', () => {
  for (const text of ['{"a": "x\\ud800", "\\udc00": [{"b": "\\ud83d\\ude00"}]}', 'a: "x\\ud800"\n"\\udc00": [{b: "\\ud83d\\ude00"}]\n'])
    assert.deepEqual(parse(text), { a: 'x\ufffd', '\ufffd': [{ b: '😀' }] }, text)
})
