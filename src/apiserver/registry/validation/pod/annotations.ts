import type { DeepReadonly, StatusCause, core } from '#api'
import { type Causes, forbidden, invalid } from '../causes.ts'
import { forEveryContainer } from './every-container.ts'
import { validateDescendingPath } from './paths.ts'
import { validateTolerations } from './scheduling.ts'

type Annotations = DeepReadonly<Record<string, string>> | undefined
type PodSpec = DeepReadonly<core.PodSpec>

/** Says of a pod that it stands for a static one of its node. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
export const seccompPodAnnotation = 'seccomp.security.alpha.kubernetes.io/pod'
export const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
const tolerationsAnnotation = 'scheduler.alpha.kubernetes.io/tolerations'
const deletionCostAnnotation = 'controller.kubernetes.io/pod-deletion-cost'

/** Checks the annotations that mean something for pods. `path` is that of the annotations. */
export function validatePodAnnotations(causes: Causes, path: string, annotations: Annotations, spec: PodSpec): void {
  for (const key in annotations) {
    const value = annotations[key]!
    if (key === mirrorAnnotation) {
      if (!spec.nodeName) causes.push(invalid(`${path}[${key}]`, value, 'must set spec.nodeName if mirror pod annotation is set'))
    } else if (key === tolerationsAnnotation) validateTolerationsText(causes, path, value)
    else if (key === deletionCostAnnotation) {
      if (!isInt32(value)) causes.push(invalid(`${path}[${key}]`, value, 'must be a 32bit integer'))
    } else if (key === seccompPodAnnotation || key.startsWith(seccompPrefix)) validateSeccomp(causes, `${path}.${key}`, value)
    else if (key.startsWith(appArmorPrefix)) validateAppArmor(causes, `${path}[${key}]`, key.slice(appArmorPrefix.length), value, spec)
  }
}

/** Whether Go reads it as a 32-bit integer, without a plus or leading zeros. */
function isInt32(text: string): boolean {
  if (!/^(0|-?[1-9]\d*)$/.test(text)) return false
  const value = Number(text)
  return value >= -(2 ** 31) && value < 2 ** 31
}

function validateTolerationsText(causes: Causes, path: string, text: string): void {
  if (text === '') return
  try {
    const tolerations = JSON.parse(text) as core.Toleration[]
    if (Array.isArray(tolerations)) validateTolerations(causes, `${path}.${tolerationsAnnotation}`, tolerations)
    else causes.push(invalid(path, tolerationsAnnotation, 'json: cannot unmarshal object into Go value of type []core.Toleration'))
  } catch (error) {
    causes.push(invalid(path, tolerationsAnnotation, (error as Error).message))
  }
}

function validateSeccomp(causes: Causes, path: string, profile: string): void {
  if (profile === 'runtime/default' || profile === 'docker/default' || profile === 'unconfined') return
  if (profile.startsWith('localhost/')) validateDescendingPath(causes, path, profile.slice('localhost/'.length))
  else causes.push(invalid(path, profile, 'must be a valid seccomp profile'))
}

function validateAppArmor(causes: Causes, path: string, container: string, profile: string, spec: PodSpec): void {
  let found = false
  forEveryContainer(spec, '', ({ name }) => (found ||= name === container))
  if (!found) causes.push(invalid(path, container, 'container not found'))
  if (profile !== '' && profile !== 'runtime/default' && profile !== 'unconfined' && !profile.startsWith('localhost/'))
    causes.push(invalid(path, profile, `invalid AppArmor profile name: ${JSON.stringify(profile)}`))
}

/** Some annotations are settled when a pod is made. */
export function validateAnnotationsKept(causes: Causes, path: string, annotations: Annotations, before: Annotations): void {
  for (const key in before) {
    if (annotations?.[key] === before[key]) continue
    if (key.startsWith(appArmorPrefix)) causes.push(forbidden(`${path}[${key}]`, 'may not remove or update AppArmor annotations'))
    if (key === mirrorAnnotation) causes.push(forbidden(`${path}[${key}]`, 'may not remove or update mirror pod annotation'))
  }
  for (const key in annotations) {
    if (before && key in before) continue
    if (key.startsWith(appArmorPrefix)) causes.push(forbidden(`${path}[${key}]`, 'may not add AppArmor annotations'))
    if (key === mirrorAnnotation) causes.push(forbidden(`${path}[${key}]`, 'may not add mirror pod annotation'))
  }
}

/** Where an annotation and a field say which profile a container has, they say the same. `path` is that of the spec. */
export function validateProfilesAgree(causes: Causes, path: string, annotations: Annotations, spec: PodSpec, what: 'seccomp' | 'apparmor'): void {
  if (!annotations) return
  const field = what === 'seccomp' ? 'seccompProfile' : 'appArmorProfile'
  const ofPod = spec.securityContext?.[field]
  if (what === 'seccomp') {
    const cause = disagreement(`${path}.securityContext.${field}`, annotations[seccompPodAnnotation], ofPod, what)
    if (cause) causes.push(cause)
  } else if (spec.os?.name === 'windows') return
  const prefix = what === 'seccomp' ? seccompPrefix : appArmorPrefix
  forEveryContainer(spec, path, ({ name, securityContext }, at) => {
    const profile = securityContext?.[field] ?? (what === 'apparmor' ? ofPod : undefined)
    const cause = disagreement(`${at}.securityContext.${field}`, annotations[`${prefix}${name}`], profile, what)
    if (cause) causes.push(cause)
  })
}

function disagreement(
  path: string,
  annotation: string | undefined,
  profile: DeepReadonly<core.SeccompProfile | core.AppArmorProfile> | undefined,
  what: string,
): StatusCause | undefined {
  if (annotation === undefined || !profile) return undefined
  const otherType = forbidden(`${path}.type`, `${what} type in annotation and field must match`)
  switch (profile.type) {
    case 'Unconfined':
      return annotation === 'unconfined' ? undefined : otherType
    case 'RuntimeDefault':
      return annotation === 'runtime/default' || (what === 'seccomp' && annotation === 'docker/default') ? undefined : otherType
    case 'Localhost':
      if (!annotation.startsWith('localhost/')) return otherType
      return annotation.slice('localhost/'.length) === profile.localhostProfile
        ? undefined
        : forbidden(`${path}.localhostProfile`, `${what} profile in annotation and field must match`)
    default:
      return undefined
  }
}
