import { isIP } from 'node:net'
import type { DeepReadonly, core } from '#api'
import { dns1123Label, dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required } from '../causes.ts'
import { validateAnnotations, validateLabels } from '../object-meta.ts'
import { validateQuantity, validateResourceRequirements } from '../resources.ts'
import { validateContainers } from './containers.ts'
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts'
import { validatePodSecurityContext } from './security.ts'
import { validateVolumes } from './volumes.ts'

type PodSpec = DeepReadonly<core.PodSpec>

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const restartPolicies = ['Always', 'OnFailure', 'Never']
const maxInt32 = 2 ** 31 - 1

/** Checks a pod's spec as it is created, in a pod or in a template. */
export function validatePodSpec(causes: Causes, path: string, spec: PodSpec): void {
  const volumes = validateVolumes(causes, `${path}.volumes`, spec.volumes)
  validateContainers(causes, path, spec, volumes)
  const { restartPolicy, dnsPolicy } = spec
  if (restartPolicy !== 'Always' && restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    causes.push(restartPolicy ? notSupported(`${path}.restartPolicy`, restartPolicy, restartPolicies) : required(`${path}.restartPolicy`))
  if (dnsPolicy !== 'ClusterFirst' && !dnsPolicies.includes(dnsPolicy ?? ''))
    causes.push(dnsPolicy ? notSupported(`${path}.dnsPolicy`, dnsPolicy, dnsPolicies) : required(`${path}.dnsPolicy`))
  if (spec.dnsConfig || dnsPolicy === 'None') validateDnsConfig(causes, `${path}.dnsConfig`, spec)
  validateLabels(causes, `${path}.nodeSelector`, spec.nodeSelector)
  validatePodSecurityContext(causes, path, spec)
  if (spec.affinity) validateAffinity(causes, `${path}.affinity`, spec.affinity)
  if (spec.tolerations) validateTolerations(causes, `${path}.tolerations`, spec.tolerations)
  if (spec.topologySpreadConstraints) validateTopologySpread(causes, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints)
  if (spec.resources) validateResourceRequirements(causes, `${path}.resources`, spec.resources)
  if (spec.serviceAccountName) invalidEach(causes, `${path}.serviceAccountName`, spec.serviceAccountName, dns1123Subdomain(spec.serviceAccountName))
  if (spec.nodeName) invalidEach(causes, `${path}.nodeName`, spec.nodeName, dns1123Subdomain(spec.nodeName))
  if (spec.hostname) invalidEach(causes, `${path}.hostname`, spec.hostname, dns1123Label(spec.hostname))
  if (spec.subdomain) invalidEach(causes, `${path}.subdomain`, spec.subdomain, dns1123Label(spec.subdomain))
  if (spec.activeDeadlineSeconds !== undefined && !(spec.activeDeadlineSeconds >= 1 && spec.activeDeadlineSeconds <= maxInt32))
    causes.push(invalid(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, 'must be between 1 and 2147483647, inclusive'))
  if (spec.terminationGracePeriodSeconds === undefined) causes.push(required(`${path}.terminationGracePeriodSeconds`))
  spec.hostAliases?.forEach((alias, i) => {
    if (isIP(alias.ip) === 0)
      causes.push(invalid(`${path}.hostAliases[${i}].ip`, alias.ip, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
    for (const name of alias.hostnames ?? []) invalidEach(causes, `${path}.hostAliases[${i}].hostnames`, name, dns1123Subdomain(name))
  })
  if (spec.priorityClassName) invalidEach(causes, `${path}.priorityClassName`, spec.priorityClassName, dns1123Subdomain(spec.priorityClassName))
  if (spec.runtimeClassName) invalidEach(causes, `${path}.runtimeClassName`, spec.runtimeClassName, dns1123Subdomain(spec.runtimeClassName))
  if (spec.preemptionPolicy !== undefined && spec.preemptionPolicy !== 'Never' && spec.preemptionPolicy !== 'PreemptLowerPriority')
    causes.push(notSupported(`${path}.preemptionPolicy`, spec.preemptionPolicy, ['Never', 'PreemptLowerPriority']))
  for (const name in spec.overhead) validateQuantity(causes, `${path}.overhead[${name}]`, name, spec.overhead[name]!)
  spec.readinessGates?.forEach((gate, i) =>
    invalidEach(causes, `${path}.readinessGates[${i}].conditionType`, gate.conditionType, qualifiedName(gate.conditionType ?? '')),
  )
  if (spec.schedulingGates) validateSchedulingGates(causes, path, spec)
  if (spec.os && spec.os.name !== 'linux' && spec.os.name !== 'windows')
    causes.push(spec.os.name ? notSupported(`${path}.os.name`, spec.os.name, ['linux', 'windows']) : required(`${path}.os.name`))
}

function validateSchedulingGates(causes: Causes, path: string, spec: PodSpec): void {
  const seen = new Set<string>()
  spec.schedulingGates!.forEach((gate, i) => {
    invalidEach(causes, `${path}.schedulingGates[${i}]`, gate.name, qualifiedName(gate.name ?? ''))
    if (seen.has(gate.name)) causes.push(duplicate(`${path}.schedulingGates[${i}]`, gate.name))
    seen.add(gate.name)
  })
}

function validateDnsConfig(causes: Causes, path: string, spec: PodSpec): void {
  const config = spec.dnsConfig
  const none = spec.dnsPolicy === 'None'
  if (!config) {
    causes.push(required(path, 'must provide `dnsConfig` when `dnsPolicy` is None'))
    return
  }
  const { nameservers = [], searches = [], options = [] } = config
  if (none && nameservers.length === 0)
    causes.push(required(`${path}.nameservers`, 'must provide at least one DNS nameserver when `dnsPolicy` is None'))
  if (nameservers.length > 3) causes.push(invalid(`${path}.nameservers`, nameservers, 'must not have more than 3 nameservers'))
  nameservers.forEach((server, i) => {
    if (isIP(server) === 0) causes.push(invalid(`${path}.nameservers[${i}]`, server, 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'))
  })
  if (searches.length > 32) causes.push(invalid(`${path}.searches`, searches, 'must not have more than 32 search paths'))
  if (searches.join(' ').length > 2048)
    causes.push(invalid(`${path}.searches`, searches, 'must not have more than 2048 characters (including spaces) in the search list'))
  searches.forEach((search, i) => {
    const name = search.length > 1 && search.endsWith('.') ? search.slice(0, -1) : search
    if (name !== '.') invalidEach(causes, `${path}.searches[${i}]`, search, dns1123Subdomain(name.replaceAll('_', '-')))
  })
  options.forEach((option, i) => {
    if (!option.name) causes.push(required(`${path}.options[${i}]`, 'must not be empty'))
  })
}

/** Checks a template of a workload: its metadata and its spec. */
export function validatePodTemplate(causes: Causes, path: string, template: DeepReadonly<core.PodTemplateSpec>): void {
  validateLabels(causes, `${path}.labels`, template.metadata?.labels)
  validateAnnotations(causes, `${path}.annotations`, template.metadata?.annotations)
  validatePodSpec(causes, `${path}.spec`, template.spec ?? { containers: [] })
  if (template.spec?.ephemeralContainers?.length)
    causes.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
}
