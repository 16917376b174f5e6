import assert from 'node:assert/strict'
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { execFileSync } from 'node:child_process'
import { readInside } from './read-inside.ts'

let dir = ''
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'inside-'))
  await mkdir(join(dir, 'sub'))
  await writeFile(join(dir, 'sub/file'), 'text')
  await symlink('/etc', join(dir, 'out'))
  await symlink('sub/file', join(dir, 'link'))
  await writeFile(join(dir, 'large'), Buffer.alloc(1024 * 1024 + 1))
  execFileSync('mkfifo', [join(dir, 'pipe')])
})
after(() => rm(dir, { recursive: true, force: true }))

test('a file is read', async () => assert.equal(await readInside(dir, 'sub/./file'), 'text'))
test('a file that is not there is undefined', async () => assert.equal(await readInside(dir, 'sub/none'), undefined))
const refused: [string, string, RegExp][] = [
  ['a link out of the volume', 'out/hostname', /ENOTDIR|symbolic link/],
  ['a link inside of the volume', 'link', /symbolic link/],
  ['a way up', '../x', /inside of the volume/],
  ['a directory', 'sub', /not a regular file/],
  ['a pipe', 'pipe', /not a regular file/],
  ['a file that is too large', 'large', /larger/],
]
for (const [name, path, why] of refused) test(`${name} is refused`, () => assert.rejects(readInside(dir, path), why))
