import type { DeepReadonly, StatusCause, core, resource } from '#api'
import { errors } from '#api'
import type { Authorizer } from '../authz/authorizer.ts'
import { forbiddenRequest } from '../authz/union.ts'
import type { ObjectReader } from '../object-reader.ts'
import { forbidden, same } from '../registry/validation/causes.ts'
import type { RequestInfo } from '../request-info.ts'
import type { AdmissionPlugin, AdmissionRequest } from './admission.ts'
import { namespaceOf, targets } from './rejection.ts'

type Claim = DeepReadonly<resource.ResourceClaim>
type Status = DeepReadonly<resource.ResourceClaimStatus>

const group = 'resource.k8s.io'
const adminLabel = 'resource.kubernetes.io/admin-access'

/** Devices are given to administrators beside their users only in namespaces that say so. (Upstream does this in the strategies of these kinds.) */
export function deviceAdminAccess(reader: ObjectReader): AdmissionPlugin {
  return {
    name: 'DeviceAdminAccess',
    resources: [`${group}/resourceclaims`, `${group}/resourceclaimtemplates`],
    handles: (request) =>
      request.operation === 'CREATE'
        ? targets(request, group, 'resourceclaims') || targets(request, group, 'resourceclaimtemplates')
        : request.operation === 'UPDATE' && targets(request, group, 'resourceclaims', 'status'),
    validate(request) {
      const path = asked(request)
      if (path === undefined) return
      const labels = reader.get<core.Namespace>('', 'namespaces', '', namespaceOf(request))?.metadata.labels
      if (labels?.[adminLabel] === 'true') return
      throw refused(request, [forbidden(path, `admin access to devices requires the \`${adminLabel}: true\` label on the containing namespace`)])
    },
  }
}

/** Where administrator's access is asked for anew. */
function asked({ operation, object, old }: AdmissionRequest): string | undefined {
  if (operation === 'UPDATE') {
    const wanted = (claim: Claim) => claim.status?.allocation?.devices?.results?.findIndex((result) => result.adminAccess === true) ?? -1
    const index = wanted(object as resource.ResourceClaim)
    return index < 0 || wanted(old as Claim) >= 0 ? undefined : `status.allocation.devices.results[${index}].adminAccess`
  }
  const { spec } = object as resource.ResourceClaim | resource.ResourceClaimTemplate
  const claimSpec: resource.ResourceClaimSpec | undefined = spec && 'spec' in spec ? spec.spec : (spec as resource.ResourceClaimSpec | undefined)
  const index = claimSpec?.devices?.requests?.findIndex((request) => request.exactly?.adminAccess === true) ?? -1
  return index < 0 ? undefined : `spec.devices.requests[${index}].adminAccess`
}

/**
 * Who may write the status of claims may not therefore write all of it: what is allocated to whom takes the right to `resourceclaims/binding`, what is said of
 * a driver's devices that to `resourceclaims/driver` of the driver's name, as somebody of the claim's node or of any.
 */
export function claimStatusAuthorization(authorizer: Authorizer): AdmissionPlugin {
  return {
    name: 'ResourceClaimStatusAuthorization',
    resources: [`${group}/resourceclaims`],
    handles: (request) => request.operation === 'UPDATE' && targets(request, group, 'resourceclaims', 'status'),
    validate(request) {
      const { request: info } = request.context
      const now = (request.object as resource.ResourceClaim).status ?? {}
      const before = (request.old as Claim).status ?? {}
      const causes: StatusCause[] = []
      if (!same(now.allocation, before.allocation) || !same(now.reservedFor, before.reservedFor)) {
        const why = refusal(authorizer, info, { subresource: 'binding', namespace: '', name: '', verbs: [info.verb] })
        const what = `changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="${info.verb}" permission`
        if (why) causes.push(forbidden('status', `${what}: ${why}`))
      }
      const verbs = [...(isOfNode(info, allocatedNode(now)) ? [`associated-node:${info.verb}`] : []), `arbitrary-node:${info.verb}`]
      for (const driver of changedDrivers(now, before)) {
        const why = refusal(authorizer, info, { subresource: 'driver', namespace: namespaceOf(request), name: driver, verbs })
        const what = `changing status.devices requires resource="resourceclaims/driver", verb="[${verbs.join(' ')}]" permission`
        if (why) causes.push(forbidden('status.devices', `${what}: ${why}`))
      }
      if (causes.length > 0) throw refused(request, causes)
    },
  }
}

const refused = (request: AdmissionRequest, causes: StatusCause[]) =>
  errors.invalid({ group, kind: request.kind.kind }, request.object!.metadata.name, causes)

interface Right {
  subresource: string
  namespace: string
  name: string
  /** One of them is enough. */
  verbs: readonly string[]
}

/** Why the user lacks the right; undefined when they have it. */
function refusal(authorizer: Authorizer, info: RequestInfo, { subresource, namespace, name, verbs }: Right): string | undefined {
  let first: string | undefined
  for (const verb of verbs) {
    const asked: RequestInfo = { ...info, verb, resource: { ...info.resource!, subresource, namespace, name } }
    const decision = authorizer.authorize(asked)
    if (decision.decision === 'allow') return undefined
    first ??= forbiddenRequest(asked, decision).message
  }
  return first
}

function changedDrivers(now: Status, before: Status): string[] {
  const key = ({ driver, pool, device, shareID = '' }: DeepReadonly<resource.AllocatedDeviceStatus>) => `${driver}/${pool}/${device}/${shareID}`
  const had = new Map(before.devices?.map((device) => [key(device), device]))
  const drivers = new Set<string>()
  for (const device of now.devices ?? []) {
    if (!same(had.get(key(device)), device)) drivers.add(device.driver)
    had.delete(key(device))
  }
  for (const { driver } of had.values()) drivers.add(driver)
  return [...drivers].sort()
}

/** The node that an allocation is for, where it is for one by name. */
function allocatedNode({ allocation }: Status): string | undefined {
  const terms = allocation?.nodeSelector?.nodeSelectorTerms ?? []
  const [field, ...others] = terms[0]?.matchFields ?? []
  if (terms.length !== 1 || terms[0]!.matchExpressions?.length || !field || others.length > 0) return undefined
  return field.key === 'metadata.name' && field.operator === 'In' && field.values?.length === 1 ? field.values[0] : undefined
}

/** Whether the user is a service account that runs on the node. */
function isOfNode({ user }: RequestInfo, node: string | undefined): boolean {
  const nodes = user.extra?.['authentication.kubernetes.io/node-name'] ?? []
  return node !== undefined && user.username.startsWith('system:serviceaccount:') && nodes.length === 1 && nodes[0] === node
}
