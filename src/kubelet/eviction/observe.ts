import { lstat, readFile, readdir, statfs } from 'node:fs/promises'
import { join } from 'node:path'
import type { Observations } from './thresholds.ts'

/** What the machine has left. `imageDir` is where the runtime keeps images. */
export async function observeMachine(rootDir: string, imageDir: string | undefined): Promise<Observations> {
  const [memory, nodefs, imagefs] = await Promise.all([
    readFile('/proc/meminfo', 'utf8').then(parseMeminfo),
    statfs(rootDir),
    imageDir ? statfs(imageDir).catch(() => undefined) : undefined,
  ])
  const space = (fs: { bavail: number; blocks: number; bsize: number }) => ({ available: fs.bavail * fs.bsize, capacity: fs.blocks * fs.bsize })
  return {
    ...(memory ? { 'memory.available': memory } : {}),
    'nodefs.available': space(nodefs),
    // File systems without a fixed number of inodes say zero.
    ...(nodefs.files > 0 ? { 'nodefs.inodesFree': { available: nodefs.ffree, capacity: nodefs.files } } : {}),
    ...(imagefs ? { 'imagefs.available': space(imagefs) } : {}),
  }
}

export function parseMeminfo(text: string): { available: number; capacity: number } | undefined {
  const kib = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? Number.NaN) * 1024
  const [available, capacity] = [kib('MemAvailable'), kib('MemTotal')]
  return Number.isNaN(available) || Number.isNaN(capacity) ? undefined : { available, capacity }
}

/** Bytes that the files below `dir` take on the disk; what vanishes meanwhile counts nothing. Does not follow links. */
export async function diskUsage(dir: string): Promise<number> {
  let total = 0
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) {
    const path = join(dir, entry.name)
    const info = await lstat(path).catch(() => undefined)
    total += (info?.blocks ?? 0) * 512
    if (entry.isDirectory()) total += await diskUsage(path)
  }
  return total
}
