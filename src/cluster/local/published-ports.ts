import { existsSync } from 'node:fs'
import { run } from '#base'
import type { ClusterConfig, PublishedPort } from '../config.ts'
import { bridgeName, tableName } from './interface-names.ts'

/**
 * Makes ports of the host's 127.0.0.1 lead to addresses of the cluster, without a process that could end: the packet filter does it, until
 * `removePublishedPorts`. `owner` names what they belong to; its ports from before are replaced.
 */
export async function publishPorts(cluster: ClusterConfig, owner: string, ports: readonly PublishedPort[]): Promise<void> {
  const bridge = bridgeName(cluster.name)
  await run('nft', ['-f', '-'], { input: publication(`${tableName(cluster.name)}_${owner}`, bridge, ports) })
  await allowLoopback(cluster.name, true)
}

/** The packet filter's rules; pods must not reach the host's loopback addresses, which the kernel would let them from now on. */
export function publication(table: string, bridge: string, ports: readonly PublishedPort[]): string {
  const lead = ports.map((p) => `ip daddr 127.0.0.1 tcp dport ${p.port} dnat to ${p.address}:${p.targetPort}`)
  return `
    table ip ${table}
    delete table ip ${table}
    table ip ${table} {
      chain output {
        type nat hook output priority -100; policy accept;
        ${lead.join('\n        ')}
      }
      chain postrouting {
        type nat hook postrouting priority 100; policy accept;
        oifname "${bridge}" ip saddr 127.0.0.0/8 masquerade
      }
      chain prerouting {
        type filter hook prerouting priority -300; policy accept;
        iifname "${bridge}" ip daddr 127.0.0.0/8 drop
      }
    }
`
}

/** Takes back one owner's ports, or those of all owners. */
export async function removePublishedPorts(cluster: string, owner?: string): Promise<void> {
  const own = `${tableName(cluster)}_`
  const tables = [...(await run('nft', ['list', 'tables'])).matchAll(/^table ip (\S+)$/gm)].map((match) => match[1]!).filter((t) => t.startsWith(own))
  const going = tables.filter((table) => owner === undefined || table === `${own}${owner}`)
  // before the rule goes that keeps pods from the host's loopback addresses
  if (going.length === tables.length && existsSync(`/proc/sys/net/ipv4/conf/${bridgeName(cluster)}`)) await allowLoopback(cluster, false)
  for (const table of going) await run('nft', ['delete', 'table', 'ip', table])
}

/** Whether packets with loopback addresses may pass the bridge. */
const allowLoopback = (cluster: string, allowed: boolean) =>
  run('sysctl', ['-qw', `net.ipv4.conf.${bridgeName(cluster)}.route_localnet=${allowed ? 1 : 0}`])
