import type { DeepReadonly, core } from '#api'
import { portName, portNumber } from '#api'
import { type Causes, duplicate, invalid, invalidEach, notSupported, required } from '../causes.ts'

type Ports = DeepReadonly<core.ContainerPort[]>
type PodSpec = DeepReadonly<core.PodSpec>

const protocols = ['SCTP', 'TCP', 'UDP']

export function validatePorts(causes: Causes, path: string, ports: Ports): void {
  let names: Set<string> | undefined
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i]!
    const at = `${path}[${i}]`
    if (port.name) {
      const messages = portName(port.name)
      if (messages.length > 0) invalidEach(causes, `${at}.name`, port.name, messages)
      else if (names?.has(port.name)) causes.push(duplicate(`${at}.name`, port.name))
      else (names ??= new Set()).add(port.name)
    }
    if (!port.containerPort) causes.push(required(`${at}.containerPort`))
    else invalidEach(causes, `${at}.containerPort`, port.containerPort, portNumber(port.containerPort))
    if (port.hostPort) invalidEach(causes, `${at}.hostPort`, port.hostPort, portNumber(port.hostPort))
    if (port.protocol !== 'TCP' && port.protocol !== 'UDP' && port.protocol !== 'SCTP')
      causes.push(port.protocol ? notSupported(`${at}.protocol`, port.protocol, protocols) : required(`${at}.protocol`))
  }
}

/** Finds ports of the host that are asked for twice. `taken` are those of the containers before; answers these and the new ones. */
export function claimHostPorts(causes: Causes, path: string, ports: Ports, taken: Set<string> | undefined): Set<string> | undefined {
  for (let i = 0; i < ports.length; i++) {
    const port = ports[i]!
    if (!port.hostPort) continue
    const key = `${port.protocol}/${port.hostIP ?? ''}/${port.hostPort}`
    if (taken?.has(key)) causes.push(duplicate(`${path}.ports[${i}].hostPort`, key))
    ;(taken ??= new Set()).add(key)
  }
  return taken
}

/**
 * In the host's network a container's ports are the host's. Templates may leave the host's port open: it is filled in when their
 * pods are made.
 */
export function validateHostNetworkPorts(causes: Causes, path: string, spec: PodSpec, isPod: boolean): void {
  spec.containers.forEach(({ ports }, i) =>
    ports?.forEach(({ hostPort = 0, containerPort }, j) => {
      if ((isPod || hostPort !== 0) && hostPort !== containerPort)
        causes.push(invalid(`${path}.containers[${i}].ports[${j}].hostPort`, hostPort, 'must match `containerPort` when `hostNetwork` is true'))
    }),
  )
}
