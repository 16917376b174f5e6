import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CelError, type Value } from '../values.ts'
import { caller } from './caller.ts'
import { cidr } from './cidr.ts'
import { ip } from './ip.ts'

const call = caller(ip, cidr)
const text = (value: Value) => (value instanceof CelError ? `error: ${value.message}` : String(value))
const ipOf = (address: string) => call('string_to_ip', address)
const cidrOf = (prefix: string) => call('string_to_cidr', prefix)

const ipErrors = {
  '': 'ParseAddr(""): unable to parse IP',
  '192.168.0.1.0': 'ParseAddr("192.168.0.1.0"): IPv4 address too long',
  '192.168': 'ParseAddr("192.168"): IPv4 address too short',
  '127.0.0.256': 'ParseAddr("127.0.0.256"): IPv4 field has value >255',
  '010.0.0.1': 'ParseAddr("010.0.0.1"): IPv4 field has octet with leading zero',
  '1..2.3': 'ParseAddr("1..2.3"): IPv4 field must have at least one digit (at ".2.3")',
  '1.2.3.x': 'ParseAddr("1.2.3.x"): unexpected character (at "x")',
  ':::1': 'ParseAddr(":::1"): each colon-separated field must have at least one digit (at ":1")',
  '2001:db8:::abcd': 'ParseAddr("2001:db8:::abcd"): each colon-separated field must have at least one digit (at ":abcd")',
  '1:2:3': 'ParseAddr("1:2:3"): address string too short',
  '1:2:3:4:5:6:7:8:9': 'ParseAddr("1:2:3:4:5:6:7:8:9"): trailing garbage after address (at "9")',
  '1::2::3': 'ParseAddr("1::2::3"): multiple :: in address (at ":3")',
  '12345::': 'ParseAddr("12345::"): each group must have 4 or less digits (at "12345::")',
  '1:': 'ParseAddr("1:"): colon must be followed by more characters (at ":")',
  '1::g': 'ParseAddr("1::g"): each colon-separated field must have at least one digit (at "g")',
  '1:2g': 'ParseAddr("1:2g"): unexpected character, want colon (at "g")',
  '1:2:3:4:5:6:7::8': 'ParseAddr("1:2:3:4:5:6:7::8"): the :: must expand to at least one field of zeros',
  '1:1.2.3.4': 'ParseAddr("1:1.2.3.4"): embedded IPv4 address must replace the final 2 fields of the address (at "1.2.3.4")',
  'fe80::1%': 'ParseAddr("fe80::1%"): zone must be a non-empty string',
  '%eth0': 'ParseAddr("%eth0"): missing IPv6 address',
}
for (const [address, message] of Object.entries(ipErrors)) {
  test(`ip(${JSON.stringify(address)}) says what is wrong`, () => {
    assert.equal(text(ipOf(address)), `error: IP Address ${JSON.stringify(address)} parse error during conversion from string: ${message}`)
    assert.equal(call('is_ip', address), false)
  })
}

test('addresses with zones and IPv4 in the form of IPv6 are refused', () => {
  assert.equal(text(ipOf('fe80::1%eth0')), 'error: IP address "fe80::1%eth0" with zone value is not allowed')
  assert.equal(text(ipOf('::ffff:1.2.3.4')), 'error: IPv4-mapped IPv6 address "::ffff:1.2.3.4" is not allowed')
})

const canonical = {
  '192.168.0.1': '192.168.0.1',
  '2001:DB8::ABCD': '2001:db8::abcd',
  '2001:db8::0:0:0:abcd': '2001:db8::abcd',
  '1:0:0:2:0:0:0:3': '1:0:0:2::3',
  '0:0:0:0:0:0:0:0': '::',
  '1:0:2:3:4:5:6:7': '1:0:2:3:4:5:6:7',
  '64:ff9b::1.2.3.4': '64:ff9b::102:304',
}
for (const [address, form] of Object.entries(canonical)) {
  test(`${address} is ${form}`, () => {
    assert.equal(call('ip_to_string', ipOf(address)), form)
    assert.equal(call('ip_is_canonical', address), address === form)
  })
}

const kinds: [string, Record<string, string[]>][] = [
  ['ip_is_unspecified', { true: ['0.0.0.0', '::'], false: ['127.0.0.1', '::1'] }],
  ['ip_is_loopback', { true: ['127.0.0.1', '127.9.9.9', '::1'], false: ['1.2.3.4', '2001:db8::abcd'] }],
  ['ip_is_link_local_multicast', { true: ['224.0.0.1', 'ff02::1', 'ff12::1'], false: ['224.0.1.1', 'fd00::1'] }],
  ['ip_is_link_local_unicast', { true: ['169.254.169.254', 'fe80::1', 'febf::1'], false: ['192.168.0.1', 'fd80::1', 'fec0::1'] }],
  [
    'ip_is_global_unicast',
    { true: ['192.168.0.1', '2001:db8::abcd'], false: ['255.255.255.255', '0.0.0.0', '::', 'ff00::1', '127.0.0.1', 'fe80::1'] },
  ],
]
for (const [id, groups] of kinds)
  for (const [expected, addresses] of Object.entries(groups))
    for (const address of addresses) test(`${id} of ${address} is ${expected}`, () => assert.equal(String(call(id, ipOf(address))), expected))

