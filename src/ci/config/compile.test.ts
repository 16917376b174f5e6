import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { compileFor, outline } from './testing.ts'

const article = readFileSync(join(import.meta.dirname, 'examples/article.yml'), 'utf8')

test('the article’s pipeline builds and tests on master, and deploys on production', () => {
  const master = compileFor(article, { branch: 'master' })
  assert.ok(master.ok)
  assert.deepEqual(outline(master.config, 'jobs'), ['build-test-deploy', '  build', '  test < build'])
  const production = compileFor(article, { branch: 'production' })
  assert.ok(production.ok)
  assert.deepEqual(outline(production.config, 'jobs'), ['build-test-deploy', '  build', '  test < build', '  deploy < test'])
  const other = compileFor(article, { branch: 'feature' })
  assert.deepEqual(other, { ok: true, config: { workflows: [] }, warnings: [] })
})
