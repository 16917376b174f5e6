import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { imageArchive } from './archive.ts'

/** The container that holds a pod's namespaces. It is made here, because no registry is needed for a first cluster. */
export const pauseImage = 'k8ts.dev/pause:1'

// a static program that does nothing but wait and reap orphans, as Debian packages it for podman
const program = '/usr/bin/catatonit'

export async function pauseImageArchive(dir: string): Promise<string> {
  const file = join(dir, 'pause.tar')
  if (!existsSync(file)) {
    const content = await readFile(program)
    await writeFile(
      file,
      await imageArchive({ name: pauseImage, files: [{ path: 'pause', content, mode: 0o755 }], entrypoint: ['/pause', '-P'], user: '65535:65535' }),
    )
  }
  return file
}
