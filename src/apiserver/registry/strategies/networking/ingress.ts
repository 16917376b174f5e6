import type { DeepReadonly, networking } from '#api'
import { dns1123Label, dns1123Subdomain, pathSegmentName, portName, portNumber, wildcardDns1123Subdomain } from '#api'
import type { ResourceStrategy } from '../../strategy.ts'
import { type Causes, forbidden, immutable, invalid, invalidEach, notSupported, optionalOneOf, required, tooLong } from '../../validation/causes.ts'
import { parseIP } from '../../validation/ip.ts'
import { validateLoadBalancer } from '../../validation/load-balancer.ts'
import { keepAllButStatus, keepStatus } from '../status.ts'

const classAnnotation = 'kubernetes.io/ingress.class'
const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']

export const ingressStrategy: ResourceStrategy<networking.Ingress> = {
  default(object) {
    object.spec ??= {}
    const status = (object.status ??= {})
    status.loadBalancer ??= {}
  },
  prepareForCreate(object) {
    object.status = { loadBalancer: {} }
  },
  prepareForUpdate: keepStatus,
  prepareForStatusUpdate: keepAllButStatus,
  validate({ spec }, _apiVersion, old) {
    const causes: Causes = []
    const { defaultBackend, rules = [], tls, ingressClassName } = spec
    if (!defaultBackend && rules.length === 0)
      causes.push(invalid('spec', spec.rules ?? null, 'either `defaultBackend` or `rules` must be specified'))
    if (defaultBackend) validateBackend(causes, 'spec.defaultBackend', defaultBackend)
    const badWildcards = Boolean(old?.spec.rules?.some(hasBadWildcard))
    rules.forEach((rule, i) => validateRule(causes, `spec.rules[${i}]`, rule, badWildcards))
    const badSecrets = Boolean(old?.spec.tls?.some(({ secretName }) => secretName && dns1123Subdomain(secretName).length > 0))
    tls?.forEach((entry, i) => {
      entry.hosts?.forEach((host, j) => invalidEach(causes, `spec.tls[${i}].hosts[${j}]`, host, hostMessages(host)))
      if (entry.secretName && !badSecrets) invalidEach(causes, `spec.tls[${i}].secretName`, entry.secretName, dns1123Subdomain(entry.secretName))
    })
    if (ingressClassName !== undefined) invalidEach(causes, 'spec.ingressClassName', ingressClassName, dns1123Subdomain(ingressClassName))
    return causes
  },
  /** Old ones may say both while they migrate. */
  validateCreate({ metadata, spec }) {
    const annotated = metadata.annotations?.[classAnnotation]
    if (annotated === undefined || spec.ingressClassName === undefined || annotated === spec.ingressClassName) return []
    return [invalid(`annotations.${classAnnotation}`, annotated, 'must match `ingressClassName` when both are specified')]
  },
  validateStatusUpdate({ status }, old) {
    const causes: Causes = []
    validateLoadBalancer(causes, status?.loadBalancer?.ingress, old.status?.loadBalancer?.ingress)
    return causes
  },
  warnings({ metadata, spec }, old) {
    if (old || metadata.annotations?.[classAnnotation] === undefined || spec.ingressClassName !== undefined) return []
    return [`annotation "${classAnnotation}" is deprecated, please use 'spec.ingressClassName' instead`]
  },
}

/** What was stored before rules with wildcards were looked at may stay as it is. */
function hasBadWildcard(rule: DeepReadonly<networking.IngressRule>): boolean {
  if (!rule.host?.includes('*')) return false
  const causes: Causes = []
  validateRuleValue(causes, '', rule)
  return causes.length > 0
}

function hostMessages(host: string): readonly string[] {
  return host.includes('*') ? wildcardDns1123Subdomain(host) : dns1123Subdomain(host)
}

function validateRule(causes: Causes, path: string, rule: DeepReadonly<networking.IngressRule>, badWildcards: boolean): void {
  if (rule.host) {
    if (parseIP(rule.host)) causes.push(invalid(`${path}.host`, rule.host, 'must be a DNS name, not an IP address'))
    invalidEach(causes, `${path}.host`, rule.host, hostMessages(rule.host))
  }
  if (!(badWildcards && rule.host?.includes('*'))) validateRuleValue(causes, path, rule)
}

function validateRuleValue(causes: Causes, path: string, rule: DeepReadonly<networking.IngressRule>): void {
  if (!rule.http) return
  if (!rule.http.paths?.length) causes.push(required(`${path}.http.paths`))
  rule.http.paths?.forEach((entry, i) => {
    const at = `${path}.http.paths[${i}]`
    if (!entry.pathType) {
      causes.push(required(`${at}.pathType`, 'pathType must be specified'))
      return
    }
    if (!pathTypes.includes(entry.pathType)) causes.push(notSupported(`${at}.pathType`, entry.pathType, pathTypes))
    else if (entry.pathType === 'ImplementationSpecific') {
      if (entry.path && !entry.path.startsWith('/')) causes.push(invalid(`${at}.path`, entry.path, 'must be an absolute path'))
    } else validatePath(causes, `${at}.path`, entry.path ?? '')
    validateBackend(causes, `${at}.backend`, entry.backend ?? {})
  })
}

