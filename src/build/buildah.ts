import { readFileSync, readdirSync } from 'node:fs'
import type { Clock, RunOptions } from '#base'
import { CommandError, run } from '#base'

/** How to speak to a registry: with a directory that holds its `ca.crt`, and a file with credentials (`config.json`). */
export interface RegistryLogin {
  certDir?: string
  authFile?: string
}

const loginFlags = ({ certDir, authFile }: RegistryLogin): string[] => [
  ...(certDir ? ['--cert-dir', certDir] : []),
  ...(authFile ? ['--authfile', authFile] : []),
]

/** Runs buildah. Nothing is found by a search list, and no standard input is waited for. */
export const buildah = (args: readonly string[], options: RunOptions = {}): Promise<string> => run('buildah', args, options)

interface Inspected {
  FromImageID: string
  OCIv1: { config: { Labels?: Record<string, string> } }
}

/** What of an image matters here; undefined when the store does not have it. Never asks a registry. */
export async function inspectImage(reference: string): Promise<{ id: string; labels: Record<string, string> } | undefined> {
  try {
    const found = JSON.parse(await buildah(['inspect', '--type', 'image', reference])) as Inspected
    return { id: found.FromImageID, labels: found.OCIv1.config.Labels ?? {} }
  } catch (error) {
    if (error instanceof CommandError && /not known|does not exist|no such image|locating image/i.test(error.stderr)) return undefined
    throw error
  }
}

/** Names of the images in the store, sorted. A store with a broken image in it answers none: buildah lists all or nothing. */
export async function storedImages(): Promise<string[]> {
  try {
    const lines = (await buildah(['images', '--format', '{{.Name}}:{{.Tag}}', '--noheading'])).split('\n')
    return [...new Set(lines.filter((line) => line && !line.startsWith('<none>')))].sort()
  } catch (error) {
    if (error instanceof CommandError) return []
    throw error
  }
}

/** Removes what no name leads to, which is the layers of earlier builds, or (`all`) every image. Answers how many images went. */
export async function pruneImages(all = false): Promise<number> {
  const removed = await buildah(['rmi', all ? '--all' : '--prune'])
  return removed.split('\n').filter((line) => /^[0-9a-f]{64}$/.test(line)).length
}

/** Brings an image from its registry into the store. */
export async function pullImage(reference: string, login: RegistryLogin = {}, onLine?: (line: string) => void): Promise<void> {
  await buildah(['pull', ...loginFlags(login), '--', reference], onLine ? { onLine } : {})
}

/** Sends an image of the store to a registry, by default to the one of its name; layers that are there are not sent. */
export async function pushImage(
  reference: string,
  login: RegistryLogin & { destination?: string; onLine?: (line: string) => void } = {},
): Promise<void> {
  const { destination = reference, onLine } = login
  await buildah(['push', ...loginFlags(login), '--', reference, `docker://${destination}`], onLine ? { onLine } : {})
}

/** Writes an image of the store as an archive of `docker save`. */
export async function saveImage(reference: string, file: string): Promise<void> {
  await buildah(['push', '--quiet', '--', reference, `docker-archive:${file}:${reference}`])
}

/** Writes an image of the store into a directory: `manifest.json`, and blobs, which are not compressed, by their digests. */
export async function saveDirectory(reference: string, directory: string): Promise<void> {
  await buildah(['push', '--quiet', '--disable-compression', '--', reference, `dir:${directory}`])
}

export async function tagImage(reference: string, ...names: string[]): Promise<void> {
  await buildah(['tag', '--', reference, ...names])
}

/** How long a build that was told to end may take to clean up. */
const graceMs = 10_000

/**
 * Ends a build when the signal aborts, by ending the command of its step: buildah then fails the step and removes its working container, which it leaves in
 * the store when it is ended itself. To be called off (by what it answers) when the build has ended.
 */
export function endOnAbort(pid: number, clock: Clock, signal: AbortSignal): () => void {
  let cancel = () => {}
  const end = () => {
    for (const child of descendants(pid)) if (!isBuildah(child)) kill(child, 'SIGKILL')
    cancel = clock.schedule(graceMs, () => [pid, ...descendants(pid)].forEach((each) => kill(each, 'SIGTERM')))
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return () => {
    signal.removeEventListener('abort', end)
    cancel()
  }
}

function descendants(pid: number): number[] {
  const children = entries(`/proc/${pid}/task`).flatMap((task) => (text(`/proc/${pid}/task/${task}/children`).match(/\d+/g) ?? []).map(Number))
  return [...children, ...children.flatMap(descendants)]
}

/** Without privileges buildah starts itself once more, in a user namespace. */
const isBuildah = (pid: number): boolean => text(`/proc/${pid}/cmdline`).startsWith('buildah-in-a-user-namespace\0')

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // it has ended by itself
  }
}

const quietly =
  <T>(read: (path: string) => T, otherwise: T) =>
  (path: string): T => {
    try {
      return read(path)
    } catch {
      return otherwise
    }
  }
const entries = quietly((path) => readdirSync(path), [])
const text = quietly((path) => readFileSync(path, 'utf8'), '')
