import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentOf, scaledValue } from './intstr.ts'

test('a percentage scales and rounds as asked, a number stays', () => {
  const rows: [number | string, number, 'up' | 'down', number][] = [
    [3, 10, 'up', 3],
    ['25%', 10, 'up', 3],
    ['25%', 10, 'down', 2],
    ['100%', 7, 'down', 7],
    ['0%', 7, 'up', 0],
    ['150%', 2, 'up', 3],
  ]
  for (const [value, total, round, want] of rows) assert.equal(scaledValue(value, total, round), want, `${value} of ${total} ${round}`)
  assert.throws(() => scaledValue('3', 10, 'up'), /invalid value for IntOrString: invalid type: string is not a percentage/)
  assert.equal(percentOf('x%'), undefined)
})