const invalidSequences = ['//', '/./', '/../', '%2f', '%2F']
const invalidSuffixes = ['/..', '/.']

function validatePath(causes: Causes, path: string, value: string): void {
  if (!value.startsWith('/')) causes.push(invalid(path, value, 'must be an absolute path'))
  for (const sequence of invalidSequences) if (value.includes(sequence)) causes.push(invalid(path, value, `must not contain '${sequence}'`))
  for (const suffix of invalidSuffixes) if (value.endsWith(suffix)) causes.push(invalid(path, value, `cannot end with '${suffix}'`))
}

function validateBackend(causes: Causes, path: string, backend: DeepReadonly<networking.IngressBackend>): void {
  const { service, resource } = backend
  if (resource && service) causes.push(invalid(path, '', 'cannot set both resource and service backends'))
  else if (resource) {
    validateReference(causes, `${path}.resource`, resource)
  } else if (service) {
    if (!service.name) causes.push(required(`${path}.service.name`))
    else invalidEach(causes, `${path}.service.name`, service.name, dns1123Label(service.name))
    const { name, number } = service.port ?? {}
    if (name && number) causes.push(invalid(path, '', 'cannot set both port name & port number'))
    else if (name) invalidEach(causes, `${path}.service.port.name`, name, portName(name))
    else if (number) invalidEach(causes, `${path}.service.port.number`, number, portNumber(number))
    else causes.push(required(path, 'port name or number is required'))
  } else causes.push(invalid(path, '', 'resource or service backend is required'))
}

/** Checks what names an object of a kind that the server need not know. */
function validateReference(
  causes: Causes,
  path: string,
  { apiGroup, kind, name }: DeepReadonly<{ apiGroup?: string; kind: string; name: string }>,
): void {
  if (apiGroup !== undefined) invalidEach(causes, `${path}.apiGroup`, apiGroup, dns1123Subdomain(apiGroup))
  if (!kind) causes.push(required(`${path}.kind`, 'kind is required'))
  else invalidEach(causes, `${path}.kind`, kind, pathSegmentName(kind))
  if (!name) causes.push(required(`${path}.name`, 'name is required'))
  else invalidEach(causes, `${path}.name`, name, pathSegmentName(name))
}

const httpPathPattern = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+"
const httpPath = new RegExp(`^${httpPathPattern}$`)

export const ingressClassStrategy: ResourceStrategy<networking.IngressClass> = {
  default(object) {
    if (object.spec?.parameters) object.spec.parameters.scope ??= 'Cluster'
  },
  validate({ spec }) {
    const causes: Causes = []
    const controller = spec?.controller ?? ''
    if (controller.length > 250) causes.push(tooLong('spec.controller', 250))
    if (!controller) causes.push(required('spec.controller'))
    else {
      const slash = controller.indexOf('/')
      if (slash <= 0 || slash === controller.length - 1)
        causes.push(invalid('spec.controller', controller, 'must be a domain-prefixed path (such as "acme.io/foo")'))
      else {
        const [domain, rest] = [controller.slice(0, slash), controller.slice(slash + 1)]
        invalidEach(causes, 'spec.controller', domain, dns1123Subdomain(domain))
        if (!httpPath.test(rest)) causes.push(invalid('spec.controller', rest, `Invalid path (regex used for validation is '${httpPathPattern}')`))
      }
    }
    const parameters = spec?.parameters
    if (!parameters) return causes
    validateReference(causes, 'spec.parameters', parameters)
    const { scope, namespace } = parameters
    if (scope === undefined) causes.push(required('spec.parameters.scope'))
    else optionalOneOf(causes, 'spec.parameters.scope', scope, ['Cluster', 'Namespace'])
    if (scope === 'Namespace') {
      if (namespace === undefined) causes.push(required('spec.parameters.namespace', "`parameters.scope` is set to 'Namespace'"))
      else invalidEach(causes, 'spec.parameters.namespace', namespace, dns1123Label(namespace))
    }
    if (scope === 'Cluster' && namespace !== undefined) causes.push(forbidden('spec.parameters.namespace', "`parameters.scope` is set to 'Cluster'"))
    return causes
  },
  validateUpdate(object, old) {
    const causes: Causes = []
    immutable(causes, 'spec.controller', object.spec.controller, old.spec.controller)
    return causes
  },
}
