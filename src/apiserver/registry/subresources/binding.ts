import type { DeepReadonly, KubeObject, core } from '#api'
import { errors, failure } from '#api'
import type { Response } from '#client'
import type { Call } from '../call.ts'
import { valueResponse } from '../call.ts'
import { decode } from '../decode.ts'
import type { Registry, Write } from '../registry.ts'
import { updateObject } from '../update.ts'
import { beginWrite, bodyValue } from '../verbs.ts'
import { admissionRequest, mutate, validate } from '../write.ts'

const bindingKind = { group: '', version: 'v1', kind: 'Binding' }

/** `pods/binding`: assigns a pod to a node, once. Also answers a create of `bindings`, where the pod is the binding's name. */
export async function bind(registry: Registry, call: Call): Promise<Response> {
  const write = beginWrite(call, 'CreateOptions')
  const binding = decode(bindingKind, bodyValue(call), write) as core.Binding
  const { target, metadata } = binding
  if (metadata.namespace && metadata.namespace !== write.namespace)
    throw errors.badRequest('the namespace of the provided object does not match the namespace sent on the request')
  if (write.name && metadata.name && metadata.name !== write.name) throw errors.badRequest('name in URL does not match name in Binding object')
  const name = write.name || metadata.name
  // upstream has no status for these: they are answered 500 with the bare text
  if (target.kind && target.kind !== 'Node')
    throw failure('', 500, `target.kind: Unsupported value: ${JSON.stringify(target.kind)}: supported values: "Node", "<empty>"`)
  if (!target.name) throw failure('', 500, 'target.name: Required value')
  const admission = { ...admissionRequest(write, 'CREATE', binding as unknown as KubeObject), kind: bindingKind }
  await mutate(registry, admission)
  await validate(registry, admission)
  const pods: Write = { ...write, name, subresource: 'binding' }
  await updateObject(registry, pods, (old) => assigned(old as DeepReadonly<core.Pod> | undefined, binding, pods), {
    prepare() {},
    unvalidated: true,
    admitted: true,
    managed: true,
    sameGeneration: true,
  })
  return valueResponse(call, 201, { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 })
}

function assigned(pod: DeepReadonly<core.Pod> | undefined, binding: core.Binding, write: Write): KubeObject {
  const { name, context } = write
  if (!pod) throw errors.notFound({ group: '', resource: 'pods' }, name)
  const refuse = (why: string) => errors.conflict({ group: '', resource: 'pods/binding' }, name, why)
  if (pod.metadata.deletionTimestamp) throw refuse(`pod ${name} is being deleted, cannot be assigned to a host`)
  if (pod.spec.nodeName) throw refuse(`pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`)
  if (pod.spec.schedulingGates?.length) throw refuse(`pod ${name} has non-empty .spec.schedulingGates`)
  const { uid, resourceVersion, annotations, labels } = binding.metadata
  // a node that was only thought of for it is of no interest any more
  const { nominatedNodeName: _, ...status } = pod.status ?? {}
  const condition = { type: 'PodScheduled', status: 'True', lastProbeTime: null, lastTransitionTime: context.now }
  const before = status.conditions?.filter((c) => c.type !== 'PodScheduled') ?? []
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      resourceVersion: resourceVersion || undefined,
      uid: uid || pod.metadata.uid,
      ...(annotations ? { annotations: { ...pod.metadata.annotations, ...annotations } } : {}),
      ...(labels ? { labels: { ...pod.metadata.labels, ...labels } } : {}),
    },
    spec: { ...pod.spec, nodeName: binding.target.name },
    status: { ...status, conditions: [...before, condition] },
  } as unknown as KubeObject
}
