import { lstat, mkdir, chmod, readdir, rename, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '#base'

export interface LocalVolumesOptions {
  /** The volumes stand below it, one directory each. Absolute; made when the first volume is. */
  dir: string
  /** Whether a pod of this node still has something mounted from the directory. */
  inUse?: (path: string) => boolean
}

/** Why a volume cannot be made or removed. `name`: the name is none of a volume; `room`: it does not fit; `use`: pods have it mounted. */
export class LocalVolumeError extends Error {
  readonly why: 'name' | 'room' | 'use'
  constructor(why: LocalVolumeError['why'], message: string) {
    super(message)
    this.name = 'LocalVolumeError'
    this.why = why
  }
}

/**
 * Directories on this node's own disk that serve as persistent volumes. A volume has a name and nothing else: whoever asks never says where on the node it
 * stands, so nobody can be led to a directory that is not a volume's own.
 */
export interface LocalVolumes {
  /** Makes the directory, unless it is there, and answers its path. Rejects with LocalVolumeError when `bytes` are more than the disk has free. */
  provide(name: string, bytes: number): Promise<string>
  /** Whether the disk has room for so much more; rejects with LocalVolumeError when it has not. */
  checkRoom(bytes: number): Promise<void>
  /** Deletes the directory and what is in it; nothing happens when it is not there. Rejects with LocalVolumeError while it is in use. */
  remove(name: string): Promise<void>
}

/** No dots, so neither `..` nor a name of our own for what is being deleted. */
const volumeName = /^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$/
/** Ends in what no volume's name can have. */
const leaving = '.deleted'

export function localVolumes({ dir, inUse = () => false }: LocalVolumesOptions): LocalVolumes {
  const pathOf = (name: string) => {
    if (!volumeName.test(name)) throw new LocalVolumeError('name', `invalid volume name ${JSON.stringify(name)}`)
    return join(dir, name)
  }
  const prepare = async () => {
    await mkdir(dir, { recursive: true, mode: 0o711 })
    if (!(await lstat(dir)).isDirectory()) throw new Error(`${dir} is not a directory`)
  }
  const checkRoom = async (bytes: number) => {
    await prepare()
    const { bavail, bsize } = await statfs(dir)
    const free = bavail * bsize
    if (bytes > free) throw new LocalVolumeError('room', `${gibibytes(bytes)} asked for, but only ${gibibytes(free)} are free on the disk`)
  }

  /** What a removal that was cut off has left goes with the next one. */
  const sweep = async () => {
    const left = (await readdir(dir)).filter((name) => name.endsWith(leaving))
    // the program opens each directory without following links and stays on the file system, whatever goes on in there meanwhile
    if (left.length > 0) await run('rm', ['-rf', '--one-file-system', '--', ...left.map((name) => join(dir, name))])
  }

  return {
    checkRoom,
    async provide(name, bytes) {
      const path = pathOf(name)
      await prepare()
      const found = await lstat(path).catch(ifMissing)
      if (found?.isDirectory()) return path
      if (found) throw new Error(`${path} is there, but is not a directory`)
      await checkRoom(bytes)
      await mkdir(path)
      // any user of any container may write there, as provisioners of such volumes have it; fsGroup narrows it down
      await chmod(path, 0o777)
      return path
    },
    async remove(name) {
      const path = pathOf(name)
      await prepare()
      if (await lstat(path).catch(ifMissing)) {
        if (inUse(path)) throw new LocalVolumeError('use', `volume ${name} is still mounted by a pod of this node`)
        // at once gone under its name: a directory that is half deleted is never taken for a volume
        await rename(path, `${path}${leaving}`)
      }
      await sweep()
    },
  }
}

function ifMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

const gibibytes = (bytes: number) => `${(bytes / 2 ** 30).toFixed(1)} GiB`
