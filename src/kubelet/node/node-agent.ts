import type { Clock, Logger } from '#base'
import { Backoff, describeError } from '#base'
import type { Client } from '#client'
import type { EventRecorder } from '#runtime'
import type { DeepReadonly, core } from '#api'
import { isStatus, resources } from '#api'
import type { ContainerRuntime, cri } from '../cri/index.ts'
import type { RuntimeFeatures } from '../cri/runtime-features.ts'
import { noRuntimeFeatures, runtimeFeatures } from '../cri/runtime-features.ts'
import type { NodeFacts, Pressure } from './node-status.ts'
import { nodeLabels, nodeStatus, sameNodeStatus } from './node-status.ts'

export interface NodeAgentOptions {
  client: Client
  runtime: ContainerRuntime
  facts: NodeFacts
  clock: Clock
  log: Logger
  events: EventRecorder
  /** What else keeps the node from being ready, e.g. a runtime that does not answer. */
  problems(): string[]
  pressure(): Pressure
  /** Called when the node's pod range is known and whenever it changes. */
  onPodCIDR?(cidrs: readonly string[]): void | Promise<void>
  /** Taints of a new node. */
  taints?: readonly core.Taint[]
  /** Milliseconds: of the lease 10 s, of the status without a change 5 min, of looking for a change 10 s. */
  intervals?: { lease?: number; report?: number; observe?: number }
}

/** Keeps the Node object: registers it, reports its status, renews its lease. */
export interface NodeAgent {
  /** The node as the API server answered it last. */
  readonly node: DeepReadonly<core.Node> | undefined
  /** What the runtime said of itself last. */
  readonly features: RuntimeFeatures
  /** The node as it is at the API server now. */
  fresh(): Promise<DeepReadonly<core.Node>>
  /** Resolves when the node is registered. */
  register(signal: AbortSignal): Promise<void>
  /** Heartbeats until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Looks at the node's health now instead of with the next tick. */
  check(): void
}

const leaseNamespace = 'kube-node-lease'
const leaseSeconds = 40

