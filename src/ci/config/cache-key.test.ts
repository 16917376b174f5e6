import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cacheKeyFiles, chooseCache, expandCacheKey, parseCacheKey } from './cache-key.ts'
import type { CacheKeyValues } from './cache-key.ts'

const values: CacheKeyValues = {
  branch: 'main',
  revision: 'c0ffee',
  buildNum: 12,
  environment: { CIRCLE_JOB: 'test' },
  checksum: (file) => `<${file}>`,
  epoch: 1_700_000_000.9,
  arch: 'linux-amd64',
}

const keys: [template: string, key: string][] = [
  ['v1', 'v1'],
  ['v1-{{ .Branch }}-{{ .Revision }}-{{ .BuildNum }}', 'v1-main-c0ffee-12'],
  ['{{ arch }}-{{epoch}}', 'linux-amd64-1700000000'],
  ['x-{{ checksum "package-lock.json" }}-{{ checksum `a b` }}', 'x-<package-lock.json>-<a b>'],
  ['{{ .Environment.CIRCLE_JOB }}-{{ .Environment.NOTHING }}', 'test-<no value>'],
  ['a }} b { c', 'a }} b { c'],
]

for (const [template, key] of keys) test(`the key ${template} is ${key}`, () => assert.equal(expandCacheKey(template, values), key))

const wrong: [template: string, message: RegExp][] = [
  ['v1-{{ .Brunch }}', /no value "\{\{ \.Brunch \}\}"; it has \.Branch/],
  ['{{ checksum file }}', /no value/],
  ['{{ .Environment }}', /no value/],
  ['{{ constructor }}', /no value/],
  ['v1-{{ arch', /"\{\{" without "\}\}"/],
  ['x'.repeat(1000), /may have 900 characters/],
]

for (const [template, message] of wrong) {
  test(`the key ${template.slice(0, 40)} is refused`, () => {
    const parsed = parseCacheKey(template)
    assert.ok(!parsed.ok)
    assert.match(parsed.message, message)
    assert.throws(() => expandCacheKey(template, values), message)
  })
}

test('a key says which files it is made of', () => {
  assert.deepEqual(cacheKeyFiles('{{ checksum "a/b.lock" }}-{{ arch }}-{{checksum "c"}}'), ['a/b.lock', 'c'])
})

const stored = [
  { key: 'v1-app-cache', createdAt: 1 },
  { key: 'v1-app-cache-new', createdAt: 2 },
  { key: 'v1-other', createdAt: 3 },
]
const choices: { name: string; keys: string[]; chosen?: string }[] = [
  { name: 'the newest that begins with the key wins over the exact one', keys: ['v1-app-cache'], chosen: 'v1-app-cache-new' },
  { name: 'keys are tried in order', keys: ['v1-none', 'v1-app-cache-new', 'v1-'], chosen: 'v1-app-cache-new' },
  { name: 'a short key finds the newest of all', keys: ['v1-'], chosen: 'v1-other' },
  { name: 'nothing fits', keys: ['v2-'] },
  { name: 'no keys', keys: [] },
]
for (const { name, keys: wanted, chosen } of choices) test(`of stored caches: ${name}`, () => assert.equal(chooseCache(wanted, stored)?.key, chosen))
