import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCbor } from './decode.ts'
import { CborError } from './error.ts'

const read = (hex: string) => parseCbor(Buffer.from(hex, 'hex'))

// examples of RFC 8949, and what Kubernetes' profile makes of them
const values: [name: string, hex: string, value: unknown][] = [
  ['zero', '00', 0],
  ['a number of one byte', '1864', 100],
  ['a number of eight bytes', '1b000000e8d4a51000', 1_000_000_000_000],
  ['the greatest int64, as exact as a double is', '1b7fffffffffffffff', 2 ** 63],
  ['the least int64', '3b7fffffffffffffff', -(2 ** 63)],
  ['a negative number', '3903e7', -1000],
  ['a float of 16 bits', 'f93e00', 1.5],
  ['the smallest float of 16 bits', 'f90001', 5.960464477539063e-8],
  ['the greatest float of 16 bits', 'f97bff', 65504],
  ['a float of 32 bits', 'fa47c35000', 100_000],
  ['a float of 64 bits', 'fbc010666666666666', -4.1],
  ['true', 'f5', true],
  ['null', 'f6', null],
  ['a byte string is text', '43616263', 'abc'],
  ['text is text', '6449455446', 'IETF'],
  ['text beyond ASCII', '62c3bc', 'ü'],
  ['a byte string that is no UTF-8', '41ff', '\ufffd'],
  ['text that has the replacement character itself', '63efbfbd', '\ufffd'],
  ['tag 22 says base64', 'd64401020304', 'AQIDBA=='],
  ['tag 21 says base64 of the other alphabet', 'd542fbff', '-_8'],
  ['tag 23 says hex', 'd74201ff', '01ff'],
  ['tag 22 on text changes nothing', 'd66161', 'a'],
  ['a time in text', 'c074323031332d30332d32315432303a30343a30305a', '2013-03-21T20:04:00Z'],
  ['a time in seconds', 'c11a514b67b0', '2013-03-21T20:04:00Z'],
  ['a time with a fraction', 'c1fb41d452d9ec200000', '2013-03-21T20:04:00.5Z'],
  ['other tags are looked through', 'c48221196ab3', [-2, 27315]],
  ['the magic number', 'd9d9f7a1416101', { a: 1 }],
  ['text in pieces', '7f657374726561646d696e67ff', 'streaming'],
  ['bytes in pieces', '5f42616243636465ff', 'abcde'],
  ['tag 22 on bytes in pieces', 'd65f4201024103ff', 'AQID'],
  ['lists without a length', '9f018202039f0405ffff', [1, [2, 3], [4, 5]]],
  ['maps without a length', 'bf61610161629f0203ffff', { a: 1, b: [2, 3] }],
]
for (const [name, hex, value] of values) test(`reads ${name}`, () => assert.deepEqual(read(hex), value))

