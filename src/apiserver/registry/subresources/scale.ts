import type { DeepReadonly, KubeObject, autoscalingV1, meta } from '#api'
import { errors, selectorFromLabelSelector, selectorFromLabels } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { includeObject, valueResponse } from '../call.ts'
import { decode } from '../decode.ts'
import { decodePatched, patchOf, patched } from '../patch-verb.ts'
import { getObject } from '../read.ts'
import type { Registry } from '../registry.ts'
import { partialOf, tableOf } from '../render.ts'
import type { TableDefinition } from '../strategy.ts'
import { ageColumn, column, nameColumn } from '../tables/columns.ts'
import { age } from '../tables/duration.ts'
import { updateObject } from '../update.ts'
import { beginWrite, bodyValue } from '../verbs.ts'

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
  const body = verb === 'patch' ? patchOf(call) : bodyValue(call)
  const { entry } = await updateObject(
    registry,
    write,
    (found) => {
      const old = found as DeepReadonly<Scalable>
      const value = verb === 'patch' ? patched(call, scaleOf(old, resource!.resource), body, scaleKind) : body
      const asked = (verb === 'patch' ? decodePatched(call, body, value, write, scaleKind) : decode(scaleKind, value, write)) as autoscalingV1.Scale
      if (!asked.metadata.name)
        throw errors.badRequest(`the name of the object (${write.name} based on URL) was undeterminable: name must be provided`)
      if (asked.metadata.name !== write.name)
        throw errors.badRequest(`the name of the object (${asked.metadata.name}) does not match the name on the URL (${write.name})`)
      const replicas = asked.spec?.replicas ?? 0
      if (replicas < 0)
        throw errors.invalid(scaleKind, write.name, [
          { reason: 'FieldValueInvalid', message: `Invalid value: ${replicas}: must be greater than or equal to 0`, field: 'spec.replicas' },
        ])
      const metadata = { ...old.metadata, resourceVersion: asked.metadata.resourceVersion || undefined, uid: asked.metadata.uid || old.metadata.uid }
      return { ...old, metadata, spec: { ...old.spec, replicas } } as KubeObject
    },
    { prepare() {}, unvalidated: true, retry: verb === 'patch' },
  )
  return scaleResponse(call, scaleOf(entry.object as DeepReadonly<Scalable>, resource!.resource))
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
