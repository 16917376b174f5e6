import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseUrl } from '../go/url.ts'
import { CelError, type Value } from '../values.ts'
import { caller } from './caller.ts'
import { format } from './format.ts'
import { urls } from './urls.ts'

const call = caller(urls, format)
const url = (text: string) => call('string_to_url', text)
const text = (value: Value) => (value instanceof CelError ? `error: ${value.message}` : String(value))

const wrong = {
  '': 'empty url',
  'a/b': 'invalid URI for request',
  ':a': 'missing protocol scheme',
  '1a:b': 'invalid URI for request',
  'http://a\nb': 'net/url: invalid control character in URL',
  'http://h:x': 'invalid port ":x" after host',
  'http://h:80:90': 'invalid port ":80:90" after host',
  'http://[::1': "missing ']' in host",
  'http://x[::1]/': 'invalid IP-literal',
  'http://[1.2.3.4]/': 'invalid IP-literal',
  'http://[:::1]/': 'invalid host: ParseAddr(":::1"): each colon-separated field must have at least one digit (at ":1")',
  'http://a b/': 'invalid character " " in host name',
  'http://h%41': 'invalid URL escape "%41"',
  'http://a/%zz': 'invalid URL escape "%zz"',
  'http://a/%2': 'invalid URL escape "%2"',
  'http://us er@h/': 'net/url: invalid userinfo',
}
for (const [given, message] of Object.entries(wrong))
  test(`${JSON.stringify(given)} is no URL`, () => {
    assert.equal(text(url(given)), `error: URL parse error during conversion from string: parse ${JSON.stringify(given)}: ${message}`)
    assert.equal(call('is_url_string', given), false)
  })

const taken: [string, Record<string, string>][] = [
  [
    'https://User@A.example:443/p%20q/r?x=1#f',
    { scheme: 'https', host: 'A.example:443', hostname: 'A.example', port: '443', escapedPath: '/p%20q/r' },
  ],
  ['HTTP://a', { scheme: 'http', host: 'a', hostname: 'a', port: '', escapedPath: '' }],
  ['http://[::1]:80/a b', { host: '[::1]:80', hostname: '::1', port: '80', escapedPath: '/a%20b' }],
  ['http://[fe80::1%25eth0]/', { host: '[fe80::1%eth0]', hostname: 'fe80::1%eth0' }],
  ['/absolute/path', { scheme: '', host: '', escapedPath: '/absolute/path' }],
  ['/%2F/a', { escapedPath: '/%2F/a' }],
  ['http://a/é', { escapedPath: '/%C3%A9' }],
  ['mailto:a@b', { scheme: 'mailto', host: '', escapedPath: '' }],
  ['*', { escapedPath: '*' }],
  ['ftp://h:80:90', { host: 'h:80:90', hostname: 'h:80', port: '90' }],
]
for (const [given, parts] of taken)
  test(`${given} is taken apart`, () => {
    const parsed = parseUrl(given) as unknown as Record<string, unknown>
    assert.deepEqual(Object.fromEntries(Object.keys(parts).map((name) => [name, parsed[name]])), parts)
  })

test('queries are read as far as they can be', () => {
  const { query } = parseUrl('/?a=1&a=2&b=x+y%20z&c&%zz=1&d;e=2&=q')
  assert.deepEqual(Object.fromEntries(query), { a: ['1', '2'], b: ['x y z'], c: [''], '': ['q'] })
})

test('the same URL is written the same', () => {
  assert.equal(parseUrl('HTTP://u:p@a/b?c#d').text, 'http://u:p@a/b?c#d')
  assert.equal(parseUrl('http://a/?').text, 'http://a/?')
  assert.equal(parseUrl('x:/a').text, 'x:/a')
})

const formats: [string, string, string[]][] = [
  ['uri', 'x', ['parse "x": invalid URI for request']],
  ['uuid', '123e4567e89b12d3A456426614174000', []],
  ['uuid', '{123e4567-e89b-12d3-a456-426614174000}', ['does not match the UUID format']],
  ['byte', 'aGVsbG8=', []],
  ['byte', 'aGVsbG8', ['invalid base64']],
  ['byte', '', ['invalid base64']],
  ['date', '2020-02-29', []],
  ['date', '2021-02-29', ['invalid date']],
  ['date', '2021-1-01', ['invalid date']],
  ['datetime', '2021-01-01T00:00:00.5+01:00', []],
  ['datetime', '2021-01-01T00:00:00', ['invalid datetime']],
  ['datetime', '2021-01-01T24:00:00Z', ['invalid datetime']],
  ['dns1123LabelPrefix', 'my-label-', []],
  ['labelValue', 'x'.repeat(64), ['must be no more than 63 bytes']],
]
for (const [name, given, problems] of formats)
  test(`${JSON.stringify(given)} ${problems.length === 0 ? 'has' : 'does not have'} the format ${name}`, () => {
    const found = call('format-validate', call(`format.${name}`), given) as unknown as { value?: { items: string[] } }
    assert.deepEqual(found.value?.items ?? [], problems)
  })

test('formats cost by their length', () => {
  assert.equal(call.cost('format-validate', call('format.dns1123Label'), 'my-name'), 8)
  assert.equal(call.cost('format-validate', call('format.uri'), 'http://example.com'), 2 * 276)
})
