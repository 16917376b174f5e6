import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { chmod, mkdir, open, realpath, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import type { Mounter } from './mounter.ts'

// not in node:fs' constants; the same on every architecture we run on
const oPath = 0o10000000

/**
 * Bind-mounts a path inside a volume to `target`, so that a container gets exactly what was checked, whatever another container does to the
 * volume meanwhile: the path is opened component by component, never through a symlink, and the open file is what is mounted. Symlinks that
 * stay inside the volume are resolved first. A path that does not exist becomes a directory. Answers `target`.
 */
export async function mountSubPath(options: { volumeDir: string; subPath: string; target: string; mounter: Mounter }): Promise<string> {
  const { subPath, target, mounter } = options
  const volumeDir = await realpath(options.volumeDir)
  const existing = await resolveExisting(volumeDir, subPath)
  const handle = await openInside(volumeDir, join(relative(volumeDir, existing.path), existing.missing))
  try {
    const source = await handle.stat()
    if ((await mounter.below(target)).includes(target)) {
      const mounted = await stat(target)
      if (mounted.dev === source.dev && mounted.ino === source.ino) return target
      // the file was replaced since, e.g. by an update of a config map: a new container gets the new one
      await mounter.unmount(target)
    }
    await rm(target, { recursive: true, force: true })
    if (source.isDirectory()) await mkdir(target, { recursive: true, mode: 0o750 })
    else {
      await mkdir(dirname(target), { recursive: true, mode: 0o750 })
      await writeFile(target, '')
    }
    await mounter.bind(`/proc/${process.pid}/fd/${handle.fd}`, target)
    return target
  } finally {
    await handle.close()
  }
}

/** Resolves symlinks as far as the path exists; throws when that leads out of the volume. */
async function resolveExisting(volumeDir: string, subPath: string): Promise<{ path: string; missing: string }> {
  let path = join(volumeDir, subPath)
  let missing = ''
  for (;;) {
    try {
      const resolved = await realpath(path)
      if (resolved !== volumeDir && !resolved.startsWith(volumeDir === '/' ? '/' : `${volumeDir}/`)) {
        throw new Error(`subpath "${resolved}" not within volume path "${volumeDir}"`)
      }
      return { path: resolved, missing }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || path === volumeDir) throw error
      missing = join(path.slice(dirname(path).length).replace(/^\//, ''), missing)
      path = dirname(path)
    }
  }
}

async function openInside(volumeDir: string, path: string): Promise<FileHandle> {
  let current = await open(volumeDir, oPath | constants.O_DIRECTORY | constants.O_NOFOLLOW)
  try {
    for (const name of path.split('/').filter((part) => part !== '' && part !== '.')) {
      const child = `/proc/self/fd/${current.fd}/${name}`
      const next = await open(child, oPath | constants.O_NOFOLLOW).catch(async (error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error
        await mkdir(child, { mode: 0o700 })
        const made = await open(child, oPath | constants.O_DIRECTORY | constants.O_NOFOLLOW)
        // the new directory is as open as the one it is made in, whatever the umask
        const { mode } = await current.stat()
        await chmod(`/proc/self/fd/${made.fd}`, mode & 0o7777)
        return made
      })
      await current.close()
      current = next
      if ((await current.stat()).isSymbolicLink()) throw new Error(`unexpected symlink "${name}" in subpath "${path}"`)
    }
    return current
  } catch (error) {
    await current.close().catch(() => {})
    throw error
  }
}
