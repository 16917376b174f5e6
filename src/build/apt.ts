import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '#base'

/** How this machine gets Debian's packages. */
export interface AptSources {
  /** The release that it runs: `bookworm`. */
  codename: string
  /** Where the packages of main are: `http://deb.debian.org/debian/`. */
  mirror: string
  /** Settings of how to fetch (proxies, timeouts, what dates are checked), as lines of an apt.conf. */
  transport: string[]
}

/** Reads `apt-get indextargets` and `apt-config dump`; an error says what is missing. */
export async function machineApt(): Promise<AptSources> {
  const targets = await run('apt-get', ['indextargets', '--format', '$(REPO_URI) $(CODENAME) $(COMPONENT) $(ORIGIN)', 'Created-By: Packages'])
  const [mirror, codename] = mainTarget(targets)
  return { codename, mirror, transport: transportOf(await run('apt-config', ['dump'])) }
}

/** The first target that is a Debian release's main: neither its updates nor its security fixes. */
export function mainTarget(targets: string): [mirror: string, codename: string] {
  for (const line of targets.split('\n')) {
    const [uri, codename, component, origin] = line.split(' ')
    if (uri && codename && /^[a-z]+$/.test(codename) && component === 'main' && (origin ?? 'Debian').startsWith('Debian')) return [uri, codename]
  }
  throw new Error('apt knows no Debian release on this machine: look at /etc/apt/sources.list.d and run `apt-get update`')
}

/** Of apt's configuration what a build needs to reach the same packages: nothing that runs programs or names files of this machine. */
export function transportOf(dump: string): string[] {
  const wanted =
    /^Acquire::((https?|ftp)::(Proxy(::[\w.-]+)?|Timeout|No-Cache|Pipeline-Depth)|Retries|Check-Valid-Until|Check-Date|Min-ValidTime|Max-ValidTime|ForceIPv[46]) "[^"]+";$/i
  return dump.split('\n').filter((line) => wanted.test(line))
}

/** Debian's own address, which images have in their sources. */
export const publicMirror = 'http://deb.debian.org/debian'

/** Sources for an image, as Debian's own images have them; with another mirror for the time of a build. */
export function debianSources(suite: string, mirror = publicMirror): string {
  const base = mirror.replace(/\/$/, '')
  const stanza = (uri: string, suites: string) =>
    `Types: deb\nURIs: ${uri}\nSuites: ${suites}\nComponents: main\nSigned-By: /usr/share/keyrings/debian-archive-keyring.gpg\n`
  if (suite === 'sid' || suite === 'unstable') return stanza(base, suite)
  return `${stanza(base, `${suite} ${suite}-updates`)}\n${stanza(`${base}-security`, `${suite}-security`)}`
}

/** Where builds get the machine's settings; images of ours have the file already, so that nothing is left of the mount. */
const aptConf = '/etc/apt/apt.conf'

/**
 * Mounts that let RUN reach Debian's packages as this machine does. They are there for the time of a RUN and leave nothing in the image. `suites` are the
 * releases of the base images.
 */
export async function aptMounts(apt: AptSources, suites: readonly string[]): Promise<{ mounts: string[] } & AsyncDisposable> {
  const dir = await mkdtemp(join(tmpdir(), 'k8ts-apt-'))
  const mounts: string[] = []
  const add = async (name: string, content: string, at: string) => {
    await writeFile(join(dir, name), content)
    mounts.push(`${join(dir, name)}:${at}`)
  }
  await add('apt.conf', apt.transport.join('\n') + '\n', aptConf)
  const [suite] = suites
  if (suite && apt.mirror.replace(/\/$/, '') !== publicMirror)
    await add('debian.sources', debianSources(suite, apt.mirror), '/etc/apt/sources.list.d/debian.sources')
  // passwords of private mirrors; the directory is part of every Debian system
  if ((await readdir('/etc/apt/auth.conf.d').catch(() => [])).length > 0) mounts.push('/etc/apt/auth.conf.d:/etc/apt/auth.conf.d:ro')
  return { mounts, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
