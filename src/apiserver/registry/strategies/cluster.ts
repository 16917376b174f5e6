import type { DeepReadonly, apiextensions } from '#api'
import { dns1035Label, dns1123Subdomain } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, duplicate, immutable, invalid, invalidEach, optionalOneOf, required } from '../validation/causes.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

export const customResourceDefinitionStrategy: ResourceStrategy<apiextensions.CustomResourceDefinition> = {
  allowUnconditionalUpdate: false,
  default(object) {
    const { spec } = object
    const names = (spec.names ??= {} as typeof spec.names)
    if (names.kind) {
      names.singular ||= names.kind.toLowerCase()
      names.listKind ||= `${names.kind}List`
    }
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= 443
  },
  prepareForCreate(object) {
    const storage = object.spec.versions?.find((version) => version.storage)
    object.status = { conditions: [], acceptedNames: { plural: '', kind: '' }, storedVersions: storage ? [storage.name] : [] }
  },
  prepareForUpdate(object, old) {
    keepStatus(object, old)
    const storage = object.spec.versions?.find((version) => version.storage)
    const stored = old.status?.storedVersions ?? []
    // Objects of every version that was ever stored may still be there.
    if (storage && !stored.includes(storage.name))
      object.status = { ...(object.status as object), storedVersions: [...stored, storage.name] } as typeof object.status
  },
  prepareForStatusUpdate: keepAllButStatus,
  validate(object) {
    const causes: Causes = []
    const { spec, metadata } = object
    validateNames(causes, spec.names)
    const name = `${spec.names?.plural ?? ''}.${spec.group ?? ''}`
    if (metadata.name !== name) causes.push(invalid('metadata.name', metadata.name, 'must be spec.names.plural+"."+spec.group'))
    if (!spec.group) causes.push(required('spec.group'))
    else {
      invalidEach(causes, 'spec.group', spec.group, dns1123Subdomain(spec.group))
      if (!spec.group.includes('.')) causes.push(invalid('spec.group', spec.group, 'should be a domain with at least one dot'))
    }
    if (!spec.scope) causes.push(required('spec.scope'))
    else optionalOneOf(causes, 'spec.scope', spec.scope, ['Cluster', 'Namespaced'])
    validateVersions(causes, spec.versions)
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec.group', object.spec.group, old.spec.group)
    const established = old.status?.conditions?.some((condition) => condition.type === 'Established' && condition.status === 'True')
    if (!established) return causes
    immutable(causes, 'spec.scope', object.spec.scope, old.spec.scope)
    immutable(causes, 'spec.names.kind', object.spec.names.kind, old.spec.names.kind)
    const versions = new Set(object.spec.versions.map((version) => version.name))
    old.status?.storedVersions?.forEach((version, i) => {
      if (!versions.has(version))
        causes.push(
          invalid(
            `status.storedVersions[${i}]`,
            version,
            `missing from spec.versions; it was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`,
          ),
        )
    })
    return causes
  },
}

function validateNames(causes: Causes, names: DeepReadonly<apiextensions.CustomResourceDefinitionNames> | undefined): void {
  const path = 'spec.names'
  if (!names?.plural) causes.push(required(`${path}.plural`))
  else invalidEach(causes, `${path}.plural`, names.plural, dns1035Label(names.plural))
  if (names?.singular) invalidEach(causes, `${path}.singular`, names.singular, dns1035Label(names.singular))
  if (!names?.kind) causes.push(required(`${path}.kind`))
  else mixedCase(causes, `${path}.kind`, names.kind)
  if (names?.listKind) mixedCase(causes, `${path}.listKind`, names.listKind)
  if (names?.listKind && names.listKind === names.kind)
    causes.push(invalid(`${path}.listKind`, names.listKind, 'kind and listKind may not be the same'))
  names?.shortNames?.forEach((name, i) => invalidEach(causes, `${path}.shortNames[${i}]`, name, dns1035Label(name)))
}

/** Kinds are DNS labels but for their capitals. */
function mixedCase(causes: Causes, path: string, kind: string): void {
  for (const message of dns1035Label(kind.toLowerCase()))
    causes.push(invalid(path, kind, `may have mixed case, but should otherwise match: ${message}`))
}

function validateVersions(causes: Causes, versions: DeepReadonly<apiextensions.CustomResourceDefinitionVersion[]> | undefined): void {
  if (!versions?.length) {
    causes.push(required('spec.versions', 'must have at least one version'))
    return
  }
  const names = new Set<string>()
  versions.forEach((version, i) => {
    invalidEach(causes, `spec.versions[${i}].name`, version.name, dns1035Label(version.name))
    if (names.has(version.name)) causes.push(duplicate(`spec.versions[${i}].name`, version.name))
    names.add(version.name)
    if (!version.schema?.openAPIV3Schema) causes.push(required(`spec.versions[${i}].schema.openAPIV3Schema`, 'schemas are required'))
  })
  const storing = versions.filter((version) => version.storage).length
  if (storing !== 1) causes.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'))
}
