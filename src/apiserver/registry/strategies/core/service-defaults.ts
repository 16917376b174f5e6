import type { core } from '#api'

export function defaultService(object: core.Service): void {
  const spec = (object.spec ??= {})
  spec.sessionAffinity ||= 'None'
  if (spec.sessionAffinity === 'None') delete spec.sessionAffinityConfig
  if (spec.sessionAffinity === 'ClientIP') {
    const config = (spec.sessionAffinityConfig ??= {})
    ;(config.clientIP ??= {}).timeoutSeconds ??= 10800
  }
  spec.type ||= 'ClusterIP'
  if (spec.ports) {
    for (const port of spec.ports) {
      port.protocol ||= 'TCP'
      if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === '') port.targetPort = port.port
    }
  }
  const external = spec.type === 'NodePort' || spec.type === 'LoadBalancer'
  if (external || (spec.type === 'ClusterIP' && spec.externalIPs?.length)) spec.externalTrafficPolicy ||= 'Cluster'
  if (external || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  const status = (object.status ??= {})
  status.loadBalancer ??= {}
}
