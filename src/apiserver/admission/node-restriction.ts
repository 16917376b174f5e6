import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, KubeObject, authentication, coordination, core } from '#api'
import { errors } from '#api'
import { nodeIdentity } from '../authz/node-authorizer.ts'
import type { ObjectReader } from '../object-reader.ts'
import { podReferences } from '../pod-references.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, nameOf, rejected } from './rejection.ts'
import { mirrorAnnotation } from './service-account.ts'

const limited = new Set(['/pods', '/nodes', '/persistentvolumeclaims', '/serviceaccounts', 'coordination.k8s.io/leases', 'storage.k8s.io/csinodes'])

/** A kubelet writes only its own node, lease and CSINode, and the pods bound to it. The node authorizer lets it as far as this. */
export function nodeRestriction(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'NodeRestriction',
    resources: [...limited],
    handles: ({ operation, context: { request } }) =>
      operation !== 'CONNECT' &&
      request.user.groups.includes('system:nodes') &&
      nodeIdentity(request.user) !== undefined &&
      limited.has(`${request.resource?.group}/${request.resource?.resource}`),
    mutate(request) {
      const { user, resource } = request.context.request
      const node = nodeIdentity(user)!
      if (node === '') throw rejected(request, `could not determine node from user ${quote(user.username)}`)
      const why = problem(reader, request, node, resource!.resource, resource!.subresource)
      if (why !== undefined) throw rejected(request, why)
    },
  }
}

function problem(reader: ObjectReader, request: AdmissionRequest, node: string, resource: string, subresource: string): string | undefined {
  switch (resource) {
    case 'pods':
      if (subresource === '') return request.operation === 'CREATE' ? podCreate(reader, request, node) : podDelete(reader, request, node)
      if (subresource === 'status') return podStatus(request, node)
      if (subresource === 'eviction') return eviction(reader, request, node)
      return `unexpected pod subresource ${quote(subresource)}, only 'status' and 'eviction' are allowed`
    case 'nodes':
      return nodeWrite(request, node)
    case 'persistentvolumeclaims':
      return subresource === 'status' ? claimStatus(request, node) : 'may only update PVC status'
    case 'serviceaccounts':
      return request.operation === 'CREATE' && subresource === 'token' ? token(reader, request, node) : undefined
    case 'leases':
      if (namespaceOf(request) !== 'kube-node-lease') return 'can only access leases in the "kube-node-lease" system namespace'
      return own(request, node, 'node lease')
    default:
      return own(request, node, 'CSINode')
  }
}

function podCreate(reader: ObjectReader, request: AdmissionRequest, node: string): string | undefined {
  const pod = request.object as core.Pod
  const name = quote(node)
  if (pod.metadata.annotations?.[mirrorAnnotation] === undefined)
    return `pod does not have ${quote(mirrorAnnotation)} annotation, node ${name} can only create mirror pods`
  if (pod.spec?.nodeName !== node) return `node ${name} can only create pods with spec.nodeName set to itself`
  const owners = pod.metadata.ownerReferences ?? []
  if (owners.length > 1) return `node ${name} can only create pods with a single owner reference set to itself`
  const [owner] = owners
  if (!owner || owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node)
    return `node ${name} can only create pods with an owner reference set to itself`
  if (!owner.controller) return `node ${name} can only create pods with a controller owner reference set to itself`
  if (owner.blockOwnerDeletion) return `node ${name} must not set blockOwnerDeletion on an owner reference`
  const known = reader.get('', 'nodes', '', node)
  if (!known) throw errors.notFound({ group: '', resource: 'nodes' }, node)
  if (owner.uid !== known.metadata.uid) return `node ${node} UID mismatch: expected ${owner.uid} got ${known.metadata.uid}`
  if (pod.spec.serviceAccountName) return `node ${name} can not create pods that reference a service account`
  const { secrets, configMaps, claims } = podReferences(pod)
  if (secrets.size > 0) return `node ${name} can not create pods that reference secrets`
  if (configMaps.size > 0) return `node ${name} can not create pods that reference configmaps`
  if (claims.size > 0) return `node ${name} can not create pods that reference persistentvolumeclaims`
  return undefined
}

function podDelete(reader: ObjectReader, request: AdmissionRequest, node: string): string | undefined {
  if (request.operation !== 'DELETE')
    return `unexpected operation ${quote(request.operation)}, node ${quote(node)} can only create and delete mirror pods`
  const pod = existingPod(reader, request)
  return pod.spec?.nodeName === node ? undefined : `node ${quote(node)} can only delete pods with spec.nodeName set to itself`
}

function podStatus(request: AdmissionRequest, node: string): string | undefined {
  if (request.operation !== 'UPDATE') return `unexpected operation ${quote(request.operation)}`
  const old = request.old as DeepReadonly<core.Pod>
  if (old.spec?.nodeName !== node) return `node ${quote(node)} can only update pod status for pods with spec.nodeName set to itself`
  const same = isDeepStrictEqual(old.metadata.labels ?? {}, request.object?.metadata.labels ?? {})
  return same ? undefined : `node ${quote(node)} cannot update labels through pod status`
}

