import type { core, storage } from '#api'
import type { UserInfo } from '../authn/authenticator.ts'
import type { ObjectReader } from '../object-reader.ts'
import { volumeSecrets } from '../pod-references.ts'
import type { RequestInfo } from '../request-info.ts'
import type { Authorizer, Decision } from './authorizer.ts'
import type { NodeGraph, NodeReference } from './node-graph.ts'
import type { PolicyRule } from './rules.ts'
import { ruleAllows } from './rules.ts'

type ResourceRequest = NonNullable<RequestInfo['resource']>

const allow: Decision = { decision: 'allow', reason: '' }
const abstain: Decision = { decision: 'noOpinion', reason: '' }
const no = (reason: string): Decision => ({ decision: 'noOpinion', reason })

/**
 * The node a user is: its name for `system:node:NAME` in the group `system:nodes`, the empty string for a member of the group that names no node, undefined
 * for everybody else.
 */
export function nodeIdentity(user: UserInfo): string | undefined {
  if (!user.groups.includes('system:nodes')) return undefined
  return user.username.startsWith('system:node:') ? user.username.slice('system:node:'.length) : undefined
}

/**
 * What kubelets may do: `rules` (the role system:node) in general, but of secrets, config maps, claims, volumes, attachments and service-account tokens only those that
 * pods bound to the node need, and of leases and CSINodes only its own. NodeRestriction admission limits what it may write.
 */
export function nodeAuthorizer(options: { reader: ObjectReader; graph: NodeGraph; rules: readonly PolicyRule[] }): Authorizer {
  const { reader, graph, rules } = options
  const unrelated = (node: string) => no(`no relationship found between node '${node}' and this object`)

  const related = (node: string, kind: NodeReference, { namespace, name }: ResourceRequest): Decision => {
    if (!name) return no('No Object name found')
    if (graph.refers(node, kind, namespace, name)) return allow
    return kind === 'secrets' && volumeNeedsSecret(node, `${namespace}/${name}`) ? allow : unrelated(node)
  }
  const volumeNeedsSecret = (node: string, secret: string): boolean => {
    for (const key of graph.references(node, 'persistentvolumeclaims')) {
      const [namespace = '', name = ''] = key.split('/')
      const claim = reader.get<core.PersistentVolumeClaim>('', 'persistentvolumeclaims', namespace, name)
      const volume = claim?.spec?.volumeName ? reader.get<core.PersistentVolume>('', 'persistentvolumes', '', claim.spec.volumeName) : undefined
      if (volume && volumeSecrets(volume).includes(secret)) return true
    }
    return false
  }
  const read = (node: string, kind: NodeReference, verb: string, resource: ResourceRequest): Decision => {
    if (verb !== 'get' && verb !== 'list' && verb !== 'watch') return no('can only read resources of this type')
    if (resource.subresource) return no('cannot read subresource')
    if (!resource.namespace) return no('can only read namespaced object of this type')
    return related(node, kind, resource)
  }
  const getOnly = (verb: string, { subresource, name }: ResourceRequest, decide: () => Decision): Decision => {
    if (verb !== 'get') return no('can only get individual resources of this type')
    if (subresource) return no('cannot get subresource')
    return name ? decide() : no('No Object name found')
  }
  const claim = (node: string, verb: string, resource: ResourceRequest): Decision => {
    if (resource.subresource !== 'status') return getOnly(verb, resource, () => related(node, 'persistentvolumeclaims', resource))
    if (verb !== 'update' && verb !== 'patch') return no('can only get/update/patch this type')
    return related(node, 'persistentvolumeclaims', resource)
  }
  const volume = (node: string, { name }: ResourceRequest): Decision => {
    const claimRef = reader.get<core.PersistentVolume>('', 'persistentvolumes', '', name)?.spec?.claimRef
    return claimRef && graph.refers(node, 'persistentvolumeclaims', claimRef.namespace ?? '', claimRef.name ?? '') ? allow : unrelated(node)
  }
  const attachment = (node: string, { name }: ResourceRequest): Decision =>
    reader.get<storage.VolumeAttachment>('storage.k8s.io', 'volumeattachments', '', name)?.spec.nodeName === node ? allow : unrelated(node)
  const token = (node: string, verb: string, resource: ResourceRequest): Decision => {
    if (verb !== 'create' || !resource.name) return no('can only create tokens for individual service accounts')
    if (resource.subresource !== 'token') return no('can only create token subresource of serviceaccount')
    return graph.refers(node, 'serviceaccounts', resource.namespace, resource.name) ? allow : unrelated(node)
  }
  /** An object that has the node's name; on create the name is in the body, and NodeRestriction looks at it. */
  const own = (node: string, what: string, verb: string, { name }: ResourceRequest): Decision => {
    if (!['get', 'create', 'update', 'patch', 'delete'].includes(verb)) return no(`can only get, create, update, patch, or delete a ${what}`)
    return verb !== 'create' && name !== node ? no(`can only access ${what} with the same name as the requesting node`) : allow
  }

  return {
    authorize(request) {
      const node = nodeIdentity(request.user)
      if (node === undefined) return abstain
      if (node === '') return no(`unknown node for user ${JSON.stringify(request.user.username)}`)
      const { resource, verb } = request
      switch (resource && `${resource.group}/${resource.resource}`) {
        case '/secrets':
          return read(node, 'secrets', verb, resource!)
        case '/configmaps':
          return read(node, 'configmaps', verb, resource!)
        case '/persistentvolumeclaims':
          return claim(node, verb, resource!)
        case '/persistentvolumes':
          return getOnly(verb, resource!, () => volume(node, resource!))
        case 'storage.k8s.io/volumeattachments':
          return getOnly(verb, resource!, () => attachment(node, resource!))
        case 'resource.k8s.io/resourceclaims':
          return getOnly(verb, resource!, () => related(node, 'resourceclaims', resource!))
        case '/serviceaccounts':
          return token(node, verb, resource!)
        case 'coordination.k8s.io/leases':
          return resource!.namespace === 'kube-node-lease'
            ? own(node, 'node lease', verb, resource!)
            : no('can only access leases in the "kube-node-lease" system namespace')
        case 'storage.k8s.io/csinodes':
          return resource!.subresource ? no('cannot authorize CSINode subresources') : own(node, 'CSINode', verb, resource!)
      }
      return rules.some((rule) => ruleAllows(rule, request)) ? allow : abstain
    },
  }
}
