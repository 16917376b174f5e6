import type { DeepReadonly, KubeObject, apps, core } from '#api'
import { resources } from '#api'
import type { Client, ResourceRef } from '#client'
import { registryName, registryNamespace } from '#registry'

/** Waits until the registry runs as its Deployment says, and until what ran before has ended: it writes no more. */
export async function rolledOut(client: Client, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const advice = `see \`kubectl -n ${registryNamespace} describe pods\``
  const late = new Error(`the registry is not ready after ${timeoutMs / 1000} s: ${advice}`)
  await until<apps.Deployment>(client, resources.deployments, registryName, signal, late, (deployment) => {
    const { spec, status, metadata } = deployment!
    const current = (status?.observedGeneration ?? 0) >= (metadata.generation ?? 0)
    return current && status?.updatedReplicas === spec.replicas && status?.replicas === spec.replicas && status?.availableReplicas === spec.replicas
  })
  const { items } = await client.resource<core.Pod>(resources.pods).list({ namespace: registryNamespace, labelSelector: `app=${registryName}` })
  const leaving = items.filter((pod) => pod.metadata.deletionTimestamp)
  for (const pod of leaving) await until<core.Pod>(client, resources.pods, pod.metadata.name, signal, late, (now) => !now)
}

/** Watches an object of the registry's namespace until it is as wanted; undefined is an object that is not there. */
export async function until<T extends KubeObject>(
  client: Client,
  ref: ResourceRef<T>,
  name: string,
  signal: AbortSignal,
  late: Error,
  done: (object: DeepReadonly<T> | undefined) => boolean,
): Promise<void> {
  const only = { namespace: registryNamespace, fieldSelector: `metadata.name=${name}` }
  try {
    const { items, metadata } = await client.resource<T>(ref).list({ ...only, signal })
    if (done(items[0])) return
    for await (const event of client.resource<T>(ref).watch({ ...only, resourceVersion: metadata.resourceVersion!, signal })) {
      if (event.type === 'BOOKMARK' || event.type === 'ERROR') continue
      if (done(event.type === 'DELETED' ? undefined : event.object)) return
    }
  } catch (error) {
    if (!signal.aborted) throw error
  }
  throw late
}
