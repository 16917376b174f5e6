import type { core, metrics } from '#api'
import { errors, isStatus, parseLabelSelector, resources } from '#api'
import type { Client, Request, Response } from '#client'
import type { MetricsSource, NodeUsage, PodUsage, Usage } from './metrics-source.ts'

const group = 'metrics.k8s.io'
const version = 'v1beta1'
const apiVersion = `${group}/${version}`

/** The interval that figures stand for, as the kubelet samples. */
const window = '15s'

export interface MetricsApiOptions {
  source: MetricsSource
  /** For the labels of nodes and pods, which select metrics too. */
  client: Client
}

/** The group `metrics.k8s.io`, which `kubectl top` and the autoscalers read (https://github.com/kubernetes/metrics). */
export function metricsApi({ source, client }: MetricsApiOptions) {
  const kinds = {
    nodes: { singularName: '', namespaced: false, kind: 'NodeMetrics' },
    pods: { singularName: '', namespaced: true, kind: 'PodMetrics' },
  }
  return {
    group,
    version,
    resources: Object.entries(kinds).map(([name, kind]) => ({ name, ...kind, verbs: ['get', 'list'] })),
    async handle(request: Request, info: { verb: string; resource?: { resource: string; namespace: string; name: string } }): Promise<Response> {
      const target = info.resource!
      const gr = { group, resource: target.resource }
      if (info.verb !== 'get' && info.verb !== 'list') throw errors.methodNotAllowed(gr, info.verb)
      const items = target.resource === 'nodes' ? await nodeMetrics(target.name) : await podMetrics(target.namespace, target.name)
      if (target.name) {
        if (!items[0]) throw errors.notFound(gr, target.name)
        return json(items[0])
      }
      const selector = parseLabelSelector(request.query.get('labelSelector') ?? '')
      const selected = items.filter((item) => selector.matches(item.metadata.labels))
      return json({ kind: target.resource === 'nodes' ? 'NodeMetricsList' : 'PodMetricsList', apiVersion, metadata: {}, items: selected })
    },
  }

  async function nodeMetrics(name: string): Promise<metrics.NodeMetrics[]> {
    const [usages, nodes] = await Promise.all([source.nodes(), client.resource<core.Node>(resources.nodes).list()])
    const labels = new Map(nodes.items.map((n) => [n.metadata.name, n.metadata.labels]))
    return usages.filter((u) => labels.has(u.name) && (!name || u.name === name)).map((u) => nodeMetric(u, { ...labels.get(u.name) }))
  }

  async function podMetrics(namespace: string, name: string): Promise<metrics.PodMetrics[]> {
    const [usages, pods] = await Promise.all([source.pods(), podLabels(namespace, name)])
    return usages.filter((u) => pods.has(`${u.namespace}/${u.name}`)).map((u) => podMetric(u, { ...pods.get(`${u.namespace}/${u.name}`) }))
  }

  async function podLabels(namespace: string, name: string): Promise<Map<string, Readonly<Record<string, string>> | undefined>> {
    const pods = client.resource<core.Pod>(resources.pods)
    try {
      const items = name ? [await pods.get(name, namespace)] : (await pods.list(namespace ? { namespace } : {})).items
      return new Map(items.map((p) => [`${p.metadata.namespace}/${p.metadata.name}`, p.metadata.labels]))
    } catch (error) {
      if (isStatus(error, 'NotFound')) return new Map()
      throw error
    }
  }
}

const json = (value: object): Response => ({
  status: 200,
  headers: { 'content-type': 'application/json' },
  body: { bytes: Buffer.from(JSON.stringify(value)) },
})

const quantities = ({ cpu, memory }: Usage) => ({ cpu: `${Math.round(cpu)}n`, memory: `${Math.ceil(memory / 1024)}Ki` })

const stamp = (ms: number) => `${new Date(ms).toISOString().slice(0, 19)}Z`

function nodeMetric({ name, usage }: NodeUsage, labels: Record<string, string>): metrics.NodeMetrics {
  return {
    kind: 'NodeMetrics',
    apiVersion,
    metadata: { name, creationTimestamp: stamp(Date.now()), labels },
    timestamp: stamp(usage.at),
    window,
    usage: quantities(usage),
  }
}

function podMetric({ namespace, name, containers }: PodUsage, labels: Record<string, string>): metrics.PodMetrics {
  return {
    kind: 'PodMetrics',
    apiVersion,
    metadata: { name, namespace, creationTimestamp: stamp(Date.now()), labels },
    timestamp: stamp(Math.min(...containers.map((c) => c.usage.at))),
    window,
    containers: containers.map((c) => ({ name: c.name, usage: quantities(c.usage) })),
  }
}