export function createNodeAgent(options: NodeAgentOptions): NodeAgent {
  const { client, runtime, facts, clock, log, events } = options
  const { lease = 10_000, report = 300_000, observe = 10_000 } = options.intervals ?? {}
  const nodes = client.resource(resources.nodes)
  let node: DeepReadonly<core.Node> | undefined
  let images: readonly cri.Image[] = []
  let reportedAt = Number.NEGATIVE_INFINITY
  let wake = () => {}
  let podCIDRs = ''
  let ready: boolean | undefined
  let features = noRuntimeFeatures

  async function runtimeProblems(): Promise<string[]> {
    try {
      const answer = await runtime.status({}, { timeoutMs: 10_000 })
      features = runtimeFeatures(answer)
      const { status } = answer
      const bad = status.conditions.filter((c) => (c.type === 'RuntimeReady' || c.type === 'NetworkReady') && !c.status)
      return bad.map((c) =>
        c.type === 'NetworkReady'
          ? `container runtime network not ready: NetworkReady=false reason:${c.reason} message:${c.message}`
          : `container runtime not ready: RuntimeReady=false reason:${c.reason} message:${c.message}`,
      )
    } catch (error) {
      return [`container runtime is down: ${describeError(error)}`]
    }
  }

  async function currentStatus(): Promise<core.NodeStatus> {
    const problems = [...options.problems(), ...(await runtimeProblems())]
    return nodeStatus(facts, { now: clock.now(), problems, pressure: options.pressure(), images, features }, node?.status)
  }

  async function register(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initial: 100, max: 5000, jitter: 0.2 })
    while (!signal.aborted) {
      try {
        await registerOnce(signal)
        return
      } catch (error) {
        if (signal.aborted) return
        log.warn('cannot register the node', { node: facts.name, error: describeError(error) })
        await clock.sleep(backoff.next(), signal).catch(() => {})
      }
    }
  }

  async function registerOnce(signal: AbortSignal): Promise<void> {
    images = (await runtime.listImages().catch(() => ({ images: [] }))).images
    const labels = nodeLabels(facts)
    const status = await currentStatus()
    const annotations = { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' }
    const taints = [...(options.taints ?? [])]
    try {
      await saw(
        await nodes.create(
          {
            apiVersion: 'v1',
            kind: 'Node',
            metadata: { name: facts.name, labels, annotations },
            spec: taints.length > 0 ? { taints } : {},
            status,
          } as unknown as core.Node,
          { signal },
        ),
      )
    } catch (error) {
      if (!isStatus(error, 'AlreadyExists')) throw error
      const existing = await nodes.get(facts.name, undefined, { signal })
      const missing = Object.entries(labels).filter(([key, value]) => existing.metadata.labels?.[key] !== value)
      await saw(
        missing.length > 0
          ? await nodes.patch(facts.name, undefined, 'strategic', { metadata: { labels: Object.fromEntries(missing) } }, { signal })
          : existing,
      )
    }
    await sendStatus(signal)
  }

  async function saw(next: DeepReadonly<core.Node>): Promise<void> {
    node = next
    const cidrs = next.spec?.podCIDRs ?? (next.spec?.podCIDR ? [next.spec.podCIDR] : [])
    if (cidrs.length === 0 || cidrs.join() === podCIDRs) return
    podCIDRs = cidrs.join()
    await runtime.updateRuntimeConfig({ runtimeConfig: { networkConfig: { podCidr: podCIDRs } } }).catch(() => {})
    await options.onPodCIDR?.(cidrs)
  }

  async function sendStatus(signal: AbortSignal): Promise<void> {
    const status = await currentStatus()
    const due = clock.monotonic() - reportedAt >= report
    if (!due && sameNodeStatus(node?.status, status)) return
    const before = node?.status?.addresses ?? []
    const patch = {
      status: {
        ...status,
        allocatable: { ...gone(node?.status?.allocatable, status.allocatable), ...status.allocatable },
        // Addresses merge by type: what is no longer ours would stay without this.
        addresses: before.length > 0 ? [...status.addresses!, { $patch: 'replace' }] : status.addresses,
      },
    }
    await saw(await nodes.patch(facts.name, undefined, 'strategic', patch, { subresource: 'status', signal }))
    reportedAt = clock.monotonic()
    const nowReady = status.conditions!.find((c) => c.type === 'Ready')!.status === 'True'
    if (ready !== undefined || nowReady) announce(nowReady)
    ready = nowReady
  }

  /** A patch takes a field away by null. */
  function gone(before: Readonly<Record<string, string>> | undefined, now: Readonly<Record<string, string>> | undefined): Record<string, null> {
    return Object.fromEntries(Object.keys(before ?? {}).flatMap((name) => (now?.[name] === undefined ? [[name, null]] : [])))
  }

  function announce(nowReady: boolean): void {
    if (ready === nowReady || !node) return
    const reason = nowReady ? 'NodeReady' : 'NodeNotReady'
    events.event(node as core.Node, 'Normal', reason, `Node ${facts.name} status is now: ${reason}`)
  }

  async function statusLoop(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ initial: 200, max: observe, jitter: 0.2 })
    for (let tick = 0; !signal.aborted; tick++) {
      // who wants the pod range waits for it with the node's network: that comes soon or is in trouble anyway
      let pause = ready && (podCIDRs !== '' || !options.onPodCIDR) ? observe : Math.min(observe, 200)
      try {
        if (tick % 6 === 5) images = (await runtime.listImages()).images
        // Others write to the node, too: its pod range, extended resources; or delete it.
        await saw(await nodes.get(facts.name, undefined, { signal }))
        await sendStatus(signal)
        backoff.reset()
      } catch (error) {
        if (signal.aborted) return
        if (isStatus(error, 'NotFound')) await register(signal)
        else {
          log.warn('cannot report the status of the node', { node: facts.name, error: describeError(error) })
          pause = backoff.next()
        }
      }
      // a signal that aborted meanwhile tells nobody any more
      if (signal.aborted) return
      await new Promise<void>((resolve) => {
        const cancel = clock.schedule(pause, done)
        function done() {
          cancel()
          signal.removeEventListener('abort', done)
          resolve()
        }
        wake = done
        signal.addEventListener('abort', done, { once: true })
      })
    }
  }

  async function leaseLoop(signal: AbortSignal): Promise<void> {
    const leases = client.resource(resources.leases)
    const backoff = new Backoff({ initial: 200, max: 7000, jitter: 0.2 })
    const microTime = () => new Date(clock.now()).toISOString().replace('Z', '000Z')
    while (!signal.aborted) {
      try {
        const renew = { spec: { renewTime: microTime(), holderIdentity: facts.name, leaseDurationSeconds: leaseSeconds } }
        await leases.patch(facts.name, leaseNamespace, 'merge', renew, { signal })
        backoff.reset()
        await clock.sleep(lease, signal).catch(() => {})
        continue
      } catch (error) {
        if (signal.aborted) return
        if (isStatus(error, 'NotFound')) await createLease(signal, microTime()).catch((failure: unknown) => warnLease(failure, signal))
        else warnLease(error, signal)
      }
      await clock.sleep(backoff.next(), signal).catch(() => {})
    }
  }
  const warnLease = (error: unknown, signal: AbortSignal) => {
    if (!signal.aborted) log.warn('cannot renew the lease of the node', { node: facts.name, error: describeError(error) })
  }

  async function createLease(signal: AbortSignal, renewTime: string): Promise<void> {
    const owner = node ? { ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: facts.name, uid: node.metadata.uid ?? '' }] } : {}
    await client.resource(resources.leases).create(
      {
        apiVersion: 'coordination.k8s.io/v1',
        kind: 'Lease',
        metadata: { name: facts.name, namespace: leaseNamespace, ...owner },
        spec: { holderIdentity: facts.name, leaseDurationSeconds: leaseSeconds, renewTime },
      },
      { signal },
    )
  }

  return {
    get node() {
      return node
    },
    get features() {
      return features
    },
    async fresh() {
      await saw(await nodes.get(facts.name))
      return node!
    },
    register,
    async run(signal) {
      await Promise.all([statusLoop(signal), leaseLoop(signal)])
    },
    check: () => wake(),
  }
}
