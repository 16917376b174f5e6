import type { DeepReadonly, core } from '#api'
import { dns1123Subdomain, qualifiedName } from '#api'
import { type Causes, duplicate, forbidden, invalid, invalidEach, notSupported, required } from '../causes.ts'
import { validateAnnotations, validateLabels } from '../object-meta.ts'
import { validateResourceRequirements } from '../resources.ts'
import { mirrorAnnotation, validatePodAnnotations, validateProfilesAgree } from './annotations.ts'
import { validateContainers, validateImageText } from './containers.ts'
import { validateDnsConfig, validateHostAliases, validateHostnames } from './dns.ts'
import { validateFileKeyVolumes } from './env.ts'
import { forEveryContainer } from './every-container.ts'
import { tolerate } from './late-rules.ts'
import { validatePodResources } from './pod-resources.ts'
import { validateHostNetworkPorts } from './ports.ts'
import { validatePodClaims } from './resource-claims.ts'
import { validateAffinity, validateTolerations, validateTopologySpread } from './scheduling.ts'
import { validateHostUsers, validatePodSecurityContext } from './security.ts'
import { validateVolumes } from './volumes.ts'
import { validateHostProcess, validateLinuxPod, validateWindowsPod } from './windows.ts'

type PodSpec = DeepReadonly<core.PodSpec>

const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const restartPolicies = ['Always', 'OnFailure', 'Never']
const preemptionPolicies = ['PreemptLowerPriority', 'Never']
const systems = ['linux', 'windows']
const maxInt32 = 2 ** 31 - 1

/** Checks a pod itself, which has a name and will run: its annotations and its spec. `old` is what an update replaces. */
export function validatePod(causes: Causes, pod: DeepReadonly<core.Pod>, old?: DeepReadonly<core.Pod>): void {
  const start = causes.length
  const { metadata, spec } = pod
  if (metadata.annotations) validatePodAnnotations(causes, 'metadata.annotations', metadata.annotations, spec)
  validatePodSpec(causes, 'spec', spec, metadata)
  if (!spec.serviceAccountName && spec.volumes) validateNoTokens(causes, 'spec.volumes', spec.volumes)
  for (let i = 0; i < spec.containers.length; i++) validateImageText(causes, `spec.containers[${i}]`, spec.containers[i]!.image)
  spec.initContainers?.forEach(({ image }, i) => validateImageText(causes, `spec.initContainers[${i}]`, image))
  if (old) tolerate(causes, start, (before) => validatePod(before, old))
}

/** A token is for an account; templates get theirs when their pods are made. */
function validateNoTokens(causes: Causes, path: string, volumes: NonNullable<PodSpec['volumes']>): void {
  volumes.forEach((volume, i) =>
    volume.projected?.sources?.forEach((source, j) => {
      if (source.serviceAccountToken)
        causes.push(
          forbidden(`${path}[${i}].projected.sources[${j}].serviceAccountToken`, 'must not be specified when serviceAccountName is not set'),
        )
    }),
  )
}

/** Checks a pod's spec, in a template or, with its metadata, in a pod. */
export function validatePodSpec(causes: Causes, path: string, spec: PodSpec, metadata?: DeepReadonly<core.Pod['metadata']>): void {
  if (spec.terminationGracePeriodSeconds === undefined) causes.push(required(`${path}.terminationGracePeriodSeconds`))
  const volumes = validateVolumes(causes, `${path}.volumes`, spec.volumes, metadata?.name)
  if (spec.resourceClaims)
    validatePodClaims(causes, `${path}.resourceClaims`, spec.resourceClaims, metadata?.annotations?.[mirrorAnnotation] !== undefined)
  validateContainers(causes, path, spec, volumes)
  if (spec.resources) validatePodResources(causes, `${path}.resources`, spec)
  if (spec.hostNetwork) validateHostNetworkPorts(causes, path, spec, metadata !== undefined)
  const { restartPolicy, dnsPolicy } = spec
  if (restartPolicy !== 'Always' && restartPolicy !== 'OnFailure' && restartPolicy !== 'Never')
    causes.push(restartPolicy ? notSupported(`${path}.restartPolicy`, restartPolicy, restartPolicies) : required(`${path}.restartPolicy`))
  if (dnsPolicy !== 'ClusterFirst' && !dnsPolicies.includes(dnsPolicy ?? ''))
    causes.push(dnsPolicy ? notSupported(`${path}.dnsPolicy`, dnsPolicy, dnsPolicies) : required(`${path}.dnsPolicy`))
  if (spec.nodeSelector) validateLabels(causes, `${path}.nodeSelector`, spec.nodeSelector)
  validatePodSecurityContext(causes, path, spec)
  if (spec.affinity) validateAffinity(causes, `${path}.affinity`, spec.affinity)
  if (spec.dnsConfig || dnsPolicy === 'None') validateDnsConfig(causes, `${path}.dnsConfig`, spec)
  spec.readinessGates?.forEach((gate, i) =>
    invalidEach(causes, `${path}.readinessGates[${i}].conditionType`, gate.conditionType ?? '', qualifiedName(gate.conditionType ?? '')),
  )
  if (spec.schedulingGates) validateSchedulingGates(causes, `${path}.schedulingGates`, spec.schedulingGates)
  if (spec.topologySpreadConstraints) validateTopologySpread(causes, `${path}.topologySpreadConstraints`, spec.topologySpreadConstraints)
  if (asksOfWindows(spec)) validateHostProcess(causes, path, spec)
  if (spec.hostUsers === false) validateHostUsers(causes, path, spec)
  if (spec.hostname || spec.subdomain || spec.hostnameOverride !== undefined) validateHostnames(causes, path, spec)
  validateNames(causes, path, spec)
  if (spec.activeDeadlineSeconds !== undefined && !(spec.activeDeadlineSeconds >= 1 && spec.activeDeadlineSeconds <= maxInt32))
    causes.push(invalid(`${path}.activeDeadlineSeconds`, spec.activeDeadlineSeconds, `must be between 1 and ${maxInt32}, inclusive`))
  if (spec.tolerations) validateTolerations(causes, `${path}.tolerations`, spec.tolerations)
  if (spec.hostAliases) validateHostAliases(causes, `${path}.hostAliases`, spec.hostAliases)
  if (spec.preemptionPolicy !== undefined && !preemptionPolicies.includes(spec.preemptionPolicy))
    causes.push(
      spec.preemptionPolicy
        ? notSupported(`${path}.preemptionPolicy`, spec.preemptionPolicy, preemptionPolicies)
        : required(`${path}.preemptionPolicy`),
    )
  if (spec.overhead) validateResourceRequirements(causes, `${path}.overhead`, { limits: spec.overhead })
  if (spec.os) validateSystem(causes, path, spec)
  if (spec.schedulingGroup) validateSchedulingGroup(causes, `${path}.schedulingGroup`, spec.schedulingGroup)
  if (hasFileKeys(spec)) validateFileKeyVolumes(causes, path, spec)
}

