import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Expr } from './ast.ts'
import { CompileError } from './environment.ts'
import { bindMacros, optionalMacros, standardMacros, twoVariableMacros } from './macros.ts'
import { parse } from './parser.ts'
import { parseLimits } from './recovery.ts'

const libraries = [{ macros: [...standardMacros, ...optionalMacros, ...twoVariableMacros, ...bindMacros] }]
const parsed = (source: string): Expr => parse(source, libraries).expr

const issues = (source: string, limits = parseLimits): string[] => {
  try {
    parse(source, libraries, limits)
    return []
  } catch (error) {
    assert.ok(error instanceof CompileError, String(error))
    return error.issues.map(({ line, column, message }) => `${line}:${column} ${message}`)
  }
}

const primary = "'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"
const expression = `{'[', '{', '(', '.', '-', '!', ${primary}`

describe('literals are read with their escapes', () => {
  const rows: [source: string, value: unknown][] = [
    ['0x1F', 31n],
    ['-0x1F', -31n],
    ['-9223372036854775808', -9223372036854775808n],
    ['18446744073709551615u', { uint: 18446744073709551615n }],
    ['0xFu', { uint: 15n }],
    ['.5', 0.5],
    ['1e3', 1000],
    ['-1.5E-2', -0.015],
    [`'a\\n\\t\\\\\\'\\"\\\`\\?'`, `a\n\t\\'"\`?`],
    [`"\\x41\\u00e9\\U0001F600\\101"`, 'Aé😀A'],
    [`r'\\n'`, '\\n'],
    [`'''a'b"c\n'''`, `a'b"c\n`],
    [`R"""\\q"""`, '\\q'],
    [`''`, ''],
    [`''''''`, ''],
    [`b'\\xff\\377é'`, Uint8Array.of(255, 255, 0xc3, 0xa9)],
    [`br'\\x'`, Uint8Array.of(0x5c, 0x78)],
    ['null', null],
    ['--5', 5n],
    ['1 // a comment', 1n],
  ]
  for (const [source, value] of rows) {
    test(source, () => {
      const expr = parsed(source)
      assert.equal(expr.kind, 'literal')
      assert.deepEqual((expr as Expr & { kind: 'literal' }).value, value)
    })
  }

  test('lines in a text end in a line feed, however the source has them', () => {
    assert.equal((parsed("'''a\r\nb\rc'''") as Expr & { kind: 'literal' }).value, 'a\nb\nc')
  })
})

