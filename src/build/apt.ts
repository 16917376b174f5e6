import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from '#base'

/** How this machine gets Debian's packages. */
export interface AptSources {
  /** The release that it runs: `bookworm`. */
  codename: string
  /** Where the packages of main are: `http://mirror.example/debian/`. */
  mirror: string
  /** Settings of how to fetch (proxies, timeouts, what dates are checked), as lines of an apt.conf. */
  transport: string[]
}

/** Reads apt's sources and settings of this machine; an error says what is missing. */
export async function machineApt(): Promise<AptSources> {
  const codename = codenameOf(await readFile('/etc/os-release', 'utf8').catch(() => ''))
  const parts = (await readdir('/etc/apt/sources.list.d').catch(() => [])).sort().map((name) => join('/etc/apt/sources.list.d', name))
  const texts: string[] = []
  for (const file of ['/etc/apt/sources.list', ...parts]) if (/\.(list|sources)$/.test(file)) texts.push(await readFile(file, 'utf8').catch(() => ''))
  return { codename, mirror: mirrorOf(texts, codename), transport: transportOf(await run('apt-config', ['dump'])) }
}

/** The release that os-release(5) names. */
export function codenameOf(osRelease: string): string {
  const value = (key: string) => new RegExp(`^${key}="?([^"\n]*)"?$`, 'm').exec(osRelease)?.[1]
  const codename = value('VERSION_CODENAME')
  if (value('ID') !== 'debian')
    throw new Error('base images are made of Debian’s packages, and this machine runs another system: give FROM an image that is here')
  // testing and unstable have none
  return codename ?? 'sid'
}

/** Where the sources (sources.list(5), of both formats) have main of a release. Asking apt itself takes longer than most builds. */
export function mirrorOf(sources: readonly string[], codename: string): string {
  const names = new Set([codename, 'stable', 'testing', 'unstable'])
  for (const text of sources) {
    for (const line of text.split('\n')) {
      const [, uri, suite, components] = /^deb\s+(?:\[[^\]]*\]\s+)?(\S+)\s+(\S+)\s+(.*)$/.exec(line) ?? []
      if (uri && names.has(suite!) && components!.split(/\s+/).includes('main')) return uri
    }
    for (const stanza of text.replaceAll(/^#.*\n/gm, '').split(/\n\s*\n/)) {
      const field = (name: string) => (new RegExp(`^${name}:\\s*(.*)$`, 'im').exec(stanza)?.[1] ?? '').split(/\s+/)
      if (!field('Types').includes('deb') || field('Enabled')[0] === 'no' || !field('Components').includes('main')) continue
      const [uri] = field('URIs')
      if (uri && field('Suites').some((suite) => names.has(suite))) return uri
    }
  }
  throw new Error(`apt has no source for Debian ${codename} on this machine: look at /etc/apt/sources.list.d`)
}

/** Of apt's configuration what a build needs to reach the same packages: nothing that runs programs or names files of this machine. */
export function transportOf(dump: string): string[] {
  const wanted =
    /^Acquire::((https?|ftp)::(Proxy(::[\w.-]+)?|Timeout|No-Cache|Pipeline-Depth)|Retries|Check-Valid-Until|Check-Date|Min-ValidTime|Max-ValidTime|ForceIPv[46]) "[^"]+";$/i
  return dump.split('\n').filter((line) => wanted.test(line))
}

/** A mirror's address as others may see it: without a user and a password. */
export const openAddress = (mirror: string): string => mirror.replace(/^(\w+:\/\/)[^/@]*@/, '$1')

/** Sources of a release in the form of Debian's own images. */
export function debianSources(suite: string, mirror: string): string {
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
  // an image from elsewhere may name another mirror, which this machine does not reach
  if (suite) await add('debian.sources', debianSources(suite, apt.mirror), '/etc/apt/sources.list.d/debian.sources')
  // passwords of private mirrors; the directory is part of every Debian system
  if ((await readdir('/etc/apt/auth.conf.d').catch(() => [])).length > 0) mounts.push('/etc/apt/auth.conf.d:/etc/apt/auth.conf.d:ro')
  return { mounts, [Symbol.asyncDispose]: () => rm(dir, { recursive: true, force: true }) }
}
