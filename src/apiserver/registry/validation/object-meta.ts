import type { DeepReadonly, meta } from '#api'
import { dns1123Label, dns1123Subdomain, labelValue, inWordsOfLabels, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, immutable, invalid, invalidEach, required, tooLong } from './causes.ts'

/** All keys and values of an object's annotations together may have at most this many bytes. */
export const annotationsLimit = 256 * 1024

export type NameCheck = (name: string, apiVersion: string) => readonly string[]

export interface ObjectMetaRules {
  namespaced: boolean
  /** Checks the name; a DNS subdomain when absent. */
  name?: NameCheck
  /** The version of the request, for checks of names that depend on it. */
  apiVersion?: string
  /** Finalizers need not be qualified by a domain. */
  looseFinalizers?: boolean | undefined
  /** Where metadata stands, for messages; `metadata` when absent. */
  path?: string
}

const isSubdomain: NameCheck = (name) => dns1123Subdomain(name)

/** Checks metadata of an object that is about to be created: upstream's ValidateObjectMeta. */
export function validateObjectMeta(metadata: DeepReadonly<meta.ObjectMeta>, rules: ObjectMetaRules): Causes {
  const causes: Causes = []
  const path = rules.path ?? 'metadata'
  const check: NameCheck = rules.name ?? isSubdomain
  const { apiVersion = '' } = rules
  // A prefix may end with a dash; the generated suffix makes the name whole.
  if (metadata.generateName)
    invalidEach(causes, `${path}.generateName`, metadata.generateName, check(maskTrailingDash(metadata.generateName), apiVersion))
  if (!metadata.name) causes.push(required(`${path}.name`, 'name or generateName is required'))
  else invalidEach(causes, `${path}.name`, metadata.name, check(metadata.name, apiVersion))
  if (rules.namespaced) {
    if (!metadata.namespace) causes.push(required(`${path}.namespace`))
    else invalidEach(causes, `${path}.namespace`, metadata.namespace, dns1123Label(metadata.namespace))
  } else if (metadata.namespace) causes.push(forbidden(`${path}.namespace`, 'not allowed on this type'))
  if (metadata.generation !== undefined && metadata.generation < 0)
    causes.push(invalid(`${path}.generation`, metadata.generation, 'must be greater than or equal to 0'))
  validateLabels(causes, `${path}.labels`, metadata.labels)
  validateAnnotations(causes, `${path}.annotations`, metadata.annotations)
  if (metadata.ownerReferences) validateOwnerReferences(causes, `${path}.ownerReferences`, metadata.ownerReferences)
  if (metadata.finalizers) validateFinalizers(causes, `${path}.finalizers`, metadata.finalizers, rules.looseFinalizers)
  if (metadata.managedFields) validateManagers(causes, `${path}.managedFields`, metadata.managedFields)
  return causes
}

/** Checks what an update did to metadata: upstream's ValidateObjectMetaUpdate together with the checks of a create. */
export function validateObjectMetaUpdate(
  metadata: DeepReadonly<meta.ObjectMeta>,
  old: DeepReadonly<meta.ObjectMeta>,
  rules: ObjectMetaRules,
): Causes {
  const path = rules.path ?? 'metadata'
  const causes: Causes = []
  if (metadata.name !== old.name) immutable(causes, `${path}.name`, metadata.name, old.name)
  if (metadata.namespace !== old.namespace) immutable(causes, `${path}.namespace`, metadata.namespace, old.namespace)
  if (metadata.uid !== old.uid) immutable(causes, `${path}.uid`, metadata.uid, old.uid)
  if (metadata.creationTimestamp !== old.creationTimestamp)
    immutable(causes, `${path}.creationTimestamp`, metadata.creationTimestamp, old.creationTimestamp)
  if (metadata.deletionTimestamp !== old.deletionTimestamp)
    causes.push(invalid(`${path}.deletionTimestamp`, metadata.deletionTimestamp, 'field is immutable'))
  if (metadata.deletionGracePeriodSeconds !== old.deletionGracePeriodSeconds)
    immutable(causes, `${path}.deletionGracePeriodSeconds`, metadata.deletionGracePeriodSeconds, old.deletionGracePeriodSeconds)
  if (metadata.generation !== undefined && old.generation !== undefined && metadata.generation < old.generation)
    causes.push(invalid(`${path}.generation`, metadata.generation, 'must not be decremented'))
  if (metadata.labels !== old.labels) validateLabels(causes, `${path}.labels`, metadata.labels)
  if (metadata.annotations !== old.annotations) validateAnnotations(causes, `${path}.annotations`, metadata.annotations)
  if (metadata.ownerReferences) validateOwnerReferences(causes, `${path}.ownerReferences`, metadata.ownerReferences)
  if (metadata.finalizers) validateFinalizers(causes, `${path}.finalizers`, metadata.finalizers, rules.looseFinalizers)
  if (old.deletionTimestamp) forbidNewFinalizers(causes, `${path}.finalizers`, metadata.finalizers, old.finalizers)
  if (metadata.managedFields && metadata.managedFields !== old.managedFields)
    validateManagers(causes, `${path}.managedFields`, metadata.managedFields)
  return causes
}

