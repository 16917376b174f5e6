import { type DeepReadonly, type core, formatTime, isStatus, resources } from '#api'
import { Backoff } from '#base'
import { type Client, type DiscoveredResource, type Discovery, discover } from '#client'
import { type Controller, mapped, primary } from '#runtime'
import { type Progress, type Remaining, conditionsOf, deletable, finalized, isEmpty, nextStep, stages } from './plan.ts'

/** Requests at the same time for one namespace. */
const parallel = 8

/** Empties a namespace that is being deleted and then gives it up. */
export const namespaceController: Controller = {
  name: 'namespace',
  concurrency: 10,
  setup({ client, clock, cache }) {
    const namespaces = cache(resources.namespaces)
    const pods = cache(resources.pods)
    const api = client.resource(resources.namespaces)
    // content goes by finalizers and grace periods, which take from milliseconds to days
    const pauses = new Backoff({ initial: 100, max: 10_000 })

    async function reconcile(key: string, signal: AbortSignal) {
      let namespace = namespaces.get(key)
      const step = nextStep(namespace)
      if (!namespace || step === 'none') return pauses.reset(key)
      if (step === 'terminate')
        namespace = await api.updateStatus({ ...namespace, status: { ...namespace.status, phase: 'Terminating' } }, { signal })
      // the cached finalizers may be those of before the phase changed; asked for again, another finalizer's owner may have been faster
      if (nextStep(namespace) !== 'empty') return
      const progress = await empty(client, key, signal)
      const conditions = conditionsOf(namespace.status?.conditions as core.NamespaceCondition[] | undefined, progress, formatTime(clock.now()))
      // a namespace that goes at once needs no record of it
      if (conditions !== namespace.status?.conditions && !(isEmpty(progress) && !namespace.status?.conditions)) {
        namespace = await api.updateStatus({ ...namespace, status: { ...namespace.status, conditions: [...conditions] } }, { signal })
      }
      if (!isEmpty(progress)) return { requeueAfter: pauses.next(key) }
      await finalize(namespace, signal)
      pauses.reset(key)
    }

    async function finalize(namespace: DeepReadonly<core.Namespace>, signal: AbortSignal): Promise<void> {
      try {
        await api.updateSubresource(namespace.metadata.name, undefined, 'finalize', finalized(namespace), { signal })
      } catch (error) {
        if (!isStatus(error, 'NotFound')) throw error
      }
    }

    return {
      reconcile,
      watches: [
        primary(namespaces),
        // the last pod that goes is what most namespaces wait for
        mapped(pods, ({ metadata }) => (namespaces.get(metadata.namespace!)?.metadata.deletionTimestamp ? [metadata.namespace!] : [])),
      ],
    }
  },
}

/** Deletes whatever is in the namespace and tells what is left. Never throws for one resource: the others go on. */
async function empty(client: Client, namespace: string, signal: AbortSignal): Promise<Progress> {
  const { resources: discovered, failures }: Discovery = await discover(client, { signal })
  const progress: Progress = { discoveryFailures: failures, deletionErrors: [], remaining: [] }
  async function worker(waiting: DiscoveredResource[]): Promise<void> {
    for (let resource = waiting.shift(); resource; resource = waiting.shift()) {
      try {
        const left = await emptyResource(client, resource, namespace, signal)
        if (left.count > 0) progress.remaining.push(left)
      } catch (error) {
        signal.throwIfAborted()
        // a resource that is no longer served has no content
        if (isStatus(error, 'NotFound') || isStatus(error, 'MethodNotAllowed')) continue
        progress.deletionErrors.push(error as Error)
      }
    }
  }
  for (const stage of stages(deletable(discovered))) {
    await Promise.all(Array.from({ length: parallel }, () => worker(stage)))
    if (progress.remaining.length > 0 || progress.deletionErrors.length > 0) break
  }
  return progress
}

async function emptyResource(client: Client, resource: DiscoveredResource, namespace: string, signal: AbortSignal): Promise<Remaining> {
  const api = client.resource(resource)
  const none: Remaining = { resource: resource.resource, group: resource.group, count: 0, finalizers: {} }
  const before = await api.list({ namespace, signal })
  if (before.items.length === 0) return none
  if (resource.verbs.includes('deletecollection')) await api.deleteCollection({ namespace, signal }, { propagationPolicy: 'Background' })
  else {
    for (const { metadata } of before.items) {
      await api.delete(metadata.name, namespace, { propagationPolicy: 'Background', signal }).catch((error: unknown) => {
        if (!isStatus(error, 'NotFound')) throw error
      })
    }
  }
  const after = await api.list({ namespace, signal })
  const finalizers: Record<string, number> = {}
  for (const { metadata } of after.items) for (const name of metadata.finalizers ?? []) finalizers[name] = (finalizers[name] ?? 0) + 1
  return { ...none, count: after.items.length, finalizers }
}
