import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { mkdir, readdir, rmdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

// Every process of a cluster lives below the control group `k8ts-<name>`, also the containers and their shims. So the group says,
// whatever crashed, what belongs to the cluster: no pid file can be stale and no other process can be hit.

const mount = '/sys/fs/cgroup'
const unified = existsSync(join(mount, 'cgroup.controllers'))

/** The hierarchies that hold groups: one on cgroup v2; on v1 one per controller. */
function hierarchies(): string[] {
  if (unified) return [mount]
  return readdirSync(mount)
    .map((entry) => join(mount, entry))
    .filter((dir) => existsSync(join(dir, 'cgroup.procs')))
}

/** The hierarchy that tells which processes a group holds. */
const processHierarchy = () => (unified ? mount : join(mount, 'pids'))

export const clusterCgroup = (cluster: string): string => `/k8ts-${cluster}`
export const nodeCgroup = (cluster: string, node: string): string => `${clusterCgroup(cluster)}/${node}`

/** Makes the group and answers the file that a process writes its id to in order to join. */
export async function ensureCgroup(path: string): Promise<string> {
  if (unified) await delegate(path)
  const dir = join(processHierarchy(), path)
  await mkdir(dir, { recursive: true })
  return join(dir, 'cgroup.procs')
}

/** On cgroup v2 a group's children have the controllers that every ancestor hands down. */
async function delegate(path: string): Promise<void> {
  const parents: string[] = []
  for (let dir = dirname(join(mount, path)); dir.startsWith(mount); dir = dirname(dir)) parents.unshift(dir)
  await mkdir(dirname(join(mount, path)), { recursive: true })
  for (const parent of parents) {
    const controllers = readFileSync(join(parent, 'cgroup.controllers'), 'utf8').trim().split(/\s+/)
    for (const controller of controllers) await writeFile(join(parent, 'cgroup.subtree_control'), `+${controller}`).catch(() => {})
  }
}

/** Ids of all processes in the group and below it. */
export function processesIn(path: string): number[] {
  const pids: number[] = []
  const visit = (dir: string) => {
    if (!existsSync(dir)) return
    try {
      pids.push(...readFileSync(join(dir, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number))
      for (const entry of readdirSync(dir, { withFileTypes: true })) if (entry.isDirectory()) visit(join(dir, entry.name))
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT' && (error as NodeJS.ErrnoException).code !== 'ENODEV') throw error // the group went away while we looked
    }
  }
  visit(join(processHierarchy(), path))
  return pids.filter((pid) => pid > 0)
}

/** Removes the group and everything below it from all hierarchies; it must hold no process. */
export async function removeCgroup(path: string): Promise<void> {
  for (const hierarchy of hierarchies()) await removeTree(join(hierarchy, path))
}

async function removeTree(dir: string): Promise<void> {
  if (!existsSync(dir)) return
  for (const entry of await readdir(dir, { withFileTypes: true }).catch(() => [])) if (entry.isDirectory()) await removeTree(join(dir, entry.name))
  for (let attempt = 0; ; attempt++) {
    try {
      return await rmdir(dir)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'ENOENT') return
      // the kernel keeps a group busy for a moment after its last process ended
      if (code !== 'EBUSY' || attempt > 100) throw error
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }
}
