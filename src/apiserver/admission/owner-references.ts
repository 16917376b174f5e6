import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, meta } from '#api'
import { kindOf } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, rejected } from './rejection.ts'

type Owner = DeepReadonly<meta.OwnerReference>

export interface OwnerKind {
  group: string
  version: string
  resource: string
  namespaced: boolean
}

/**
 * Who makes an object depend on an owner must be allowed to delete the object, and to set finalizers on an owner whose deletion it would
 * block. Off by default, as upstream. `kindsOf` knows kinds beside the built-in ones.
 */
export function ownerReferencesPermissionEnforcement(
  authorizer: Authorizer,
  kindsOf?: (apiVersion: string, kind: string) => OwnerKind[],
): AdmissionPlugin {
  const resolve = (owner: Owner): OwnerKind[] => {
    const builtin = kindOf(owner.apiVersion, owner.kind)
    return builtin ? [builtin] : (kindsOf?.(owner.apiVersion, owner.kind) ?? [])
  }
  return {
    name: 'OwnerReferencesPermissionEnforcement',
    handles: ({ operation, object, old, context }) =>
      (operation === 'CREATE' || operation === 'UPDATE') &&
      !(context.request.resource?.resource === 'pods' && context.request.resource.subresource === 'status') &&
      !isDeepStrictEqual(object?.metadata?.ownerReferences ?? [], old?.metadata.ownerReferences ?? []),
    validate(request) {
      const { user, resource } = request.context.request
      if (request.operation === 'UPDATE') {
        const { decision, reason } = authorizer.authorize({ user, verb: 'delete', path: '', resource })
        if (decision !== 'allow') throw rejected(request, `cannot set an ownerRef on a resource you can't delete: ${reason}, <nil>`)
      }
      for (const owner of newlyBlocking(request)) {
        const kinds = resolve(owner)
        if (kinds.length === 0) {
          throw rejected(
            request,
            `cannot set blockOwnerDeletion in this case because cannot find RESTMapping for APIVersion ${owner.apiVersion} Kind ${owner.kind}: no matches for kind "${owner.kind}" in version "${owner.apiVersion}"`,
          )
        }
        for (const { group, version, resource: plural, namespaced } of kinds) {
          const about = {
            group,
            version,
            resource: plural,
            subresource: 'finalizers',
            namespace: namespaced ? namespaceOf(request) : '',
            name: owner.name,
            rest: '',
          }
          const { decision, reason } = authorizer.authorize({ user, verb: 'update', path: '', resource: about })
          if (decision === 'allow') continue
          throw rejected(
            request,
            `cannot set blockOwnerDeletion if an ownerReference refers to a resource you can't set finalizers on: ${reason}, <nil>`,
          )
        }
      }
    },
  }
}

function newlyBlocking({ object, old }: AdmissionRequest): Owner[] {
  const before = new Map((old?.metadata.ownerReferences ?? []).map((owner) => [owner.uid, owner]))
  return (object?.metadata.ownerReferences ?? []).filter((owner) => owner.blockOwnerDeletion && !before.get(owner.uid)?.blockOwnerDeletion)
}
