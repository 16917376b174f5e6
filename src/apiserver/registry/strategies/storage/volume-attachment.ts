import type { DeepReadonly, storage } from '#api'
import { dns1123Subdomain } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, invalid, invalidEach, required, same, tooLong } from '../../validation/causes.ts'
import { validateVolumeSpec } from '../../validation/persistent-volume.ts'
import { validateDriverName } from '../../validation/volume-sources.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const either = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
const maxMetadata = 256 * 1024
const maxMessage = 1024

export const volumeAttachmentStrategy: ResourceStrategy<storage.VolumeAttachment> = {
  allowUnconditionalUpdate: false,
  prepareForCreate(object) {
    object.status = { attached: false }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec, status }) {
    const causes: Causes = []
    validateDriverName(causes, 'spec.attacher', spec.attacher)
    const at = 'spec.source'
    const { persistentVolumeName, inlineVolumeSpec } = spec.source ?? {}
    if (persistentVolumeName === undefined && !inlineVolumeSpec) causes.push(required(at, either))
    else if (persistentVolumeName !== undefined && inlineVolumeSpec) causes.push(forbidden(at, either))
    else if (inlineVolumeSpec) validateVolumeSpec(causes, `${at}.inlineVolumeSpec`, inlineVolumeSpec, true)
    if (persistentVolumeName === '') causes.push(required(`${at}.persistentVolumeName`, 'must specify non empty persistentVolumeName'))
    if (persistentVolumeName !== undefined)
      invalidEach(causes, `${at}.persistentVolumeName`, persistentVolumeName, dns1123Subdomain(persistentVolumeName))
    invalidEach(causes, 'spec.nodeName', spec.nodeName ?? '', dns1123Subdomain(spec.nodeName ?? ''))
    validateStatus(causes, status)
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    validateStatus(causes, status)
    return causes
  },
  validateUpdate({ spec }, { spec: old }) {
    return same(spec, old) ? [] : [invalid('spec', spec, 'field is immutable')]
  },
}

function validateStatus(causes: Causes, status: DeepReadonly<storage.VolumeAttachmentStatus> | undefined): void {
  let bytes = 0
  for (const [key, value] of Object.entries(status?.attachmentMetadata ?? {})) bytes += Buffer.byteLength(key) + Buffer.byteLength(value)
  if (bytes > maxMetadata) causes.push(tooLong('status.attachmentMetadata', maxMetadata))
  for (const field of ['attachError', 'detachError'] as const) {
    const { message = '', errorCode = 0 } = status?.[field] ?? {}
    // the bound that is named is another one, which is how upstream has it
    if (Buffer.byteLength(message) > maxMessage) causes.push(tooLong(`status.${field}.message`, maxMetadata))
    if (errorCode < 0) causes.push(invalid(`status.${field}.errorCode`, errorCode, 'must be between 0 and 2147483647, inclusive'))
  }
}
