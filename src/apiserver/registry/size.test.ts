import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { core } from '#api'
import { isStatus } from '#api'
import { checkSize } from './size.ts'

const configMap = (data: Record<string, string>): core.ConfigMap => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a' }, data })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, '']))

const rows: [name: string, object: core.ConfigMap, fits: boolean][] = [
  ['a megabyte in one value', configMap({ a: 'x'.repeat(1024 * 1024) }), true],
  ['as much as a body may have', configMap({ a: 'x'.repeat(3 * 1024 * 1024) }), true],
  ['thirty thousand keys', configMap(many(30_000)), true],
  ['a quarter of a million keys, with whose they are', configMap(many(250_000)), false],
  ['what defaults have made of a small body', configMap({ a: 'x'.repeat(5 * 1024 * 1024) }), false],
]
for (const [name, object, fits] of rows)
  test(`${name} ${fits ? 'may' : 'may not'} be stored`, () => {
    if (fits) checkSize(object)
    else
      assert.throws(
        () => checkSize(object),
        (error) => isStatus(error, 'RequestEntityTooLarge'),
      )
  })
