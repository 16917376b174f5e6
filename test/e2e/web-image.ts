import { execFileSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { TestCluster } from './cluster.ts'
import { buildBaseImage } from '../../tools/sample-app.ts'

/** Programs of this machine that the image gets, with the libraries they are linked with: a shell to run, and what kubectl asks for in a container. */
const programs = ['sh', 'tar', 'cat', 'echo', 'env', 'head', 'hostname', 'id', 'kill', 'ls', 'mkdir', 'rm', 'sha256sum', 'sleep', 'stty', 'tty', 'wc']

/**
 * Builds `localhost/web:1` and the given versions beside it, and puts them on the cluster's nodes with `k8ts image build`: a web server on port 80
 * that says its version and its pod, and a shell.
 */
export async function buildWebImages(cluster: TestCluster, ...versions: string[]): Promise<void> {
  await buildBaseImage()
  const context = mkdtempSync(join(tmpdir(), 'k8ts-web-'))
  try {
    const rootfs = join(context, 'rootfs')
    copyPrograms(rootfs, programs)
    copyFileSync(fileURLToPath(new URL('web-server.mjs', import.meta.url)), join(context, 'web-server.mjs'))
    writeFileSync(
      join(context, 'Dockerfile'),
      'FROM localhost/node:26\nCOPY rootfs/ /\nCOPY web-server.mjs /srv/\nWORKDIR /srv\nENV VERSION=1\nCMD ["node", "/srv/web-server.mjs"]\n',
    )
    writeFileSync(join(context, 'next'), 'FROM localhost/web:1\nARG NEXT\nENV VERSION=$NEXT\n')
    const build = (version: string, ...args: string[]) =>
      cluster.k8ts('image', 'build', '--name', cluster.name, '-t', `localhost/web:${version}`, ...args, context)
    await build('1')
    for (const version of versions) await build(version, '--file', join(context, 'next'), '--build-arg', `NEXT=${version}`)
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}

/** Builds `localhost/shell:1` and puts it on the cluster's nodes: a shell and what reads and writes files, nothing else. */
export async function buildShellImage(cluster: TestCluster): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'k8ts-shell-'))
  try {
    copyPrograms(join(context, 'rootfs'), ['sh', 'cat', 'echo', 'hostname', 'id', 'ls', 'mkdir', 'rm', 'sleep', 'stat', 'touch'])
    writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY rootfs/ /\nCMD ["sleep", "infinity"]\n')
    await cluster.k8ts('image', 'build', '--name', cluster.name, '-t', 'localhost/shell:1', context)
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}

/** Copies programs of this machine, a shell and the libraries that they are linked with. */
function copyPrograms(rootfs: string, names: readonly string[]): void {
  const copy = (from: string) => {
    mkdirSync(dirname(join(rootfs, from)), { recursive: true })
    copyFileSync(realpathSync(from), join(rootfs, from))
  }
  for (const name of names) {
    const path = execFileSync('which', [name], { encoding: 'utf8' }).trim()
    copy(path)
    for (const library of execFileSync('ldd', [realpathSync(path)], { encoding: 'utf8' }).match(/\/\S+/g) ?? [])
      if (existsSync(library)) copy(library)
  }
  if (!existsSync(join(rootfs, 'bin/sh'))) copy('/bin/sh')
}
