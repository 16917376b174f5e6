import { type DeepReadonly, type core, formatTime, isStatus, resources } from '#api'
import { type Controller, mapped, primary } from '#runtime'
import { isNodeReady, planTaints, readyStatus, silentConditions, unreadyPod } from './plan.ts'

export { taintEvictionController } from './taint-eviction.ts'

export interface NodeLifecycleOptions {
  /** How long a kubelet may be silent, milliseconds; 50 s when absent (40 s before 1.32). */
  monitorGracePeriod?: number
  /** The same for a node that has never reported; 60 s when absent. */
  startupGracePeriod?: number
}

const leaseNamespace = 'kube-node-lease'

/** What was last heard of a node, and when by our own clock: the node's clock is not trusted. */
interface Heartbeat {
  sign: string
  /** Monotonic milliseconds. */
  at: number
}

/** Says what is known of nodes whose kubelet is silent or unwell: conditions, taints, and the readiness of their pods. */
export function nodeLifecycleController(options: NodeLifecycleOptions = {}): Controller {
  const { monitorGracePeriod = 50_000, startupGracePeriod = 60_000 } = options
  return {
    name: 'nodelifecycle',
    setup({ client, clock, events, cache }) {
      const nodes = cache(resources.nodes)
      const leases = cache(resources.leases)
      const pods = cache(resources.pods, { nodeName: (pod) => (pod.spec.nodeName ? [pod.spec.nodeName] : []) })
      const nodeApi = client.resource(resources.nodes)
      const podApi = client.resource(resources.pods)
      const heartbeats = new Map<string, Heartbeat>()
      // the transition to not ready for which the pods have been told
      const told = new Map<string, string>()
      let enqueue: (key: string) => void = () => {}
      let allDown = false

      function heardOf(node: DeepReadonly<core.Node>): Heartbeat {
        const { name } = node.metadata
        const reported = (node.status?.conditions ?? []).map((c) => c.lastHeartbeatTime).join()
        const sign = `${leases.get(`${leaseNamespace}/${name}`)?.spec?.renewTime ?? ''} ${reported}`
        const known = heartbeats.get(name)
        if (known?.sign === sign) return known
        const heartbeat = { sign, at: clock.monotonic() }
        heartbeats.set(name, heartbeat)
        return heartbeat
      }

      async function reconcile(name: string, signal: AbortSignal) {
        let node = nodes.get(name)
        if (!node) {
          heartbeats.delete(name)
          told.delete(name)
          return
        }
        const grace = readyStatus(node) === undefined ? startupGracePeriod : monitorGracePeriod
        const silentFor = clock.monotonic() - heardOf(node).at
        const isSilent = silentFor >= grace
        const now = formatTime(clock.now())
        if (isSilent) {
          const conditions = silentConditions(node, now)
          if (conditions) {
            if (isNodeReady(node)) events.event(node, 'Normal', 'NodeNotReady', `Node ${name} status is now: NodeNotReady`)
            node = await nodeApi.updateStatus({ ...node, status: { ...(node.status as core.NodeStatus), conditions } }, { signal })
          }
        }
        noteReadiness()
        const taints = planTaints(node, { evict: !allDown, now })
        if (taints) node = await nodeApi.update({ ...node, spec: { ...(node.spec as core.NodeSpec), taints } }, { signal })
        await tellPods(node, now, signal)
        // renewals come as events; what has to be noticed is their absence
        return isSilent ? undefined : { requeueAfter: grace - silentFor }
      }

      /** When the last node goes down or the first comes back, what may be evicted changes everywhere. */
      function noteReadiness(): void {
        const all = nodes.list()
        const down = all.length > 0 && !all.some(isNodeReady)
        if (down === allDown) return
        allDown = down
        for (const node of all) enqueue(node.metadata.name)
      }

      async function tellPods(node: DeepReadonly<core.Node>, now: string, signal: AbortSignal): Promise<void> {
        const { name } = node.metadata
        const ready = node.status?.conditions?.find((c) => c.type === 'Ready')
        if (!ready || ready.status === 'True') return void told.delete(name)
        // a kubelet that still reports looks after its pods itself: it is told once, and not argued with
        if (ready.status === 'False' && told.get(name) === ready.lastTransitionTime) return
        for (const pod of pods.byIndex('nodeName', name)) {
          const unready = unreadyPod(pod, now)
          if (!unready) continue
          events.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
          await podApi.updateStatus(unready, { signal }).catch((error: unknown) => {
            if (!isStatus(error, 'NotFound')) throw error
          })
        }
        told.set(name, ready.lastTransitionTime ?? '')
      }

      return {
        reconcile,
        watches: [
          {
            ready: async (signal) => void (await Promise.all([nodes.ready(signal), pods.ready(signal)])),
            subscribe(add) {
              enqueue = add
              return primary(nodes).subscribe(add)
            },
          },
          mapped(leases, ({ metadata }) => (metadata.namespace === leaseNamespace ? [metadata.name] : [])),
        ],
      }
    },
  }
}
