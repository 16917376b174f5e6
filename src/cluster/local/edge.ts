import { existsSync } from 'node:fs'
import { run } from '#base'
import type { ClusterConfig } from '../config.ts'
import { nodeAddress, rangesOf } from '../config.ts'
import { bridgeName } from './interface-names.ts'
import { netnsName, netnsPath } from './network.ts'
import { waitUntil } from './process.ts'

// The edge is a network namespace behind the first node, to which all addresses of load balancers belong. The node's service rules come before it: what
// is a Service's goes to its pods, the rest arrives here, where the ingress proxy listens, or nobody, which is answered at once.

const edgeName = 'edge'
export const edgeNamespace = (cluster: string): string => netnsName(cluster, edgeName)

/** Of the link between node and edge; nobody else sees them. */
const [nodeEnd, edgeEnd] = ['169.254.254.1', '169.254.254.2']
const link = 'edge0'

/** Makes the edge, as soon as there is a first node. */
export async function ensureEdge(cluster: ClusterConfig): Promise<void> {
  const first = cluster.nodes.find((node) => node.index === 1)
  if (!first) throw new Error(`cluster ${cluster.name} has no first node`)
  if (!(await waitUntil(() => existsSync(netnsPath(cluster.name, first.name)), 60_000, 100))) throw new Error(`node ${first.name} has no network yet`)
  const [node, edge] = [netnsName(cluster.name, first.name), edgeNamespace(cluster.name)]
  const { balancers } = rangesOf(cluster.index)
  const ip = (...args: string[]) => run('ip', args)
  if (!existsSync(netnsPath(cluster.name, edgeName))) await ip('netns', 'add', edge)
  const exists = await ip('-n', node, 'link', 'show', link).then(
    () => true,
    () => false,
  )
  if (!exists) await ip('-n', node, 'link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', edge)
  await ip('-n', node, 'addr', 'replace', `${nodeEnd}/30`, 'dev', link)
  await ip('-n', node, 'link', 'set', link, 'up')
  await ip('-n', edge, 'link', 'set', 'lo', 'up')
  await ip('-n', edge, 'addr', 'replace', `${edgeEnd}/30`, 'dev', 'eth0')
  await ip('-n', edge, 'link', 'set', 'eth0', 'up')
  await ip('-n', edge, 'route', 'replace', 'default', 'via', nodeEnd)
  // every address of the range is the edge's own
  await ip('-n', edge, 'route', 'replace', 'local', balancers, 'dev', 'lo')
  await ip('-n', node, 'route', 'replace', balancers, 'via', edgeEnd, 'dev', link)
}

export async function removeEdge(cluster: ClusterConfig): Promise<void> {
  if (existsSync(netnsPath(cluster.name, edgeName))) await run('ip', ['netns', 'delete', edgeNamespace(cluster.name)])
}

/** Makes packets of the host to these addresses of load balancers enter the cluster at a node, and those to all others at the first. */
export async function enterAt(cluster: ClusterConfig, nodes: ReadonlyMap<string, string>): Promise<void> {
  const bridge = bridgeName(cluster.name)
  const { balancers } = rangesOf(cluster.index)
  const routes = JSON.parse(await run('ip', ['-json', 'route', 'show', 'root', balancers, 'dev', bridge])) as { dst: string; gateway?: string }[]
  const addresses = new Map(cluster.nodes.filter((node) => node.index !== 1).map((node) => [node.name, nodeAddress(cluster.index, node)]))
  const wanted = new Map([...nodes].flatMap(([ip, node]) => (addresses.has(node) ? [[ip, addresses.get(node)!]] : [])))
  for (const [ip, gateway] of wanted)
    if (!routes.some((route) => route.dst === ip && route.gateway === gateway))
      await run('ip', ['route', 'replace', ip, 'via', gateway, 'dev', bridge])
  for (const { dst } of routes) if (!dst.includes('/') && !wanted.has(dst)) await run('ip', ['route', 'delete', dst, 'dev', bridge])
}
