import type { DeepReadonly, KubeObject, autoscalingV1, meta } from '#api'
import { errors, selectorFromLabelSelector, selectorFromLabels } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { includeObject, valueResponse } from '../call.ts'
import { applyServerSide, difference, encodeManagers, liveManagers, newManager, trackUpdate, withFields } from '../../patch/index.ts'
import { decode, schemaFor } from '../decode.ts'
import { checkForce, configuration, decodePatched, isApply, patched, patchOf } from '../patch-verb.ts'
import { getObject } from '../read.ts'
import type { Registry, Write } from '../registry.ts'
import { partialOf, tableOf } from '../render.ts'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn } from '../tables/columns.ts'
import { age } from '../tables/duration.ts'
import { updateObject } from '../update.ts'
import { beginWrite, bodyValue } from '../verbs.ts'
import { admissionRequest, mutate, validate } from '../write.ts'

const scaleKind = { group: 'autoscaling', version: 'v1', kind: 'Scale' }

type Scalable = KubeObject & {
  spec?: { replicas?: number; selector?: meta.LabelSelector | Record<string, string> }
  status?: { replicas?: number }
}

/** `scale` of deployments, replica sets, stateful sets and replication controllers: their replicas as an autoscaling/v1 Scale. */
export async function scale(registry: Registry, call: Call): Promise<Response> {
  const { verb, resource } = call.info
  // a read's error names the subresource
  const scaled = { ...call.served, gr: { ...call.served.gr, resource: `${call.served.gr.resource}/scale` } }
  if (verb === 'get') {
    const entry = await getObject(registry, scaled, resource!.namespace, resource!.name, call.request.query.get('resourceVersion'))
    return scaleResponse(call, scaleOf(entry.object as DeepReadonly<Scalable>, resource!.resource))
  }
  const write = beginWrite(call, verb === 'patch' ? 'PatchOptions' : 'UpdateOptions')
  if (verb === 'patch' && isApply(call)) return applyScale(registry, call, write)
  if (verb === 'patch') checkForce(call)
  const body = verb === 'patch' ? patchOf(call) : bodyValue(call)
  const { entry } = await updateObject(
    registry,
    write,
    async (found) => {
      const old = found as DeepReadonly<Scalable>
      const value = verb === 'patch' ? patched(call, scaleOf(old, resource!.resource), body, scaleKind) : body
      const asked = (verb === 'patch' ? decodePatched(call, body, value, write, scaleKind) : decode(scaleKind, value, write)) as autoscalingV1.Scale
      if (!asked.metadata.name)
        throw errors.badRequest(`the name of the object (${write.name} based on URL) was undeterminable: name must be provided`)
      if (asked.metadata.name !== write.name)
        throw errors.badRequest(`the name of the object (${asked.metadata.name}) does not match the name on the URL (${write.name})`)
      const next = await admittedScale(registry, write, old, asked)
      const managedFields = scalersAfter(old, next as Scalable, resource!.resource, write)
      if (managedFields) next.metadata.managedFields = managedFields
      else delete next.metadata.managedFields
      return next
    },
    { prepare() {}, unvalidated: true, admitted: true, retry: verb === 'patch', managed: true },
  )
  return scaleResponse(call, scaleOf(entry.object as DeepReadonly<Scalable>, resource!.resource))
}

/** The object with the scale that was asked for, once admission has looked at it: as a scale, not as the object behind it. */
async function admittedScale(registry: Registry, write: Write, old: DeepReadonly<Scalable>, asked: autoscalingV1.Scale): Promise<KubeObject> {
  const before = scaleOf(old, write.served.storage.resource) as DeepReadonly<KubeObject>
  const admission = { ...admissionRequest(write, 'UPDATE', asked as KubeObject, before), kind: scaleKind }
  await mutate(registry, admission)
  const next = withScale(old, asked, write)
  await validate(registry, admission)
  return next
}

/** The object with the scale that was asked for. */
function withScale(old: DeepReadonly<Scalable>, asked: autoscalingV1.Scale, write: Write): KubeObject {
  const replicas = asked.spec?.replicas ?? 0
  if (replicas < 0)
    throw errors.invalid(scaleKind, write.name, [
      { reason: 'FieldValueInvalid', message: `Invalid value: ${replicas}: must be greater than or equal to 0`, field: 'spec.replicas' },
    ])
  const metadata = { ...old.metadata, resourceVersion: asked.metadata.resourceVersion || undefined, uid: asked.metadata.uid || old.metadata.uid }
  return { ...old, metadata, spec: { ...old.spec, replicas } } as KubeObject
}

