import { chmod, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { core, DeepReadonly } from '#api'

const setgid = 0o2000

/**
 * Gives a volume to the pod's fsGroup, as upstream does: group ownership, read (and write) for the group, and directories that hand their group
 * to what is made in them. Symlinks are left alone. Nothing happens without an fsGroup.
 */
export async function setVolumeOwnership(
  path: string,
  pod: DeepReadonly<core.Pod>,
  { readOnly, recursive = true }: { readOnly: boolean; recursive?: boolean },
): Promise<void> {
  const { fsGroup, fsGroupChangePolicy } = pod.spec.securityContext ?? {}
  if (fsGroup === undefined) return
  if (!readOnly && fsGroupChangePolicy === 'OnRootMismatch') {
    const root = await lstat(path)
    const wanted = 0o660 | 0o110 | setgid
    if (root.gid === fsGroup && (root.mode & wanted) === wanted) return
  }
  await change(path, fsGroup, readOnly, recursive)
}

async function change(path: string, group: number, readOnly: boolean, recursive: boolean): Promise<void> {
  const stat = await lstat(path)
  if (stat.isSymbolicLink()) return
  await lchown(path, stat.uid, group)
  const mask = (readOnly ? 0o440 : 0o660) | (stat.isDirectory() ? 0o110 | setgid : 0)
  // after the change of owner, which clears set-id bits
  await chmod(path, (stat.mode & 0o7777) | mask)
  if (!recursive || !stat.isDirectory()) return
  for (const name of await readdir(path)) await change(join(path, name), group, readOnly, true)
}

/** The one user that all containers of a pod run as, if there is one: who gets to own service account tokens. */
export function commonUser(pod: DeepReadonly<core.Pod>): number | undefined {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? []), ...(pod.spec.ephemeralContainers ?? [])]
  const users = new Set(containers.map((c) => c.securityContext?.runAsUser ?? pod.spec.securityContext?.runAsUser))
  return users.size === 1 ? [...users][0] : undefined
}
