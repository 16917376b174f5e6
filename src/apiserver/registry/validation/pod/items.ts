import type { DeepReadonly, core } from '#api'
import { type Causes, invalid, required } from '../causes.ts'
import { validateDownwardFieldRef, validateResourceFieldRef } from './env.ts'
import { validateFilePath } from './paths.ts'

export function validateMode(causes: Causes, path: string, mode: number | undefined): void {
  if (mode !== undefined && (mode < 0 || mode > 0o777))
    causes.push(invalid(path, mode, 'must be a number between 0 and 0777 (octal), both inclusive'))
}

/** Checks which keys of a ConfigMap or Secret become which files. */
export function validateItems(causes: Causes, path: string, items: DeepReadonly<core.KeyToPath[]> | undefined): void {
  items?.forEach((item, i) => {
    const at = `${path}.items[${i}]`
    if (!item.key) causes.push(required(`${at}.key`))
    validateFilePath(causes, `${at}.path`, item.path)
    validateMode(causes, `${at}.mode`, item.mode)
  })
}

/** Checks what of the pod becomes a file. Upstream names the volume, not the item. */
export function validateDownwardItem(causes: Causes, path: string, item: DeepReadonly<core.DownwardAPIVolumeFile>): void {
  validateFilePath(causes, `${path}.path`, item.path)
  if (item.fieldRef) {
    validateDownwardFieldRef(causes, `${path}.fieldRef`, item.fieldRef)
    if (item.resourceFieldRef) causes.push(invalid(path, 'resource', 'fieldRef and resourceFieldRef can not be specified simultaneously'))
  } else if (item.resourceFieldRef) validateResourceFieldRef(causes, `${path}.resourceFieldRef`, item.resourceFieldRef, true)
  else causes.push(required(path, 'one of fieldRef and resourceFieldRef is required'))
  validateMode(causes, `${path}.mode`, item.mode)
}
