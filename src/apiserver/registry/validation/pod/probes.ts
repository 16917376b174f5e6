import type { DeepReadonly, core } from '#api'
import { httpHeaderName, portName, portNumber } from '#api'
import { type Causes, forbidden, invalid, invalidEach, nonNegative, notSupported, required } from '../causes.ts'

type Handler = DeepReadonly<core.LifecycleHandler & core.ProbeHandler>

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

export function validateLifecycle(
  causes: Causes,
  path: string,
  lifecycle: DeepReadonly<core.Lifecycle> | undefined,
  gracePeriod: number | undefined,
): void {
  if (!lifecycle) return
  if (lifecycle.postStart) validateHandler(causes, `${path}.postStart`, lifecycle.postStart, gracePeriod)
  if (lifecycle.preStop) validateHandler(causes, `${path}.preStop`, lifecycle.preStop, gracePeriod)
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
      causes.push(action.scheme ? notSupported(`${path}.httpGet.scheme`, action.scheme, ['HTTP', 'HTTPS']) : required(`${path}.httpGet.scheme`))
    action.httpHeaders?.forEach((header) => invalidEach(causes, `${path}.httpGet.httpHeaders`, header.name, httpHeaderName(header.name ?? '')))
  }
  if (handler.tcpSocket && only('tcpSocket')) validatePortOrName(causes, `${path}.tcpSocket.port`, handler.tcpSocket.port)
  if (handler.grpc && only('grpc')) invalidEach(causes, `${path}.grpc.port`, handler.grpc.port, portNumber(handler.grpc.port))
  if (handler.sleep && only('sleep')) {
    const { seconds } = handler.sleep
    if (!(seconds >= 0 && (gracePeriod === undefined || seconds <= gracePeriod)))
      causes.push(invalid(`${path}.sleep`, seconds, `must be non-negative and less than terminationGracePeriodSeconds (${gracePeriod ?? 30})`))
  }
  if (handlers === 0) causes.push(required(path, 'must specify a handler type'))
}

export function validatePortOrName(causes: Causes, path: string, port: number | string | undefined): void {
  if (typeof port === 'string') invalidEach(causes, path, port, portName(port))
  else invalidEach(causes, path, port ?? 0, portNumber(port ?? 0))
}
