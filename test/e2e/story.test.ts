import { spawnSync } from 'node:child_process'
import { test } from 'node:test'
import assert from 'node:assert/strict'
import { root } from './cluster.ts'

// The whole way of docs/tutorial.md in its short form: it asserts by itself, and its log is what a person would have seen.
test('the story of the tutorial, in its short form', () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['tools/story.ts', '--short', '--name', 'test-story'], {
    cwd: root,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  })
  assert.equal(status, 0, `${stdout}\n${stderr}`)
  assert.match(stdout, /The story in its short form held after \d+ s/)
})