const managerLimit = 128
const subresourceLimit = 256

/** Names in the entries of managedFields: their fields have been read and written anew by now. */
function validateManagers(causes: Causes, path: string, entries: DeepReadonly<meta.ManagedFieldsEntry[]>): void {
  entries.forEach(({ manager = '', subresource = '' }, i) => {
    if (manager.length * 3 > managerLimit && Buffer.byteLength(manager) > managerLimit) causes.push(tooLong(`${path}[${i}].manager`, managerLimit))
    const hidden = [...manager].findIndex((char) => !/[\p{L}\p{M}\p{N}\p{P}\p{S} ]/u.test(char))
    if (hidden >= 0) {
      const code = manager
        .codePointAt([...manager].slice(0, hidden).join('').length)!
        .toString(16)
        .toUpperCase()
        .padStart(4, '0')
      causes.push(invalid(`${path}[${i}].manager`, manager, `invalid character U+${code} (at position ${hidden})`))
    }
    if (subresource.length * 3 > subresourceLimit && Buffer.byteLength(subresource) > subresourceLimit)
      causes.push(tooLong(`${path}[${i}].subresource`, subresourceLimit))
  })
}

export function validateLabels(causes: Causes, path: string, labels: DeepReadonly<Record<string, string>> | undefined): void {
  if (!labels) return
  for (const key in labels) {
    invalidEach(causes, path, key, inWordsOfLabels(qualifiedName(key)))
    invalidEach(causes, path, labels[key], inWordsOfLabels(labelValue(labels[key]!)))
  }
}

export function validateAnnotations(causes: Causes, path: string, annotations: DeepReadonly<Record<string, string>> | undefined): void {
  if (!annotations) return
  let size = 0
  for (const key in annotations) {
    // Prefixes of annotation keys are compared without regard to case, unlike those of labels.
    invalidEach(causes, path, key, qualifiedName(key.toLowerCase()))
    size += key.length + annotations[key]!.length
  }
  // Only when the cheap count of UTF-16 units could hide too many bytes is the exact size worth its cost.
  if (size * 3 > annotationsLimit && bytes(annotations) > annotationsLimit) causes.push(tooLong(path, annotationsLimit))
}

function bytes(map: DeepReadonly<Record<string, string>>): number {
  let size = 0
  for (const key in map) size += Buffer.byteLength(key) + Buffer.byteLength(map[key]!)
  return size
}

/** Fields of metadata in upstream's order, but for those that a template may have. */
const decidedElsewhere = [
  'name',
  'generateName',
  'namespace',
  'selfLink',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'ownerReferences',
  'finalizers',
  'managedFields',
] as const

