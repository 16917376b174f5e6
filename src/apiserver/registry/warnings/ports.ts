import type { DeepReadonly, core } from '#api'
import { mostWarnings } from './most.ts'

type Port = DeepReadonly<core.ContainerPort>
type Container = DeepReadonly<core.Container>

interface Seen {
  path: string
  port: Port
}

/** Warnings about ports that are told apart by nothing, or that one name stands for twice. */
export function portWarnings(warnings: string[], containers: readonly [path: string, container: Container][]): void {
  if (!worthALook(containers)) return
  const byNumber = new Map<string, Seen[]>()
  const byName = new Map<string, string>()
  const names: string[] = []
  for (const [path, { ports, restartPolicy }] of containers) {
    const runs = !path.includes('.initContainers[') || restartPolicy === 'Always'
    ports?.forEach((port, i) => {
      const at = `${path}.ports[${i}]`
      if (port.hostIP && !port.hostPort) warnings.push(`${at}: hostIP set without hostPort: ${shown(port)}`)
      const key = `${port.containerPort}/${port.protocol}`
      const others = byNumber.get(key)
      if (others) compare(warnings, at, port, others)
      // more of them are compared with these alone: with each other they would be told apart by nothing new
      if (!others) byNumber.set(key, [{ path: at, port }])
      else if (others.length < mostWarnings) others.push({ path: at, port })
      if (!port.name || !runs) return
      const first = byName.get(port.name)
      if (first)
        names.push(`${at}: duplicate port name "${port.name}" with ${first}, services and probes that select ports by name will use ${first}`)
      else byName.set(port.name, at)
    })
  }
  for (const text of names) warnings.push(text)
}

/** Hardly any pod has more than one port. */
function worthALook(containers: readonly [path: string, container: Container][]): boolean {
  let count = 0
  for (const [, { ports }] of containers) if (ports) count += ports.some(({ hostIP }) => hostIP) ? 2 : ports.length
  return count > 1
}

function compare(warnings: string[], path: string, port: Port, others: readonly Seen[]): void {
  const { hostPort = 0, hostIP = '' } = port
  for (const { path: other, port: it } of others) {
    if (warnings.length >= mostWarnings) return
    const [portOfIt, ipOfIt] = [it.hostPort ?? 0, it.hostIP ?? '']
    if (hostIP === ipOfIt && hostPort === portOfIt) warnings.push(`${path}: duplicate port definition with ${other}`)
    else if (hostPort === 0 || portOfIt === 0) warnings.push(`${path}: overlapping port definition with ${other}`)
    else if (hostPort === portOfIt && (hostIP === '') !== (ipOfIt === ''))
      warnings.push(`${path}: dangerously ambiguous port definition with ${other}`)
  }
}

/** A port as Go prints it. */
const shown = ({ name = '', hostPort = 0, containerPort, protocol, hostIP = '' }: Port) =>
  `{Name:${name} HostPort:${hostPort} ContainerPort:${containerPort} Protocol:${protocol} HostIP:${hostIP}}`
