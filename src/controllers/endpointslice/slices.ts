import { isDeepStrictEqual } from 'node:util'
import type { DeepReadonly, discovery, meta } from '#api'
import { triggerTimeAnnotation } from '../service-endpoints/trigger-time.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const sliceManagedByLabel = 'endpointslice.kubernetes.io/managed-by'

type Slice = discovery.EndpointSlice
type Endpoint = discovery.Endpoint
type Port = discovery.EndpointPort

/** Endpoints that can share slices: they have one address family and offer the same ports. */
export interface SliceGroup {
  addressType: Slice['addressType']
  ports: Port[]
  endpoints: Endpoint[]
}

/** What all slices of one service have in common. */
export interface SliceTemplate {
  namespace: string
  generateName: string
  labels: Record<string, string>
  annotations: Record<string, string>
  owner: meta.OwnerReference
}

export interface SlicePlan {
  create: (Omit<Slice, 'metadata'> & { metadata: Partial<meta.ObjectMeta> })[]
  update: Slice[]
  delete: DeepReadonly<Slice>[]
}

/**
 * Spreads endpoints over slices of at most `maxEndpoints`, touching as few as possible: an endpoint stays where it is, new ones go first into slices that
 * change anyway, then into those with room, then into new slices. A family without endpoints keeps one empty slice, so that readers can tell "none" from "not known".
 */
export function planSlices(
  groups: readonly SliceGroup[],
  existing: readonly DeepReadonly<Slice>[],
  template: SliceTemplate,
  options: { maxEndpoints: number; triggerTime?: string },
): SlicePlan {
  const plan: SlicePlan = { create: [], update: [], delete: [] }
  const byGroup = Map.groupBy(
    existing.filter((s) => !s.metadata.deletionTimestamp),
    groupId,
  )
  for (const group of groups) {
    const slices = byGroup.get(groupId(group)) ?? []
    byGroup.delete(groupId(group))
    planGroup(group, slices, template, options, plan)
  }
  // ports that nobody offers any more
  for (const slices of byGroup.values()) plan.delete.push(...slices)
  return plan
}

function planGroup(
  group: SliceGroup,
  slices: readonly DeepReadonly<Slice>[],
  template: SliceTemplate,
  { maxEndpoints, triggerTime }: { maxEndpoints: number; triggerTime?: string },
  plan: SlicePlan,
): void {
  const wanted = new Map(group.endpoints.map((e) => [endpointId(e), e]))
  const kept = slices.map((slice) => {
    const endpoints: Endpoint[] = []
    for (const endpoint of slice.endpoints ?? []) {
      const id = endpointId(endpoint)
      const current = wanted.get(id)
      if (current) endpoints.push(current)
      wanted.delete(id)
    }
    const changed = !isDeepStrictEqual(normal(endpoints), normal(slice.endpoints ?? [])) || !hasTemplate(slice, template)
    return { slice, endpoints, changed }
  })
  const added = [...wanted.values()]
  // slices that are written anyway first, fuller ones before emptier ones
  const order = kept.toSorted((a, b) => Number(b.changed) - Number(a.changed) || b.endpoints.length - a.endpoints.length)
  for (const entry of order) {
    const room = maxEndpoints - entry.endpoints.length
    if (room <= 0 || added.length === 0) continue
    // a new slice for a full load costs one write as well and keeps this one as it is
    if (!entry.changed && added.length >= maxEndpoints) continue
    entry.endpoints.push(...added.splice(0, room))
    entry.changed = true
  }
  const annotations = { ...template.annotations, ...(triggerTime ? { [triggerTimeAnnotation]: triggerTime } : {}) }
  while (added.length > 0) {
    plan.create.push(newSlice(group, added.splice(0, maxEndpoints), template, annotations))
  }
  const filled = kept.some((e) => e.endpoints.length > 0) || plan.create.some((s) => groupId(s) === groupId(group))
  let placeholder = filled
  for (const { slice, endpoints, changed } of kept) {
    if (endpoints.length === 0 && placeholder) plan.delete.push(slice)
    else {
      placeholder ||= endpoints.length === 0
      if (changed) plan.update.push(updated(slice, endpoints, template, annotations))
    }
  }
  if (!placeholder) plan.create.push(newSlice(group, [], template, annotations))
}

function newSlice(
  group: SliceGroup,
  endpoints: Endpoint[],
  template: SliceTemplate,
  annotations: Record<string, string>,
): SlicePlan['create'][number] {
  const { namespace, generateName, labels, owner } = template
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { generateName, namespace, labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}), ownerReferences: [owner] },
    addressType: group.addressType,
    endpoints,
    ports: group.ports,
  }
}

function updated(slice: DeepReadonly<Slice>, endpoints: Endpoint[], template: SliceTemplate, annotations: Record<string, string>): Slice {
  const { [triggerTimeAnnotation]: _, ...others } = slice.metadata.annotations ?? {}
  return {
    ...(slice as Slice),
    metadata: { ...(slice.metadata as meta.ObjectMeta), labels: template.labels, annotations: { ...others, ...annotations } },
    endpoints,
  }
}

function hasTemplate({ metadata }: DeepReadonly<Slice>, template: SliceTemplate): boolean {
  return (
    isDeepStrictEqual(metadata.labels ?? {}, template.labels) &&
    Object.entries(template.annotations).every(([name, value]) => metadata.annotations?.[name] === value)
  )
}

const portId = ({ name = '', port, protocol = 'TCP', appProtocol = '' }: DeepReadonly<Port>) => `${name}/${port ?? ''}/${protocol}/${appProtocol}`

function groupId({ addressType, ports }: { addressType: string; ports?: readonly DeepReadonly<Port>[] }): string {
  return `${addressType} ${(ports ?? []).map(portId).sort().join()}`
}

function endpointId({ targetRef, addresses }: DeepReadonly<Endpoint>): string {
  return `${targetRef?.uid ?? ''} ${addresses.join()}`
}

/** Two lists are the same where they differ only in how absence is written. */
function normal(endpoints: readonly DeepReadonly<Endpoint>[]): unknown {
  return JSON.parse(JSON.stringify(endpoints), (_, value: unknown) => (value === null ? undefined : value))
}

/** The labels of a service's slices: the service's own, and the reserved ones. */
export function sliceLabels(own: { readonly [name: string]: string } | undefined, reserved: Record<string, string>): Record<string, string> {
  const labels: Record<string, string> = { ...own }
  for (const name of [serviceNameLabel, sliceManagedByLabel, 'service.kubernetes.io/headless']) delete labels[name]
  return { ...labels, ...reserved }
}

/** A prefix for generated names: with a dash where that leaves room for the suffix. */
export const slicePrefix = (name: string): string => (name.length < 63 ? `${name}-` : name)
