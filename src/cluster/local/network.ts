import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { CommandError, run, succeeds } from '#base'
import type { ClusterConfig, NodeConfig } from '../config.ts'
import { nodeAddress, nodePodCidr, rangesOf } from '../config.ts'
import { bridgeName, hostLinkName, tableName } from './interface-names.ts'
import { removePublishedPorts } from './published-ports.ts'

// A cluster has one bridge. A node is a network namespace on it. Pod and service ranges are routed to the nodes, so that the host reaches
// them too, and a table of the cluster's own drops whatever would leave the bridge by another interface.

export const netnsName = (cluster: string, node: string): string => `k8ts-${cluster}-${node}`
export const netnsPath = (cluster: string, node: string): string => `/run/netns/${netnsName(cluster, node)}`

export async function ensureBridge(cluster: ClusterConfig): Promise<void> {
  const bridge = bridgeName(cluster.name)
  const ranges = rangesOf(cluster.index)
  if (!existsSync(`/sys/class/net/${bridge}`)) await ip(['link', 'add', bridge, 'type', 'bridge'])
  await ip(['addr', 'replace', `${ranges.gateway}/24`, 'dev', bridge])
  await ip(['link', 'set', bridge, 'up'])
  await run('nft', ['-f', '-'], { input: guard(cluster) })
}

/** Only the bridge itself and the host talk to the cluster's ranges. */
function guard(cluster: ClusterConfig): string {
  const bridge = bridgeName(cluster.name)
  const { pods, services, nodes, balancers } = rangesOf(cluster.index)
  const table = `inet ${tableName(cluster.name)}`
  return `
    table ${table}
    delete table ${table}
    table ${table} {
      chain forward {
        type filter hook forward priority filter; policy accept;
        iifname "${bridge}" oifname != "${bridge}" drop
        oifname "${bridge}" iifname != "${bridge}" drop
      }
      chain output {
        type filter hook output priority filter; policy accept;
        ip daddr { ${pods}, ${services}, ${nodes}, ${balancers} } oifname != { "${bridge}", "lo" } reject
      }
    }`
}

/** The node's namespace, its link to the bridge, and the routes that lead to its pods. */
export async function ensureNodeNetwork(cluster: ClusterConfig, node: NodeConfig): Promise<void> {
  const namespace = netnsName(cluster.name, node.name)
  const link = hostLinkName(cluster.name, node.index)
  const address = nodeAddress(cluster.index, node)
  const ranges = rangesOf(cluster.index)
  if (!existsSync(netnsPath(cluster.name, node.name))) await ip(['netns', 'add', namespace])
  if (!existsSync(`/sys/class/net/${link}`)) {
    await ip(['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', namespace])
    await ip(['link', 'set', link, 'master', bridgeName(cluster.name), 'up'])
  }
  const inside = (...args: string[]) => ip(['-n', namespace, ...args])
  await inside('link', 'set', 'lo', 'up')
  await inside('addr', 'replace', `${address}/24`, 'dev', 'eth0')
  await inside('link', 'set', 'eth0', 'up')
  // no default route: an address outside of the cluster is refused at once. Services are rewritten on their way out, which needs a route first.
  await inside('route', 'replace', ranges.services, 'dev', 'eth0')
  for (const other of cluster.nodes)
    if (other.name !== node.name) await inside('route', 'replace', nodePodCidr(cluster.index, other), 'via', nodeAddress(cluster.index, other))
  await run('ip', [
    'netns',
    'exec',
    namespace,
    'sysctl',
    '-qw',
    'net.ipv4.ip_forward=1',
    'net.ipv4.conf.all.rp_filter=0',
    'net.ipv4.conf.default.rp_filter=0',
  ])
  await ip(['route', 'replace', nodePodCidr(cluster.index, node), 'via', address, 'dev', bridgeName(cluster.name)])
  // the first node leads to services, and to load balancers those that are not its own
  if (node.index === 1) {
    for (const range of [ranges.services, ranges.balancers]) await ip(['route', 'replace', range, 'via', address, 'dev', bridgeName(cluster.name)])
  } else await inside('route', 'replace', ranges.balancers, 'via', nodeAddress(cluster.index, { name: 'node-1', index: 1 }))
}

/** Routes to a new node's pods on the nodes that were there before. */
export async function routeToNode(cluster: ClusterConfig, node: NodeConfig): Promise<void> {
  for (const other of cluster.nodes)
    if (other.name !== node.name && existsSync(netnsPath(cluster.name, other.name)))
      await ip([
        '-n',
        netnsName(cluster.name, other.name),
        'route',
        'replace',
        nodePodCidr(cluster.index, node),
        'via',
        nodeAddress(cluster.index, node),
      ])
}

export async function removeNodeNetwork(cluster: ClusterConfig, node: NodeConfig): Promise<void> {
  await ignoreMissing(ip(['link', 'delete', hostLinkName(cluster.name, node.index)]))
  if (existsSync(netnsPath(cluster.name, node.name))) await ip(['netns', 'delete', netnsName(cluster.name, node.name)])
  // what CNI remembers of pods that ended without it; where it does so cannot be configured
  const results = '/var/lib/cni/results'
  const own = new RegExp(`^${netnsName(cluster.name, node.name)}-[0-9a-f]{64}-`)
  for (const file of existsSync(results) ? await readdir(results) : []) if (own.test(file)) await rm(join(results, file), { force: true })
}

export async function removeBridge(cluster: ClusterConfig): Promise<void> {
  // the routes go with the bridge
  await ignoreMissing(ip(['link', 'delete', bridgeName(cluster.name)]))
  await removePublishedPorts(cluster.name)
  if (await succeeds('nft', ['list', 'table', 'inet', tableName(cluster.name)]))
    await run('nft', ['delete', 'table', 'inet', tableName(cluster.name)])
}

const ip = (args: string[]) => run('ip', args)

async function ignoreMissing(command: Promise<string>): Promise<void> {
  try {
    await command
  } catch (error) {
    if (!(error instanceof CommandError && /Cannot find device|No such/.test(error.stderr))) throw error
  }
}
