import type { PayloadFile } from './atomic-writer.ts'
import type { KeyedSource } from './config-map.ts'
import { ignoreMissing, selectKeys } from './config-map.ts'
import { payloadPlugin } from './payload-plugin.ts'
import type { VolumeContext } from './volume-plugin.ts'

export const secretPlugin = payloadPlugin({
  type: 'secret',
  supports: (volume) => volume.secret !== undefined,
  inMemory: true,
  async render(context) {
    const { secretName, items, optional, defaultMode } = context.volume.secret!
    return { files: new Map(await secretFiles(context, { name: secretName, items, optional }, defaultMode ?? 0o644)) }
  },
})

export async function secretFiles(context: VolumeContext, source: KeyedSource, defaultMode: number): Promise<[string, PayloadFile][]> {
  const object = await ignoreMissing(
    context.objects.get('Secret', context.pod.metadata.namespace ?? 'default', source.name ?? '', context.signal),
    source.optional,
  )
  const data = new Map(Object.entries(object?.data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]))
  return selectKeys(data, source, defaultMode, (key) => `references non-existent secret key: ${key}`)
}
