import assert from 'node:assert/strict'
import { test } from 'node:test'
import { jsonValue } from '../json-values.ts'
import { Optional, none } from '../optional.ts'
import { types } from '../types.ts'
import { CelError, Duration, Timestamp, TypeValue, Uint, type Value } from '../values.ts'
import { MutableList, MutableMap, concat, listOf, mapOf } from './collections.ts'
import { toBool, toBytes, toDouble, toDuration, toInt, toText, toTimestamp, toUint } from './conversions.ts'
import { compare, equal } from './equality.ts'
import { show } from './names.ts'
import { formatDouble } from './numbers.ts'
import { characters, sizeOf } from './size.ts'
import { formatTimestamp, goDuration, parseDuration, parseTimestamp, zoneOffset } from './time.ts'

const bytes = (...values: number[]) => new Uint8Array(values)

const pairs: [name: string, a: Value, b: Value, same: boolean][] = [
  ['an int and the same uint', 1n, new Uint(1n), true],
  ['an int and the same double', 1n, 1, true],
  ['a uint and a negative int', new Uint(1n), -1n, false],
  ['a fraction and an int', 1.5, 1n, false],
  ['an int and a double that stand as close as doubles do', 9007199254740993n, 9007199254740992, true],
  ['NaN and itself', NaN, NaN, false],
  ['null and null', null, null, true],
  ['null and 0', null, 0n, false],
  ['a number and its text', 1n, '1', false],
  ['lists with equal numbers of other types', listOf([1n, 'a']), listOf([1, 'a']), true],
  ['lists of other lengths', listOf([1n]), listOf([1n, 1n]), false],
  [
    'maps in another order',
    mapOf([
      ['a', 1n],
      ['b', 2n],
    ]),
    mapOf([
      ['b', 2],
      ['a', new Uint(1n)],
    ]),
    true,
  ],
  ['maps by keys of other number types', mapOf([[1n, 'a']]), mapOf([[new Uint(1n), 'a']]), true],
  ['a map and JSON', mapOf([['a', listOf([1n])]]), jsonValue({ a: [1] }), true],
  ['bytes', bytes(1, 2), bytes(1, 2), true],
  ['a timestamp in another zone', new Timestamp(5n, 3600), new Timestamp(5n), true],
  ['durations', new Duration(5n), new Duration(6n), false],
  ['a list type and another', new TypeValue(types.list(types.int)), new TypeValue(types.list(types.dyn)), true],
  ['no value and no value', none, new Optional(undefined), true],
  ['a value and no value', new Optional(1n), none, false],
  ['values of optionals', new Optional(listOf([1n])), new Optional(listOf([1])), true],
]

for (const [name, a, b, same] of pairs) {
  test(`${name}: ${same ? 'equal' : 'not equal'}`, () => {
    assert.equal(equal(a, b), same)
    assert.equal(equal(b, a), same)
  })
}

test('values nested deeper than the stack reaches are compared', () => {
  const nested = () => {
    let value: unknown = 1
    for (let depth = 0; depth < 200_000; depth++) value = [value]
    return jsonValue(value)
  }
  assert.equal(equal(nested(), nested()), true)
})

test('strings are ordered by code points, as the bytes of UTF-8 are', () => {
  assert.equal(compare('\u{1f600}', '\uffff'), 1)
  assert.equal(compare('a', 'b'), -1)
  assert.equal(compare('ab', 'a'), 1)
  assert.equal(compare(2n, 2.5), -1)
  assert.equal(compare(new Uint(2n ** 64n - 1n), -1n), 1)
  assert.deepEqual(compare('a', 1n), new CelError('no such overload'))
  assert.deepEqual(compare(NaN, 1n), new CelError('NaN values cannot be ordered'))
})

const noConversion = (from: string, to: string) => new CelError(`type conversion error from '${from}' to '${to}'`)

