import type { PodHostname } from './dns.ts'
import type { Pod } from './names.ts'

const localEntries = [
  '127.0.0.1\tlocalhost',
  '::1\tlocalhost ip6-localhost ip6-loopback',
  'fe00::0\tip6-localnet',
  'fe00::0\tip6-mcastprefix',
  'fe00::1\tip6-allnodes',
  'fe00::2\tip6-allrouters',
]

/** The /etc/hosts of a pod's containers; of a pod on the host's network, the node's own with the pod's aliases. */
export function hostsFile(pod: Pod, ips: readonly string[], { hostname, fqdn }: PodHostname, nodeHosts: string): string {
  const lines: string[] = []
  if (pod.spec?.hostNetwork) lines.push('# Kubernetes-managed hosts file (host network).', nodeHosts.replace(/\n$/, ''))
  else {
    lines.push('# Kubernetes-managed hosts file.', ...localEntries)
    const names = fqdn && fqdn !== hostname ? `${fqdn}\t${hostname}` : fqdn ? `${fqdn}\t${fqdn.split('.')[0]}` : hostname
    for (const ip of ips) lines.push(`${ip}\t${names}`)
  }
  const aliases = pod.spec?.hostAliases ?? []
  if (aliases.length > 0) {
    lines.push('', '# Entries added by HostAliases.')
    for (const { ip, hostnames } of aliases) lines.push(`${ip}\t${(hostnames ?? []).join('\t')}`)
  }
  return `${lines.join('\n')}\n`
}
