import type { DeepReadonly } from './object.ts'
import type { core } from './types/index.ts'

const anyAddress = '0.0.0.0'

/** The ports that a pod takes of its node, as `protocol/address/port`. */
export function hostPorts(spec: DeepReadonly<Pick<core.PodSpec, 'containers'>>): string[] {
  const taken: string[] = []
  for (const container of spec.containers)
    for (const port of container.ports ?? []) if (port.hostPort) taken.push(`${port.protocol ?? 'TCP'}/${port.hostIP || anyAddress}/${port.hostPort}`)
  return taken
}

/** Whether a port is taken already; the address 0.0.0.0 stands for all. */
export function conflictsWithHostPorts(wanted: string, taken: { has(port: string): boolean; keys(): Iterable<string> }): boolean {
  const [protocol, address, port] = wanted.split('/')
  if (taken.has(wanted) || taken.has(`${protocol}/${anyAddress}/${port}`)) return true
  if (address !== anyAddress) return false
  for (const present of taken.keys()) {
    const [otherProtocol, , otherPort] = present.split('/')
    if (otherProtocol === protocol && otherPort === port) return true
  }
  return false
}