/** Names of other objects. */
function validateNames(causes: Causes, path: string, spec: PodSpec): void {
  const { serviceAccountName, nodeName, priorityClassName, runtimeClassName } = spec
  if (serviceAccountName) invalidEach(causes, `${path}.serviceAccountName`, serviceAccountName, dns1123Subdomain(serviceAccountName))
  if (nodeName) invalidEach(causes, `${path}.nodeName`, nodeName, dns1123Subdomain(nodeName))
  if (priorityClassName) invalidEach(causes, `${path}.priorityClassName`, priorityClassName, dns1123Subdomain(priorityClassName))
  if (runtimeClassName !== undefined) invalidEach(causes, `${path}.runtimeClassName`, runtimeClassName, dns1123Subdomain(runtimeClassName))
}

function validateSchedulingGates(causes: Causes, path: string, gates: NonNullable<PodSpec['schedulingGates']>): void {
  const seen = new Set<string>()
  gates.forEach(({ name = '' }, i) => {
    invalidEach(causes, `${path}[${i}]`, name, qualifiedName(name))
    if (seen.has(name)) causes.push(duplicate(`${path}[${i}]`, name))
    seen.add(name)
  })
}

function validateSchedulingGroup(causes: Causes, path: string, { podGroupName }: NonNullable<PodSpec['schedulingGroup']>): void {
  if (podGroupName === undefined) causes.push(invalid(`${path}.podGroupName`, undefined, 'must specify one of: `podGroupName`'))
  else invalidEach(causes, `${path}.podGroupName`, podGroupName, dns1123Subdomain(podGroupName))
}

/** Fields that only one system knows are refused where the pod says that it is for the other. */
function validateSystem(causes: Causes, path: string, spec: PodSpec): void {
  const name = spec.os!.name
  if (!name) causes.push(required(`${path}.os.name`))
  else if (!systems.includes(name)) causes.push(notSupported(`${path}.os`, name, systems))
  else if (name === 'linux') validateLinuxPod(causes, path, spec)
  else validateWindowsPod(causes, path, spec)
}

/** Whether any security context has options for Windows: hardly any has, so that the closer look is spared. */
function asksOfWindows(spec: PodSpec): boolean {
  if (spec.securityContext?.windowsOptions) return true
  for (const { securityContext } of spec.containers) if (securityContext?.windowsOptions) return true
  if (!spec.initContainers && !spec.ephemeralContainers) return false
  let found = false
  forEveryContainer(spec, '', ({ securityContext }) => (found ||= securityContext?.windowsOptions !== undefined))
  return found
}

function hasFileKeys(spec: PodSpec): boolean {
  for (const { env } of spec.containers) if (env) for (const one of env) if (one.valueFrom?.fileKeyRef) return true
  if (!spec.initContainers && !spec.ephemeralContainers) return false
  let found = false
  forEveryContainer(spec, '', ({ env }) => (found ||= env?.some((one) => one.valueFrom?.fileKeyRef) ?? false))
  return found
}

/** Checks a template of a workload: its metadata and its spec. */
export function validatePodTemplate(
  causes: Causes,
  path: string,
  template: DeepReadonly<core.PodTemplateSpec>,
  old?: DeepReadonly<core.PodTemplateSpec>,
): void {
  const start = causes.length
  const { metadata, spec = { containers: [] } } = template
  // upstream leaves out that these are of the metadata
  validateLabels(causes, `${path}.labels`, metadata?.labels)
  validateAnnotations(causes, `${path}.annotations`, metadata?.annotations)
  if (metadata?.annotations) validatePodAnnotations(causes, `${path}.annotations`, metadata.annotations, spec)
  validatePodSpec(causes, `${path}.spec`, spec)
  validateProfilesAgree(causes, `${path}.spec`, metadata?.annotations, spec, 'seccomp')
  if (spec.ephemeralContainers?.length) causes.push(forbidden(`${path}.spec.ephemeralContainers`, 'ephemeral containers not allowed in pod template'))
  if (old) tolerate(causes, start, (before) => validatePodTemplate(before, path, old))
}
