import assert from 'node:assert/strict'
import { test } from 'node:test'
import { errors } from './status.ts'

test('what is wrong in very many places, or of a very long value, is not told in full', () => {
  const causes = Array.from({ length: 1500 }, (_, n) => ({ reason: 'FieldValueInvalid', message: `Invalid value: ${n}`, field: `a[${n}]` }))
  const many = errors.invalid({ group: '', kind: 'Pod' }, 'p', causes).status
  assert.equal(many.details!.causes!.length, 1000)
  assert.match(many.message!, /a\[999\]: Invalid value: 999, and 500 more\]$/)
  const long = errors.invalid({ group: '', kind: 'Pod' }, 'p', [{ reason: 'FieldValueInvalid', message: 'x'.repeat(1_000_000), field: 'a' }]).status
  assert.equal(long.details!.causes![0]!.message!.length, 10_001)
})
