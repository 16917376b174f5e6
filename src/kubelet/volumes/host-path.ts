import { mkdir, open, stat } from 'node:fs/promises'
import type { Stats } from 'node:fs'
import type { core, DeepReadonly } from '#api'
import type { VolumePlugin } from './volume-plugin.ts'

export const hostPathPlugin: VolumePlugin = {
  type: 'host-path',
  supports: (volume) => volume.hostPath !== undefined,
  async mount({ volume }) {
    await checkHostPath(volume.hostPath!)
    return { hostPath: volume.hostPath!.path }
  },
}

const checks: Record<string, { is: (stat: Stats) => boolean; name: string; create?: (path: string) => Promise<unknown> }> = {
  Directory: { is: (s) => s.isDirectory(), name: 'directory' },
  DirectoryOrCreate: { is: (s) => s.isDirectory(), name: 'directory', create: (path) => mkdir(path, { recursive: true, mode: 0o755 }) },
  File: { is: (s) => s.isFile(), name: 'file' },
  FileOrCreate: { is: (s) => s.isFile(), name: 'file', create: async (path) => (await open(path, 'a', 0o644)).close() },
  Socket: { is: (s) => s.isSocket(), name: 'socket file' },
  CharDevice: { is: (s) => s.isCharacterDevice(), name: 'character device' },
  BlockDevice: { is: (s) => s.isBlockDevice(), name: 'block device' },
}

/** Checks (and for the `…OrCreate` types makes) what a hostPath asks for. */
export async function checkHostPath({ path, type = '' }: DeepReadonly<core.HostPathVolumeSource>): Promise<void> {
  if (path.split('/').includes('..')) throw new Error(`invalid HostPath \`${path}\`: must not contain '..'`)
  if (type === '') return
  const check = checks[type]
  if (!check) throw new Error(`${type} is an invalid volume type`)
  let found = await stat(path).catch(() => undefined)
  if (!found && check.create) {
    await check.create(path)
    found = await stat(path)
  }
  if (!found || !check.is(found)) throw new Error(`hostPath type check failed: ${path} is not a ${check.name}`)
}
