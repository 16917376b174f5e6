import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CommandError, realClock, run } from '#base'
import type { AptSources } from './apt.ts'
import { aptMounts, debianSources, machineApt, openAddress } from './apt.ts'
import type { BaseImages } from './base-images.ts'
import { buildah, inspectImage, tagImage } from './buildah.ts'
import type { Report } from './events.ts'
import { seconds } from './printer.ts'
import { fullName } from './reference.ts'

/** A Debian system as an image. */
export interface DebianBase {
  /** Codename of the release. */
  suite: string
  /** Without manuals, documentation and translations. */
  slim: boolean
  /** More packages. */
  include?: readonly string[]
}

/** The label of images that are made of Debian's packages: the release. Images that are built from them inherit it. */
export const debianLabel = 'dev.k8ts.debian'
const includeLabel = 'dev.k8ts.debian.packages'

/** Releases by number, as image tags have them. */
const releases: Record<string, string> = { '10': 'buster', '11': 'bullseye', '12': 'bookworm', '13': 'trixie', '14': 'forky' }
const suites = new Set([...Object.values(releases), 'sid'])

/**
 * What `debian:TAG` is: `bookworm`, `12`, `12-slim`, `stable-slim`. `stable` and `latest` are the release that this machine runs, whose packages it has
 * at hand. Undefined for other images.
 */
export function debianBaseOf(reference: string, machine: string): DebianBase | undefined {
  const [, tag] = /^docker\.io\/library\/debian:([\w.-]+)$/.exec(fullName(reference)) ?? []
  if (!tag) return undefined
  const slim = tag.endsWith('-slim')
  const release = slim ? tag.slice(0, -'-slim'.length) : tag
  if (release === 'latest' || release === 'stable') return { suite: machine, slim }
  const suite = release === 'unstable' ? 'sid' : (releases[release.replace(/\.\d+$/, '')] ?? release)
  return suites.has(suite) ? { suite, slim } : undefined
}

/** Makes a `debian` image when a Dockerfile starts from one: once, then the store has it. */
export function debianBases(): BaseImages {
  return {
    offers:
      'debian:bookworm, debian:stable-slim, debian:12 and so on, made of Debian’s packages; others with `k8ts image base NAME --include PACKAGE,…`',
    async provide(reference, report) {
      // most names are none of ours: apt is asked only for those that are
      if (!debianBaseOf(reference, 'bookworm')) return false
      const apt = await machineApt()
      await makeDebianImage(reference, debianBaseOf(reference, apt.codename)!, apt, report)
      return true
    },
  }
}

/**
 * Makes an image of a Debian release with mmdebstrap and puts it into the store. Names whose content is the same share one image. Needs root and
 * Debian's packages.
 */
export async function makeDebianImage(name: string, base: DebianBase, apt: AptSources, report: Report = () => {}): Promise<void> {
  const { suite, slim, include = [] } = base
  for (const each of [suite, ...include])
    if (!/^[a-z0-9][a-z0-9+.-]*$/.test(each)) throw new Error(`invalid package or release name ${JSON.stringify(each)}`)
  const key = `localhost/k8ts-debian:${suite}${slim ? '-slim' : ''}`
  const plain = include.length === 0
  if (plain && (await inspectImage(key))) return tagImage(key, fullName(name))
  const started = realClock.monotonic()
  report({ type: 'note', text: `making ${name} of Debian’s packages (${[suite, ...include].join(', ')}) …` })
  const work = await mkdtemp(join(tmpdir(), 'k8ts-debian-'))
  try {
    await debootstrap(join(work, 'rootfs.tar'), base, apt)
    await writeFile(
      join(work, 'Dockerfile'),
      [
        'FROM scratch',
        'ADD rootfs.tar /',
        'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
        `LABEL ${debianLabel}=${suite}${plain ? '' : ` ${includeLabel}=${JSON.stringify(include.join(','))}`}`,
        'CMD ["bash"]',
        '',
      ].join('\n'),
    )
    const tags = [...(plain ? ['--tag', key] : []), '--tag', fullName(name)]
    await buildah(['build', '--quiet', '--isolation', 'chroot', '--format', 'docker', '--layers=false', '--squash', ...tags, work])
  } finally {
    await rm(work, { recursive: true, force: true })
  }
  report({ type: 'note', text: `made ${name} in ${seconds(realClock.monotonic() - started)}` })
}

