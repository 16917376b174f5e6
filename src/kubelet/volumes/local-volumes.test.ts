import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { LocalVolumeError, localVolumes } from './local-volumes.ts'

let base = ''
beforeEach(() => void (base = mkdtempSync(join(tmpdir(), 'k8ts-volumes-'))))
afterEach(() => rmSync(base, { recursive: true, force: true }))
const dir = () => join(base, 'volumes')
const why = (reason: LocalVolumeError['why']) => (error: unknown) => error instanceof LocalVolumeError && error.why === reason

describe('a volume on the disk', () => {
  test('is a directory that every container may write to, whatever the umask', async () => {
    const path = await localVolumes({ dir: dir() }).provide('pvc-1', 1)
    assert.equal(path, join(dir(), 'pvc-1'))
    assert.equal(statSync(path).mode & 0o7777, 0o777)
  })
  test('keeps its data when it is asked for again', async () => {
    const volumes = localVolumes({ dir: dir() })
    const path = await volumes.provide('pvc-1', 1)
    writeFileSync(join(path, 'file'), 'data')
    // it was there before: its size is not looked at again
    assert.equal(await volumes.provide('pvc-1', Number.MAX_SAFE_INTEGER), path)
    assert.equal(readFileSync(join(path, 'file'), 'utf8'), 'data')
  })
  test('goes with all that is in it, and nothing else', async () => {
    const volumes = localVolumes({ dir: dir() })
    const path = await volumes.provide('pvc-1', 1)
    const other = await volumes.provide('pvc-2', 1)
    const outside = join(base, 'outside')
    mkdirSync(join(path, 'deep/er'), { recursive: true })
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'kept')
    symlinkSync(outside, join(path, 'deep/link'))
    await volumes.remove('pvc-1')
    assert.equal(existsSync(path), false)
    assert.ok(existsSync(other))
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'kept')
    // again: nothing to do
    await volumes.remove('pvc-1')
  })
  test('is not removed while a pod has it', async () => {
    const volumes = localVolumes({ dir: dir(), inUse: (path) => path === join(dir(), 'pvc-1') })
    const path = await volumes.provide('pvc-1', 1)
    await assert.rejects(volumes.remove('pvc-1'), why('use'))
    assert.ok(existsSync(path))
  })
  test('that does not fit is refused, and nothing is left of it', async () => {
    const volumes = localVolumes({ dir: dir() })
    await assert.rejects(
      volumes.provide('pvc-1', 2 ** 52),
      (error: Error) => why('room')(error) && /^4194304.0 GiB asked for, but only [\d.]+ GiB are free on the disk$/.test(error.message),
    )
    assert.equal(existsSync(join(dir(), 'pvc-1')), false)
    await assert.rejects(volumes.checkRoom(2 ** 52), why('room'))
  })
  test('whose removal was cut off is removed with the next one', async () => {
    const volumes = localVolumes({ dir: dir() })
    mkdirSync(join(dir(), 'pvc-1.deleted/rest'), { recursive: true })
    await volumes.remove('pvc-2')
    assert.equal(existsSync(join(dir(), 'pvc-1.deleted')), false)
  })
  test('is never something that only has its name', async () => {
    mkdirSync(dir())
    const outside = join(base, 'outside')
    mkdirSync(outside)
    writeFileSync(join(outside, 'file'), 'kept')
    symlinkSync(outside, join(dir(), 'pvc-1'))
    const volumes = localVolumes({ dir: dir() })
    await assert.rejects(volumes.provide('pvc-1', 1), /is there, but is not a directory/)
    await volumes.remove('pvc-1')
    assert.equal(readFileSync(join(outside, 'file'), 'utf8'), 'kept')
  })
  for (const name of ['..', '.', '', 'a/b', '../pvc-1', 'pvc-1.deleted', 'Pvc', 'a\0b', '-a', 'x'.repeat(254)])
    test(`is not called ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const volumes = localVolumes({ dir: dir() })
      await assert.rejects(volumes.provide(name, 1), why('name'))
      await assert.rejects(volumes.remove(name), why('name'))
    })
})
