import assert from 'node:assert/strict'
import { test } from 'node:test'
import { warningHeader } from './warnings.ts'

const rows: [name: string, texts: string[], header: string | undefined][] = [
  ['nothing', [], undefined],
  ['one text', ['a b'], '299 - "a b"'],
  ['each text once', ['a', 'b', 'a'], '299 - "a", "b"'.replace(', ', ', 299 - ')],
  ['quotes and backslashes are escaped', ['a "b" \\'], '299 - "a \\"b\\" \\\\"'],
  ['what is not ASCII goes out as UTF-8', ['ä'], '299 - "\u00c3\u00a4"'],
  ['what a header cannot hold is left out', ['a\nb', '\0', '', '\u0085'], undefined],
]
for (const [name, texts, header] of rows) test(`warnings: ${name}`, () => assert.equal(warningHeader(texts), header))

test('many and long warnings are cut to what fits', () => {
  const header = warningHeader(Array.from({ length: 5000 }, (_, n) => `${n} ${'x'.repeat(500)}`))!
  const texts = header.split(', ')
  assert.equal(texts.length, 16)
  for (const text of texts) assert.equal(text.length, 256 + '299 - ""'.length)
  // short ones are whole beside a long one
  assert.equal(warningHeader(['short', '𝒳'.repeat(5000)]), `299 - "short", 299 - "${Buffer.from('𝒳'.repeat(256)).toString('latin1')}"`)
})
