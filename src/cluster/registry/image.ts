import { existsSync } from 'node:fs'
import { readFile, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from '#base'
import { writeAtomically } from '../config.ts'
import { imageArchive } from '../image/archive.ts'
import { unpackPackage } from '../preflight.ts'

const repository = 'k8ts.dev/registry'
/** Goes up when the image has something else in it for the same docker-registry. */
const revision = 2
const archivePattern = new RegExp(`^registry-(.+\\.${revision})\\.tar$`)
/** Looks after the data, of Debian's essential packages. */
const maintenanceProgram = '/usr/bin/find'

export interface RegistryImageArchive {
  reference: string
  file: string
}

/**
 * An image of Debian's docker-registry: the program and the libraries that it is linked with, as a docker archive. Made once in `dir`; from then on nothing
 * is downloaded.
 */
export async function registryImage(dir: string): Promise<RegistryImageArchive> {
  const kept = existsSync(dir) ? (await readdir(dir)).find((name) => archivePattern.test(name)) : undefined
  if (kept) return { reference: `${repository}:${archivePattern.exec(kept)![1]}`, file: join(dir, kept) }
  await using unpacked = await unpackPackage('docker-registry')
  const program = join(unpacked.root, 'usr/bin/docker-registry')
  const linked = (await run('ldd', [program, maintenanceProgram])).match(/\/\S+/g) ?? []
  const libraries = new Set(linked.filter((path) => existsSync(path) && path !== program && path !== maintenanceProgram))
  const file = async (from: string, to = from) => ({ path: to.replace(/^\//, ''), content: await readFile(from), mode: 0o755 })
  const files = [await file(program, '/usr/bin/docker-registry'), await file(maintenanceProgram)]
  for (const library of libraries) files.push(await file(library))
  // a tag has no plus sign
  const tag = `${unpacked.version.replaceAll(/[^A-Za-z0-9_.-]/g, '-')}.${revision}`
  const reference = `${repository}:${tag}`
  const archive = join(dir, `registry-${tag}.tar`)
  await writeAtomically(archive, await imageArchive({ name: reference, files, entrypoint: ['/usr/bin/docker-registry'] }))
  return { reference, file: archive }
}