function eviction(reader: ObjectReader, request: AdmissionRequest, node: string): string | undefined {
  if (request.operation !== 'CREATE') return `unexpected operation ${request.operation}`
  return existingPod(reader, request).spec?.nodeName === node ? undefined : `node ${node} can only evict pods with spec.nodeName set to itself`
}

function existingPod(reader: ObjectReader, request: AdmissionRequest): DeepReadonly<core.Pod> {
  const name = nameOf(request)
  const pod = reader.get<core.Pod>('', 'pods', namespaceOf(request), name)
  if (!pod) throw errors.notFound({ group: '', resource: 'pods' }, name)
  return pod
}

function nodeWrite(request: AdmissionRequest, node: string): string | undefined {
  const name = request.context.request.resource?.name || request.object?.metadata.name || ''
  if (name !== node) return `node ${quote(node)} is not allowed to modify node ${quote(name)}`
  if (request.operation === 'DELETE') return undefined
  const [now, old] = [request.object as core.Node, request.old as DeepReadonly<core.Node> | undefined]
  const labels = forbiddenLabels(now.metadata.labels ?? {}, old?.metadata.labels ?? {})
  if (request.operation === 'CREATE') {
    if (now.spec?.configSource) return `node ${quote(node)} is not allowed to create pods with a non-nil configSource`
    return labels.length > 0 ? `node ${quote(node)} is not allowed to set the following labels: ${labels.join(', ')}` : undefined
  }
  if (now.spec?.configSource && !isDeepStrictEqual(now.spec.configSource, old?.spec?.configSource)) {
    return `node ${quote(node)} is not allowed to update configSource to a new non-nil configSource`
  }
  if (!isDeepStrictEqual(now.spec?.taints ?? [], old?.spec?.taints ?? [])) return `node ${quote(node)} is not allowed to modify taints`
  return labels.length > 0 ? `is not allowed to modify labels: ${labels.join(', ')}` : undefined
}

const kubeletLabels = new Set([
  'kubernetes.io/hostname',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'node.kubernetes.io/instance-type',
  'node.kubernetes.io/windows-build',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
  'beta.kubernetes.io/instance-type',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region',
])

/** Labels that were added, changed or removed though they steer where pods run: a node must not draw workloads to itself. */
function forbiddenLabels(now: Readonly<Record<string, string>>, old: Readonly<Record<string, string>>): string[] {
  const changed = [...new Set([...Object.keys(now), ...Object.keys(old)])].filter((key) => now[key] !== old[key])
  return changed
    .filter((key) => {
      const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : ''
      if (within(domain, 'node-restriction.kubernetes.io')) return true
      const ours = within(domain, 'kubernetes.io') || within(domain, 'k8s.io')
      return ours && !kubeletLabels.has(key) && !within(domain, 'kubelet.kubernetes.io') && !within(domain, 'node.kubernetes.io')
    })
    .sort()
}

const within = (domain: string, parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`)

function claimStatus(request: AdmissionRequest, node: string): string | undefined {
  if (request.operation !== 'UPDATE') return `unexpected operation ${quote(request.operation)}`
  const bare = (object: unknown) => {
    const { metadata, status, ...rest } = object as core.PersistentVolumeClaim
    const { resourceVersion: _, managedFields: __, ...kept } = metadata
    const { capacity: ___, conditions: ____, allocatedResources: _____, allocatedResourceStatuses: ______, ...others } = status ?? {}
    return { ...rest, metadata: kept, status: others }
  }
  if (isDeepStrictEqual(bare(request.old), bare(request.object))) return undefined
  return `node ${quote(node)} is not allowed to update fields other than status.capacity and status.conditions`
}

function token(reader: ObjectReader, request: AdmissionRequest, node: string): string | undefined {
  const reference = (request.object as authentication.TokenRequest | undefined)?.spec?.boundObjectRef
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) return 'node requested token not bound to a pod'
  if (!reference.uid) return 'node requested token with a pod binding without a uid'
  const pod = reader.get<core.Pod>('', 'pods', namespaceOf(request), reference.name)
  if (!pod) throw errors.notFound({ group: '', resource: 'pods' }, reference.name)
  if (reference.uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${reference.uid}) does not match the UID in record (${pod.metadata.uid}). The object might have been deleted and then recreated`
  }
  return pod.spec?.nodeName === node ? undefined : 'node requested token bound to a pod scheduled on a different node'
}

function own(request: AdmissionRequest, node: string, what: string): string | undefined {
  const name =
    request.operation === 'CREATE'
      ? (request.object as KubeObject | coordination.Lease | undefined)?.metadata.name
      : request.context.request.resource?.name
  return name === node ? undefined : `can only access ${what} with the same name as the requesting node`
}

const quote = (text: string): string => JSON.stringify(text)
