import type { core, DeepReadonly } from '#api'
import { fieldValue } from '../env/field-ref.ts'
import { resourceFieldValue } from '../env/resource-field.ts'
import type { PayloadFile } from './atomic-writer.ts'
import { payloadPlugin } from './payload-plugin.ts'
import type { VolumeContext } from './volume-plugin.ts'

export const downwardAPIPlugin = payloadPlugin({
  type: 'downward-api',
  supports: (volume) => volume.downwardAPI !== undefined,
  inMemory: true,
  async render(context) {
    const { items = [], defaultMode = 0o644 } = context.volume.downwardAPI!
    return { files: new Map(downwardAPIFiles(context, items, defaultMode)) }
  },
})

export function downwardAPIFiles(
  context: VolumeContext,
  items: readonly DeepReadonly<core.DownwardAPIVolumeFile>[],
  defaultMode: number,
): [string, PayloadFile][] {
  const facts = { nodeName: context.pod.spec.nodeName ?? '', hostIPs: [], podIPs: [] }
  return items.map(({ path, mode, fieldRef, resourceFieldRef }) => {
    const value = fieldRef
      ? fieldValue(context.pod, fieldRef.fieldPath, facts)
      : resourceFieldRef
        ? resourceFieldValue(context.pod, resourceFieldRef, undefined, context.allocatable)
        : ''
    return [path, { data: Buffer.from(value), mode: mode ?? defaultMode }]
  })
}
