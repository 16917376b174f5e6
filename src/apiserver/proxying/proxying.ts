import type { Random } from '#base'
import type { SubresourceHandler } from '../options.ts'
import type { Dial, TlsClient } from './backend.ts'
import { dialTcp } from './backend.ts'
import { httpProxyHandler } from './http-proxy.ts'
import { podLogHandler } from './pod-log.ts'
import { podStreamHandler } from './pod-stream.ts'

export interface ProxyingOptions {
  /** The API server's client certificate for kubelets, and the authority of theirs. */
  kubelet: TlsClient
  /** How addresses in the cluster are reached. */
  dial: Dial
  random?: Random
}

/** The subresources that lead to nodes, pods and services: `subresources` of ApiServerOptions takes them. */
export function proxyingHandlers(options: Omit<ProxyingOptions, 'dial'> & { dial?: Dial }): Record<string, SubresourceHandler> {
  const complete: ProxyingOptions = { ...options, dial: options.dial ?? dialTcp }
  return {
    'pods/log': podLogHandler(complete),
    'pods/exec': podStreamHandler('exec', complete),
    'pods/attach': podStreamHandler('attach', complete),
    'pods/portforward': podStreamHandler('portForward', complete),
    'pods/proxy': httpProxyHandler('pods', complete),
    'services/proxy': httpProxyHandler('services', complete),
    'nodes/proxy': httpProxyHandler('nodes', complete),
  }
}