test('families are 4 and 6', () => {
  assert.equal(call('ip_family', ipOf('1.2.3.4')), 4n)
  assert.equal(call('ip_family', ipOf('::1')), 6n)
})

const wrong = 'error: network address parse error during conversion from string: network address parse error during conversion from string: '
const cidrErrors = {
  '192.168.0.0': `${wrong}netip.ParsePrefix("192.168.0.0"): no '/'`,
  '192.168.0.0/33': `${wrong}netip.ParsePrefix("192.168.0.0/33"): prefix length out of range`,
  '::1/129': `${wrong}netip.ParsePrefix("::1/129"): prefix length out of range`,
  '10.0.0.0/08': `${wrong}netip.ParsePrefix("10.0.0.0/08"): bad bits after slash: "08"`,
  '10.0.0.0/-1': `${wrong}netip.ParsePrefix("10.0.0.0/-1"): bad bits after slash: "-1"`,
  '10.0.0.0/': `${wrong}netip.ParsePrefix("10.0.0.0/"): bad bits after slash: ""`,
  '10.0.0/8': `${wrong}netip.ParsePrefix("10.0.0/8"): ParseAddr("10.0.0"): IPv4 address too short`,
  'fe80::1%eth0/64': `${wrong}netip.ParsePrefix("fe80::1%eth0/64"): IPv6 zones cannot be present in a prefix`,
  '::ffff:1.2.3.4/24':
    'error: network address parse error during conversion from string: IPv4-mapped IPv6 address "::ffff:1.2.3.4/24" is not allowed',
}
for (const [prefix, message] of Object.entries(cidrErrors)) {
  test(`cidr(${JSON.stringify(prefix)}) says what is wrong`, () => {
    assert.equal(text(cidrOf(prefix)), message)
    assert.equal(call('is_cidr', prefix), false)
  })
}

test('networks keep the bits after the prefix until they are masked', () => {
  assert.equal(String(cidrOf('192.168.0.1/24')), '192.168.0.1/24')
  assert.equal(String(call('cidr_masked', cidrOf('192.168.0.1/24'))), '192.168.0.0/24')
  assert.equal(String(call('cidr_masked', cidrOf('2001:db8:ffff::1/33'))), '2001:db8:8000::/33')
  assert.equal(String(call('cidr_ip', cidrOf('192.168.0.1/24'))), '192.168.0.1')
  assert.equal(call('cidr_prefix_length', cidrOf('::1/128')), 128n)
})

const containsIp: [string, string, boolean][] = [
  ['192.168.0.0/24', '192.168.0.1', true],
  ['192.168.0.0/24', '192.168.1.1', false],
  ['0.0.0.0/0', '8.8.8.8', true],
  ['0.0.0.0/0', '::1', false],
  ['2001:db8::/32', '2001:db8::1', true],
]
for (const [prefix, address, expected] of containsIp)
  test(`${prefix} ${expected ? 'contains' : 'does not contain'} ${address}`, () => {
    assert.equal(call('cidr_contains_ip_string', cidrOf(prefix), address), expected)
    assert.equal(call('cidr_contains_ip_ip', cidrOf(prefix), ipOf(address)), expected)
  })

const containsCidr: [string, string, boolean][] = [
  ['192.168.0.0/16', '192.168.10.0/24', true],
  ['192.168.0.0/24', '192.168.0.0/24', true],
  ['192.168.0.0/24', '192.168.0.0/16', false],
  ['192.168.0.0/24', '192.168.1.0/24', false],
  ['192.168.0.0/16', '::/0', false],
]
for (const [prefix, inner, expected] of containsCidr)
  test(`${prefix} ${expected ? 'contains' : 'does not contain'} the network ${inner}`, () => {
    assert.equal(call('cidr_contains_cidr_string', cidrOf(prefix), inner), expected)
    assert.equal(call('cidr_contains_cidr', cidrOf(prefix), cidrOf(inner)), expected)
  })

test('what a network is asked for must be an address or network', () => {
  assert.equal(text(call('cidr_contains_ip_string', cidrOf('10.0.0.0/8'), 'x')), 'error: no such overload')
  assert.match(text(call('cidr_contains_cidr_string', cidrOf('10.0.0.0/8'), 'x')), /^error: network address parse error/)
})

test('costs are those of upstream', () => {
  const costs = caller(ip, cidr).cost
  assert.equal(costs('string_to_ip', '127.0.0.1'), 1)
  assert.equal(costs('ip_is_canonical', '2001:db8::abcd'), 3)
  assert.equal(costs('cidr_contains_ip_string', cidrOf('192.168.0.0/16'), '192.168.0.1'), 1 + 2)
  assert.equal(costs('cidr_contains_ip_ip', cidrOf('2001:db8::/128'), ipOf('::1')), 4)
  assert.equal(costs('cidr_contains_cidr_string', cidrOf('192.168.0.0/16'), '192.168.0.0/24'), 1 + 1 + 1 + 2)
})
