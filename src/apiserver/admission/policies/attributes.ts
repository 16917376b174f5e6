import type { DeepReadonly, Kind, KubeObject, meta } from '#api'
import { apiVersionOf, kindOfResource, kinds, storageKind } from '#api'
import type { UserInfo } from '../../authn/authenticator.ts'
import type { Conversions } from '../../registry/registry.ts'
import { conversionOf } from '../../registry/registry.ts'
import type { AdmissionRequest } from '../admission.ts'

/** What policies are told of a request (upstream's admission.Attributes): in the version that the client named. */
export interface Attributes {
  operation: AdmissionRequest['operation']
  kind: meta.GroupVersionKind
  /** The object is what the resource stores, and not something about it such as a Scale. */
  stored: boolean
  resource: meta.GroupVersionResource
  subresource: string
  /** Of a namespace, its own name. */
  namespace: string
  name: string
  user: UserInfo
  dryRun: boolean
  /** Operation, resource and subresource in one text. */
  about: string
  request: AdmissionRequest
}

/** Undefined for requests that are about no resource. */
export function attributesOf(request: AdmissionRequest): Attributes | undefined {
  const about = request.context.request.resource
  if (!about) return undefined
  const { group, version, resource, subresource } = about
  const served = kindOfResource(group, version, resource)
  const { operation, context, object } = request
  const stored = served !== undefined && isStored(request, served)
  // of a collection's members upstream does not say which
  const name = about.name || object?.metadata?.name || ''
  return {
    operation,
    kind: stored ? { group, version, kind: served.kind } : request.kind,
    stored,
    resource: { group, version, resource },
    subresource,
    namespace: group === '' && resource === 'namespaces' ? name : about.namespace || object?.metadata?.namespace || '',
    name,
    user: context.request.user,
    dryRun: context.dryRun,
    about: `${operation} ${group}/${version}/${resource}/${subresource}`,
    request,
  }
}

function isStored({ kind }: AdmissionRequest, served: Kind): boolean {
  const storage = storageKind(served)
  return kind.group === storage.group && kind.version === storage.version && kind.kind === storage.kind
}

/** The same resource in other groups and versions, itself included. */
export function equivalentResources({ group, version, resource }: meta.GroupVersionResource): readonly Kind[] {
  const key = `${group}/${version}/${resource}`
  let found = equivalents.get(key)
  if (!found) {
    const own = kindOfResource(group, version, resource)
    const storage = own && storageKind(own)
    found = storage ? kinds.filter((kind) => kind.verbs.length > 0 && storageKind(kind) === storage) : []
    equivalents.set(key, found)
  }
  return found
}
const equivalents = new Map<string, readonly Kind[]>()

/** Shows a request's objects in the version that a policy matched. */
export interface Versions {
  object: DeepReadonly<KubeObject> | undefined
  old: DeepReadonly<KubeObject> | undefined
  /** Of a changed object of that version, the form that the request has. */
  toRequest(object: KubeObject): KubeObject
}

export function inVersion({ request }: Attributes, kind: meta.GroupVersionKind, conversions: Conversions): Versions {
  const { object, old } = request
  const same = kind.group === request.kind.group && kind.version === request.kind.version
  const served = same ? undefined : kinds.find((one) => one.kind === kind.kind && one.group === kind.group && one.version === kind.version)
  const conversion = served && conversionOf(served, conversions)
  if (!conversion) return { object, old, toRequest: (changed) => changed }
  return {
    object: object && conversion.fromStorage(object),
    old: old && conversion.fromStorage(old),
    toRequest: (changed) => conversion.toStorage(changed),
  }
}

/** As Go prints a GroupVersionKind. */
export const printKind = ({ group, version, kind }: meta.GroupVersionKind) => `${group}/${version}, Kind=${kind}`

export const kindName = (kind: meta.GroupVersionKind) => `${apiVersionOf(kind)} ${kind.kind}`
