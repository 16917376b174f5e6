import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMasker, masked } from './mask.ts'

const secret = 'hunter2-and-more'
const key = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nabcdefghijklmnop\n-----END KEY-----'

const cases: [title: string, values: string[], text: string, shown: string][] = [
  ['a secret in the middle of a line', [secret], `a ${secret} b`, 'a **** b'],
  ['a secret twice', [secret], secret + secret, '********'],
  ['the longer one of two that begin alike', ['abcdef', 'abcdefgh'], 'abcdefgh abcdef', '**** ****'],
  ['a value that is too short to hide', ['abc'], 'abc', 'abc'],
  ['a value that is no secret', ['true'], 'true', 'true'],
  ['a whole value of many lines', [key], `x\n${key}\ny`, 'x\n****\ny'],
  ['one line of it', [key], 'got MIIEvQIBADANBgkqh!', 'got ****!'],
  ['base64 of it', [secret], Buffer.from(secret).toString('base64'), '****=='],
  ['base64 of it with a line end, as `echo … | base64` writes it', [secret], Buffer.from(`${secret}\n`).toString('base64'), '****o='],
  ['percent-encoded', ['p@ss/word'], 'https://u:p%40ss%2Fword@h', 'https://u:****@h'],
  ['in JSON', ['quo"te-d'], '{"a":"quo\\"te-d"}', '{"a":"****"}'],
]

for (const [title, values, text, shown] of cases) test(`masks ${title}`, () => assert.equal(masked(text, values), shown))

test('masks a secret however the output is cut', () => {
  const text = `first ${secret} then ${key} end`
  for (let size = 1; size < 20; size++) {
    const masker = createMasker([secret, key])
    let shown = ''
    for (let i = 0; i < text.length; i += size) shown += masker.push(text.slice(i, i + size))
    assert.equal(shown + masker.flush(), 'first **** then **** end', `chunks of ${size}`)
  }
})

test('base64 of a user and a secret hides the secret at every alignment', () => {
  for (const user of ['a:', 'ab:', 'abc:', 'abcd:']) {
    const shown = masked(Buffer.from(user + secret).toString('base64'), [secret])
    assert.match(shown, /\*{4}/, user)
    assert.ok(shown.length < 20, shown)
  }
})

test('what cannot be a secret is shown at once', () => {
  const masker = createMasker([secret])
  assert.equal(masker.push('progress 50%'), 'progress 50%')
  assert.equal(masker.push(' hunt'), ' ')
  assert.equal(masker.flush(), 'hunt')
})
