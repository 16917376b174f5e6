import { constants } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import { open } from 'node:fs/promises'

const largest = 1024 * 1024

/**
 * Reads a file of a volume that containers write to. No part of the path may be a symbolic link, which could lead anywhere on the node, and only regular
 * files of up to 1 MiB are read: a pipe would never answer. Undefined when there is no such file; rejects for what is none.
 */
export async function readInside(volumeDir: string, path: string): Promise<string | undefined> {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.')
  if (parts.length === 0 || parts.includes('..')) throw new Error(`path "${path}" does not lead to a file inside of the volume`)
  let current: FileHandle = await open(volumeDir, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    for (const [i, part] of parts.entries()) {
      const kind = i < parts.length - 1 ? constants.O_DIRECTORY : constants.O_NONBLOCK
      const next = await open(`/proc/self/fd/${current.fd}/${part}`, constants.O_RDONLY | constants.O_NOFOLLOW | kind)
      await current.close()
      current = next
    }
    const stat = await current.stat()
    if (!stat.isFile()) throw new Error(`"${path}" is not a regular file`)
    if (stat.size > largest) throw new Error(`"${path}" is larger than ${largest} bytes`)
    return await current.readFile('utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return undefined
    if (code === 'ELOOP') throw new Error(`"${path}" leads through a symbolic link`, { cause: error })
    throw error
  } finally {
    await current.close().catch(() => {})
  }
}