const mistakes: [name: string, hex: string, message: string][] = [
  ['nothing', '', 'EOF'],
  ['a head without its argument', '18', 'unexpected EOF'],
  ['a string that is cut off', '43616a', 'unexpected EOF'],
  ['a list that promises more than there is', '9a00ffffff', 'unexpected EOF'],
  ['a list that promises more than there can be', '9b00ffffffffffffff', 'cbor: exceeded max number of elements 2147483647 for CBOR array'],
  ['a map that promises more than there is', 'ba0000ffff', 'unexpected EOF'],
  ['a map that promises more than there can be', 'bb00ffffffffffffff', 'cbor: exceeded max number of key-value pairs 2097152 for CBOR map'],
  ['a list that does not end', '9f01', 'unexpected EOF'],
  ['a second item', '0001', 'cbor: 1 bytes of extraneous data starting at index 1'],
  ['a break out of place', 'ff', 'cbor: unexpected "break" code'],
  ['a break in a list with a length', '8201ff', 'cbor: unexpected "break" code'],
  ['a reserved length', '1c', 'cbor: invalid additional information 28 for type positive integer'],
  ['pieces of another type', '5f6161ff', 'cbor: wrong element type UTF-8 text string for indefinite-length byte string'],
  ['pieces in pieces', '5f5f4161ffff', 'cbor: indefinite-length byte string chunk is not definite-length'],
  ['text that is no UTF-8', '6180', 'cbor: invalid UTF-8 string'],
  ['a piece of text that is no UTF-8', '7f61c361bcff', 'cbor: invalid UTF-8 string'],
  ['a key twice', 'a2614101614102', 'cbor: found duplicate map key "A" at map element index 1'],
  ['a key as text and as bytes', 'a2614101414102', 'cbor: found duplicate map key "A" at map element index 1'],
  ['a key twice in different pieces', 'a25f426865436c6c6fff015f416844656c6c6fff02', 'cbor: found duplicate map key "hello" at map element index 1'],
  ['a prototype twice', 'a2495f5f70726f746f5f5f01495f5f70726f746f5f5f02', 'cbor: found duplicate map key "__proto__" at map element index 1'],
  ['a key that is a number', 'a10102', 'cbor: cannot unmarshal positive integer into Go value of type string'],
  ['infinity', 'f97c00', 'cbor: data item of cbor type primitives is not accepted by protocol: floating-point infinity'],
  ['infinity of 64 bits', 'fbfff0000000000000', 'cbor: data item of cbor type primitives is not accepted by protocol: floating-point infinity'],
  ['no number', 'fa7fc00000', 'cbor: data item of cbor type primitives is not accepted by protocol: floating-point NaN'],
  ['undefined', 'f7', 'cbor: data item of cbor type primitives is not accepted by protocol: simple value 23 is not recognized'],
  ['a simple value', 'f8ff', 'cbor: data item of cbor type primitives is not accepted by protocol: simple value 255 is not recognized'],
  ['a reserved simple value', 'f818', 'cbor: invalid simple value 24 for type primitives'],
  [
    'a number beyond int64',
    '1bffffffffffffffff',
    "cbor: cannot unmarshal positive integer into Go value of type int64 (18446744073709551615 overflows Go's int64)",
  ],
  [
    'a number below int64',
    '3bffffffffffffffff',
    "cbor: cannot unmarshal negative integer into Go value of type int64 (-18446744073709551616 overflows Go's int64)",
  ],
  ['a number without an end', 'c249010000000000000000', 'cbor: data item of cbor type tag is not accepted by protocol: bignum'],
  ['a time that is bytes', 'c054323030362d30312d30325431353a30343a30355a', 'cbor: tag number 0 must be followed by text string, got byte string'],
  [
    'a time of a far year',
    'c11b0000003afff44181',
    'cbor: decoded time cannot be represented in RFC3339 format with sub-second precision: Time.MarshalText: year outside of range [0,9999]',
  ],
]
for (const [name, hex, message] of mistakes) test(`refuses ${name}`, () => assert.throws(() => read(hex), { name: 'CborError', message }))

test('keys of prototypes are keys', () => {
  const value = read('a1495f5f70726f746f5f5fa1416101') as object
  assert.equal(Object.getPrototypeOf(value), Object.prototype)
  assert.deepEqual(Object.entries(value), [['__proto__', { a: 1 }]])
})

test('what is wrong inside of an object leaves its kind readable', () => {
  const mistake = (hex: string) => {
    try {
      return read(hex)
    } catch (error) {
      return (error as CborError).inside
    }
  }
  // a value that is no UTF-8, below a key that says nothing about the kind, and below one that does
  assert.equal(mistake('a141616180'), true)
  assert.equal(mistake('d9d9f7a141616180'), true)
  assert.equal(mistake('a1446b696e646180'), false)
  assert.equal(mistake('d9d9f7a1416161'), false)
  assert.equal(mistake('d9d9f7a14161a2416101416102'), true)
  assert.equal(mistake('d9d9f7a2416101416102'), false)
})

test('depth is limited, also that of tags', () => {
  const nested = (head: number, depth: number) => Buffer.concat([Buffer.alloc(depth, head), Buffer.of(0)])
  for (const head of [0x81, 0xc6, 0x9f]) {
    assert.throws(() => parseCbor(nested(head, 1_000_000)), /^CborError: cbor: exceeded max nested level 1000$/)
    assert.throws(() => parseCbor(nested(head, 11), { depth: 10 }), /exceeded max nested level 10$/)
  }
  assert.doesNotThrow(() => parseCbor(nested(0x81, 10), { depth: 10 }))
})

test('so is the number of values, which take more memory than bytes', () => {
  const bomb = Buffer.concat([Buffer.of(0x9a, 0, 0x2d, 0xc6, 0xc0), Buffer.alloc(3_000_000, 0xa0)])
  assert.throws(() => parseCbor(bomb), /exceeded max number of elements/)
})