describe('a source that is none says why, in the words of cel-go', () => {
  const rows: [source: string, ...messages: string[]][] = [
    ['1 +', `1:3 Syntax error: mismatched input '<EOF>' expecting ${expression}`],
    ['a b', "1:2 Syntax error: extraneous input 'b' expecting <EOF>"],
    ['a b c', "1:2 Syntax error: mismatched input 'b' expecting <EOF>"],
    ['(a', "1:2 Syntax error: missing ')' at '<EOF>'"],
    ['a.', "1:2 Syntax error: no viable alternative at input '.'"],
    ['a. )', "1:3 Syntax error: no viable alternative at input '. )'"],
    ['a.?)', "1:3 Syntax error: mismatched input ')' expecting {IDENTIFIER, ESC_IDENTIFIER}", '1:3 unsupported ident kind'],
    ['self.true', "1:5 Syntax error: mismatched input 'true' expecting IDENTIFIER"],
    ['a = b', "1:2 Syntax error: token recognition error at: '= '", "1:4 Syntax error: extraneous input 'b' expecting <EOF>"],
    ['f(1,)', `1:4 Syntax error: mismatched input ')' expecting ${expression}`],
    ['[1, +]', "1:4 Syntax error: extraneous input '+' expecting ']'"],
    ['{1}', "1:2 Syntax error: mismatched input '}' expecting ':'"],
    ['a ? b', "1:5 Syntax error: mismatched input '<EOF>' expecting ':'"],
    ['', `1:-1 Syntax error: mismatched input '<EOF>' expecting ${expression}`],
    ['--', "1:2 Syntax error: no viable alternative at input '-'", `1:2 Syntax error: mismatched input '<EOF>' expecting ${expression}`],
    ['-!a', "1:1 Syntax error: no viable alternative at input '-!'"],
    ['has(.)', '1:-1 invalid argument to has() macro', "1:5 Syntax error: no viable alternative at input '.)'"],
    [
      '{?a((+x>}%b',
      `1:5 Syntax error: extraneous input '+' expecting ${expression}`,
      `1:8 Syntax error: mismatched input '}' expecting ${expression}`,
    ],
    ['\ud83d', "1:0 Syntax error: token recognition error at: '\ufffd'", `1:1 Syntax error: mismatched input '<EOF>' expecting ${expression}`],
    ['"a', `1:0 Syntax error: token recognition error at: '"a'`, `1:2 Syntax error: mismatched input '<EOF>' expecting ${expression}`],
    ['😀 1', "1:0 Syntax error: token recognition error at: '😀'"],
    ['9223372036854775808', '1:0 invalid int literal'],
    ['18446744073709551616u', '1:0 invalid uint literal'],
    ['1e999', '1:0 invalid double literal'],
    [`'\\ud800'`, '1:0 invalid unicode code point'],
    [`b'\\u00e9'`, '1:0 unable to unescape string'],
    ['for + 1', '1:0 reserved identifier: for'],
    ['has(a)', '1:4 invalid argument to has() macro'],
    ['[].all(a.b, true)', '1:8 argument must be a simple name'],
    ['[].map(1, true)', '1:7 argument is not an identifier'],
    ['[].filter(__result__, true)', '1:10 iteration variable overwrites accumulator variable'],
    ['{}.transformMap(k, k, k)', '1:19 duplicate variable name: k'],
    ['x.optMap(1, 2)', '1:9 optMap() variable name must be a simple identifier'],
    ['cel.bind(1, 2, 3)', '1:9 cel.bind() variable names must be simple identifiers'],
  ]
  for (const [source, ...messages] of rows) test(JSON.stringify(source), () => assert.deepEqual(issues(source), messages))

  test('the message has the line and a mark below the place, wide below wide characters', () => {
    assert.throws(
      () => parse("'é' +\t'😀' $", libraries),
      (error: Error) => error.message.endsWith("token recognition error at: '$'\n | 'é' + '😀' $\n | .．.....．..^"),
    )
  })
})

describe('limits of cel-go', () => {
  test('a source may have 100,000 characters', () => {
    assert.deepEqual(issues(`'${'😀'.repeat(99_998)}'`), [])
    assert.deepEqual(issues(`'${'a'.repeat(99_999)}'`), ['-1:-1 expression code point size exceeds limit: size: 100001, limit 100000'])
  })
  test('parentheses nest 249 deep', () => {
    assert.deepEqual(issues(`${'('.repeat(249)}1${')'.repeat(249)}`), [])
    assert.deepEqual(issues(`${'('.repeat(250)}1${')'.repeat(250)}`), ['-1:-1 expression recursion limit exceeded: 250'])
  })
  test('an operator is repeated 250 times, but && and || as often as there is room', () => {
    assert.deepEqual(issues(`1${' + 1'.repeat(250)}`), [])
    assert.deepEqual(issues(`1${' + 1'.repeat(251)}`), ['-1:-1 max recursion depth exceeded'])
    assert.deepEqual(issues(Array(12_000).fill('a').join(' && ')), [])
  })
  test('after thirty mistakes, or one that passes over 256 tokens, the parser gives up', () => {
    assert.match(issues(`[${'* *,'.repeat(40)}]`).join('\n'), /error recovery attempt limit exceeded: 30$/)
    assert.equal(issues(`a ${'b '.repeat(300)}`)[0], '-1:-1 error recovery token lookahead limit exceeded: 256')
  })
  test('a hundred mistakes are reported', () => {
    assert.equal(issues('@'.repeat(200)).length, 100)
    assert.throws(() => parse('@'.repeat(200), libraries), /\n1 more errors were truncated$/)
  })
  test('macros make at most 100,000 parts', () => {
    assert.match(
      issues(`[${Array(7600).fill('0.map(a,a,a)').join(',')}]`)[0]!,
      /^1:\d+ expression count exceeds limit of 100000 while expanding macro 'map'$/,
    )
  })
})

test('the calls that macros stand for are kept, by the expressions that stand in their place', () => {
  const { expr, macroCalls } = parse('[1].all(a, has(a.b))', libraries)
  const call = macroCalls.get(expr.id)
  assert.equal(call?.kind === 'call' && call.function, 'all')
  assert.equal(macroCalls.size, 2)
})
