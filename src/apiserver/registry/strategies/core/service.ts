import type { core } from '#api'
import { dns1123Label, errors } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import type { Causes } from '../../validation/causes.ts'
import { validateServiceLoadBalancer } from '../../validation/load-balancer.ts'
import { validateService, validateServiceUpdate } from '../../validation/service.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'
import { defaultService } from './service-defaults.ts'
import { settleFamilies } from './service-families.ts'
import { dropInternalPolicyOfNames, dropWhatTheTypeLost, keepAllocated, normalizeClusterIPs } from './service-types.ts'
import { serviceWarnings } from './service-warnings.ts'

export const serviceStrategy: ResourceStrategy<core.Service> = {
  default: defaultService,
  prepareForCreate(service) {
    service.status = { loadBalancer: {} }
    normalizeClusterIPs(service.spec)
    dropInternalPolicyOfNames(service.spec)
  },
  prepareForUpdate(service, old) {
    keepStatus(service, old)
    keepAllocated(service.spec, old.spec)
    normalizeClusterIPs(service.spec, old.spec)
    dropWhatTheTypeLost(service, old)
    dropInternalPolicyOfNames(service.spec)
  },
  prepareForStatusUpdate: keepAllButStatus,
  /** Where nothing is allocated: families alone, as on a cluster with IPv4. */
  claim(service, old) {
    const causes = settleFamilies(service.spec, old?.spec, ['IPv4'])
    if (causes.length > 0) return Promise.reject(errors.invalid({ group: '', kind: 'Service' }, service.metadata.name, causes))
    return Promise.resolve(undefined)
  },
  validate: (service, _apiVersion, old) => validateService(service, old),
  validateUpdate: validateServiceUpdate,
  validateStatusUpdate({ status, spec }, old) {
    const causes: Causes = []
    validateServiceLoadBalancer(causes, status?.loadBalancer?.ingress, old.status?.loadBalancer?.ingress, spec.type)
    return causes
  },
  warnings: serviceWarnings,
  validateName: dns1123Label,
  allowCreateOnUpdate: true,
  selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
}
