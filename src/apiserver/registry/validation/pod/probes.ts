import type { DeepReadonly, core } from '#api'
import { httpHeaderName, portName, portNumber } from '#api'
import { type Causes, forbidden, invalid, invalidEach, nonNegative, notSupported, required } from '../causes.ts'

type Handler = DeepReadonly<core.LifecycleHandler & core.ProbeHandler>
type PodSpec = DeepReadonly<core.PodSpec>

export function validateProbes(causes: Causes, path: string, container: DeepReadonly<core.Container>): void {
  const { livenessProbe, readinessProbe, startupProbe } = container
  if (livenessProbe) {
    validateProbe(causes, `${path}.livenessProbe`, livenessProbe)
    requireOneSuccess(causes, `${path}.livenessProbe`, livenessProbe)
  }
  if (readinessProbe) {
    validateProbe(causes, `${path}.readinessProbe`, readinessProbe)
    if (readinessProbe.terminationGracePeriodSeconds !== undefined)
      causes.push(
        invalid(
          `${path}.readinessProbe.terminationGracePeriodSeconds`,
          readinessProbe.terminationGracePeriodSeconds,
          'must not be set for readinessProbes',
        ),
      )
  }
  if (startupProbe) {
    validateProbe(causes, `${path}.startupProbe`, startupProbe)
    requireOneSuccess(causes, `${path}.startupProbe`, startupProbe)
  }
}

export function validateLifecycle(causes: Causes, path: string, lifecycle: DeepReadonly<core.Lifecycle> | undefined, spec: PodSpec): void {
  if (!lifecycle) return
  const { postStart, preStop, stopSignal } = lifecycle
  if (postStart) validateHandler(causes, `${path}.postStart`, postStart, spec.terminationGracePeriodSeconds)
  if (preStop) validateHandler(causes, `${path}.preStop`, preStop, spec.terminationGracePeriodSeconds)
  if (stopSignal !== undefined) validateStopSignal(causes, `${path}.stopSignal`, stopSignal, spec.os?.name)
}

const windowsSignals = ['SIGKILL', 'SIGTERM']
const linuxSignals = [
  ...'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT RTMAX'.split(' '),
  ...Array.from({ length: 14 }, (_, i) => `RTMAX-${i + 1}`),
  'RTMIN',
  ...Array.from({ length: 15 }, (_, i) => `RTMIN+${i + 1}`),
  ...'SEGV STKFLT STOP SYS TERM TRAP TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'.split(' '),
]
  .map((name) => `SIG${name}`)
  .sort()

/** Which signals there are depends on the system, so that a pod that names one names its system too. */
function validateStopSignal(causes: Causes, path: string, signal: string, os: string | undefined): void {
  if (os === undefined) causes.push(forbidden(path, 'may not be set for containers with empty `spec.os.name`'))
  const known = os === 'windows' ? windowsSignals : os === 'linux' ? linuxSignals : undefined
  if (known && !known.includes(signal)) causes.push(notSupported(path, signal, known))
}

function validateProbe(causes: Causes, path: string, probe: DeepReadonly<core.Probe>): void {
  validateHandler(causes, path, probe, undefined)
  nonNegative(causes, `${path}.initialDelaySeconds`, probe.initialDelaySeconds)
  nonNegative(causes, `${path}.timeoutSeconds`, probe.timeoutSeconds)
  nonNegative(causes, `${path}.periodSeconds`, probe.periodSeconds)
  nonNegative(causes, `${path}.successThreshold`, probe.successThreshold)
  nonNegative(causes, `${path}.failureThreshold`, probe.failureThreshold)
  if (probe.terminationGracePeriodSeconds !== undefined && probe.terminationGracePeriodSeconds <= 0)
    causes.push(invalid(`${path}.terminationGracePeriodSeconds`, probe.terminationGracePeriodSeconds, 'must be greater than 0'))
}

function requireOneSuccess(causes: Causes, path: string, probe: DeepReadonly<core.Probe>): void {
  if (probe.successThreshold !== 1) causes.push(invalid(`${path}.successThreshold`, probe.successThreshold, 'must be 1'))
}

function validateHandler(causes: Causes, path: string, handler: Handler, gracePeriod: number | undefined): void {
  let handlers = 0
  const only = (field: string) => {
    if (handlers++ === 0) return true
    causes.push(forbidden(`${path}.${field}`, 'may not specify more than 1 handler type'))
    return false
  }
  if (handler.exec && only('exec') && !handler.exec.command?.length) causes.push(required(`${path}.exec.command`))
  if (handler.httpGet && only('httpGet')) {
    const action = handler.httpGet
    if (!action.path) causes.push(required(`${path}.httpGet.path`))
    validatePortOrName(causes, `${path}.httpGet.port`, action.port)
    if (action.scheme !== 'HTTP' && action.scheme !== 'HTTPS')
      causes.push(notSupported(`${path}.httpGet.scheme`, action.scheme ?? '', ['HTTP', 'HTTPS']))
    action.httpHeaders?.forEach((header) => invalidEach(causes, `${path}.httpGet.httpHeaders`, header.name, httpHeaderName(header.name ?? '')))
  }
  if (handler.tcpSocket && only('tcpSocket')) validatePortOrName(causes, `${path}.tcpSocket.port`, handler.tcpSocket.port)
  if (handler.grpc && only('grpc')) invalidEach(causes, `${path}.grpc.port`, handler.grpc.port, portNumber(handler.grpc.port))
  if (handler.sleep && only('sleep')) {
    const { seconds } = handler.sleep
    if (gracePeriod !== undefined && !(seconds >= 0 && seconds <= gracePeriod))
      causes.push(invalid(`${path}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod})`))
  }
  if (handlers === 0) causes.push(required(path, 'must specify a handler type'))
}

export function validatePortOrName(causes: Causes, path: string, port: number | string | undefined): void {
  if (typeof port === 'string') invalidEach(causes, path, port, portName(port))
  else invalidEach(causes, path, port ?? 0, portNumber(port ?? 0))
}
