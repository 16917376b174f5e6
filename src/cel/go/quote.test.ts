import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goQuote } from './quote.ts'

const texts: [string, string][] = [
  ['', '""'],
  ['plain text, 1 + 2 ~', '"plain text, 1 + 2 ~"'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['\x07\b\f\n\r\t\v', '"\\a\\b\\f\\n\\r\\t\\v"'],
  ['\0\x1f\x7f', '"\\x00\\x1f\\x7f"'],
  ['é 世界 😀', '"é 世界 😀"'],
  ['\u00a0\u200b\ufeff', '"\\u00a0\\u200b\\ufeff"'],
  ['\u{e0001}', '"\\U000e0001"'],
  ['\ud800', '"�"'],
]
for (const [text, quoted] of texts) test(`${JSON.stringify(text)} is quoted as ${quoted}`, () => assert.equal(goQuote(text), quoted))