const conversions: [name: string, convert: (value: Value) => Value, from: Value, to: Value][] = [
  ['a double is cut', toInt, -3.9, -3n],
  ['the greatest double below the limit', toInt, 9223372036854774784, 9223372036854774784n],
  ['the least int has no exact double', toInt, -(2 ** 63), new CelError('integer overflow')],
  ['infinity is no int', toInt, Infinity, new CelError('integer overflow')],
  ['text with a sign', toInt, '+12', 12n],
  ['text with spaces', toInt, ' 12', noConversion('string', 'int')],
  ['text beyond 64 bits', toInt, '9223372036854775808', noConversion('string', 'int')],
  ['a timestamp is its seconds', toInt, new Timestamp(-1n), -1n],
  ['a uint beyond int', toInt, new Uint(2n ** 63n), new CelError('integer overflow')],
  ['a negative int is no uint', toUint, -1n, new CelError('unsigned integer overflow')],
  ['a uint has no sign', toUint, '+1', noConversion('string', 'uint')],
  ['text with an exponent', toDouble, '1e-3', 0.001],
  ['infinity by name', toDouble, '-Infinity', -Infinity],
  ['text too great for a double', toDouble, '1e400', noConversion('string', 'double')],
  ['hexadecimal text', toDouble, '0x1.8p1', 3],
  ['the letter t', toBool, 't', true],
  ['yes', toBool, 'yes', noConversion('string', 'bool')],
  ['text is UTF-8', toBytes, 'é', bytes(0xc3, 0xa9)],
  ['bytes that are not UTF-8', toText, bytes(0xff), new CelError('invalid UTF-8 in bytes, cannot convert to string')],
  ['a great double', toText, 1234567.5, '1.2345675e+06'],
  ['a small double', toText, 0.0001, '0.0001'],
  ['a double that is whole', toText, 100, '100'],
  ['a duration is its seconds', toText, new Duration(-1_500_000_000n), '-1.5s'],
  ['a type is its name', toText, new TypeValue(types.null), 'null_type'],
  ['a timestamp keeps its zone', toText, parseTimestamp('2020-01-01T00:00:00.10+01:30') as Timestamp, '2020-01-01T00:00:00.1+01:30'],
  ['seconds beyond the year 9999', toTimestamp, 253402300800n, new CelError('timestamp overflow')],
  ['text that is no RFC 3339', toTimestamp, '2020-1-1', new CelError('invalid RFC 3339 timestamp "2020-1-1"')],
  ['a day that is none', toTimestamp, '2021-02-29T00:00:00Z', noConversion('string', 'google.protobuf.Timestamp')],
  ['a duration of several units', toDuration, '-1h2m3.5s', new Duration(-3_723_500_000_000n)],
  ['a duration without a unit', toDuration, '5', noConversion('string', 'google.protobuf.Duration')],
  ['a duration beyond 64 bits', toDuration, '9999999h', noConversion('string', 'google.protobuf.Duration')],
]

for (const [name, convert, from, to] of conversions) test(`${convert.name}: ${name}`, () => assert.deepEqual(convert(from), to))

test('times are read and written as Go does', () => {
  assert.equal(formatTimestamp(parseTimestamp('0001-01-01T00:00:00Z') as Timestamp), '0001-01-01T00:00:00Z')
  assert.equal(formatTimestamp(parseTimestamp('9999-12-31T23:59:59.999999999Z') as Timestamp), '9999-12-31T23:59:59.999999999Z')
  assert.equal(parseTimestamp('9999-12-31T23:59:59-01:00'), 'overflow')
  assert.equal(parseDuration('1.5µs'), 1500n)
  assert.equal(parseDuration('.5s'), 500_000_000n)
  assert.equal(parseDuration('.s'), undefined)
  assert.equal(goDuration(3_600_000_000_000n), '1h0m0s')
  assert.equal(goDuration(1_500_000n), '1.5ms')
  assert.equal(formatDouble(1e21), '1e+21')
  assert.equal(formatDouble(1.5e-7), '1.5e-07')
  assert.equal(formatDouble(-0), '-0')
})

test('zones are offsets or names', () => {
  const summer = 1_500_000_000n * 1_000_000_000n
  assert.equal(zoneOffset('', summer), 0)
  assert.equal(zoneOffset('+05:30', summer), 19_800)
  assert.equal(zoneOffset('-00:30', summer), -1800)
  assert.equal(zoneOffset('Europe/Berlin', summer), 7200)
  assert.equal(zoneOffset('Europe/Nowhere', summer), 'unknown time zone Europe/Nowhere')
  assert.equal(zoneOffset('24:00', summer), 'timezone offset hours out of range [-23, 23]: 24:00')
  assert.equal(zoneOffset('x:00', summer), 'strconv.Atoi: parsing "x": invalid syntax')
})

test('sizes are characters, bytes and elements', () => {
  assert.equal(characters('a😀é'), 3)
  assert.equal(characters('\ud83d'), 1)
  assert.equal(sizeOf(bytes(1, 2)), 2)
  assert.equal(sizeOf(jsonValue({ a: 1, b: undefined })), 1)
  assert.equal(sizeOf(new Optional('abc')), 3)
  assert.equal(sizeOf(5n), 1)
})

test('lists are joined without copies, and what a comprehension collects grows in place', () => {
  const joined = concat(concat(listOf([1n]), listOf([2n, 3n])), jsonValue([4]) as never)
  assert.deepEqual(
    Array.from({ length: joined.length }, (_, index) => joined.at(index)),
    [1n, 2n, 3n, 4n],
  )
  const growing = new MutableList()
  assert.equal(concat(growing, listOf([1n, 2n])), growing)
  assert.equal(growing.frozen().length, 2)
  const map = new MutableMap()
  assert.equal(map.insert('a', 1n, 'a'), map)
  assert.deepEqual(map.insert('a', 2n, 'a'), new CelError('insert failed: key a already exists'))
})

test('messages show values as Go does', () => {
  assert.equal(show(listOf([1n, 'a', null, 1.5])), '[1, a, null, 1.5]')
  assert.equal(show(mapOf([['k', true]])), '{k: true}')
  assert.equal(show(new Duration(90_000_000_000n)), '1m30s')
})