/** Files that a slim image leaves out, as Debian's own do. */
const leftOut = ['/usr/share/doc/*', '/usr/share/man/*', '/usr/share/info/*', '/usr/share/locale/*', '/usr/share/lintian/*', '/usr/share/groff/*']

/** Settings for apt and dpkg that fit images: no services are started, no caches stay in layers. */
const imageSettings: Record<string, string> = {
  'usr/sbin/policy-rc.d': '#!/bin/sh\n# a build starts no services\nexit 101\n',
  'etc/apt/apt.conf': '',
  'etc/apt/apt.conf.d/docker-clean': [
    'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb /var/cache/apt/*.bin || true"; };',
    'Dir::Cache::pkgcache ""; Dir::Cache::srcpkgcache "";',
    '',
  ].join('\n'),
  'etc/apt/apt.conf.d/docker-no-languages': 'Acquire::Languages "none";\n',
  'etc/apt/apt.conf.d/docker-gzip-indexes': 'Acquire::GzipIndexes "true";\n',
  'etc/dpkg/dpkg.cfg.d/docker-apt-speedup': 'force-unsafe-io\n',
}

async function debootstrap(tar: string, { suite, slim, include = [] }: DebianBase, apt: AptSources): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'k8ts-settings-'))
  const excludes = slim ? [...leftOut.map((path) => `--dpkgopt=path-exclude=${path}`), '--dpkgopt=path-include=/usr/share/doc/*/copyright'] : []
  const hooks: string[] = []
  const put = async (path: string, content: string, mode = '0644') => {
    const file = join(work, path.replaceAll('/', '_'))
    await writeFile(file, content)
    hooks.push(
      `--customize-hook=copy-in ${file} /tmp`,
      `--customize-hook=install -D -m ${mode} "$1/tmp/${path.replaceAll('/', '_')}" "$1/${path}" && rm "$1/tmp/${path.replaceAll('/', '_')}"`,
    )
  }
  try {
    for (const [path, content] of Object.entries(imageSettings)) await put(path, content, path.startsWith('usr/sbin') ? '0755' : '0644')
    await put('etc/apt/sources.list.d/debian.sources', debianSources(suite, openAddress(apt.mirror)))
    hooks.push(
      '--customize-hook=rm -f "$1/etc/apt/apt.conf.d/99mmdebstrap" "$1/etc/apt/sources.list" "$1"/etc/apt/sources.list.d/0000* "$1/etc/hostname" "$1/etc/resolv.conf"',
    )
    if (slim) hooks.push(`--customize-hook=mv "$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap" "$1/etc/dpkg/dpkg.cfg.d/docker"`)
    const mirror = join(work, 'mirror.sources')
    await writeFile(mirror, debianSources(suite, apt.mirror))
    await run('mmdebstrap', [
      '--quiet',
      '--mode=root',
      '--variant=minbase',
      '--format=tar',
      '--aptopt=Acquire::Languages "none"',
      '--aptopt=Apt::Install-Recommends "false"',
      ...apt.transport.map((line) => `--aptopt=${line.replace(/;$/, '')}`),
      `--include=${['ca-certificates', ...include].join(',')}`,
      ...excludes,
      ...hooks,
      suite,
      tar,
      mirror,
    ])
  } catch (error) {
    if (error instanceof CommandError) {
      const said = error.stderr
        .split('\n')
        .filter((line) => /^E: |error|unable/i.test(line))
        .slice(0, 6)
      throw new Error(
        `Debian ${suite} cannot be made of packages from ${apt.mirror}:\n${said.map((line) => `  ${line}`).join('\n') || error.stderr}`,
        { cause: error },
      )
    }
    throw error
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

/** For `BuildOptions.mounts`: gives RUN the machine's way to Debian's packages when a base image is Debian's. */
export async function debianMounts(labels: readonly Record<string, string>[]): Promise<{ mounts: string[] } & AsyncDisposable> {
  const used = labels.flatMap((each) => each[debianLabel] ?? [])
  if (used.length === 0) return { mounts: [], [Symbol.asyncDispose]: async () => {} }
  return aptMounts(await machineApt(), used)
}
