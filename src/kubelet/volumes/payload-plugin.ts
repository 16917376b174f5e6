import { chmod, mkdir } from 'node:fs/promises'
import type { core, DeepReadonly } from '#api'
import type { Payload } from './atomic-writer.ts'
import { writePayload } from './atomic-writer.ts'
import { setVolumeOwnership } from './ownership.ts'
import type { VolumeContext, VolumePlugin } from './volume-plugin.ts'

export interface Rendered {
  files: Payload
  /** Wall time (milliseconds) at which the content gets old. */
  renewAt?: number
}

/** A volume whose content the kubelet writes and keeps up to date: read-only to containers. */
export function payloadPlugin(options: {
  type: string
  supports: (volume: DeepReadonly<core.Volume>) => boolean
  /** Keep the content off the disk. */
  inMemory: boolean
  render: (context: VolumeContext) => Promise<Rendered>
}): VolumePlugin {
  const place = async (context: VolumeContext): Promise<string> => {
    if (options.inMemory) return context.memoryDir()
    await mkdir(context.dir, { recursive: true })
    return context.dir
  }
  const write = (context: VolumeContext, dir: string, { files }: Rendered) =>
    writePayload(dir, files, (versionDir) => setVolumeOwnership(versionDir, context.pod, { readOnly: true }))
  return {
    type: options.type,
    supports: options.supports,
    async mount(context) {
      // rendered first: what does not exist must leave nothing behind
      const rendered = await options.render(context)
      const dir = await place(context)
      await chmod(dir, 0o777)
      await setVolumeOwnership(dir, context.pod, { readOnly: true, recursive: false })
      await write(context, dir, rendered)
      return { hostPath: dir, readOnly: true }
    },
    async refresh(context) {
      const rendered = await options.render(context)
      await write(context, await place(context), rendered)
      return rendered.renewAt
    },
  }
}
