import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { run, succeeds } from '#base'
import { aptGet } from './apt-get.ts'
import { exclusively } from './local/lock.ts'

/** A program that a real node needs, and the Debian package that has it. */
interface Requirement {
  program: string
  package: string
  why: string
}

export const nodeRequirements: readonly Requirement[] = [
  { program: 'containerd', package: 'containerd', why: 'runs the containers' },
  { program: 'runc', package: 'runc', why: 'starts a container' },
  { program: 'crun', package: 'crun', why: 'starts a container faster, where it can' },
  { program: '/usr/lib/cni/ptp', package: 'containernetworking-plugins', why: 'connects pods to the network' },
  { program: 'nft', package: 'nftables', why: 'programs services' },
  { program: 'iptables', package: 'iptables', why: 'maps host ports (CNI portmap)' },
  { program: 'conntrack', package: 'conntrack', why: 'forgets UDP flows to endpoints that are gone' },
  { program: 'ip', package: 'iproute2', why: 'makes links and network namespaces' },
  { program: 'sysctl', package: 'procps', why: 'turns on forwarding' },
  { program: 'nsenter', package: 'util-linux', why: 'enters a node' },
  { program: 'haproxy', package: 'haproxy', why: 'serves ingresses' },
  { program: 'catatonit', package: 'catatonit', why: 'holds a pod together' },
]

export const buildRequirements: readonly Requirement[] = [{ program: 'buildah', package: 'buildah', why: 'builds images' }]

export const baseRequirements: readonly Requirement[] = [
  { program: 'mmdebstrap', package: 'mmdebstrap', why: 'makes base images of Debian’s packages' },
]

export const ciRequirements: readonly Requirement[] = [
  { program: '/usr/lib/git-core/git-http-backend', package: 'git', why: 'serves the repositories of pipelines' },
]

export function isInstalled(program: string): boolean {
  if (program.startsWith('/')) return existsSync(program)
  const path = `${process.env['PATH'] ?? ''}${delimiter}/usr/sbin${delimiter}/sbin`
  return path.split(delimiter).some((dir) => dir !== '' && existsSync(join(dir, program)))
}

export function missing(requirements: readonly Requirement[]): Requirement[] {
  return requirements.filter((requirement) => !isInstalled(requirement.program))
}

/** Installs what is missing, where it can (root, apt); otherwise says what to install. Others of this machine who want the same wait, and find it there. */
export async function ensureInstalled(requirements: readonly Requirement[], onLine?: (line: string) => void): Promise<string[]> {
  return missing(requirements).length === 0 ? [] : exclusively('apt', () => install(requirements, onLine))
}

async function install(requirements: readonly Requirement[], onLine?: (line: string) => void): Promise<string[]> {
  const packages = [...new Set(missing(requirements).map((r) => r.package))]
  if (packages.length === 0) return []
  if (process.getuid?.() !== 0 || !isInstalled('apt-get')) throw new Error(`missing programs; install these packages first: ${packages.join(' ')}`)
  const options = onLine ? { onLine } : {}
  const command = ['install', '-y', '-qq', '--no-install-recommends', ...packages]
  // package lists are fetched only where the first try shows that they are missing or old
  if (!(await succeeds('apt-get', ['install', '-y', '-qq', '--no-install-recommends', '--print-uris', ...packages])))
    await aptGet(['update', '-qq'], options)
  try {
    await aptGet(command, options)
  } catch {
    await aptGet(['update', '-qq'], options)
    await aptGet(command, options)
  }
  const still = missing(requirements)
  if (still.length > 0) throw new Error(`still missing after installing ${packages.join(' ')}: ${still.map((r) => r.program).join(', ')}`)
  return packages
}

export interface UnpackedPackage extends AsyncDisposable {
  /** Debian's version, e.g. `2.8.2+ds1-1`. */
  version: string
  /** The package's files, as below `/`. */
  root: string
}

/**
 * The files of a Debian package, for an image to be made of: nothing is installed on this machine, so no service of the package starts. Disposing it removes
 * them.
 */
export async function unpackPackage(name: string): Promise<UnpackedPackage> {
  if (!isInstalled('apt-get')) throw new Error(`the package ${name} is needed, and only a Debian system with apt-get has it`)
  const dir = await mkdtemp(join(tmpdir(), 'k8ts-package-'))
  const remove = () => rm(dir, { recursive: true, force: true })
  try {
    // apt's own user could not write into the directory
    const download = () => aptGet(['-o', 'APT::Sandbox::User=root', 'download', '-qq', name], { cwd: dir })
    try {
      await download()
    } catch {
      // package lists are missing or old
      await exclusively('apt', () => aptGet(['update', '-qq']))
      await download()
    }
    const file = (await readdir(dir)).find((each) => each.endsWith('.deb'))
    if (!file) throw new Error(`apt-get did not download the package ${name}`)
    const root = join(dir, 'root')
    await mkdir(root)
    await run('dpkg-deb', ['--extract', join(dir, file), root])
    const version = (await run('dpkg-deb', ['--field', join(dir, file), 'Version'])).trim()
    return { version, root, [Symbol.asyncDispose]: remove }
  } catch (error) {
    await remove()
    throw error
  }
}

export function requireRoot(what: string): void {
  if (process.getuid?.() !== 0) throw new Error(`${what} needs root: it makes network namespaces and starts containerd (try \`sudo ./k8ts …\`)`)
}
