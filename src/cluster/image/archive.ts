import { createHash } from 'node:crypto'
import { packTar } from 'modern-tar'

export interface ImageFile {
  /** Without a leading slash. */
  path: string
  content: Uint8Array
  mode?: number
}

export interface ImageSpec {
  name: string
  files: ImageFile[]
  entrypoint: string[]
  user?: string
  env?: string[]
}

/** A docker archive (`docker save` format) with one layer, reproducible byte for byte. */
export async function imageArchive(spec: ImageSpec): Promise<Uint8Array> {
  const layer = await tar(spec.files)
  const digest = createHash('sha256').update(layer).digest('hex')
  const config = json({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: {
      Entrypoint: spec.entrypoint,
      Env: spec.env ?? ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'],
      ...(spec.user ? { User: spec.user } : {}),
    },
    rootfs: { type: 'layers', diff_ids: [`sha256:${digest}`] },
    history: [{ created_by: 'k8ts' }],
  })
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`
  return tar([
    { path: configName, content: config },
    { path: `${digest}/layer.tar`, content: layer },
    { path: 'manifest.json', content: json([{ Config: configName, RepoTags: [spec.name], Layers: [`${digest}/layer.tar`] }]) },
  ])
}

const json = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))

function tar(files: ImageFile[]): Promise<Uint8Array> {
  return packTar(
    files.map((file) => ({
      header: { name: file.path, size: file.content.length, mode: file.mode ?? 0o644, mtime: new Date(0), type: 'file' },
      body: file.content,
    })),
  )
}
