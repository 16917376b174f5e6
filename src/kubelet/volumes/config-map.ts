import type { core, DeepReadonly } from '#api'
import { isStatus } from '#api'
import type { PayloadFile } from './atomic-writer.ts'
import { payloadPlugin } from './payload-plugin.ts'
import type { VolumeContext } from './volume-plugin.ts'

/** What configMap and secret volumes and projections have in common. */
export interface KeyedSource {
  name?: string
  items?: readonly DeepReadonly<core.KeyToPath>[]
  optional?: boolean
}

export const configMapPlugin = payloadPlugin({
  type: 'configmap',
  supports: (volume) => volume.configMap !== undefined,
  inMemory: false,
  async render(context) {
    const { configMap } = context.volume
    return { files: new Map(await configMapFiles(context, configMap!, configMap!.defaultMode ?? 0o644)) }
  },
})

export async function configMapFiles(context: VolumeContext, source: KeyedSource, defaultMode: number): Promise<[string, PayloadFile][]> {
  const object = await ignoreMissing(
    context.objects.get('ConfigMap', context.pod.metadata.namespace ?? 'default', source.name ?? '', context.signal),
    source.optional,
  )
  const data = new Map<string, Uint8Array>()
  for (const [key, value] of Object.entries(object?.data ?? {})) data.set(key, Buffer.from(value))
  for (const [key, value] of Object.entries(object?.binaryData ?? {})) data.set(key, Buffer.from(value, 'base64'))
  return selectKeys(data, source, defaultMode, (key) => `configmap references non-existent config key: ${key}`)
}

/** All keys as files, or the chosen ones at their paths. */
export function selectKeys(
  data: ReadonlyMap<string, Uint8Array>,
  source: KeyedSource,
  defaultMode: number,
  missing: (key: string) => string,
): [string, PayloadFile][] {
  if (!source.items || source.items.length === 0) return [...data].map(([key, bytes]) => [key, { data: bytes, mode: defaultMode }])
  const files: [string, PayloadFile][] = []
  for (const { key, path, mode } of source.items) {
    const bytes = data.get(key)
    if (bytes) files.push([path, { data: bytes, mode: mode ?? defaultMode }])
    else if (!source.optional) throw new Error(missing(key))
  }
  return files
}

export async function ignoreMissing<T>(object: Promise<T>, optional: boolean | undefined): Promise<T | undefined> {
  try {
    return await object
  } catch (error) {
    if (optional && isStatus(error, 'NotFound')) return undefined
    throw error
  }
}
