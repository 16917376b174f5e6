import type { DeepReadonly, KubeObject, core, meta } from '#api'
import type { Value, Variables } from '#cel'
import { jsonValue } from '#cel'
import type { Attributes, Versions } from './attributes.ts'

/** What the expressions of one evaluation are told. */
export interface Inputs {
  attributes: Attributes
  /** The objects in the version that the policy matched. */
  versions: Pick<Versions, 'object' | 'old'>
  /** What the policy matched. */
  resource: meta.GroupVersionResource
  kind: meta.GroupVersionKind
  param: DeepReadonly<KubeObject> | undefined
  /** Of the request; match conditions and requests about the cluster have none. */
  namespace?: DeepReadonly<core.Namespace> | undefined
  /** The values of `authorizer` and `authorizer.requestResource`, where they may be asked. */
  authorizer?: AuthorizerValues
}

export interface AuthorizerValues {
  authorizer: Value
  requestResource: Value
}

/** The variables of expressions. What is not asked for is not made. */
export function variablesOf({ attributes, versions, resource, kind, param, namespace, authorizer }: Inputs): Variables {
  return {
    object: () => jsonValue(versions.object ?? null),
    oldObject: () => jsonValue(versions.old ?? null),
    params: () => jsonValue(param ?? null),
    request: () => jsonValue(requestObject(attributes, resource, kind)),
    namespaceObject: () => jsonValue(namespace ? shownNamespace(namespace) : null),
    ...(authorizer ? { authorizer: authorizer.authorizer, 'authorizer.requestResource': authorizer.requestResource } : {}),
  }
}

/** The AdmissionRequest without its objects: what is empty is not there. */
export function requestObject(attributes: Attributes, resource: meta.GroupVersionResource, kind: meta.GroupVersionKind): object {
  const { subresource, name, namespace, operation, user, dryRun, request } = attributes
  const options = request.context.options?.(operation)
  return {
    uid: '',
    kind: plainKind(kind),
    resource: plainResource(resource),
    ...(subresource ? { subResource: subresource } : {}),
    requestKind: plainKind(attributes.kind),
    requestResource: plainResource(attributes.resource),
    ...(subresource ? { requestSubResource: subresource } : {}),
    ...(name ? { name } : {}),
    ...(namespace ? { namespace } : {}),
    operation,
    userInfo: {
      username: user.username,
      ...(user.uid ? { uid: user.uid } : {}),
      ...(user.groups.length > 0 ? { groups: user.groups } : {}),
      ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    },
    object: null,
    oldObject: null,
    dryRun,
    options: options ?? null,
  }
}

const plainKind = ({ group, version, kind }: meta.GroupVersionKind) => ({ group, version, kind })
const plainResource = ({ group, version, resource }: meta.GroupVersionResource) => ({ group, version, resource })

const shownMetadata = [
  'name',
  'generateName',
  'namespace',
  'uid',
  'resourceVersion',
  'generation',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'labels',
  'annotations',
  'finalizers',
] as const

/** A namespace as `namespaceObject` shows it: without owners and managed fields. */
function shownNamespace({ metadata, spec, status }: DeepReadonly<core.Namespace>): object {
  const shown: Record<string, unknown> = {}
  for (const field of shownMetadata) if (metadata[field] !== undefined) shown[field] = metadata[field]
  return { metadata: shown, spec: spec ?? {}, status: status ?? {} }
}
