import assert from 'node:assert/strict'
import { test } from 'node:test'
import { invalid } from './causes.ts'

test('causes that all show the same long list share its text', () => {
  const list = Array.from({ length: 20_000 }, (_, n) => ({ scopeName: `n${n}`, operator: 'Exists' }))
  const { user } = process.cpuUsage()
  const causes = list.map(() => invalid('spec.list', list, 'no'))
  assert.match(causes[19_999]!.message!, /^Invalid value: \[\{"scopeName":"n0"/)
  assert.ok(causes[0]!.message!.length < 11_000)
  assert.ok(process.cpuUsage().user - user < 10_000_000)
})
