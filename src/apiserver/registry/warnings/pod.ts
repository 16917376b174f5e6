import type { DeepReadonly, core } from '#api'
import { dns1123Label } from '#api'
import { same } from '../validation/causes.ts'
import { ipWarnings } from '../validation/ip.ts'
import { appArmorPrefix, seccompPodAnnotation, seccompPrefix } from '../validation/pod/annotations.ts'
import { forEveryContainer } from '../validation/pod/every-container.ts'
import { placementWarnings } from './nodes.ts'
import { portWarnings } from './ports.ts'
import { fractionWarnings } from './quantities.ts'
import { volumeWarnings } from './volumes.ts'

type Container = DeepReadonly<core.Container>
type Spec = DeepReadonly<core.PodSpec>
type Template = DeepReadonly<core.PodTemplateSpec>

const bytes = ['memory', 'ephemeral-storage']

const deprecatedAnnotations: [key: string, message: string][] = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
]

/** What a new pod is valid with and yet hardly meant (upstream's GetWarningsForPod). */
export function podWarnings({ metadata, spec }: DeepReadonly<core.Pod>): string[] {
  const warnings: string[] = []
  const problems = metadata.name ? dns1123Label(metadata.name) : []
  if (problems.length > 0)
    warnings.push(
      `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${problems.join(' ')}]`,
    )
  specWarnings(warnings, '', metadata.annotations, spec)
  return warnings
}

/** The same for the template of pods at `path`. */
export function podTemplateWarnings(path: string, template: Template | undefined): string[] {
  const warnings: string[] = []
  if (template?.spec) specWarnings(warnings, `${path}.`, template.metadata?.annotations, template.spec)
  return warnings
}

type Workload = DeepReadonly<{ spec: { template?: core.PodTemplateSpec } }>

/** Warnings of a workload's template, when it is new or its spec is another than before. */
export const workloadWarnings = ({ spec }: Workload, old?: Workload): string[] =>
  old && same(spec, old.spec) ? [] : podTemplateWarnings('spec.template', spec.template)

function specWarnings(warnings: string[], prefix: string, annotations: DeepReadonly<Record<string, string>> | undefined, spec: Spec): void {
  const path = `${prefix}spec`
  placementWarnings(warnings, path, spec)
  if (annotations) annotationWarnings(warnings, `${prefix}metadata.annotations`, annotations, spec, prefix !== '')
  if (spec.volumes) volumeWarnings(warnings, `${path}.volumes`, spec.volumes)
  if (spec.hostAliases) aliasWarnings(warnings, `${path}.hostAliases`, spec.hostAliases)
  if (spec.imagePullSecrets) pullSecretWarnings(warnings, `${path}.imagePullSecrets`, spec.imagePullSecrets)
  fractionWarnings(warnings, `${path}.overhead`, spec.overhead, bytes)
  const containers: [string, Container][] = []
  forEveryContainer(spec, path, (container, at) => {
    containers.push([at, container])
    containerWarnings(warnings, at, container)
  })
  portWarnings(warnings, containers)
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warnings.push(`${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`)
  spec.dnsConfig?.nameservers?.forEach((address, i) => warnings.push(...ipWarnings(`${path}.dnsConfig.nameservers[${i}]`, address)))
}

function annotationWarnings(
  warnings: string[],
  path: string,
  annotations: DeepReadonly<Record<string, string>>,
  spec: Spec,
  isTemplate: boolean,
): void {
  for (const [key, message] of deprecatedAnnotations) if (key in annotations) warnings.push(`${path}[${key}]: ${message}`)
  const unseen = 'non-functional in v1.27+; use the "seccompProfile" field instead'
  if (seccompPodAnnotation in annotations && !spec.securityContext?.seccompProfile) warnings.push(`${path}[${seccompPodAnnotation}]: ${unseen}`)
  forEveryContainer(spec, '', ({ name, securityContext }) => {
    const seccomp = `${seccompPrefix}${name}`
    if (seccomp in annotations && !securityContext?.seccompProfile) warnings.push(`${path}[${seccomp}]: ${unseen}`)
    const appArmor = `${appArmorPrefix}${name}`
    // a pod's become fields when it is made, and the warnings are given there
    if (isTemplate && appArmor in annotations && !securityContext?.appArmorProfile && !spec.securityContext?.appArmorProfile)
      warnings.push(`${path}[${appArmor}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  })
}

function aliasWarnings(warnings: string[], path: string, aliases: NonNullable<Spec['hostAliases']>): void {
  const seen = new Set<string>()
  aliases.forEach(({ ip }, i) => {
    if (seen.has(ip)) warnings.push(`${path}[${i}].ip: duplicate ip "${ip}"`)
    seen.add(ip)
    warnings.push(...ipWarnings(`${path}[${i}].ip`, ip))
  })
}

function pullSecretWarnings(warnings: string[], path: string, secrets: NonNullable<Spec['imagePullSecrets']>): void {
  const seen = new Set<string>()
  secrets.forEach(({ name = '' }, i) => {
    if (seen.has(name)) warnings.push(`${path}[${i}].name: duplicate name "${name}"`)
    if (name === '') warnings.push(`${path}[${i}].name: invalid empty name ""`)
    seen.add(name)
  })
}

function containerWarnings(warnings: string[], path: string, { resources, env }: Container): void {
  fractionWarnings(warnings, `${path}.resources.limits`, resources?.limits, bytes)
  fractionWarnings(warnings, `${path}.resources.requests`, resources?.requests, bytes)
  if (!env || env.length < 2) return
  const seen = new Set<string>()
  env.forEach(({ name, value = '', valueFrom }, i) => {
    // a variable may build on its older self: X=$(X)123
    const before = `$(${name})`
    if (seen.has(name) && (valueFrom || value === before || !value.includes(before)))
      warnings.push(`${path}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`)
    seen.add(name)
  })
}
