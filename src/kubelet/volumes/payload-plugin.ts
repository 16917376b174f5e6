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
  const write = async (context: VolumeContext, { files }: Rendered) => {
    await writePayload(context.dir, files, (versionDir) => setVolumeOwnership(versionDir, context.pod, { readOnly: true }))
  }
  return {
    type: options.type,
    supports: options.supports,
    async mount(context) {
      // rendered first: what does not exist must leave nothing behind
      const rendered = await options.render(context)
      await mkdir(context.dir, { recursive: true })
      if (options.inMemory && (await context.mounter.below(context.dir)).length === 0) await context.mounter.tmpfs(context.dir, ['mode=0777'])
      await chmod(context.dir, 0o777)
      await setVolumeOwnership(context.dir, context.pod, { readOnly: true, recursive: false })
      await write(context, rendered)
      return { hostPath: context.dir, readOnly: true }
    },
    async refresh(context) {
      const rendered = await options.render(context)
      await write(context, rendered)
      return rendered.renewAt
    },
  }
}
