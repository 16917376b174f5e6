import type { DeepReadonly, resource } from '#api'
import { qualifiedName } from '#api'
import { type Causes, invalid, same } from '../causes.ts'
import { maxConfig, validateConfiguration, validateDeviceSelectors, validateList } from './common.ts'

type Spec = DeepReadonly<resource.DeviceClassSpec>

/** What was stored before is taken as it was; `old` is undefined for a create. */
export function validateDeviceClass(spec: Spec = {}, old?: Spec): Causes {
  const causes: Causes = []
  validateDeviceSelectors(causes, 'spec.selectors', spec.selectors, old && same(spec.selectors, old.selectors))
  const stored = old !== undefined && same(spec.config, old.config)
  validateList(causes, 'spec.config', spec.config, maxConfig, (into, at, config) => validateConfiguration(into, at, config, stored))
  const name = spec.extendedResourceName
  if (name !== undefined && !isExtendedResourceName(name))
    causes.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'))
  return causes
}

/** A resource outside kubernetes.io, whose name a quota can name, too. */
function isExtendedResourceName(name: string): boolean {
  if (!name.includes('/') || name.includes('kubernetes.io/') || name.startsWith('requests.')) return false
  return qualifiedName(`requests.${name}`).length === 0
}
