import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Causes } from './causes.ts'
import { cidrWarnings, ipWarnings, isStrictSubset, parseCidr, validateCidr, validateIP, validateNonSpecialIP } from './ip.ts'

const noIP = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'
const noCidr = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'

const addresses: [title: string, text: string, detail: string | undefined][] = [
  ['IPv4 is an address', '10.9.8.7', undefined],
  ['IPv6 is an address', '2001:db8::ffff', undefined],
  ['IPv6 that is not canonical is an address', '2001:DB8:0:0::1', undefined],
  ['nothing is no address', '', noIP],
  ['a name is no address', 'x', noIP],
  ['five octets are no address', '1.2.3.4.5', noIP],
  ['an octet above 255 is no address', '1.2.3.256', noIP],
  ['an address with a zone is none', 'fe80::1%eth0', noIP],
  ['a range is no address', '10.0.0.0/8', noIP],
  ['leading zeros are refused', '010.002.003.004', 'must not have leading 0s'],
  ['IPv4 in IPv6 is refused', '::ffff:1.2.3.4', 'must not be an IPv4-mapped IPv6 address'],
  ['IPv4 in IPv6 is refused in hexadecimals, too', '::ffff:102:304', 'must not be an IPv4-mapped IPv6 address'],
  ['leading zeros in IPv4 in IPv6 are refused as such', '::ffff:01.2.3.4', 'must not have leading 0s'],
]
for (const [title, text, detail] of addresses)
  test(title, () => {
    const causes: Causes = []
    validateIP(causes, 'a', text)
    assert.deepEqual(
      causes.map((cause) => cause.message),
      detail ? [`Invalid value: ${JSON.stringify(text)}: ${detail}`] : [],
    )
  })

const ranges: [title: string, text: string, detail: string | undefined][] = [
  ['a range of IPv4', '10.9.8.0/24', undefined],
  ['a range of IPv6', '2001:db8::/64', undefined],
  ['everything', '0.0.0.0/0', undefined],
  ['an address is no range', '10.9.8.0', noCidr],
  ['too long a prefix', '10.9.8.0/33', noCidr],
  ['a prefix that is no number', '10.9.8.0/a', noCidr],
  ['leading zeros of the address', '010.9.8.0/24', 'must not have leading 0s in IP or prefix length'],
  ['leading zeros of the prefix', '10.9.8.0/024', 'must not have leading 0s in IP or prefix length'],
  ['IPv4 in IPv6', '::ffff:10.0.0.0/104', 'must not have an IPv4-mapped IPv6 address'],
  ['an address within its range', '10.9.8.7/24', 'must not have bits set beyond the prefix length'],
]
for (const [title, text, detail] of ranges)
  test(`ranges: ${title}`, () => {
    const causes: Causes = []
    validateCidr(causes, 'a', text)
    assert.deepEqual(
      causes.map((cause) => cause.message),
      detail ? [`Invalid value: ${JSON.stringify(text)}: ${detail}`] : [],
    )
  })

test('what the object had before may stay, however it is written', () => {
  const causes: Causes = []
  validateIP(causes, 'a', '010.0.0.1', ['010.0.0.1'])
  validateCidr(causes, 'a', '10.0.0.1/8', ['10.0.0.1/8'])
  assert.deepEqual(causes, [])
})

const special: [text: string, detail: RegExp | undefined][] = [
  ['10.0.0.1', undefined],
  ['2001:db8::1', undefined],
  ['0.0.0.0', /^may not be unspecified \(0\.0\.0\.0\)$/],
  ['::', /^may not be unspecified \(::\)$/],
  ['127.3.2.1', /loopback range/],
  ['::1', /loopback range/],
  ['169.254.1.1', /link-local range/],
  ['fe80::1', /link-local range/],
  ['febf::1', /link-local range/],
  ['fec0::1', undefined],
  ['224.0.0.9', /link-local multicast range/],
  ['224.0.1.9', undefined],
  ['ff02::1', /link-local multicast range/],
  ['ff12::1', /link-local multicast range/],
  ['x', /^must be a valid IP address$/],
]
for (const [text, detail] of special)
  test(`${text} ${detail ? 'may not be' : 'may be'} an endpoint`, () => {
    const causes: Causes = []
    validateNonSpecialIP(causes, 'a', text)
    assert.equal(causes.length, detail ? 1 : 0)
    if (detail) assert.match(causes[0]!.message!.replace(/^Invalid value: "[^"]*": /, ''), detail)
  })

const warnings: [title: string, actual: string[], expected: string[]][] = [
  ['canonical addresses', [...ipWarnings('a', '10.0.0.1'), ...ipWarnings('a', '2001:db8::1'), ...ipWarnings('a', 'x')], []],
  ['leading zeros', ipWarnings('a', '010.0.0.1'), ['a: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"']],
  ['IPv4 in IPv6', ipWarnings('a', '::ffff:1.2.3.4'), ['a: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"']],
  ['long IPv6', ipWarnings('a', '2001:db8:0::1'), ['a: IPv6 address "2001:db8:0::1" should be in RFC 5952 canonical format ("2001:db8::1")']],
  ['canonical ranges', [...cidrWarnings('a', '10.0.0.0/8'), ...cidrWarnings('a', '2001:db8::/32'), ...cidrWarnings('a', 'x')], []],
  [
    'an address within its range',
    cidrWarnings('a', '10.1.2.3/8'),
    ['a: CIDR value "10.1.2.3/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.2.3/32"?)'],
  ],
  ['leading zeros of a range', cidrWarnings('a', '10.0.0.0/08'), ['a: non-standard CIDR value "10.0.0.0/08" is invalid: use "10.0.0.0/8"']],
  [
    'a long range of IPv6',
    cidrWarnings('a', '2001:DB8::/32'),
    ['a: IPv6 CIDR value "2001:DB8::/32" should be in RFC 5952 canonical format ("2001:db8::/32")'],
  ],
]
for (const [title, actual, expected] of warnings) test(`warnings: ${title}`, () => assert.deepEqual(actual, expected))

test('a range is a strict subset of a larger one that holds it', () => {
  const within = (inner: string, outer: string) => isStrictSubset(parseCidr(inner)!, parseCidr(outer)!)
  assert.equal(within('10.1.0.0/16', '10.0.0.0/8'), true)
  assert.equal(within('10.0.0.0/8', '10.0.0.0/8'), false)
  assert.equal(within('11.0.0.0/16', '10.0.0.0/8'), false)
  assert.equal(within('2001:db8:1::/48', '2001:db8::/32'), true)
  assert.equal(within('2001:db9:1::/48', '2001:db8::/32'), false)
  assert.equal(within('10.1.0.0/16', '::/0'), false)
})
