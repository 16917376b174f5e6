import type { DeepReadonly, KubeObject } from '#api'
import type { FieldSet } from '../patch/index.ts'
import { trackUpdate } from '../patch/index.ts'
import { schemaFor } from './decode.ts'
import type { Write } from './registry.ts'

/** What the endpoint of a write leaves as it was, where that is not what it is for most kinds. */
export function resetFields({ subresource, served }: Write): { resetFields?: FieldSet } {
  const fields = subresource === 'status' ? served.strategy.statusResetFields : undefined
  return fields ? { resetFields: fields } : {}
}

/** Writes down in `object` who manages which of its fields after this write, in the stored version. */
export function trackFields(write: Write, object: KubeObject, old: DeepReadonly<KubeObject> | undefined): void {
  const { storage, storageApiVersion } = write.served
  const managedFields = trackUpdate({
    old,
    updated: object,
    schema: schemaFor(storageApiVersion, storage.kind),
    manager: write.fieldManager,
    subresource: write.subresource,
    now: write.context.now,
    ...resetFields(write),
  })
  if (managedFields) object.metadata.managedFields = managedFields
  else delete object.metadata.managedFields
}
