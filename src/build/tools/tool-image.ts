import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { chmod, copyFile, cp, link, mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, extname, join, relative } from 'node:path'
import { machineApt } from '../apt.ts'
import { buildImage } from '../build-image.ts'
import { inspectImage } from '../buildah.ts'
import { makeDebianImage } from '../debian-base.ts'
import type { Report } from '../events.ts'
import { toolPackages } from './packages.ts'

/** The root of this package: the repository, or where npm put it. */
const root = join(import.meta.dirname, '../../..')

const { version, dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string
  dependencies: Record<string, string>
}

/** The image whose containers build images, run kubectl and git, and k8ts' own programs at `toolHome`. */
export const toolImage = `localhost/k8ts-tools:${version}`

/** Where k8ts stands in the tool image: `src/`, `package.json`, `node_modules/`; run with the image's `node`. */
export const toolHome = '/opt/k8ts'

const contentLabel = 'dev.k8ts.tools'

export interface ToolImageOptions {
  /** Where the registry of every cluster is, seen from a pod: `HOST:PORT`. Its certificate is of the cluster's authority. */
  registryAddress: string
  report?: Report
}

/** Builds the tool image into this machine's store, unless it is there with the same content; answers what identifies the content. */
export async function buildToolImage({ registryAddress, report }: ToolImageOptions): Promise<string> {
  const sources = await sourceFiles()
  const packages = await packageDirectories()
  const base = `localhost/k8ts-tools-base:${shortHash([...toolPackages])}`
  const content = await contentHash([base, registryAddress, process.version, ...packages.keys()], sources)
  if ((await inspectImage(toolImage))?.labels[contentLabel] === content) return content
  if (!(await inspectImage(base))) {
    const apt = await machineApt()
    await makeDebianImage(base, { suite: apt.codename, slim: true, include: toolPackages }, apt, report)
  }
  const context = await mkdtemp(join(tmpdir(), 'k8ts-tools-'))
  try {
    await stage(context, sources, packages, registryAddress)
    await writeFile(join(context, 'Dockerfile'), dockerfile(base))
    await buildImage({ tag: toolImage, directory: context, labels: [`${contentLabel}=${content}`], ...(report ? { report } : {}) })
  } finally {
    await rm(context, { recursive: true, force: true })
  }
  return content
}

/**
 * Layers from what changes never to what changes often. The volume keeps the store of images off the container's own file system, which is an overlay that
 * no further overlay can be put on.
 */
const dockerfile = (base: string): string => `FROM ${base}
COPY files/ /
COPY node /usr/local/bin/node
RUN mkdir -p /workspace && git config --system --add safe.directory '*'
COPY modules ${toolHome}/node_modules
COPY k8ts ${toolHome}
ENV BUILDAH_ISOLATION=chroot STORAGE_DRIVER=overlay NODE_COMPILE_CACHE=/var/cache/node
VOLUME /var/lib/containers
WORKDIR /workspace
CMD ["bash"]
`

async function stage(context: string, sources: readonly string[], packages: ReadonlyMap<string, string>, registryAddress: string): Promise<void> {
  // the running Node: its libraries are part of every Debian system
  await link(process.execPath, join(context, 'node')).catch(() => copyFile(process.execPath, join(context, 'node')))
  for (const file of sources) {
    const to = join(context, 'k8ts', file)
    await mkdir(dirname(to), { recursive: true })
    await copyFile(join(root, file), to)
  }
  await mkdir(join(context, 'modules'))
  for (const [name, directory] of packages)
    await cp(directory, join(context, 'modules', name), { recursive: true, filter: (path) => !/\.(d\.[cm]?ts|map|md)$/.test(path) })
  const files: Record<string, string> = {
    'usr/local/bin/docker': `#!/bin/sh\nexec node ${toolHome}/src/bin/docker${extname(import.meta.filename)} "$@"\n`,
    // a root without CAP_SYS_ADMIN makes a user namespace for itself, with the same numbers inside
    'etc/subuid': 'root:1:65535\n',
    'etc/subgid': 'root:1:65535\n',
    'etc/containers/storage.conf': '[storage]\ndriver = "overlay"\ngraphroot = "/var/lib/containers/storage"\nrunroot = "/run/containers/storage"\n',
    'etc/containers/policy.json': '{ "default": [{ "type": "insecureAcceptAnything" }] }\n',
  }
  for (const [path, text] of Object.entries(files)) {
    const to = join(context, 'files', path)
    await mkdir(dirname(to), { recursive: true })
    await writeFile(to, text)
    await chmod(to, path.includes('/bin/') ? 0o755 : 0o644)
  }
  // every pod has the certificate of its cluster's authority here
  const certificates = join(context, 'files/etc/containers/certs.d', registryAddress)
  await mkdir(certificates, { recursive: true })
  await symlink('/var/run/secrets/kubernetes.io/serviceaccount/ca.crt', join(certificates, 'ca.crt'))
}

/** Relative to the root. Types that only a compiler reads, and tests, stay away. */
async function sourceFiles(): Promise<string[]> {
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => relative(root, join(entry.parentPath, entry.name)))
  return [
    'package.json',
    ...files.filter((file) => /\.(ts|js|json|mjs)$/.test(file) && !/\.(test|bench)\.[jt]s$/.test(file) && !file.startsWith('src/api/types/')),
  ].sort()
}

/** The packages that k8ts depends on, and those that these do: `node_modules`' place to directory. */
async function packageDirectories(): Promise<Map<string, string>> {
  const found = new Map<string, string>()
  const modules = dirname(packageDirectory('commander', root)!)
  const visit = async (name: string, from: string): Promise<void> => {
    const directory = packageDirectory(name, from)
    if (!directory) return
    // what two packages want in two versions stands below one of them
    const inside = relative(modules, directory)
    const place = inside.startsWith('..') ? name : inside
    if (found.has(place)) return
    found.set(place, directory)
    const manifest = JSON.parse(await readFile(join(directory, 'package.json'), 'utf8')) as { dependencies?: Record<string, string> }
    for (const each of Object.keys(manifest.dependencies ?? {})) await visit(each, directory)
  }
  for (const name of Object.keys(dependencies)) await visit(name, root)
  return found
}

/** As Node looks for it: in the `node_modules` of every directory above. */
function packageDirectory(name: string, from: string): string | undefined {
  const places = createRequire(join(from, 'package.json')).resolve.paths(name) ?? []
  for (const place of places) {
    try {
      readFileSync(join(place, name, 'package.json'))
      return join(place, name)
    } catch {
      continue
    }
  }
  return undefined
}

async function contentHash(facts: readonly string[], files: readonly string[]): Promise<string> {
  const hash = createHash('sha256').update(JSON.stringify(facts))
  for (const file of files) hash.update(`\0${file}\0`).update(await readFile(join(root, file)))
  return hash.digest('hex').slice(0, 16)
}

const shortHash = (facts: readonly string[]): string => createHash('sha256').update(JSON.stringify(facts)).digest('hex').slice(0, 12)
