import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressNumber, addressRange, addressText } from './ranges.ts'

test('addresses turn into numbers and back', () => {
  for (const address of ['10.96.0.1', '255.255.255.255', '0.0.0.0']) assert.equal(addressText(addressNumber(address), 4), address)
  for (const address of ['fd00::1', '::', '2001:db8::ff:0:1', 'fd00:1:2:3:4:5:6:7']) assert.equal(addressText(addressNumber(address), 6), address)
})

test('a range leaves out the network and broadcast addresses and sets a static band aside', () => {
  const range = addressRange('10.96.0.0/24')
  assert.equal(addressText(range.first, 4), '10.96.0.1')
  assert.equal(addressText(range.last, 4), '10.96.0.254')
  assert.equal(addressText(range.dynamicFrom, 4), '10.96.0.17')
  assert.equal(addressText(addressRange('10.96.0.0/12').dynamicFrom, 4), '10.96.1.1')
  assert.equal(addressText(addressRange('10.96.0.0/12').last, 4), '10.111.255.254')
  assert.equal(addressText(addressRange('2001:db8::/112').last, 6), '2001:db8::ffff')
  const small = addressRange('10.0.0.8/30')
  assert.deepEqual(
    [small.first, small.dynamicFrom, small.last].map((n) => addressText(n, 4)),
    ['10.0.0.9', '10.0.0.9', '10.0.0.10'],
  )
})

test('what is no range is refused', () => {
  for (const cidr of ['10.0.0.0', '10.0.0.0/31', 'x/8', '10.0.0.0/33', '10.0.0.1/32', '2001:db8::/48'])
    assert.throws(() => addressRange(cidr), /not a usable range/)
})