/** Server-side apply of a scale: who manages the replicas of the object manages those of the scale, and the other way round. */
async function applyScale(registry: Registry, call: Call, write: Write): Promise<Response> {
  const { applied, manager, force } = configuration(call, write, scaleKind)
  const { resource } = call.info
  const { entry } = await updateObject(
    registry,
    write,
    async (found) => {
      const old = found as DeepReadonly<Scalable>
      const entries = (old.metadata.managedFields ?? []) as meta.ManagedFieldsEntry[]
      const live = scaleOf(old, resource!.resource) as KubeObject
      const owners = ownersOfScale(entries)
      const { object, managedFields = [] } = applyServerSide({
        live: { ...live, metadata: { ...live.metadata, managedFields: owners } },
        applied,
        schema: schemaFor('autoscaling/v1', 'Scale'),
        manager,
        force,
        subresource: 'scale',
        now: write.context.now,
      })
      const asked = decode(scaleKind, object, { fieldValidation: 'Ignore', warnings: [] }) as autoscalingV1.Scale
      if (applied.metadata.name && applied.metadata.name !== write.name)
        throw errors.badRequest(`the name of the object (${applied.metadata.name}) does not match the name on the URL (${write.name})`)
      for (const name of ['uid', 'resourceVersion'] as const)
        if (applied.metadata[name] && applied.metadata[name] !== old.metadata[name]) throw errors.modified(call.served.gr, write.name)
      const next = await admittedScale(registry, write, old, asked)
      next.metadata.managedFields = ofParent(entries, managedFields.filter(ownsReplicas), call.served.apiVersion)
      return next
    },
    { prepare() {}, unvalidated: true, admitted: true, retry: true, managed: true },
  )
  return scaleResponse(call, scaleOf(entry.object as DeepReadonly<Scalable>, resource!.resource))
}

function untimed(entry: meta.ManagedFieldsEntry): meta.ManagedFieldsEntry {
  const { time, ...rest } = entry
  return time === undefined ? entry : rest
}

const replicasField = { 'f:spec': { 'f:replicas': {} } }

const ownsReplicas = ({ fieldsV1 }: meta.ManagedFieldsEntry) =>
  (fieldsV1 as { 'f:spec'?: Record<string, unknown> } | undefined)?.['f:spec']?.['f:replicas'] !== undefined

/** The managers of the replicas, as managers of the scale. */
const ownersOfScale = (entries: meta.ManagedFieldsEntry[]) =>
  entries.filter(ownsReplicas).map((one) => ({ ...one, apiVersion: 'autoscaling/v1', fieldsV1: replicasField }))

/** Who manages an object after an update or a patch of its scale. While nobody manages the replicas, who scales does not either. */
function scalersAfter(
  old: DeepReadonly<Scalable>,
  next: DeepReadonly<Scalable>,
  resource: string,
  write: Write,
): meta.ManagedFieldsEntry[] | undefined {
  const entries = old.metadata.managedFields as meta.ManagedFieldsEntry[] | undefined
  const owners = ownersOfScale(entries ?? [])
  if (owners.length === 0) return entries
  const scale = (object: DeepReadonly<Scalable>) => {
    const shown = scaleOf(object, resource)
    return { ...shown, metadata: { ...shown.metadata, managedFields: owners } }
  }
  const managedFields = trackUpdate({
    old: scale(old),
    updated: scale(next),
    schema: schemaFor('autoscaling/v1', 'Scale'),
    manager: write.fieldManager,
    subresource: 'scale',
    now: write.context.now,
  })
  return ofParent(entries!, (managedFields ?? []).filter(ownsReplicas), write.served.apiVersion)
}

/** The managers of an object after a write to its scale: those of the replicas are the scale's, the others stay. Upstream gives those that come no time. */
function ofParent(entries: meta.ManagedFieldsEntry[], owners: meta.ManagedFieldsEntry[], apiVersion: string): meta.ManagedFieldsEntry[] | undefined {
  const same = (a: meta.ManagedFieldsEntry, b: meta.ManagedFieldsEntry) =>
    a.manager === b.manager && a.operation === b.operation && (a.subresource ?? '') === (b.subresource ?? '')
  const kept = liveManagers(entries).map((one) => {
    if (!ownsReplicas(one.entry)) return one
    return owners.some((other) => same(other, one.entry)) ? one : withFields(one, difference(one.fields, replicasField))
  })
  const added = owners.filter((owner) => !entries.some((one) => ownsReplicas(one) && same(one, owner)))
  return encodeManagers([...kept, ...added.map((owner) => newManager(untimed({ ...owner, apiVersion }), replicasField))])
}

const scaleTable: TableDefinition<KubeObject & autoscalingV1.Scale> = {
  columns: [nameColumn, column('Desired', 'integer'), column('Available', 'integer'), ageColumn],
  cells: ({ metadata, spec, status }, now) => [metadata.name, spec?.replicas ?? 0, status?.replicas ?? 0, age(metadata.creationTimestamp, now)],
}

function scaleResponse(call: Call, shown: autoscalingV1.Scale): Response {
  const { as, metaVersion } = call.accepted
  if (as === 'object') return valueResponse(call, 200, shown)
  const object = shown as KubeObject
  if (as === 'PartialObjectMetadata') return valueResponse(call, 200, partialOf(object, metaVersion))
  const served = { ...call.served, conversion: undefined, strategy: { table: scaleTable } }
  const { resourceVersion } = object.metadata
  return valueResponse(call, 200, tableOf(served, [object], { resourceVersion }, { metaVersion, include: includeObject(call), now: call.now }))
}

function scaleOf(object: DeepReadonly<Scalable>, resource: string): autoscalingV1.Scale {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const { selector, replicas = 0 } = object.spec ?? {}
  const text = (
    resource === 'replicationcontrollers'
      ? selectorFromLabels(selector as Record<string, string>)
      : selectorFromLabelSelector(selector as meta.LabelSelector)
  ).toString()
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, ...(namespace ? { namespace } : {}), uid, resourceVersion, creationTimestamp },
    spec: replicas ? { replicas } : {},
    status: { replicas: object.status?.replicas ?? 0, ...(text ? { selector: text } : {}) },
  } as autoscalingV1.Scale
}
