import { readFileSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * The control groups of this machine: one tree per controller (v1, also in its hybrid form), or one tree (v2). Paths are absolute within the
 * hierarchy, e.g. `/k8ts/kubepods/burstable`.
 */
export interface CgroupHierarchy {
  version: 1 | 2
  /** Directory of a cgroup in the tree of a controller. */
  dir(controller: string, path: string): string
  /** Makes a cgroup with its ancestors where limits are set. */
  create(path: string): Promise<void>
  /** Removes a cgroup and those below it, in every tree; what still has processes stays and is reported by a rejection. */
  remove(path: string): Promise<void>
  set(path: string, limits: CgroupLimits): Promise<void>
  /** Names of the cgroups right below one; none when it does not exist. */
  children(path: string): Promise<string[]>
}

/** What is left out stays as it is. */
export interface CgroupLimits {
  /** On the scale of v1: 1024 is one CPU's worth. */
  cpuShares?: number
  /** Microseconds per period of 100 ms; -1 is none. */
  cpuQuota?: number
  /** Bytes; -1 is none. */
  memory?: number
}

/** Controllers whose trees get the pods' cgroups and limits; the runtime makes its own in the others. */
const limited = ['cpu', 'memory']
const quotaPeriod = 100_000

export function cgroupHierarchy(root = '/sys/fs/cgroup', mountinfo = readFileSync('/proc/self/mountinfo', 'utf8')): CgroupHierarchy {
  const trees = controllerTrees(mountinfo)
  return trees.size > 0 ? legacy(trees) : unified(root)
}

/** Mount points of the v1 controllers, by controller. */
export function controllerTrees(mountinfo: string): Map<string, string> {
  const trees = new Map<string, string>()
  for (const line of mountinfo.split('\n')) {
    const [left, right] = line.split(' - ')
    const [type, , options = ''] = right?.split(' ') ?? []
    const point = left?.split(' ')[4]
    if (type !== 'cgroup' || !point) continue
    for (const option of options.split(',')) if (option !== 'rw' && option !== 'ro' && !option.startsWith('xattr')) trees.set(option, point)
  }
  return trees
}

function legacy(trees: Map<string, string>): CgroupHierarchy {
  const points = [...new Set(trees.values())]
  const dir = (controller: string, path: string) => join(trees.get(controller) ?? `/sys/fs/cgroup/${controller}`, path)
  return {
    version: 1,
    dir,
    async create(path) {
      await Promise.all(limited.map((controller) => mkdir(dir(controller, path), { recursive: true })))
    },
    async remove(path) {
      await Promise.all(points.map((point) => removeTree(join(point, path))))
    },
    children: (path) => subdirectories(dir('memory', path)),
    async set(path, { cpuShares, cpuQuota, memory }) {
      const write = (controller: string, file: string, value: number) => writeFile(join(dir(controller, path), file), String(value))
      if (cpuShares !== undefined) await write('cpu', 'cpu.shares', cpuShares)
      if (cpuQuota !== undefined) {
        if (cpuQuota > 0) await write('cpu', 'cpu.cfs_period_us', quotaPeriod)
        await write('cpu', 'cpu.cfs_quota_us', cpuQuota)
      }
      if (memory !== undefined) await write('memory', 'memory.limit_in_bytes', memory)
    },
  }
}

function unified(root: string): CgroupHierarchy {
  const dir = (_: string, path: string) => join(root, path)
  return {
    version: 2,
    dir,
    async create(path) {
      let at = root
      for (const part of path.split('/').filter((p) => p !== '')) {
        // A controller is there for the children of a cgroup only when their parent hands it down.
        await writeFile(join(at, 'cgroup.subtree_control'), '+cpu +memory +pids').catch(() => {})
        at = join(at, part)
        await mkdir(at, { recursive: true })
      }
    },
    remove: (path) => removeTree(join(root, path)),
    children: (path) => subdirectories(join(root, path)),
    async set(path, { cpuShares, cpuQuota, memory }) {
      const write = (file: string, value: string) => writeFile(join(root, path, file), value)
      if (cpuShares !== undefined) await write('cpu.weight', String(sharesToWeight(cpuShares)))
      if (cpuQuota !== undefined) await write('cpu.max', cpuQuota > 0 ? `${cpuQuota} ${quotaPeriod}` : 'max')
      if (memory !== undefined) await write('memory.max', memory > 0 ? String(memory) : 'max')
    },
  }
}

/** v1's range 2…262144 onto v2's 1…10000, as runtimes do for containers. */
export function sharesToWeight(shares: number): number {
  return Math.trunc(1 + ((shares - 2) * 9999) / 262_142)
}

async function subdirectories(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isDirectory()).map((entry) => entry.name)
}

async function removeTree(dir: string): Promise<void> {
  let entries
  try {
    entries = await readdir(dir, { withFileTypes: true })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return
    throw error
  }
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(dir, entry.name))
  try {
    await rmdir(dir)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
}
