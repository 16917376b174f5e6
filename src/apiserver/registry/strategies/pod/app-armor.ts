import type { core } from '#api'
import { type Causes, same } from '../../validation/causes.ts'
import { appArmorPrefix } from '../../validation/pod/annotations.ts'
import { validateAppArmorProfile } from '../../validation/pod/security.ts'

type Profile = core.AppArmorProfile
type Container = core.Container | core.EphemeralContainer

/**
 * Profiles were annotations before they were fields (https://kep.k8s.io/24): a new pod's annotations become fields where these say
 * nothing. Answers warnings about annotations that no field accompanied.
 */
export function adoptAppArmorAnnotations({ metadata: { annotations }, spec }: core.Pod): string[] {
  if (!annotations || spec.os?.name === 'windows') return []
  if (!Object.keys(annotations).some((key) => key.startsWith(appArmorPrefix))) return []
  const warnings: string[] = []
  const containers: Container[] = [...(spec.initContainers ?? []), ...spec.containers, ...(spec.ephemeralContainers ?? [])]
  for (const container of containers) {
    const key = `${appArmorPrefix}${container.name}`
    const annotation = annotations[key]
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue
    const profile = profileOf(annotation)
    if (profile && same(profile, spec.securityContext?.appArmorProfile)) continue
    if (profile) (container.securityContext ??= {}).appArmorProfile = profile
    warnings.push(`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`)
  }
  return warnings
}

/** The profile that an annotation means; undefined when it means none that could be a field. */
function profileOf(annotation: string): Profile | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  if (!annotation.startsWith('localhost/')) return undefined
  const profile: Profile = { type: 'Localhost', localhostProfile: annotation.slice('localhost/'.length) }
  const causes: Causes = []
  validateAppArmorProfile(causes, '', profile)
  return causes.length === 0 ? profile : undefined
}
