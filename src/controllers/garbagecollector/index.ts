import { type DeepReadonly, type KubeObject, isStatus } from '#api'
import type { ResourceRef } from '#client'
import type { Controller, ControllerContext } from '#runtime'
import { type GraphNode, type Owner, foregroundFinalizer, isForeground, isOrphaning, orphanFinalizer } from './graph.ts'
import { createMonitors } from './monitors.ts'
import { type OwnerState, planItem } from './plan.ts'

/** Absent owners that are remembered, so that a thousand dependents do not ask a thousand times. */
const remembered = 500

/** Deletes what has lost all its owners, and carries out foreground and orphaning deletions. Keys are uids. */
export const garbageCollector: Controller = {
  name: 'garbagecollector',
  concurrency: 20,
  setup(context: ControllerContext) {
    const { client, events, log } = context
    const monitors = createMonitors(context)
    const { graph } = monitors
    const absent = new Set<string>()
    let enqueue: (uid: string) => void = () => {}

    async function reconcile(uid: string, signal: AbortSignal): Promise<void> {
      const node = graph.get(uid)
      if (!node) return
      if (isOrphaning(node)) await orphan(node, signal)
      else if (isForeground(node)) await awaitDependents(node, signal)
      // what is being deleted already needs no second reason
      if (!node.object.metadata.deletionTimestamp) await collect(node, signal)
    }

    /** Deletes the object if its owners say so. */
    async function collect(node: GraphNode, signal: AbortSignal): Promise<void> {
      if (!node.object.metadata.ownerReferences?.length) return
      const api = client.resource(node.ref)
      const { name, namespace, uid } = node.object.metadata
      // the graph may be behind: nothing is deleted on hearsay
      const live = await api.get(name, namespace, { signal }).catch(ifNotFound)
      if (!live || live.metadata.uid !== uid || live.metadata.deletionTimestamp) return
      const owners: { owner: Owner; state: OwnerState }[] = []
      for (const owner of live.metadata.ownerReferences ?? []) owners.push({ owner, state: await stateOf(owner, node, live, signal) })
      const dependents = graph.dependents(uid!)
      const plan = planItem({ owners, hasDependents: dependents.length > 0, finalizers: live.metadata.finalizers ?? [] })
      if (plan.do === 'nothing') return
      if (plan.do === 'release') return patchMetadata(node.ref, live, { ownerReferences: plan.keep }, signal)
      // a circle of owners that wait for one another would never end
      if (plan.policy === 'Foreground' && dependents.some(isForeground)) await unblock(node.ref, live, signal)
      log.debug('deleting', { kind: node.ref.kind, namespace, name, policy: plan.policy })
      const preconditions = { uid, ...(plan.policy === 'Foreground' ? {} : { resourceVersion: live.metadata.resourceVersion }) }
      await api.delete(name, namespace, { propagationPolicy: plan.policy, preconditions, signal }).catch(ifNotFound)
    }

    async function stateOf(owner: Owner, node: GraphNode, item: DeepReadonly<KubeObject>, signal: AbortSignal): Promise<OwnerState> {
      const ref = monitors.resourceOf(owner.apiVersion, owner.kind)
      if (!ref) {
        monitors.unresolved(item.metadata.uid!)
        return 'unknown'
      }
      const { namespace } = item.metadata
      if (ref.namespaced && !namespace) return 'unknown'
      const known = graph.get(owner.uid)
      if (known && known.ref.group === ref.group && known.ref.resource === ref.resource && known.object.metadata.name === owner.name) {
        if (!ref.namespaced || known.object.metadata.namespace === namespace) return isForeground(known) ? 'waiting' : 'solid'
        const message = `ownerRef [${ref.group ? `${ref.group}/${ref.version}` : ref.version}/${owner.kind}, namespace: ${namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${namespace}"`
        events.event({ ...item, apiVersion: node.object.apiVersion, kind: node.object.kind }, 'Warning', 'OwnerRefInvalidNamespace', message)
      }
      const identity = [ref.group, ref.resource, ref.namespaced ? namespace : '', owner.name, owner.uid].join('/')
      if (absent.has(identity)) return 'absent'
      const live = await client
        .resource(ref)
        .get(owner.name, ref.namespaced ? namespace : undefined, { signal })
        .catch(ifNotFound)
      if (live?.metadata.uid === owner.uid) return isForeground({ ref, object: live }) ? 'waiting' : 'solid'
      // a uid never comes back, so this stays true
      absent.add(identity)
      if (absent.size > remembered) absent.delete(absent.values().next().value!)
      return 'absent'
    }

    /** Lets an object go that waits for its dependents, once none is left that blocks it. */
    async function awaitDependents(node: GraphNode, signal: AbortSignal): Promise<void> {
      const uid = node.object.metadata.uid!
      const blocking = graph.dependents(uid).filter((d) => d.object.metadata.ownerReferences?.some((o) => o.uid === uid && o.blockOwnerDeletion))
      if (blocking.length === 0) return removeFinalizer(node, foregroundFinalizer, signal)
      for (const dependent of blocking) if (!isForeground(dependent)) enqueue(dependent.object.metadata.uid!)
    }

    /** Takes the object out of its dependents' owners, then lets it go. */
    async function orphan(node: GraphNode, signal: AbortSignal): Promise<void> {
      const uid = node.object.metadata.uid!
      for (const { ref, object } of graph.dependents(uid)) {
        const { name, namespace } = object.metadata
        const live = await client.resource(ref).get(name, namespace, { signal }).catch(ifNotFound)
        if (!live || live.metadata.uid !== object.metadata.uid) continue
        const owners = live.metadata.ownerReferences ?? []
        const keep = owners.filter((o) => o.uid !== uid)
        if (keep.length < owners.length) await patchMetadata(ref, live, { ownerReferences: keep }, signal)
      }
      await removeFinalizer(node, orphanFinalizer, signal)
    }

    async function removeFinalizer({ ref, object }: GraphNode, finalizer: string, signal: AbortSignal): Promise<void> {
      const { name, namespace, uid } = object.metadata
      const live = await client.resource(ref).get(name, namespace, { signal }).catch(ifNotFound)
      if (!live || live.metadata.uid !== uid || !live.metadata.finalizers?.includes(finalizer)) return
      await patchMetadata(ref, live, { finalizers: live.metadata.finalizers.filter((f) => f !== finalizer) }, signal)
    }

    const unblock = (ref: ResourceRef, live: DeepReadonly<KubeObject>, signal: AbortSignal) =>
      patchMetadata(ref, live, { ownerReferences: live.metadata.ownerReferences!.map((o) => ({ ...o, blockOwnerDeletion: false })) }, signal)

    /** Replaces lists of the metadata of exactly the object that was read. */
    async function patchMetadata(ref: ResourceRef, live: DeepReadonly<KubeObject>, change: object, signal: AbortSignal): Promise<void> {
      const { name, namespace, uid, resourceVersion } = live.metadata
      const patch = { metadata: { uid, resourceVersion, ...change } }
      await client.resource(ref).patch(name, namespace, 'merge', patch, { signal }).catch(ifNotFound)
    }

    return {
      reconcile,
      run: monitors.run,
      watches: [
        {
          ready: monitors.watch.ready,
          subscribe(add) {
            enqueue = add
            return monitors.watch.subscribe(add)
          },
        },
      ],
    }
  },
}

function ifNotFound(error: unknown): undefined {
  if (isStatus(error, 'NotFound')) return undefined
  throw error
}
