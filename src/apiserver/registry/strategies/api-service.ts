import type { apiregistration } from '#api'
import { dns1035Label, dns1123Subdomain, pathSegmentName, portNumber } from '#api'
import type { ResourceStrategy } from '../strategy.ts'
import { type Causes, invalid, invalidEach, notSupported, required } from '../validation/causes.ts'
import { keepAllButStatus, keepStatus } from './status.ts'

export const apiServiceStrategy: ResourceStrategy<apiregistration.APIService> = {
  allowUnconditionalUpdate: false,
  default(object) {
    if (object.spec?.service) object.spec.service.port ??= 443
  },
  prepareForCreate(object) {
    object.status = {}
    // A local group is served by this process: it is always there.
    if (!object.spec.service)
      object.status.conditions = [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }]
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ metadata, spec }) {
    const causes: Causes = []
    const { group = '', version = '', groupPriorityMinimum = 0, versionPriority = 0, service, caBundle, insecureSkipTLSVerify } = spec
    const name = `${version}.${group}`
    if (metadata.name !== name && pathSegmentName(metadata.name).length === 0)
      causes.push(invalid('metadata.name', metadata.name, `must be \`spec.version+"."+spec.group\`: "${name}"`))
    if (group === '') {
      if (version !== 'v1') causes.push(required('spec.group', 'only v1 may have an empty group and it better be legacy kube'))
    } else invalidEach(causes, 'spec.group', group, dns1123Subdomain(group))
    invalidEach(causes, 'spec.version', version, dns1035Label(version))
    if (groupPriorityMinimum <= 0 || groupPriorityMinimum > 20000)
      causes.push(invalid('spec.groupPriorityMinimum', groupPriorityMinimum, 'must be positive and less than 20000'))
    if (versionPriority <= 0 || versionPriority > 1000)
      causes.push(invalid('spec.versionPriority', versionPriority, 'must be positive and less than 1000'))
    if (!service) {
      if (caBundle)
        causes.push(invalid('spec.caBundle', `${Buffer.from(caBundle, 'base64').length} bytes`, 'local APIServices may not have a caBundle'))
      if (insecureSkipTLSVerify)
        causes.push(invalid('spec.insecureSkipTLSVerify', insecureSkipTLSVerify, 'local APIServices may not have insecureSkipTLSVerify'))
      return causes
    }
    if (!service.namespace) causes.push(required('spec.service.namespace'))
    if (!service.name) causes.push(required('spec.service.name'))
    const port = service.port ?? 0
    const problems = portNumber(port)
    if (problems.length > 0) causes.push(invalid('spec.service.port', port, `port is not valid: ${problems.join(', ')}`))
    if (insecureSkipTLSVerify && caBundle) causes.push(invalid('spec.insecureSkipTLSVerify', true, 'may not be true if caBundle is present'))
    return causes
  },
  validateStatusUpdate({ status }) {
    const causes: Causes = []
    const statuses = ['True', 'False', 'Unknown']
    for (const [i, condition] of (status?.conditions ?? []).entries())
      if (!statuses.includes(condition.status)) causes.push(notSupported(`status.conditions[${i}].status`, condition.status ?? '', statuses))
    return causes
  },
  validateName: (name) => pathSegmentName(name),
}
