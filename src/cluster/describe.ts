import type { ClusterConfig } from './config.ts'
import { contextName } from './access.ts'
import { isInstalled, nodeRequirements } from './preflight.ts'
import type { ClusterStatus } from './status.ts'

const flag = (name: string) => (name === 'default' ? '' : ` --name ${name}`)

/** What to type after `k8ts up`. */
export function explainNext(cluster: ClusterConfig): string {
  const kubectl = `kubectl --context ${contextName(cluster.name)}`
  return `
The cluster ${cluster.name} runs. Next:
  ${kubectl} get nodes
  k8ts image build${flag(cluster.name)} -t my-app:1 DIRECTORY
  ${kubectl} create deployment my-app --image my-app:1
  k8ts status${flag(cluster.name)}
  k8ts down${flag(cluster.name)}`
}

export function describeStatus(status: ClusterStatus): string {
  const rows = [
    ['cluster', `${status.name} (${status.state})`],
    ['context', status.context],
    ['API server', `${status.endpoints.local}, for pods ${status.endpoints.internal}`],
    ['data', status.dataDirectory],
    [
      'ranges',
      `pods ${status.ranges.pods}, services ${status.ranges.services}, nodes ${status.ranges.nodes}, load balancers ${status.ranges.balancers}`,
    ],
    ...(status.ingress ? [['ingress', `${status.ingress.http}, ${status.ingress.https}`]] : []),
    ...status.components.map((c) => [c.name, c.pid === null ? 'not running' : `pid ${c.pid}`]),
    ...status.nodes.map((n) => [`node ${n.name}`, `${n.address}, ${n.ready === null ? 'unknown' : n.ready ? 'Ready' : 'NotReady'}`]),
  ]
  const width = Math.max(...rows.map(([label]) => label!.length))
  return rows.map(([label, text]) => `${label!.padEnd(width)}  ${text}`).join('\n')
}

export interface Finding {
  ok: boolean
  what: string
  advice: string
}

/** What a cluster needs of this machine, and whether it is there. */
export async function diagnose(): Promise<Finding[]> {
  const findings: Finding[] = [{ ok: process.getuid?.() === 0, what: 'root', advice: 'network namespaces and containerd need it: use sudo' }]
  for (const { program, package: name, why } of nodeRequirements)
    findings.push({ ok: isInstalled(program), what: `${program} (${why})`, advice: `apt-get install ${name}, or let \`k8ts up\` do it` })
  return findings
}
