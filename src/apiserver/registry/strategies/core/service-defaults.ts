import type { core } from '#api'
import { externallyAccessible } from '../../validation/service.ts'

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
  if (externallyAccessible(spec)) spec.externalTrafficPolicy ||= 'Cluster'
  if (spec.type === 'NodePort' || spec.type === 'LoadBalancer' || spec.type === 'ClusterIP') spec.internalTrafficPolicy ??= 'Cluster'
  if (spec.type === 'LoadBalancer') spec.allocateLoadBalancerNodePorts ??= true
  const status = (object.status ??= {})
  status.loadBalancer ??= {}
  if (spec.type === 'LoadBalancer') for (const point of status.loadBalancer.ingress ?? []) if (point.ip) point.ipMode ??= 'VIP'
}
