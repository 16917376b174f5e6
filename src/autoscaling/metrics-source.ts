import type { core } from '#api'
import { resources } from '#api'
import type { Clock } from '#base'
import type { Client } from '#client'

/** Use of one container, pod or node over the last interval. */
export interface Usage {
  /** Nano-cores. */
  cpu: number
  /** Working set in bytes. */
  memory: number
  /** End of the interval, milliseconds since the epoch. */
  at: number
}

export interface PodUsage {
  namespace: string
  name: string
  containers: { name: string; usage: Usage }[]
}

export interface NodeUsage {
  name: string
  usage: Usage
}

/** Current use of everything, from the kubelets. */
export interface MetricsSource {
  nodes(): Promise<NodeUsage[]>
  pods(): Promise<PodUsage[]>
}

// The part of the kubelet's stats summary that is read here.
interface Summary {
  node?: Measured
  pods?: { podRef: { name: string; namespace: string }; containers?: (Measured & { name: string })[] }[]
}
interface Measured {
  cpu?: { time?: string; usageNanoCores?: number }
  memory?: { time?: string; workingSetBytes?: number }
}

export interface MetricsSourceOptions {
  client: Client
  clock: Clock
  /** Answers this old are still given, milliseconds; 5,000 when absent. Nothing is fetched that nobody asks for. */
  maxAgeMs?: number
  /** A kubelet that does not answer within this time is left out, milliseconds; 5,000 when absent. */
  timeoutMs?: number
}

/** Asks all kubelets, through the API server, when somebody asks. */
export function kubeletMetrics(options: MetricsSourceOptions): MetricsSource {
  const { client, clock, maxAgeMs = 5000, timeoutMs = 5000 } = options
  let last: { at: number; answer: Promise<{ node: string; summary: Summary }[]> } | undefined

  function fresh(): Promise<{ node: string; summary: Summary }[]> {
    if (last && clock.monotonic() - last.at < maxAgeMs) return last.answer
    const answer = fetchAll()
    last = { at: clock.monotonic(), answer }
    answer.catch(() => (last = undefined))
    return answer
  }

  async function fetchAll(): Promise<{ node: string; summary: Summary }[]> {
    const { items } = await client.resource<core.Node>(resources.nodes).list()
    const answers = await Promise.allSettled(
      items.map(async ({ metadata: { name } }) => ({
        node: name,
        summary: await client.raw<Summary>('GET', `/api/v1/nodes/${name}/proxy/stats/summary`, undefined, { signal: AbortSignal.timeout(timeoutMs) }),
      })),
    )
    return answers.flatMap((a) => (a.status === 'fulfilled' ? [a.value] : []))
  }

  return {
    nodes: async () =>
      (await fresh()).flatMap(({ node, summary }) => {
        const usage = usageOf(summary.node)
        return usage ? [{ name: node, usage }] : []
      }),
    pods: async () =>
      (await fresh()).flatMap(({ summary }) =>
        (summary.pods ?? []).flatMap(({ podRef, containers = [] }) => {
          const measured = containers.map((c) => ({ name: c.name, usage: usageOf(c) }))
          // a pod with a container that has no figure yet would look idler than it is
          if (measured.length === 0 || measured.some((c) => !c.usage)) return []
          return [{ ...podRef, containers: measured as PodUsage['containers'] }]
        }),
      ),
  }
}

function usageOf(measured: Measured | undefined): Usage | undefined {
  const { cpu, memory } = measured ?? {}
  if (cpu?.usageNanoCores === undefined || memory?.workingSetBytes === undefined) return undefined
  return { cpu: cpu.usageNanoCores, memory: memory.workingSetBytes, at: Date.parse(cpu.time ?? '') || Date.now() }
}