/** Upstream's ValidateTemplateObjectMeta: of what is made from a template, it may give labels and annotations alone. */
export function validateTemplateMeta(causes: Causes, path: string, metadata: DeepReadonly<meta.ObjectMeta> | undefined): void {
  if (!metadata) return
  validateAnnotations(causes, `${path}.annotations`, metadata.annotations)
  validateLabels(causes, `${path}.labels`, metadata.labels)
  for (const field of decidedElsewhere) {
    const value: unknown = metadata[field]
    if (value === undefined || value === null || value === '' || value === 0 || (Array.isArray(value) && value.length === 0)) continue
    // upstream makes the path of the name that the field has in Go
    causes.push(forbidden(`${path}.${field === 'uid' ? 'uID' : field}`, 'cannot be set'))
  }
}

function validateOwnerReferences(causes: Causes, path: string, owners: DeepReadonly<meta.OwnerReference[]>): void {
  let controller: DeepReadonly<meta.OwnerReference> | undefined
  for (const owner of owners) {
    const [first, second] = (owner.apiVersion ?? '').split('/')
    const version = second ?? first
    if (!version) causes.push(invalid(`${path}.apiVersion`, owner.apiVersion ?? '', 'version must not be empty'))
    if (!owner.kind) causes.push(invalid(`${path}.kind`, owner.kind ?? '', 'must not be empty'))
    if (!owner.name) causes.push(invalid(`${path}.name`, owner.name ?? '', 'must not be empty'))
    if (!owner.uid) causes.push(invalid(`${path}.uid`, owner.uid ?? '', 'must not be empty'))
    if (owner.kind === 'Event' && (owner.apiVersion === 'v1' || owner.apiVersion?.startsWith('events.k8s.io/')))
      causes.push(
        invalid(path, owner, `${second === undefined ? `/${owner.apiVersion}` : owner.apiVersion}, Kind=Event is disallowed from being an owner`),
      )
    if (!owner.controller) continue
    if (controller)
      causes.push(
        invalid(
          path,
          owners,
          `Only one reference can have Controller set to true. Found "true" in references for ${controller.kind}/${controller.name} and ${owner.kind}/${owner.name}`,
        ),
      )
    controller ??= owner
  }
}

const standardFinalizers = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function validateFinalizers(causes: Causes, path: string, finalizers: readonly string[], loose = false): void {
  let orphan = false
  let foreground = false
  finalizers.forEach((finalizer, i) => {
    if (loose) invalidEach(causes, path, finalizer, qualifiedName(finalizer))
    else validateFinalizerName(causes, `${path}[${i}]`, finalizer)
    if (finalizer === 'orphan') orphan = true
    if (finalizer === 'foregroundDeletion') foreground = true
  })
  if (orphan && foreground) causes.push(invalid(path, finalizers, 'finalizer orphan and foregroundDeletion cannot be both set'))
}

export function validateFinalizerName(causes: Causes, path: string, finalizer: string): void {
  invalidEach(causes, path, finalizer, qualifiedName(finalizer))
  if (!finalizer.includes('/') && !standardFinalizers.has(finalizer))
    causes.push(invalid(path, finalizer, 'name is neither a standard finalizer name nor is it fully qualified'))
}

function forbidNewFinalizers(causes: Causes, path: string, finalizers: readonly string[] | undefined, old: readonly string[] | undefined): void {
  const added = finalizers?.filter((finalizer) => !old?.includes(finalizer))
  if (added?.length)
    causes.push(
      forbidden(
        path,
        `no new finalizers can be added if the object is being deleted, found new finalizers []string{${added.map((f) => JSON.stringify(f)).join(', ')}}`,
      ),
    )
}

function maskTrailingDash(prefix: string): string {
  return prefix.length > 1 && prefix.endsWith('-') ? `${prefix.slice(0, -2)}a` : prefix
}

/** Appends a Duplicate for every repeated key of a list. */
export function uniqueBy<T>(causes: Causes, path: string, list: readonly T[] | undefined, key: (item: T) => string | undefined, field = ''): void {
  if (!list || list.length < 2) return
  const seen = new Set<string>()
  list.forEach((item, i) => {
    const value = key(item)
    if (!value) return
    if (seen.has(value)) causes.push(duplicate(`${path}[${i}]${field ? `.${field}` : ''}`, value))
    seen.add(value)
  })
}
