import { randomBytes } from 'node:crypto'
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, unlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

export interface PayloadFile {
  data: Uint8Array
  mode: number
  /** Owner, where it is not root. */
  uid?: number
}

/** Relative paths and their content. */
export type Payload = ReadonlyMap<string, PayloadFile>

const dataLink = '..data'

/**
 * Writes files so that readers see either all of the old or all of the new ones. The files of one version live in a directory of their own;
 * `..data` points at it and is replaced by a rename; what readers open are links through it:
 *
 *     key -> ..data/key
 *     ..data -> ..2026_01_31_12_00_00.1a2b3c
 *     ..2026_01_31_12_00_00.1a2b3c/key
 *
 * `prepare` gets the directory of the new version before anyone can see it. Nothing happens when the content is what stands there already.
 */
export async function writePayload(dir: string, payload: Payload, prepare: (versionDir: string) => Promise<void>): Promise<void> {
  for (const path of payload.keys()) checkPath(path)
  const current = await readlink(join(dir, dataLink)).catch(() => undefined)
  if (current !== undefined && (await holds(join(dir, current), payload))) return

  const version = `..${new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_')}.${randomBytes(4).toString('hex')}`
  const versionDir = join(dir, version)
  await mkdir(versionDir)
  // modes are set by chmod: the umask must not decide
  await chmod(versionDir, 0o755)
  for (const [path, file] of payload) await writeOne(versionDir, path, file)
  await prepare(versionDir)

  const temporary = join(dir, '..data_tmp')
  await rm(temporary, { force: true })
  await symlink(version, temporary)
  await rename(temporary, join(dir, dataLink))

  const visible = new Set([...payload.keys()].map((path) => path.split('/')[0]!))
  for (const name of await readdir(dir)) {
    if (visible.delete(name)) continue
    if (!name.startsWith('..')) await unlink(join(dir, name))
    else if (name !== dataLink && name !== version) await rm(join(dir, name), { recursive: true, force: true })
  }
  for (const name of visible) await symlink(join(dataLink, name), join(dir, name))
}

/** Whether a key's path may be written into a volume; throws an Error in upstream's words. */
function checkPath(path: string): void {
  if (path === '') throw new Error('invalid path: must not be empty: ')
  if (path.startsWith('/')) throw new Error(`invalid path: must be relative path: ${path}`)
  if (path.length > 4096) throw new Error('invalid path: must be less than or equal to 4096 characters')
  const parts = path.split('/')
  if (parts.includes('..')) throw new Error(`invalid path: must not contain '..': ${path}`)
  if (parts.some((part) => Buffer.byteLength(part) > 255)) throw new Error('invalid path: filenames must be less than or equal to 255 characters')
  if (parts[0]!.startsWith('..')) throw new Error(`invalid path: must not start with '..': ${path}`)
}

async function writeOne(versionDir: string, path: string, file: PayloadFile): Promise<void> {
  const target = join(versionDir, path)
  const parent = dirname(target)
  if (parent !== versionDir) {
    await mkdir(parent, { recursive: true })
    for (let d = parent; d !== versionDir; d = dirname(d)) await chmod(d, 0o755)
  }
  await writeFile(target, file.data, { flag: 'wx', mode: file.mode })
  if (file.uid !== undefined) await chown(target, file.uid, -1)
  await chmod(target, file.mode)
}

async function holds(versionDir: string, payload: Payload): Promise<boolean> {
  try {
    const entries = await readdir(versionDir, { recursive: true, withFileTypes: true })
    if (entries.filter((entry) => !entry.isDirectory()).length !== payload.size) return false
    for (const [path, file] of payload) {
      const target = join(versionDir, path)
      if ((await lstat(target)).size !== file.data.length || !(await readFile(target)).equals(file.data)) return false
    }
    return true
  } catch {
    return false
  }
}
