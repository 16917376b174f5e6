import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkReference, fullName } from './reference.ts'

const names: [string, string][] = [
  ['app', 'docker.io/library/app:latest'],
  ['app:1', 'docker.io/library/app:1'],
  ['team/app:1', 'docker.io/team/app:1'],
  ['localhost/app', 'localhost/app:latest'],
  ['localhost:5000/app', 'localhost:5000/app:latest'],
  ['localhost:5000/team/app:1', 'localhost:5000/team/app:1'],
  ['ghcr.io/x/y@sha256:abc', 'ghcr.io/x/y@sha256:abc'],
]
for (const [name, full] of names) test(`${name} is ${full}`, () => assert.equal(fullName(name), full))

test('what is no image’s name is refused', () => {
  for (const good of ['app', 'app:1', 'localhost:5000/a/b_c:x.y-z', 'docker.io/library/debian:bookworm']) checkReference(good)
  for (const bad of ['', ':1', 'a b', '-x', '--all', 'app:', 'a//b', '/etc/passwd']) assert.throws(() => checkReference(bad), /invalid image name/)
  assert.throws(() => checkReference('App:1'), /lower-case/)
})
